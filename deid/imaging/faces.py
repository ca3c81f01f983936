"""Heads in CT, cone-beam CT and MR: a surface can be computed from the slices, and a face known by it.

Evidence that the face was taken out is the object's own word for it, (0028,0302) NO. The recipe chooses between a
warning, a refusal, and taking the face out (`defacing/`); then a head whose face cannot be found is refused.
"""

from __future__ import annotations

import re

from deid.folder.format import Refused
from deid.imaging.elements import DataSet, Letters, ascii_text

WARN, REFUSE, REMOVE = "warn", "refuse", "remove"
MODALITIES = frozenset({"CT", "MR", "PT"})
FEATURES, BODY_PART, CHARACTER_SET = 0x00280302, 0x00180015, 0x00080005
TEXTS = (BODY_PART, 0x00081030, 0x0008103E, 0x00181030)
HEAD = re.compile(
    r"head|brain|skull|neuro|orbit|face|facial|sinus|pns|iac|temporal|pituitary|jaw|mandib|maxill|dental|tmj|ear\b"
    r"|두부|뇌|안면|부비동|측두|악골|치과",
    re.IGNORECASE,
)
CODE = "imaging.face"


def is_head(data: DataSet) -> bool:
    """Whether slices show a head, and nothing says that its face was taken out."""
    if ascii_text(data.find(0x00080060)) not in MODALITIES or ascii_text(data.find(FEATURES)) == "NO":
        return False
    letters = Letters(tuple(ascii_text(data.find(CHARACTER_SET)).split("\\")))
    found = [data.find(tag) for tag in TEXTS]
    said = " ".join(letters.read(each.value) for each in found if each is not None and each.items is None)
    return HEAD.search(said) is not None


def refused() -> Refused:
    """Say that a head's face is there and stays."""
    return Refused(
        CODE,
        "얼굴을 지운 근거가 없는 머리 영상입니다.",
        "shows a head, and nothing says that its face was removed.",
    )
