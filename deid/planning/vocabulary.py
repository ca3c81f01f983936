"""What a column's name says about it (`vocabulary.toml`): Korean, English, hospital abbreviations, OMOP, FHIR.

Sources: OMOP CDM 5.4 field names (OHDSI), FHIR R4 element names (HL7), the item types of 보건의료데이터 활용 가이드라인
(2024) and Korean identifiers (주민등록번호 …: 개인정보 보호법 시행령 제19조). A name is a hint: content may overrule it
(`propose.py`).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from deid.planning.role import Words

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_JOINTS = re.compile(r"[^0-9a-zA-Z가-힣]+")


@dataclass(frozen=True)
class Meaning:
    """One thing a column may hold: `key`, the published name, its label, and the names it goes by."""

    key: str
    name: str
    label: Words
    pattern: re.Pattern[str]


@cache
def meanings() -> tuple[Meaning, ...]:
    """Read the vocabulary once, in its order."""
    text = files("deid.planning").joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return tuple(
        Meaning(key, entry["published"], (entry["ko"], entry["en"]), re.compile("|".join(entry["names"])))
        for key, entry in tomllib.loads(text).items()
    )


def normalise(name: str) -> str:
    """Return a column's name in lower case with its words joined by `_`: `birthDate` and `Birth Date` are one."""
    return _JOINTS.sub("_", _CAMEL.sub("_", name)).strip("_").lower()


def meaning_of(name: str) -> Meaning | None:
    """Return what the name says, or None."""
    plain = normalise(name)
    # FHIR paths name their resource first (Patient.birthDate); the rest is tried too.
    rest = plain.removeprefix("patient_")
    return next((each for each in meanings() if each.pattern.search(plain) or each.pattern.search(rest)), None)
