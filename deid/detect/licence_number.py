"""Licence and specialist numbers of staff (의사·한의사·치과의사·간호사·약사 면허번호, 전문의 자격번호).

Source: 의료법 시행규칙 별지 제2호서식, 약사법 시행규칙 별지 제2호서식 (제NNNNN호; up to six digits; no check digit).
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser


class LicenceNumberRecogniser(RuleRecogniser):
    """Three to six digits behind 면허, 전문의, 자격 or licence; driver's licences have twelve digits."""

    ENTITIES = ("LICENSE_NO",)
    RULES = (
        Rule(
            "LICENSE_NO",
            re.compile(
                r"(?:면허|자격|전문의|의사|약사|간호사|면허증|licen[sc]e|lic\.?)\s?(?:번호|증|No\.?|"
                r"number)?[ ]{0,2}[:=#.(]?[ ]{0,2}(?:제|No\.?|#)?[ ]{0,2}"
                r"(?P<v>\d[\d ]{1,2}\d{2,4})(?![\d.-])[ ]?(?:호|번)?(?![가-힣]?세|년|원|명|회|병|월)",
                re.IGNORECASE,
            ),
            0.85,
            needs=("면허", "자격", "전문의", "의사", "약사", "간호사", "lic", "Lic", "LIC"),
        ),
        # In brackets behind the name of who signs as a physician.
        Rule(
            "LICENSE_NO",
            re.compile(
                r"(?:의사|전문의|담당의|진단의|판독의|원장)"
                r"[ ]?[:=]?[ ]{0,2}[가-힣A-Za-z ,.-]{2,25}\([ ]?(?P<v>\d{5,6})[ ]?\)"
            ),
            0.6,
            needs=("의사", "전문의", "담당의", "진단의", "판독의", "원장"),
        ),
        Rule("LICENSE_NO", re.compile(r"제[ ]?(?P<v>\d{4,6})[ ]?호(?![가-힣]{0,4}실)"), 0.75, needs=("제",)),
    )
