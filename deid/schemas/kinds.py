"""What an element of a known schema says about people, and which treatments leave that standing.

A person who writes a recipe for OMOP or FHIR cannot be expected to know every element that identifies; the schema is
public, so the code knows it. What may not pass unchanged follows the item types of 보건의료데이터 활용 가이드라인
(2024) and requirements R104 and R105.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deid.treatments.bands import Band
from deid.treatments.free_text import FreeText
from deid.treatments.numbers import Clip, Round
from deid.treatments.plain import Drop, Keep
from deid.treatments.pseudonym import Pseudonym
from deid.treatments.treatment import Treatment
from deid.treatments.values import Prefix


class Kind(StrEnum):
    """Kinds of identifying elements."""

    PERSON = "person"
    KEY = "key"
    DIRECT = "direct"
    TEXT = "text"
    BIRTH = "birth"
    DATE = "date"
    PLACE = "place"
    SOURCE = "source"


@dataclass(frozen=True)
class Meaning:
    """What a kind is called, and what is usually done with it."""

    ko: str
    en: str
    remedy_ko: str
    remedy_en: str


MEANINGS = {
    Kind.PERSON: Meaning("환자를 가리키는 번호", "the patient's number", "pseudonym을", "pseudonym"),
    Kind.KEY: Meaning("병원의 기록 번호", "a record number", "pseudonym이나 drop을", "pseudonym or drop"),
    Kind.DIRECT: Meaning(
        "사람을 바로 가리키는 값", "a value that names a person", "drop이나 pseudonym을", "drop or pseudonym"
    ),
    Kind.TEXT: Meaning("자유 글", "free text", "free_text나 drop을", "free_text or drop"),
    Kind.BIRTH: Meaning("생년월일", "a date of birth or part of one", "generalise나 drop을", "generalise or drop"),
    Kind.DATE: Meaning("진료 날짜", "the date of an event", "date_shift나 generalise를", "date_shift or generalise"),
    Kind.PLACE: Meaning("사는 곳이나 시설의 위치", "a place", "generalise나 drop을", "generalise or drop"),
    Kind.SOURCE: Meaning("병원 원본의 값", "the hospital's own value", "drop이나 map을", "drop or a map"),
}
UNCHANGED: dict[Kind, tuple[type[Treatment], ...]] = {
    Kind.PERSON: (Keep, Prefix, Clip, Round, Band),
    Kind.KEY: (Keep, Prefix, Clip, Round),
    Kind.DIRECT: (Keep, Prefix, Clip, Round),
    Kind.BIRTH: (Keep, Clip, Round),
    Kind.DATE: (Keep,),
    Kind.PLACE: (Keep,),
    Kind.SOURCE: (Keep,),
}


def passes(kind: Kind, treatment: Treatment) -> bool:
    """Whether values of this kind would be published so that they still identify."""
    if kind is Kind.TEXT:
        return not isinstance(treatment, Drop | FreeText | Pseudonym)
    return isinstance(treatment, UNCHANGED[kind])


def proposal(kind: Kind, name: str, *, domain: str) -> dict[str, Any]:
    """Give the recipe fields that are usually right for a column of this kind; `domain` names its pseudonyms."""
    if kind is Kind.BIRTH:
        year = {"treatment": "generalise", "type": "integer", "band": {"width": 10}}
        return year if name.startswith("year") else {"treatment": "drop"}
    usual: dict[Kind, dict[str, Any]] = {
        Kind.PERSON: {"treatment": "pseudonym", "domain": "patient", "as": "patient"},
        Kind.KEY: {"treatment": "pseudonym", "domain": domain},
        Kind.TEXT: {"treatment": "free_text"},
        Kind.DATE: {"treatment": "date_shift", "max_days": 180},
    }
    return usual.get(kind, {"treatment": "drop"})
