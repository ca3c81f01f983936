"""Identifiers in HL7 v2 messages pasted into a text: each field means what the standard says, no cue is needed.

Source: HL7 Version 2.5.1 chapters 2A (XPN, XCN, CX, XAD, XTN, TS), 3 (EVN, PID, NK1, PV1, MRG), 4 (ORC, OBR), 6 (IN1,
GT1, DG1, PR1), 7 (OBX, SPM), 9 (TXA), 12 (ROL). Separators are the usual `|^~&`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser

# Segment -> kind of field -> field numbers.
_FIELDS: dict[str, dict[str, tuple[int, ...]]] = {
    "MSH": {"date": (7,)},
    "EVN": {"date": (2, 3, 6), "person": (5,)},
    "PID": {
        "id": (2, 3, 4, 18, 21), "name": (5, 6, 9), "birth": (7,), "address": (11,), "phone": (13, 14), "rrn": (19,),
        "licence": (20,), "date": (29, 33),
    },
    "NK1": {"name": (2, 26, 30), "address": (4, 32), "phone": (5, 6, 31), "id": (12, 33), "birth": (16,)},
    "PV1": {"person": (7, 8, 9, 17, 52), "id": (5, 19, 50), "date": (44, 45)},
    "PV2": {"date": (8, 9, 14), "person": (13,)},
    "MRG": {"id": (1, 2, 3, 4, 5, 6), "name": (7,)},
    "ORC": {"id": (2, 3, 4), "date": (9, 15), "person": (10, 11, 12, 19), "phone": (14,)},
    "OBR": {"id": (2, 3), "date": (6, 7, 8, 14, 22, 36), "person": (10, 16, 28, 32, 33, 34, 35), "phone": (17,)},
    "OBX": {"date": (14, 19), "person": (16,)},
    "SPM": {"id": (2, 3), "date": (17, 18)},
    "IN1": {"name": (16,), "birth": (18,), "address": (19,), "phone": (7,), "insurance": (36, 49), "date": (12, 13)},
    "GT1": {"id": (2,), "name": (3, 4), "address": (5,), "phone": (6, 7), "birth": (8,), "rrn": (12,)},
    "DG1": {"date": (5, 19), "person": (16,)},
    "PR1": {"date": (5,), "person": (8, 11, 12)},
    "AL1": {"date": (6,)},
    "TXA": {"date": (4, 6, 7, 8), "person": (5, 9, 10, 11, 22), "id": (12, 13, 14)},
    "ROL": {"person": (4,), "date": (5, 6)},
    "RXA": {"date": (3, 4), "person": (10,)},
    "SCH": {"id": (1, 2), "person": (12, 16, 20), "phone": (13, 17)},
}  # fmt: skip
_TYPES = {
    "id": "MRN", "name": "NAME", "person": "NAME", "birth": "DATE_BIRTH", "date": "DATE", "address": "ADDRESS",
    "phone": "PHONE", "rrn": "RRN", "licence": "DRIVER_LICENSE", "insurance": "INS_NO", "holder": "LICENSE_NO",
}  # fmt: skip
_SEGMENT = re.compile(rf"(?m)^[ ]{{0,3}}(?P<s>{'|'.join(_FIELDS)})\|(?P<f>[^\n]{{1,6000}})")
_SCORE = 0.95
_LONGEST_NUMBER = 12
# What of a field is the value: the first component of identifiers, family and given name, the day of a time stamp.
_VALUES = {
    "id": re.compile(r"(?:^|~)(?P<v>[^~^&]{1,60})"),
    "name": re.compile(r"(?:^|~)(?P<v>[^~^&]{1,60}(?:[\^&][^~^&]{1,60}){0,2})"),
    # Number of the person, then family and given name; in OBR-32 to 35 the parts are split by `&`.
    # A name in Hangul at the place of the number is the person, whatever follows.
    "person": re.compile(
        r"(?:^|~)(?:(?P<n>[가-힣]{1,6}(?:[ ][가-힣]{1,6}){0,2}(?:[\^&][가-힣]{1,4})?)|"
        r"[^~^&]{0,40}[\^&](?P<v>[^~^&]{1,60}(?:[\^&][^~^&]{1,60}){0,2}))"
    ),
    "holder": re.compile(r"(?:^|~)(?P<v>[^~^&]{0,6}\d[^~^&]{0,20})[\^&]"),
    "birth": re.compile(r"^(?P<v>\d{8}|\d{6}(?!\d))"),
    "date": re.compile(r"^(?P<v>\d{8})"),
    "address": re.compile(r"(?:^|~)(?P<v>[^~]{1,200})"),
    "phone": re.compile(r"(?P<v>[+(]?\d[\d ()-]{6,20})"),
    "rrn": re.compile(r"^(?P<v>\d{6}-?\d{1,7})"),
    "licence": re.compile(r"^(?P<v>[\d-]{10,15})"),
    "insurance": re.compile(r"^(?P<v>[\d-]{8,15})"),
}


class Hl7Recogniser(KoreanRecogniser):
    """Names, numbers, addresses and times of HL7 v2 segments, by field number."""

    ENTITIES = tuple(sorted(set(_TYPES.values())))

    def find(self, text: str) -> Iterator[Found]:
        """Yield the values of the fields that hold a person's data; empty fields hold none."""
        if "|" not in text:
            return
        for match in _SEGMENT.finditer(text):
            kinds = {number: kind for kind, numbers in _FIELDS[match["s"]].items() for number in numbers}
            # MSH-1 is the separator itself, so the first field of MSH is its second.
            number = 2 if match["s"] == "MSH" else 1
            start = match.start("f")
            for field in match["f"].split("|"):
                if field and number in kinds:
                    yield from _values(field, start, kinds[number])
                    if kinds[number] == "person":
                        yield from _values(field, start, "holder")
                start += len(field) + 1
                number += 1


def _values(field: str, start: int, kind: str) -> Iterator[Found]:
    for match in _VALUES[kind].finditer(field):
        group = "v" if match["v"] else "n"
        value = match[group].rstrip("^& ")
        if not _means(value, kind):
            continue
        begin = start + match.start(group)
        # A resident number stands among the patient's identifiers (PID-3); its own recogniser names it.
        score = 0.5 if kind == "id" and len(value) > _LONGEST_NUMBER else _SCORE
        yield Found(begin, begin + len(value), _TYPES[kind], score)


def _means(value: str, kind: str) -> bool:
    if kind in {"name", "person"}:
        return any(character.isalpha() for character in value)
    return kind == "address" or any(character.isdigit() for character in value)
