"""What an index tells of an object: a few attributes as they stand in what was written; nothing else is known of it."""

from __future__ import annotations

from deid.imaging.elements import Element, Items, ascii_text, number

TEXTS = {
    "study_uid": 0x0020000D,
    "series_uid": 0x0020000E,
    "instance_uid": 0x00080018,
    "sop_class": 0x00080016,
    "modality": 0x00080060,
    "body_part": 0x00180015,
    "laterality": 0x00200060,
    "view": 0x00185101,
    "study_date": 0x00080020,
    "sex": 0x00100040,
    "age": 0x00101010,
    "manufacturer": 0x00080070,
}
NUMBERS = {"rows": 0x00280010, "columns": 0x00280011, "frames": 0x00280008}


def about(elements: Items, order: str) -> dict[str, str | int]:
    """Give the attributes that are there and hold something; `order` is the byte order, in the letter of `struct`."""
    top: dict[int, Element] = {each.tag: each for each in elements if each.items is None and len(each.value)}
    texts = {name: ascii_text(top[tag]) for name, tag in TEXTS.items() if tag in top}
    found: dict[str, str | int] = {name: text for name, text in texts.items() if text}
    for name, tag in NUMBERS.items():
        if tag in top:
            found[name] = number(top[tag], order)
    return found
