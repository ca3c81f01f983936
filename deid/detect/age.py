"""Ages from ninety up, which single a person out (45 CFR 164.514(b)(2)(i)(C); 보건의료데이터 활용 가이드라인)."""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser

_OLD = r"(?P<v>9\d|1[0-2]\d)"


class AgeRecogniser(RuleRecogniser):
    """Ages of ninety and above, in digits or words; younger ages are left alone."""

    ENTITIES = ("AGE90",)
    RULES = (
        Rule(
            "AGE90",
            re.compile(
                rf"(?<![\d.,/-]){_OLD}[ ]?(?:세(?!트)|살|yo\b|y/o|y\.o|yrs?\b|years?[ -]old|YO\b)", re.IGNORECASE
            ),
            0.9,
        ),
        Rule(
            "AGE90",
            re.compile(rf"(?<![A-Za-z0-9])(?:[MF]|남자?|여자?|Male|Female)[ ]?/[ ]?{_OLD}(?![\d/.%])", re.IGNORECASE),
            0.9,
        ),
        Rule("AGE90", re.compile(rf"(?<![\d./]){_OLD}[ ]?/[ ]?(?:[MF](?![A-Za-z])|남|여)"), 0.9),
        Rule(
            "AGE90",
            re.compile(rf"(?:나이|연령|age|만|향년)[ ]{{0,2}}[:=]?[ ]{{0,2}}{_OLD}(?![\d/.%])", re.IGNORECASE),
            0.85,
        ),
        Rule("AGE90", re.compile(rf"(?<![A-Za-z0-9])[MF][ ]{_OLD}(?![\d/.%])"), 0.7),
        Rule(
            "AGE90",
            re.compile(r"(?P<v>(?:아흔|백)(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉)?)[ ]?(?:살|세(?:가|의|이| |,|$))"),
            0.7,
            needs=("아흔", "백"),
        ),
    )
