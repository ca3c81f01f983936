"""Types of identifiers in free text, with the words people read; held to the detectors' list by a test.

They stand apart from the detectors, which take seconds to load, for whoever only has to name a type.
"""

from __future__ import annotations

from collections.abc import Mapping

LABELS: Mapping[str, tuple[str, str]] = {
    "NAME": ("이름", "name"),
    "RRN": ("주민등록번호", "resident registration number"),
    "FRN": ("외국인등록번호", "foreigner registration number"),
    "PHONE": ("전화번호", "telephone"),
    "ADDRESS": ("주소", "address"),
    "MRN": ("등록번호", "record number"),
    "INS_NO": ("보험증번호", "insurance number"),
    "PASSPORT": ("여권번호", "passport"),
    "DRIVER_LICENSE": ("운전면허번호", "driving licence"),
    "BRN": ("사업자등록번호", "business number"),
    "BANK_ACCOUNT": ("계좌번호", "bank account"),
    "CARD": ("카드번호", "card number"),
    "PLATE": ("차량번호", "number plate"),
    "EMAIL": ("전자우편", "e-mail"),
    "URL": ("웹주소", "web address"),
    "IP": ("IP주소", "IP address"),
    "LICENSE_NO": ("면허번호", "licence number"),
    "DATE_BIRTH": ("생년월일", "date of birth"),
    "AGE90": ("90세 이상", "age 90 and above"),
    "ORG": ("기관", "organisation"),
    "DATE": ("날짜", "date"),
    "DEPARTMENT": ("진료과", "department"),
    "WARD": ("병동", "ward"),
}
