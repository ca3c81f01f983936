"""WFDB records with identifiers in every place that holds text; samples by the reference library."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.deid.signal.planted import Planted
from tests.deid.signal.reference_wfdb import wfdb

RATE = 250
LONG_DAY = "%d/%m/%Y"


def record(who: Planted, folder: Path, *, form: str = "16", encoding: str = "utf-8", behind: bytes = b"") -> Path:
    """A record of two leads called by the patient's number, with an annotation file; gives the header's path."""
    folder.mkdir(parents=True, exist_ok=True)
    name = who.number
    samples = np.random.default_rng(11).integers(-120, 120, (RATE * 4 + 1, 2))
    wfdb.wrsamp(
        name, RATE, ["mV", "mV"], ["II", "V5"], d_signal=samples, fmt=[form, form], adc_gain=[200.0, 200.0],
        baseline=[0, 0], write_dir=str(folder),
    )  # fmt: skip
    header = folder / f"{name}.hea"
    lines = header.read_text().splitlines()
    lines[0] += f" {who.clock} {who.start.strftime(LONG_DAY)}"
    lines[2] = lines[2].rsplit(" ", 1)[0] + f" V5 {who.latin} {who.serial}"
    lines += [f"# Patient ID: {who.number}", f"# {who.korean} {who.resident} {who.phone}", f"#{who.note} {who.address}"]
    lines.insert(0, f"# {who.hospital} {who.mail} {who.doctor}")
    header.write_bytes("\n".join(lines).encode(encoding, "replace") + b"\n")
    if behind:
        with (folder / f"{name}.dat").open("ab") as file:
            file.write(behind)
    wfdb.wrann(
        name, "atr", np.array([10, 200, 450, 900]), ["N", "+", '"', "V"],
        aux_note=["", "(AFIB", f"{who.latin} {who.phone}", ""], fs=RATE, write_dir=str(folder),
    )  # fmt: skip
    return header
