"""Folders of DICOM files to measure speed and memory on: a real CT's header (97 and more elements), pixels made up."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.data import get_testdata_file

from tests.deid.imaging.values import person, uid

SIDE, A_SERIES = 512, 100
ENHANCED, ULTRASOUND = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.3.1"
SEED = 20261129


def slices(folder: Path, count: int) -> None:
    """Write slices of 0.53 MB, a series for every hundred, names in their paths."""
    draw, pixels = random.Random(SEED), _pixels(1)
    header = _header()
    for number in range(count):
        if number % A_SERIES == 0:
            who = person(draw)
            header.StudyInstanceUID, header.SeriesInstanceUID, header.PatientID = uid(draw), uid(draw), who.number
            header.PatientName, header.PatientBirthDate = f"{who.latin}={who.hangul}", who.birth
        header.InstanceNumber = number
        _save(folder / who.number / f"{who.latin}-{number}.dcm", header, np.roll(pixels, number, axis=0), draw)


def volumes(folder: Path, count: int, frames: int) -> None:
    """Write multi-frame CTs of `frames` times 0.52 MB."""
    draw, pixels, header = random.Random(SEED), _pixels(frames), _header()
    header.SOPClassUID, header.NumberOfFrames = ENHANCED, frames
    for number in range(count):
        who = person(draw)
        header.PatientName, header.PatientID = f"{who.latin}={who.hangul}", who.number
        header.StudyInstanceUID, header.SeriesInstanceUID = uid(draw), uid(draw)
        _save(folder / f"{number}.dcm", header, np.roll(pixels, number, axis=1), draw)


def cine(folder: Path, frames: int, letters: np.ndarray) -> None:
    """Write an ultrasound of `frames` frames that all show a picture with letters."""
    draw, header = random.Random(SEED), _header()
    header.SOPClassUID, header.Modality, header.NumberOfFrames = ULTRASOUND, "US", frames
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 8, 8, 7, 0
    header.Rows, header.Columns = letters.shape
    for each in ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue"):
        header.pop(each, None)
    _save(folder / "cine.dcm", header, np.stack([letters] * frames), draw)


def _header() -> pydicom.Dataset:
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    header = pydicom.dcmread(path)
    header.SpecificCharacterSet = "ISO_IR 192"
    header.Rows = header.Columns = SIDE
    header.pop("DataSetTrailingPadding", None)
    return header


def _pixels(frames: int) -> np.ndarray:
    """Make soft anatomy with the noise of a scanner, signed, around air and water."""
    noise = np.random.default_rng(SEED)
    soft = Image.fromarray(noise.integers(0, 255, (16, 16), dtype=np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    body = np.asarray(soft, np.int16) * 8 - 900
    return np.stack([body + noise.normal(0, 12, body.shape).astype(np.int16) for _ in range(frames)])


def _save(path: Path, header: pydicom.Dataset, pixels: np.ndarray, draw: random.Random) -> None:
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = uid(draw)
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.PixelData = pixels.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path)
