"""EDF, EDF+ and BDF files with identifiers in every place that holds text."""

from __future__ import annotations

import datetime as dt

import numpy as np

from tests.deid.signal.planted import Planted

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def latin(text: str, length: int, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding, "replace")[:length].ljust(length)


def spelled(day: dt.date) -> str:
    return f"{day:%d}-{MONTHS[day.month - 1]}-{day:%Y}"


def tal(onset: str, duration: str = "", *texts: str) -> bytes:
    body = onset.encode() + (b"\x15" + duration.encode() if duration else b"")
    return body + b"\x14" + b"".join(text.encode() + b"\x14" for text in texts) + b"\0"


def edf(
    who: Planted,
    *,
    plus: bool = True,
    bdf: bool = False,
    encoding: str = "utf-8",
    records: int = 5,
    subsecond: str = "0.375",
    trailing: bytes = b"",
) -> bytes:
    """A recording of two channels; EDF+ has a third of annotations."""
    rate, width = 64, 3 if bdf else 2
    rows = [
        (
            "EMG TA left",
            f"AgAgCl electrode {who.serial}",
            "uV",
            ("-3200", "3200"),
            f"HP:10Hz LP:500Hz N:60Hz {who.korean}",
        ),
        (f"EEG {who.latin}", f"{who.hospital} {who.phone}", who.vehicle[:8], ("-1500.0", "1500"), who.address),
    ]
    samples = [rate, rate // 2]
    if plus:
        rows.append(("BDF Annotations" if bdf else "EDF Annotations", who.serial, "", ("-1", "1"), who.doctor))
        samples.append(120)
    top = 2 ** (8 * width - 1) - 1
    if plus:
        patient = f"{who.number} F {spelled(who.born)} {who.latin.replace(' ', '_')} {who.phone}"
        recording = f"Startdate {spelled(who.start.date())} {who.serial} {who.doctor} {who.hospital.replace(' ', '_')}"
    else:
        patient = f"{who.number} {who.korean} {who.birth} {who.phone}"
        recording = f"{who.hospital} {who.doctor} {who.day} {who.mac}"
    parts = [
        b"\xffBIOSEMI" if bdf else b"0       ",
        latin(patient, 80, encoding),
        latin(recording, 80, encoding),
        f"{who.start:%d.%m.%y%H.%M.%S}".encode(),
        latin(str(256 * (len(rows) + 1)), 8),
        latin((("BDF+C " if bdf else "EDF+C ") if plus else "") + who.korean, 44, encoding),
        latin(str(records), 8),
        latin("1", 8),
        latin(str(len(rows)), 4),
        *(latin(row[0], 16, encoding) for row in rows),
        *(latin(row[1], 80, encoding) for row in rows),
        *(latin(row[2], 8, encoding) for row in rows),
        *(latin(row[3][0], 8) for row in rows),
        *(latin(row[3][1], 8) for row in rows),
        *(latin(str(-top - 1), 8) for _ in rows),
        *(latin(str(top), 8) for _ in rows),
        *(latin(row[4], 80, encoding) for row in rows),
        *(latin(str(count), 8) for count in samples),
        *(latin(who.phone, 32, encoding) for _ in rows),
    ]
    dice = np.random.default_rng(7)
    for record in range(records):
        for count in samples[:2]:
            values = dice.integers(-top - 1, top, count)
            parts.append(b"".join(int(value).to_bytes(width, "little", signed=True) for value in values))
        if plus:
            own = tal(f"+{record + float(subsecond):g}", "", "")
            own += tal(f"+{record + 0.5 + float(subsecond):g}", "0.25", TEXTS(who)[record % len(TEXTS(who))])
            parts.append(own.ljust(120 * width, b"\0"))
    return b"".join(parts) + trailing


def TEXTS(who: Planted) -> list[str]:  # noqa: N802 - a table, by person
    return ["Sleep stage W", who.note, f"{who.latin} {who.phone}", "Lights off", f"Arousal {who.korean}"]
