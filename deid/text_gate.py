"""The gate that people pass for a recipe's free texts: how many are looked at, and what their review must show.

It cannot be judged when the run ends, so the signed manifest carries what is asked (`lineage.text_sample`), with the
SHA-256 of the private file whose texts are to be sampled: nobody can review other texts than those of this run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deid.errors import OutputError
from deid.recipe_yaml import Node
from deid.texts import CaseWriter

LINEAGE = "text_sample"


@dataclass(frozen=True)
class TextSample:
    """What the recipe asks for: texts in the sample, and the recall whose lower bound at `confidence` must be held."""

    size: int
    min_recall: float
    confidence: float


@dataclass(frozen=True)
class AskedSample:
    """What a manifest asks for: the recipe's numbers, and the file of cases by its hash."""

    size: int
    min_recall: float
    confidence: float
    cases: int
    cases_sha256: str


def parse_text_sample(node: Node | None) -> TextSample | None:
    """Read the gate `text_sample: {size, min_recall, confidence}`. Raises `RecipeError`."""
    if node is None:
        return None
    fields = node.fields((), ("size", "min_recall", "confidence"))
    return TextSample(
        size=fields["size"].integer(1, 10**5) if "size" in fields else 200,
        min_recall=fields["min_recall"].number(0.5, 0.9999) if "min_recall" in fields else 0.98,
        confidence=fields["confidence"].number(0.5, 0.9999) if "confidence" in fields else 0.95,
    )


def check_place(wanted: TextSample | None, *, given: bool) -> None:
    """Raise `OutputError` when the recipe asks for a sample review and no private folder was named for its texts."""
    if wanted is not None and not given:
        raise OutputError(
            "deid.no-private-folder",
            "이 계획은 글의 표본 검토를 요구하는데, 원문을 둘 비공개 폴더가 주어지지 않았습니다.",
            "This recipe asks for a sample review of texts, and no private folder was given for the originals.",
            remedy_ko="원본이 있는 쪽에 폴더를 두고 --private로 알려 주세요.",
            remedy_en="Name a folder on the source's side with --private.",
        )


def lineage_of(wanted: TextSample | None, cases: CaseWriter | None) -> dict[str, Any]:
    """Return what the manifest's lineage says of the gate; nothing where the recipe does not ask for it."""
    if wanted is None or cases is None:
        return {}
    return {LINEAGE: {**asdict(wanted), "cases": cases.count, "cases_sha256": cases.sha256}}


def asked_by(lineage: Mapping[str, Any]) -> AskedSample | None:
    """Return what a signed manifest asks for, or None. Raises `ValueError` when it cannot be read."""
    body = lineage.get(LINEAGE)
    if body is None:
        return None
    try:
        return AskedSample(**body)
    except TypeError as error:
        raise ValueError("lineage.text_sample is malformed") from error
