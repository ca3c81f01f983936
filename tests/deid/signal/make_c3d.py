"""C3D files by the reference library, with identifiers in parameters, labels, events and between the sections."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.deid.signal import reference_c3d
from tests.deid.signal.planted import Planted

MARKERS = ("LASI", "RASI", "SACR", "LKneeAngles")
ANALOG = ("Force.Fx1", "EMG1")
FRAMES, RATE = 20, 100.0


def points() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 500, (3, len(MARKERS) + 1, FRAMES))


def analogs() -> np.ndarray:
    return np.random.default_rng(2).normal(0, 5, (1, len(ANALOG) + 1, FRAMES * 10))


def c3d(who: Planted, path: Path, *, korean: bool = False) -> bytes:
    prefix = who.latin.split()[0]
    own = who.korean if korean else who.latin
    fixed = {
        "POINT": {"RATE": [RATE], "LABELS": [*(f"{prefix}:{name}" for name in MARKERS), own], "UNITS": ["mm"]},
        "ANALOG": {"RATE": [RATE * 10], "LABELS": [*ANALOG, who.serial], "UNITS": ["N", "V", "V"]},
    }
    planted = {
        "POINT": {"DESCRIPTIONS": [who.note] * 5, "ANGLES": [f"{prefix}:LKneeAngles", own], "TYPE_GROUPS": ["ANGLES"]},
        "SUBJECTS": {"NAMES": [own], "NUMBER": [who.number], "MARKER_SETS": [who.hospital]},
        "TRIAL": {"DATE": [who.day], "OPERATOR": [who.doctor], "FILE": [f"C:\\{who.number}\\{who.resident}.c3d"]},
        "MANUFACTURER": {"COMPANY": [who.hospital], "SERIAL": [who.serial], "MAC": [who.mac]},
        "EVENT": {
            "LABELS": ["Foot Strike", who.latin], "CONTEXTS": ["Left", who.phone], "SUBJECTS": [own, own],
            "DESCRIPTIONS": [who.note, who.mail], "USED": [2], "TIMES": [[0.0, 0.0], [0.05, 0.1]],
        },
        "ANALYSIS": {"NAMES": [who.address]},
        prefix.upper(): {"PHONE": [who.phone], "VEHICLE": [who.vehicle]},
        "PROCESSING": {"BODYMASS": [71.25]},
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    ones = np.ones((1, len(MARKERS) + 1, FRAMES))
    reference_c3d.write(path, np.concatenate((points(), ones)), analogs(), fixed, planted)
    data = bytearray(path.read_bytes())
    data[24:290] = f"{who.latin} {who.phone} {who.number} {who.serial}".encode().ljust(266)
    data[298:302] = b"\x39\x30\x02\0"
    data[396:404] = b"LHS KIM "
    return bytes(data) + f"{who.latin} {who.mail}".encode() * 30
