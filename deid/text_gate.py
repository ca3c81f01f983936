"""The gate that people pass for a recipe's free texts: `text_sample` (see `deid.sample_gate`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deid import sample_gate
from deid.cases import CaseFile
from deid.errors import OutputError
from deid.recipe_yaml import Node
from deid.sample_gate import AskedSample, WantedSample

LINEAGE = "text_sample"
MOST = 10**5


def parse_text_sample(node: Node | None) -> WantedSample | None:
    """Read the gate `text_sample: {size, min_recall, confidence}`. Raises `RecipeError`."""
    return sample_gate.parse_sample(node, most=MOST, otherwise=0.98)


def check_place(wanted: WantedSample | None, *, given: bool) -> None:
    """Raise `OutputError` when the recipe asks for a sample review and no private folder was named for its texts."""
    if wanted is not None and not given:
        raise OutputError(
            "deid.no-private-folder",
            "이 계획은 글의 표본 검토를 요구하는데, 원문을 둘 비공개 폴더가 주어지지 않았습니다.",
            "This recipe asks for a sample review of texts, and no private folder was given for the originals.",
            remedy_ko="원본이 있는 쪽에 폴더를 두고 --private로 알려 주세요.",
            remedy_en="Name a folder on the source's side with --private.",
        )


def lineage_of(wanted: WantedSample | None, cases: CaseFile | None) -> dict[str, Any]:
    """Return what the manifest's lineage says of the gate; nothing where the recipe does not ask for it."""
    return sample_gate.lineage_of(LINEAGE, wanted, cases)


def asked_by(lineage: Mapping[str, Any]) -> AskedSample | None:
    """Return what a signed manifest asks for, or None. Raises `ValueError` when it cannot be read."""
    return sample_gate.asked_by(LINEAGE, lineage)
