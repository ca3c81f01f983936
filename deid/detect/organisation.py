"""Organisations: hospitals, clinics, schools, companies, public offices.

Source: 의료법 제3조 (kinds of medical institutions), 상법 제18조-제19조 (company names). Bare kinds (본원, 타병원,
종합병원) name
nobody and are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser

_KIND = (
    r"(?:대학교병원|대학병원|대병원|요양병원|재활병원|한방병원|치과병원|종합병원|병원|의료원|한의원|치과의원|의원|"
    r"의료재단|메디컬센터|보건소|보건지소|"
    r"정형외과|산부인과|소아청소년과|소아과|이비인후과|안과|피부과|비뇨의학과|가정의학과|내과|외과|치과|약국|"
    r"대학교|고등학교|중학교|초등학교|어린이집|유치원|요양원|복지관|경로당|파출소|경찰서|소방서|교회|성당|"
    r"주민센터|행정복지센터)"
)
_NAMED = re.compile(
    rf"(?<![가-힣])(?P<v>(?:[가-힣]{{2,8}}(?:공단|적십자사|재단|학원)[ ])?"
    rf"[가-힣A-Z]{{2,14}}?{_KIND}(?:[ ]?(?:응급의료센터|암센터|부설[가-힣]{{2,6}}))?)(?=[^가-힣]|"
    rf"에|의(?!원)|은|는|이|가|"
    rf"을|를|과|와|로|으로|도|장|측|내|부속|원장|까지|부터|입|$)"
)
_COMPANY = re.compile(
    r"(?:㈜|\(주\)|주식회사|\(유\)|재단법인|사단법인|학교법인|의료법인)[ ]?[가-힣A-Za-z]{2,12}|"
    r"[가-힣A-Za-z]{2,12}(?:㈜|\(주\)|[ ]주식회사)"
)
_TRADE = re.compile(
    r"(?<![가-힣])(?P<v>[가-힣]{2,6}(?:중공업|전자|물류|철강|건설|화학|산업|상사|제약|식품|운수|정밀|조선|자동차|"
    r"생명|화재|증권|은행|물산|전기|정공|모직|푸드|타이어|테크|텍|반도체|디스플레이|유통|기업|공업|엔지니어링|테크|"
    r"시스템|통운|교통|택시|제철|섬유|금속))"
    r"(?=에서|에|의|[ ]?(?:근무|재직|퇴직|퇴사|소속|귀중|직원|복직|사원|입사|다니|다님|대표)|[ ]?사업자|[ ]?\()"
)
# Behind a label of work, before 귀중, and schools by their short names.
_LABELLED = re.compile(
    r"(?m:^)[ ]{0,2}(?:직장(?:명)?|근무처|회사(?:명)?|[Ee]mployer|"
    r"[Cc]ompany)[ ]{0,2}[:=]?[ ]{1,2}(?P<v>[가-힣A-Za-z]{3,14})(?=[ ]?(?:$|[\n(,/)])|[ ]{2})|"
    r"(?:[Ww]ork(?:s|ed|ing)? (?:at|for)|"
    r"소속|학교|재직처|직장명?|사업장|근무지)(?:[ ]?[:=(][ ]?|[ ])(?P<w>[가-힣A-Za-z]{3,14})(?=$|[\n(,/).]|[ ][ (]|"
    r"[ ](?:담당자|관리자|대표|사장|과장|직원|검진))"
)
_SCHOOL = re.compile(
    r"(?<![가-힣])(?P<v>[가-힣]{2,8}(?:초|중|고|대))(?=[ ]?(?:다니|다님|재학|\d학년|졸업|입학|학생|담임))"
)
_BARE = re.compile(
    r"^(?:본|노인|노인전문|타|동|해당|상기|인근|외부|다른|지역|개인|대학|종합|요양|재활|상급|상급종합|협력|연계|"
    r"일반|국립|공공|전문|한방|치과|동네|이전|기존|원래|근처|모|각|병|어느|같은|"
    r"소화기|순환기|호흡기|신장|혈액종양|혈액|종양|내분비|류마티스|감염|심장|알레르기|내분비대사|흉부|"
    r"심장혈관흉부|신경|정신|성형|일반|대장항문|간담췌|유방|혈관|이식|외상|구강|수부|청구|소아|소아심장|"
    r"소아신경|위장관|갑상선|척추|"
    r"응급|통증|재활|마취통증|구강악안면|교정|보존|보철|치주|중|고|초등|보내는|받는|의뢰|전원|회송|로컬|인공신장|"
    r"가정|환자|보호자|직장|관할|담당|당|여러|대형|소아청소년|보내는병원)$"
)


class OrganisationRecogniser(KoreanRecogniser):
    """Named institutions and companies."""

    ENTITIES = ("ORG",)

    def find(self, text: str) -> Iterator[Found]:
        """Names ending in a kind of institution, in a legal form, or in a trade beside a word of employment."""
        for match in _NAMED.finditer(text):
            name = re.sub(rf"{_KIND}(?:[ ]?[가-힣]{{2,8}})?$", "", match["v"])
            if name and not _BARE.match(name):
                yield Found(*match.span("v"), "ORG", 0.7)
        for match in _COMPANY.finditer(text):
            yield Found(*match.span(), "ORG", 0.8)
        for match in _LABELLED.finditer(text):
            yield Found(*match.span("v" if match["v"] else "w"), "ORG", 0.6)
        for match in _SCHOOL.finditer(text):
            yield Found(*match.span("v"), "ORG", 0.6)
        for match in _TRADE.finditer(text):
            yield Found(*match.span("v"), "ORG", 0.65)
