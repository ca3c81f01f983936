"""Looks for every planted value in every byte of an output folder, in many encodings, and says which survived.

It knows nothing of how the output was made: no rule, no list of what was removed. An identity copy is found in whole.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

ENCODINGS = ("utf-8", "cp949", "utf-16-le", "utf-16-be", "iso2022_kr", "latin-1")
DEFLATED = b"1.2.840.10008.1.2.1.99"


@dataclass(frozen=True)
class Plant:
    """One planted value; `ink` are (frame, top, left, mask) of a burned-in one, in the object `sop`."""

    place: str
    value: str
    file: str
    sop: str = ""
    ink: tuple[int, int, int, bytes, tuple[int, int]] | None = None


def survivors(plants: list[Plant], out: Path, where: dict[str, Path]) -> list[Plant]:
    """List the planted values that are still in the folder; `where` gives the output file of an original SOP UID."""
    blobs = [_haystack(path) for path in sorted(out.rglob("*")) if path.is_file()]
    names = "\n".join(str(path.relative_to(out)) for path in out.rglob("*"))
    blobs.append(names.encode().lower())
    found = []
    for plant in plants:
        if plant.ink is not None:
            if plant.sop in where and is_legible(where[plant.sop], plant):
                found.append(plant)
        elif any(spelling in blob for spelling in _spellings(plant.value) for blob in blobs):
            found.append(plant)
    return found


def by_place(plants: list[Plant]) -> Counter[str]:
    """Count plants by the class of place."""
    return Counter(plant.place for plant in plants)


def is_legible(path: Path, plant: Plant) -> bool:
    """Whether the pixels where letters were drawn still go with the letters (correlation with their ink)."""
    assert plant.ink is not None
    frame, top, left, raw, shape = plant.ink
    mask = np.frombuffer(raw, np.uint8).reshape(shape).astype(np.float64)
    pixels = pydicom.dcmread(path).pixel_array
    if pixels.ndim == (4 if pixels.shape[-1] == 3 else 3) and pixels.shape[-1] != pixels.shape[1]:
        pixels = pixels[min(frame, len(pixels) - 1)]
    part = pixels[top : top + shape[0], left : left + shape[1]].astype(np.float64)
    if part.ndim == 3:
        part = part.mean(axis=2)
    if part.std() < 1:
        return False
    return abs(float(np.corrcoef(part.ravel(), mask.ravel())[0, 1])) > 0.35


def _haystack(path: Path) -> bytes:
    data = path.read_bytes()
    if DEFLATED in data[:1000]:
        # Where the data set begins is found by trying: nothing of the file is believed.
        for start in range(132, 1000):
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                found = inflate.decompress(data[start:])
            except zlib.error:
                continue
            if inflate.eof and len(found) > len(data) // 2:
                data += found
                break
    return data.lower()


def _spellings(value: str) -> set[bytes]:
    forms = {value, unicodedata.normalize("NFD", value), value.replace("^", " "), value.replace("^", "")}
    digits = value.replace("-", "")
    if digits.isdigit():
        forms.add(digits)
    found = set()
    for form in forms:
        for encoding in ENCODINGS:
            try:
                found.add(form.encode(encoding).lower())
            except UnicodeEncodeError:
                continue
    return found
