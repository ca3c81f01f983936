"""Binary values hold numbers and no letters: tables are as long as described, others as many as they may be."""

from __future__ import annotations

import struct

import pytest

from deid.imaging.elements import Element, Letters
from deid.imaging.gone import Gone
from deid.imaging.leaves import Leaves
from deid.imaging.tables import cut_tables

SECRET = "홍길동 880101-1234567 ".encode()
TONES, RED = (0x00283002, 0x00283006), (0x00281101, 0x00281201)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("tags", "entries", "bits", "length"),
    [(TONES, 8, 16, 16), (TONES, 8, 8, 16), (RED, 256, 16, 512), (RED, 255, 8, 256), (RED, 0, 16, 131072)],
)
def test_a_table_is_as_long_as_its_descriptor_says(
    order: str, tags: tuple[int, int], entries: int, bits: int, length: int
) -> None:
    table = Element(tags[1], "OW", bytes(length) + SECRET)
    inner = [Element(tags[0], "US", struct.pack(f"{order}3H", entries, 0, bits)), table]
    cut_tables([Element(0x00283010, "SQ", items=[inner])], order)
    assert bytes(table.value) == bytes(length)


@pytest.mark.parametrize(
    ("tag", "vr", "value", "kept"),
    [
        (0x00281101, "US", bytes(6), True),
        (0x00281101, "US", SECRET[:20], False),  # three numbers, no more
        (0x00209165, "AT", bytes(4), True),
        (0x00209165, "AT", SECRET[:8], False),
        (0x00189305, "FD", struct.pack("<d", 0.33), True),
        (0x00189305, "FD", SECRET[:24], False),
        (0x00283006, "US", struct.pack("<8H", *range(8)), True),
        (0x00283006, "US", SECRET[:24], False),  # as many as there are, but these are letters
        (0x00700022, "FL", struct.pack("<4f", 1.5, 200.25, 3, 4), True),
    ],
)
def test_numbers_are_numbers(tag: int, vr: str, value: bytes, kept: bool, people: object) -> None:
    leaves = Leaves(people, 1, Letters(), Gone(Letters()), 90)  # type: ignore[arg-type]
    assert (leaves.keep(Element(tag, vr, value), vr) is not None) is kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("AXIAL", True),
        ("T1", True),
        ("ORIGINAL\\PRIMARY\\M\\ND", True),
        ("DERIVED\\SECONDARY\\SCREEN SAVE", True),
        ("010 1234 5678", False),
        ("1988 0101", False),
        ("010\\1234\\5678", False),
    ],
)
def test_code_strings_are_no_numbers_in_pieces(value: str, kept: bool, people: object) -> None:
    leaves = Leaves(people, 1, Letters(), Gone(Letters()), 90)  # type: ignore[arg-type]
    assert (leaves.keep(Element(0x00080008, "CS", value.encode()), "CS") is not None) is kept
