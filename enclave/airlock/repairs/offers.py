"""Which repairs a finding offers, by its rule. What a person must do by hand is offered as a hint (`add-…`)."""

from __future__ import annotations

from pathlib import PurePosixPath

TABLES = frozenset({".csv", ".tsv", ".json", ".parquet", ".xlsx"})
BY_RULE = {
    "cell.small": ("suppress", "regroup", "round"),
    "cell.recoverable": ("suppress", "regroup"),
    "cell.share": ("suppress", "round"),
    "cell.rounding": ("round",),
    "cell.rest": ("suppress", "round"),
    "row.no-counts": ("add-counts",),
    "points.individual": ("add-counts",),
    "curve.steps": ("add-counts",),
    "value.percentile": ("add-counts",),
    "value.extreme": ("add-context",),
    "cell.zero": ("add-context",),
    "cell.totals": ("add-context",),
    "image.eye": ("add-context",),
}
OF_TABLES = frozenset({"suppress", "regroup", "round"})


def offered(rule: str, name: str) -> tuple[str, ...]:
    """Return the ids of the repairs for a rule that fit a file of this name."""
    is_table = PurePosixPath(name).suffix.lower() in TABLES
    return tuple(each for each in BY_RULE.get(rule, ()) if is_table or each not in OF_TABLES)
