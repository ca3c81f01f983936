"""SCP-ECG files with identifiers in every tag of section 1, in the texts' sections and behind every section."""

from __future__ import annotations

import struct
from binascii import crc_hqx

import numpy as np

from tests.deid.signal.planted import Planted

LEADS, RATE_US = (1, 2, 3), 2000  # I, II, V1
COUNT = 500


def samples() -> np.ndarray:
    return np.random.default_rng(3).integers(-3000, 3000, (len(LEADS), COUNT)).astype("<i2")


def framed(number: int, data: bytes, reserved: bytes = bytes(6)) -> bytes:
    data += b"\0" * (len(data) % 2)
    rest = struct.pack("<HIBB", number, 16 + len(data), 20, 20) + reserved + data
    return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest


def tag(number: int, value: bytes) -> bytes:
    return struct.pack("<BH", number, len(value)) + value


def texts(who: Planted, encoding: str) -> bytes:
    def text(value: str) -> bytes:
        return value.encode(encoding, "replace") + b"\0"

    device = struct.pack("<HHHBB", 7, 8, 9, 0, 255) + who.serial[:5].encode() + b"\0" + bytes([20, 0xD0, 1, 0x90, 2])
    device += (
        bytes(16) + b"\x05" + text("v1.2")[:5] + text(who.serial) + text(who.hospital) + text(who.mac) + text(who.latin)
    )
    born, start = who.born, who.start
    parts = [
        (0, text(who.korean)), (1, text(who.latin)), (2, text(who.number)), (3, text(who.resident)),
        (4, b"\x2c\0\1"), (5, struct.pack("<HBB", born.year, born.month, born.day)), (8, b"\2"),
        (10, text(who.note)), (13, text(who.note)), (14, device), (15, device), (16, text(who.hospital)),
        (17, text(who.hospital)), (18, text(who.address)), (20, text(who.doctor)), (21, text(who.doctor)),
        (22, text(who.phone)), (23, text(who.doctor)), (25, struct.pack("<HBB", start.year, start.month, start.day)),
        (26, bytes([start.hour, start.minute, start.second])), (27, b"\5\0"), (28, b"\x96\0"), (29, b"\1"),
        (30, text(who.mail)), (30, text(who.phone)), (31, text(who.vehicle)), (34, b"\x1c\2" + text(who.address)),
        (200, text(who.note)), (255, b""),
    ]  # fmt: skip
    return b"".join(tag(number, value) for number, value in parts) + text(who.latin)


def scp(who: Planted, *, encoding: str = "utf-8", behind: bool = True) -> bytes:
    hidden = f"{who.latin} {who.phone} {who.number}".encode() if behind else b""
    values = samples()
    leads = bytes([len(LEADS), 4]) + b"".join(struct.pack("<IIB", 1, COUNT, lead) for lead in LEADS)
    wave = struct.pack("<HHBB", 1000, RATE_US, 0, 0)
    wave += b"".join(struct.pack("<H", row.nbytes) for row in values) + values.tobytes()
    beats = struct.pack("<HHH", 600, 100, 1) + struct.pack("<HIII", 0, 1, 50, 99)
    table = struct.pack("<H", 1) + struct.pack("<H", 1) + struct.pack("<BBBhI", 8, 8, 1, 0, 0)
    sections = {
        1: texts(who, encoding),
        2: table + hidden,
        3: leads + hidden,
        4: beats + hidden[:7],
        6: wave + hidden,
        7: bytes([0, 0, 0x20, 3, 0x20, 3]) + hidden,
        8: bytes([1]) + who.note.encode(encoding, "replace"),
        9: who.note.encode(encoding, "replace") + hidden,
        10: hidden * 2,
        11: who.doctor.encode(encoding, "replace"),
        300: who.address.encode(encoding, "replace"),
    }
    place = 6 + 16 + 10 * 13
    pointers, body = b"", b""
    for number in (*range(1, 12), 300):
        raw = framed(number, sections[number]) if number in sections else b""
        pointers += struct.pack("<HII", number, len(raw), place + len(body) + 1 if raw else 0)
        body += raw
    body = framed(0, struct.pack("<HII", 0, 16 + 130, 7) + pointers, b"SCPECG") + body
    rest = struct.pack("<I", 6 + len(body)) + body
    return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest + hidden


def read(data: bytes) -> dict[int, bytes]:
    """An independent reading: sections by their pointers, all CRCs checked."""
    assert int.from_bytes(data[:2], "little") == crc_hqx(data[2:], 0xFFFF)
    assert int.from_bytes(data[2:6], "little") == len(data)
    size = int.from_bytes(data[10:14], "little")
    found = {}
    for number, length, index in struct.iter_unpack("<HII", data[22 : 6 + size]):
        if length:
            raw = data[index - 1 : index - 1 + length]
            assert int.from_bytes(raw[:2], "little") == crc_hqx(raw[2:], 0xFFFF)
            assert struct.unpack("<HI", raw[2:8]) == (number, length)
            found[number] = raw[16:]
    return found
