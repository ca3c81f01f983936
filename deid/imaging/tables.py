"""Tables of colours and tones (PS3.3 §C.7.6.3.1.5, §C.11.1) cut to what describes them: nothing goes on behind."""

from __future__ import annotations

import struct

from deid.imaging.elements import Element, Items, find

# Descriptor of a table (entries, first value, bits of an entry) → its data.
TABLES = {0x00283002: 0x00283006} | {0x00281101 + colour: 0x00281201 + colour for colour in range(4)}
DESCRIPTOR, ALL = 6, 1 << 16  # bytes; entries that are written as 0
ONE_BYTE = 8


def cut_tables(elements: Items, order: str) -> None:
    """Cut the tables of a data set in place, at any depth; `order` is the byte order, in the letter of `struct`."""
    for each in elements:
        for item in each.items or ():
            cut_tables(item, order)
        data = find(elements, TABLES[each.tag]) if each.tag in TABLES else None
        if data is not None and data.items is None and len(each.value) >= DESCRIPTOR:
            data.value = data.value[: _length(each, len(data.value), order)]


def _length(descriptor: Element, found: int, order: str) -> int:
    entries, _, bits = struct.unpack(f"{order}3H", bytes(descriptor.value[:DESCRIPTOR]))
    entries = entries or ALL
    # Entries of one byte come packed, two to a word, or, from many writers, one to a word.
    packed = bits <= ONE_BYTE and found < 2 * entries
    return entries + entries % 2 if packed else 2 * entries
