"""Which pictures are searched for letters: by what can have them, never by what says it has none.

BurnedInAnnotation NO is often wrong and is not believed; YES is. Original, primary slices of CT, MR and nuclear
medicine come from a reconstruction that writes no letters: they are spared, but every n-th is looked at all the same.
"""

from __future__ import annotations

from deid.imaging.elements import DataSet, ascii_text
from deid.imaging.recipe import LetterRules

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Numbers laid out as a picture: masks, doses, parametric maps.
NO_PICTURES = frozenset({"SEG", "RTDOSE", "RWV", "REG"})
SPARE, LOOK, SAMPLE = "spare", "look", "sample"


def route(data: DataSet, rules: LetterRules, sop_class: str, lot: int) -> str:
    """Decide for one object: SPARE, LOOK or SAMPLE; `lot` is a number drawn by key from its UID."""
    modality = ascii_text(data.find(0x00080060))
    if rules.never or modality in NO_PICTURES:
        return SPARE
    kind = [each.strip() for each in ascii_text(data.find(0x00080008)).split("\\")]
    annotated = ascii_text(data.find(0x00280301)) not in {"", "NO"}
    native = kind[:2] == ["ORIGINAL", "PRIMARY"] and not annotated
    if modality in rules.always or not native or sop_class.startswith(SECONDARY_CAPTURE):
        return LOOK
    if modality in rules.spared:
        return SAMPLE if lot % rules.sample_every == 0 else SPARE
    return LOOK
