"""How much less leaks from notes when the tables are known: the benchmark's dev notes, linked to tables made of them.

The tables are made from the notes' own gold values, so they are as right as tables can be: the figures say what the
pass adds when tables are right and complete, and nothing about how often they are. Two sets of tables:

    whole    the first whole name is the patient's, one beside a word for kin a relative's, every other one is on the
             list of staff; record, specimen and order numbers as in the tables of laboratory and imaging
    sparse   only the first of each number, and staff only where the note itself says so by a title or role; the names
             of anybody else, and the other numbers, stay unknown

Plates, cards, accounts, web addresses, and surnames or given names alone stand in neither.

Our recognisers leave nothing on these notes (they were built with them), so the pass has nothing to add there; it is
measured with the detectors degraded: Presidio's own Korean ones only, ours without names, ours without record numbers
and addresses, ours on every second find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deid.detect.known.search import Many, Value, of_person
from deid.detect.known.squeezed import squeeze
from deid.detect.normalise import normalise
from deid.detect.scan import scan
from deid.detect.spoken import with_spoken_digits
from deid.detect.syllables import split_name
from tests.bench.ko_notes import Spans, folder, load_notes, presidio, score

HALF = 0.5
_KIN = re.compile(
    r"(?:보호자|남편|아내|배우자|부친|모친|아버지|어머니|아들|딸|며느리|사위|형|누나|언니|오빠|동생|친정|가족|부모)[^\n]{0,6}$"
)
_STAFF_BEFORE = re.compile(
    r"(?:의|의사|교수|간호사|담당|담당자|작성|작성자|판독|판독자|검사자|기록|기록자|보고자|집도|확인|인턴|전공의|R\d|RN|"
    r"Dr\.?|MD|치료사|서명)[ :：./)]{0,4}$"
)
_STAFF_BEHIND = re.compile(
    r"[ ]?(?:교수|선생|과장|원장|간호사|의사|전공의|전문의|인턴|실장|팀장|약사|치료사|기사|복지사|MD|RN|/)"
)
# Kinds that a registration table holds once for each patient.
_ONCE = {
    "RRN": "rrn", "FRN": "rrn", "PHONE": "phone", "ADDRESS": "address", "MRN": "record", "DATE_BIRTH": "birth_date",
    "EMAIL": "email", "INS_NO": "insurance", "PASSPORT": "passport",
}  # fmt: skip


def figures() -> dict[str, dict[str, Any]]:
    """Leak with the pass as a share of the leak without it, by detectors; see `run.py` for the form."""
    if folder() is None:
        return {}
    notes = load_notes()
    found: dict[str, dict[str, Any]] = {}
    for whole in (True, False):
        staff = Many([value for note in notes for value in table_of(note, whole=whole)[1]])
        values = {note["id"]: known(note, staff, whole=whole) for note in notes}
        for name, detect in DETECTORS.items():
            without = {note["id"]: detect(note["text"]) for note in notes}
            both = {name: [*spans, *values[name]] for name, spans in without.items()}
            tables = "whole" if whole else "sparse"
            found[f"deid.known.{tables}.{name}"] = _figure(score(notes, without), score(notes, both), judged=whole)
    return found


def _figure(before: Mapping[str, Any], after: Mapping[str, Any], *, judged: bool) -> dict[str, Any]:
    leak, left = before["leak_rate"], after["leak_rate"]
    spans, spans_left = before["leaked_direct_spans"], after["leaked_direct_spans"]
    precision = f"mask precision {before['mask_precision']:.3f} -> {after['mask_precision']:.3f}"
    return {
        "value": left, "unit": "leak", "peer": f"without: {leak:.3f}; spans {spans} -> {spans_left}; {precision}",
        "ratio": left / leak if leak else 0.0, "floor": f"<= {HALF} of the leak without" if judged else None,
        "ok": not judged or left <= HALF * leak,
    }  # fmt: skip


def table_of(note: Mapping[str, Any], *, whole: bool) -> tuple[list[Value], list[Value]]:
    """Make the patient's values and those of staff from a note's gold spans; see the module for the two sets."""
    own: dict[str, list[str]] = {}
    staff: list[Value] = []
    for span in note["spans"]:
        value = with_spoken_digits(" ".join(normalise(span["value"]).text.split()))
        if span["type"] == "NAME":
            kind = _role(note["text"], span, value, first="name" not in own)
            kind = "staff" if whole and kind == "nobody" else kind
            if kind == "staff":
                staff.append(("name", value))
            elif kind in {"name", "relative"}:
                own.setdefault(kind, []).append(value)
        elif span["type"] in _ONCE:
            own.setdefault(_ONCE[span["type"]], []).append(value)
        elif span["type"] == "LICENSE_NO":
            staff.append(("licence", value))
    values = [
        (kind, value) for kind, found in own.items() for value in (found if whole or kind == "relative" else found[:1])
    ]
    values += [("phone", value) for value in own.get("phone", [])[1:2] if "relative" in own]
    return values, staff


def _role(text: str, span: Mapping[str, Any], value: str, *, first: bool) -> str:
    """Say whose name it is by what stands beside it: `nobody` when nothing tells, "" when it is not a whole name."""
    core = value.replace(" ", "")
    hangul = all("가" <= character <= "힣" for character in core)
    if len(core) < 2 or (hangul and split_name(core) is None and " " not in value):
        return ""
    before, behind = text[max(0, span["start"] - 14) : span["start"]], text[span["end"] : span["end"] + 6]
    if _KIN.search(before):
        return "relative"
    if _STAFF_BEFORE.search(before) or _STAFF_BEHIND.match(behind):
        return "staff"
    return "name" if first else "nobody"


def known(note: Mapping[str, Any], staff: Many, *, whole: bool) -> Spans:
    """What the pass finds in a note."""
    text = squeeze(note["text"])
    return _plain([*of_person(text, table_of(note, whole=whole)[0]), *staff.find(text)])


def _plain(found: Iterable[Any]) -> Spans:
    return [{"start": one.start, "end": one.end, "type": one.type} for one in found]


def ours(text: str) -> Spans:
    """Our recognisers."""
    return _plain(scan(text))


def without(*types: str) -> Callable[[str], Spans]:
    """Ours, deaf to some types."""
    return lambda text: [span for span in ours(text) if span["type"] not in types]


def every_second(text: str) -> Spans:
    """Ours, half of the finds lost."""
    return ours(text)[::2]


def presidios(text: str) -> Spans:
    """Presidio's own Korean recognisers and its telephone one (the one for e-mail asks the network for a list)."""
    found = presidio(phone=True).analyze(text=text, language="ko", score_threshold=0.0)
    return [{"start": one.start, "end": one.end, "type": one.entity_type} for one in found]


DETECTORS: dict[str, Callable[[str], Spans]] = {
    "ours": ours,
    "ours-without-names": without("NAME"),
    "ours-without-names-records-addresses": without("NAME", "MRN", "ADDRESS"),
    "ours-every-second-find": every_second,
    "presidio": presidios,
}
