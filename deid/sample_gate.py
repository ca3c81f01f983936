"""A gate that people pass: how many cases of a run are looked at, and what their review must show.

It cannot be judged when the run ends, so the signed manifest carries what is asked (`lineage.text_sample`,
`lineage.frame_sample`), with the SHA-256 of the private file whose cases are to be sampled: nobody can review other
cases than those of this run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deid.cases import CaseFile
from deid.recipe_yaml import Node


@dataclass(frozen=True)
class WantedSample:
    """What a recipe asks for: cases in the sample, and the recall whose lower bound at `confidence` must be held."""

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


def parse_sample(node: Node | None, *, most: int, otherwise: float) -> WantedSample | None:
    """Read a gate `{size, min_recall, confidence}`; `size` is `most` at most, `min_recall` is `otherwise` if not said.

    Raises `RecipeError`.
    """
    if node is None:
        return None
    fields = node.fields((), ("size", "min_recall", "confidence"))
    return WantedSample(
        size=fields["size"].integer(1, most) if "size" in fields else 200,
        min_recall=fields["min_recall"].number(0.5, 0.9999) if "min_recall" in fields else otherwise,
        confidence=fields["confidence"].number(0.5, 0.9999) if "confidence" in fields else 0.95,
    )


def lineage_of(name: str, wanted: WantedSample | None, cases: CaseFile | None) -> dict[str, Any]:
    """Return what the manifest's lineage says of the gate; nothing where the recipe does not ask for it."""
    if wanted is None or cases is None:
        return {}
    return {name: {**asdict(wanted), "cases": cases.count, "cases_sha256": cases.sha256}}


def asked_by(name: str, lineage: Mapping[str, Any]) -> AskedSample | None:
    """Return what a signed manifest asks for under a name, or None. Raises `ValueError` when it cannot be read."""
    body = lineage.get(name)
    if body is None:
        return None
    try:
        return AskedSample(**body)
    except TypeError as error:
        raise ValueError(f"lineage.{name} is malformed") from error
