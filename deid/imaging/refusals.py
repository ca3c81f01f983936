"""Which DICOM objects are not published at all, and why: what cannot be made safe by rules on attributes and pixels."""

from __future__ import annotations

import re

from deid.folder.format import Refused
from deid.imaging.dictionary import is_registered
from deid.imaging.elements import DataSet

STORAGE = "1.2.840.10008.5.1.4.1.1."
DIRECTORY = "1.2.840.10008.1.3.10"
ENCAPSULATED = STORAGE + "104."
RAW = STORAGE + "66"
DOCUMENT = 0x00420011
# Below the storage root: radiography, CT, ultrasound, MR, secondary capture, angiography, nuclear medicine, light, PET.
IMAGES = re.compile(
    r"1|1\.[1-9].*|2(\.\d)?|3\.1|4(\.[134])?|6\.[12]|7(\.\d)?|1[23]\..*|20|77\.1\.[1-6].*|128(\.1)?|130"
)
# Kept as they are: uncompressed, RLE, JPEG, JPEG-LS, JPEG 2000, HTJ2K. Not: video, JPIP, XML, JPEG XL.
SYNTAXES = frozenset(
    ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"]
    + [f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 92, 93, 201, 202, 203)]
)


def is_image(sop_class: str) -> bool:
    """Whether an object of this class is nothing without its pixels."""
    return IMAGES.fullmatch(sop_class.removeprefix(STORAGE)) is not None


def check(data: DataSet, sop_class: str) -> None:
    """Raise `Refused` for an object that is not published."""
    if sop_class == DIRECTORY:
        raise Refused("imaging.directory", "DICOMDIR은 새로 만듭니다.", "is a directory; it is made anew, not copied.")
    if sop_class.startswith(ENCAPSULATED) or data.find(DOCUMENT) is not None:
        raise Refused("imaging.encapsulated", "문서를 담은 객체입니다(PDF, CDA 등).", "encapsulates a document.")
    if sop_class == RAW:
        raise Refused("imaging.raw", "원시 자료(raw data)입니다.", "is raw data of a device.")
    if not sop_class.startswith(STORAGE) or not is_registered(sop_class):
        raise Refused("imaging.class", "표준이 정한 저장 객체가 아닙니다.", "is no storage object of the standard.")
    if data.transfer_syntax not in SYNTAXES:
        raise Refused(
            "imaging.syntax", "다루지 않는 전송 구문입니다(동영상 등).", "has a transfer syntax that is not handled."
        )
