"""The faces of a whole folder, found before its files are handed out: a head's face is known from all its slices only.

For each slice of a head that can be laid out in space there is a mask, a file beside those that are staged; it shows
where a face was and nothing of it. Heads without one (a single slice, frames in one object, no head to be told) are
refused by whoever reads the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from deid.errors import OutputError
from deid.folder.format import Refused
from deid.imaging import faces
from deid.imaging.defacing.face import NoFaceError, face_of, is_installed
from deid.imaging.defacing.masks import Masks
from deid.imaging.defacing.volume import Slice, slice_of, stored, volumes
from deid.imaging.elements import ascii_text
from deid.imaging.read import header_of, read
from deid.imaging.recipe import ImagingRules

FOLDER = "faces"
SERIES = 0x0020000E


def prepared(rules: ImagingRules, source: Path, names: Iterable[str], staging: Path) -> ImagingRules:
    """Find the faces of all heads of a folder, where the rules say that they go; gives rules that know of them."""
    if rules.faces != faces.REMOVE:
        return rules
    if not is_installed():
        raise OutputError(
            "deid.no-face-template",
            "얼굴을 찾는 데 쓰는 머리 견본(pydeface)이 설치되어 있지 않습니다. 아무것도 쓰지 않았습니다.",
            "The template of a head by which faces are found (pydeface) is not installed. Nothing was written.",
            remedy_ko="locks/models.txt를 설치하거나(make setup) 계획에 faces: refuse를 적으세요.",
            remedy_en="Install locks/models.txt (make setup), or write faces: refuse into the recipe.",
        )
    masks = Masks(staging / FOLDER)
    masks.folder.mkdir()
    for series in _heads(source, names).values():
        for made in volumes(series):
            _find(masks, source, made)
    return replace(rules, masks=masks)


def _heads(source: Path, names: Iterable[str]) -> dict[str, list[Slice]]:
    found: dict[str, list[Slice]] = {}
    for name in names:
        try:
            data = header_of(source / name)
            each = slice_of(data, name) if data is not None and faces.is_head(data) else None
        except (Refused, OSError):
            continue  # whoever reads it next says why
        if data is not None and each is not None:
            found.setdefault(ascii_text(data.find(SERIES)), []).append(each)
    return found


def _find(masks: Masks, source: Path, made: list[Slice]) -> None:
    try:
        pictures = [stored(read((source / each.name).read_bytes())) for each in made]
        array = np.stack([pixels for pixels, _ in pictures]).astype(np.float32)
        mask = face_of(array, made)
    except (Refused, OSError, NoFaceError):
        return
    for each, layer in zip(made, mask, strict=True):
        masks.put(each.name, layer)
