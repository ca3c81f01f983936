"""Samples of DICOM waveforms (PS3.3 §C.10.9) cut to what their description says: nothing hides behind the last one."""

from __future__ import annotations

from deid.imaging.elements import Items, find, number

SEQUENCE, CHANNELS, SAMPLES, BITS, DATA = 0x54000100, 0x003A0005, 0x003A0010, 0x54001004, 0x54001010


def cut_samples(elements: Items, order: str) -> None:
    """Cut each multiplex group's data in place."""
    sequence = find(elements, SEQUENCE)
    for item in (sequence.items or []) if sequence is not None else []:
        data = find(item, DATA)
        bits = number(find(item, BITS), order, 16)
        length = number(find(item, CHANNELS), order) * number(find(item, SAMPLES), order) * bits // 8
        if data is not None and length:
            data.value = data.value[:length]
