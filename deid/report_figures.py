"""Figures as the report and the manifest have them: what was done to each column, and the risk in short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deid.recipe import ColumnRule
from deid.treatments.terms import terms


def treatment_words(rule: ColumnRule) -> dict[str, str]:
    """Say what is done to a column, for the report."""
    words = rule.treatment.told()
    ko, en = terms(words)
    name = "" if words == "drop" else rule.name
    return {
        "source": rule.source,
        "published": name,
        "label_ko": rule.label.ko,
        "label_en": rule.label.en,
        "treatment": words,
        "term_ko": ko,
        "term_en": en,
        "reason_ko": rule.reason.ko,
        "reason_en": rule.reason.en,
    }


def summary_of(risk: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the figures that go into the manifest; the whole is in risk.json."""
    summary = {name: risk[name] for name in ("rows_before", "rows_after", "subjects_before", "subjects_after")}
    if risk["published"]:
        summary |= {
            "k_source": risk["source"]["smallest"],
            "k_published": risk["published"]["smallest"],
            "unique_source": risk["source"]["unique_share"],
            "unique_published": risk["published"]["unique_share"],
            "prosecutor_max": risk["published"]["prosecutor_max"],
            "marketer": risk["published"]["marketer"],
        }
    if risk["privacy"] and risk["privacy"]["search"]:
        # Written into the next version's recipe instead of `auto`, they pin it to the same rule.
        summary["levels"] = risk["privacy"]["search"]["levels"]
    return summary
