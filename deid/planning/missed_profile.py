"""What missed marks say about the provider and not only about one note: changes of its profile, for a person to accept.

A marked record number shows a pattern that the profile lacks, a marked department, ward or organisation a name. The
next run would mask the marked values alone (`deid/marks.py`); with the profile it masks their kind. A proposal holds no
digit of a marked number, and nothing is written that nobody accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from deid.detect.known.profile import Profile, RecordNumbers, is_template
from deid.detect.known.squeezed import core_of, squeeze
from deid.marks import Mark
from deid.recipe_known import parse_profile
from deid.recipe_yaml import Node, read
from deid.whole_file import write_whole

NAMES = {"ORG": "organisations", "DEPARTMENT": "departments", "WARD": "wards"}
NUMBERS = "record_numbers"
# Shorter names are mostly words of every note (내과, 응급실).
SHORT_NAME = 4
NEW = "profile: 1\n"


@dataclass(frozen=True)
class Change:
    """One entry to add to a list of the profile: which list, what, for how many marked values, what to mind."""

    field: str
    entry: str
    marks: int
    doubt: tuple[str, str] = ("", "")

    @property
    def reason(self) -> tuple[str, str]:
        """Why, in Korean and English."""
        if self.field == NUMBERS:
            return (
                f"놓친 등록번호 {self.marks}개가 이 모양이고, 프로필의 틀에 맞지 않습니다",
                f"{self.marks} missed record numbers look like this and fit no pattern of the profile",
            )
        return (
            f"놓쳤다고 {self.marks}번 표시된 이름이고, 프로필에 없습니다",
            f"this name was marked as missed {self.marks} times and is not in the profile",
        )


def changes(marks: Sequence[Mark], profile: Profile) -> tuple[Change, ...]:
    """Return what the marks propose, what most of them ask for first."""
    found: Counter[tuple[str, str]] = Counter()
    for kind, value in marks:
        found.update(_entries(kind, value.strip(), profile))
    return tuple(Change(field, entry, count, _doubt(field, entry)) for (field, entry), count in found.most_common())


def read_profile(path: Path) -> Profile:
    """Read a profile's file; one that is not there yet is empty. Raises `RecipeError`."""
    return parse_profile(read(path, path.read_bytes())) if path.exists() else Profile()


def accept(path: Path, accepted: Sequence[Change]) -> None:
    """Add what was accepted to the profile's file, made if it is not there; all else in it stays as it was written.

    Whole or not at all. Raises `RecipeError` when the file is no profile, `OSError`.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else NEW
    for change in accepted:
        text = _with(text, path, change)
    parse_profile(read(path, text.encode()))
    # Reviewed and read like the recipe beside it.
    write_whole(path, text.encode(), path.stat().st_mode & 0o777 if path.exists() else 0o644)


def _entries(kind: str, value: str, profile: Profile) -> Iterator[tuple[str, str]]:
    if kind == "MRN":
        # A line that was wrapped behind a hyphen left a blank that is none of the number's.
        plain = re.sub(r"(?<=[-_/.]) ", "", " ".join(unicodedata.normalize("NFKC", value).split()))
        template = "".join("#" if sign.isdigit() else sign for sign in plain)
        known_too = any(RecordNumbers(profile.record_numbers).find(squeeze(value)))
        # `#` and `@` stand for something in a template.
        if is_template(template) and not known_too and not set("#@") & set(plain):
            yield NUMBERS, template
    elif kind in NAMES:
        known: tuple[str, ...] = getattr(profile, NAMES[kind])
        if core_of(value) not in {core_of(each) for each in known}:
            yield NAMES[kind], value


def _doubt(field: str, entry: str) -> tuple[str, str]:
    if field == NUMBERS and not any(sign.isalpha() for sign in entry):
        return (
            "글자가 없는 틀은 같은 자릿수의 날짜와 검사값도 가립니다",
            "a pattern without a letter masks dates and results of as many digits, too",
        )
    if field != NUMBERS and len(core_of(entry)) < SHORT_NAME:
        return "짧은 이름은 흔한 말일 수 있습니다", "a short name may be a common word"
    return "", ""


def _with(text: str, path: Path, change: Change) -> str:
    """Return the file's text with one more entry, put where its list is written."""
    entry = yaml.dump(change.entry, allow_unicode=True, default_style='"', width=10_000).strip()
    pairs = read(path, text.encode()).pairs()
    found = pairs.get(change.field)
    if found is None:
        return f"{text.rstrip()}\n{change.field}:\n  - {entry}  # {change.reason[0]}\n"
    return _into(text, found[1], entry, change)


def _into(text: str, listed: Node, entry: str, change: Change) -> str:
    items, node = listed.items(), listed.node
    if not items:
        at = node.end_mark.index - 1
        return f"{text[:at]}{entry}{text[at:]}"
    at = items[-1].node.end_mark.index
    if isinstance(node, yaml.SequenceNode) and node.flow_style:
        return f"{text[:at]}, {entry}{text[at:]}"
    end = text.find("\n", at)
    at = len(text) if end < 0 else end
    indent = " " * node.start_mark.column
    return f"{text[:at]}\n{indent}- {entry}  # {change.reason[0]}{text[at:]}"
