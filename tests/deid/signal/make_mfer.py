"""MFER files with identifiers in every record that holds text."""

from __future__ import annotations

import struct

import numpy as np

from tests.deid.signal.planted import Planted

LEADS = (1, 2, 7)
BLOCK, SEQUENCES = 100, 4


def samples(order: str = ">") -> np.ndarray:
    return np.random.default_rng(5).integers(-3000, 3000, (SEQUENCES, len(LEADS), BLOCK)).astype(order + "i2")


def record(tag: int, value: bytes, channel: int | None = None) -> bytes:
    length = bytes((len(value),)) if len(value) < 128 else b"\x84" + struct.pack(">I", len(value))
    return bytes((tag,)) + (b"" if channel is None else bytes((channel,))) + length + value


def mfer(who: Planted, *, encoding: str = "utf-8", order: str = ">", behind: bool = True) -> bytes:
    def text(value: str) -> bytes:
        return value.encode(encoding, "replace") + b"\0"

    start = who.start
    stamp = struct.pack(order + "H", start.year) + bytes(
        (start.month, start.day, start.hour, start.minute, start.second)
    )
    age = (
        bytes((54,))
        + struct.pack(order + "H", 100)
        + struct.pack(order + "HBB", who.born.year, who.born.month, who.born.day)
    )
    number = order.replace(">", "big").replace("<", "little")
    hidden = f"{who.latin} {who.phone}".encode() if behind else b""
    parts = [
        record(0x40, b"MFR Standard 12 leads ECG".ljust(32)),
        record(0x01, b"\1" if order == "<" else b"\0"),
        record(0x02, bytes((1, 0, 0))),
        record(0x03, b"UTF-8"),
        record(0x17, text(f"{who.hospital}^{who.vehicle}^1^{who.serial}")),
        record(0x81, text(who.korean)),
        record(0x82, text(who.number)),
        record(0x83, age),
        record(0x84, b"\2"),
        record(0x85, stamp + struct.pack(order + "HH", 250, 0)),
        record(0x86, text(who.note)),
        record(0x87, text(who.serial)),
        record(0x16, text(f"{who.resident} {who.address}")),
        record(0x08, struct.pack(order + "H", 1) + text(who.doctor)),
        b"\0\0",
        record(0x0B, b"\1" + b"\xfd" + (2).to_bytes(2, number)),
        record(0x0C, b"\0" + b"\xf7" + (1250).to_bytes(2, number)),
        record(0x0A, b"\0"),
        record(0x04, BLOCK.to_bytes(4, number)),
        record(0x05, bytes((len(LEADS),))),
        record(0x06, SEQUENCES.to_bytes(2, number)),
        *(
            record(0x3F, record(0x09, struct.pack(order + "H", lead) + text(who.latin)), n)
            for n, lead in enumerate(LEADS)
        ),
        record(0x41, struct.pack(order + "HII", 300, 10, 20) + text(who.note)),
        record(0x42, struct.pack(order + "HI", 7, 0) + b"72\0"),
        record(0x42, struct.pack(order + "HI", 8, 0) + text(who.number)),
        record(0x67, text(who.doctor)),
        record(0x11, text(f"LPF 100 {who.mail}")),
        record(0x70, text(who.phone)),
        record(0x1E, samples(order).tobytes()),
        record(0x80, b""),
        hidden,
    ]
    return b"".join(parts)


def read(data: bytes) -> dict[int, list[bytes]]:
    """An independent reading of the records on the top level."""
    found: dict[int, list[bytes]] = {}
    at = 0
    while at < len(data):
        tag, at = data[at], at + 1
        if tag == 0:
            continue
        at += tag == 0x3F
        length, at = data[at], at + 1
        if length > 128:
            count = length - 128
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        found.setdefault(tag, []).append(data[at : at + length])
        at += length
    return found
