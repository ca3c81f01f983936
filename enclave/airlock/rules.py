"""The numbers and names a check is run with: policy as data, set per data provider (korea.md §1.4)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

MEBIBYTE = 1 << 20
LOWEST_MIN_CELL = 5


@dataclass(frozen=True, kw_only=True)
class CheckRules:
    """What one provider allows. Sizes in bytes, times in seconds.

    ``id_columns``: names of the pseudonym columns of the project's snapshots; ``subjects``: how many data subjects the
    snapshot holds (a table with as many rows is looked at); ``dominance_blocks``: a cell that one or two people make up
    is stopped, and not only pointed at; ``dominance_percent``, ``p_percent``: from when on they make it up (share of
    the two largest; the p % rule); ``min_freedom``: fewest residual degrees of freedom of a model; ``max_points``: how
    many values a vector or interactive figure may hold, ``min_cell`` of them as dots; ``max_cells``: what is read as a
    table of results, a longer one is searched column by column and stopped.

    Raises `ValueError` for a policy below the floor.
    """

    min_cell: int = 10
    max_rows: int = 1000
    id_columns: tuple[str, ...] = ()
    subjects: int | None = None
    dominance_blocks: bool = False
    dominance_percent: int = 85
    p_percent: int = 10
    min_freedom: int = 10
    max_bytes: int = 100 * MEBIBYTE
    max_columns: int = 500
    max_cells: int = 200_000
    max_scan_chars: int = 2_000_000
    max_lines: int = 5_000
    max_pixels: int = 50_000_000
    max_points: int = 50
    timeout_s: float = 120.0
    memory_bytes: int = 1024 * MEBIBYTE

    def __post_init__(self) -> None:
        if self.min_cell < LOWEST_MIN_CELL:
            raise ValueError(f"min_cell is {self.min_cell}; no policy may go below {LOWEST_MIN_CELL}")
        if self.timeout_s <= 0 or min(self.max_rows, self.max_bytes, self.memory_bytes) <= 0:
            raise ValueError("limits must be positive")

    def to_json(self) -> str:
        """Return the rules as one JSON object, as they are written into the log and sent to the sealed process."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> CheckRules:
        """Read what `to_json` wrote. Raises `ValueError` or `TypeError` for anything else."""
        found = json.loads(text)
        return cls(**{**found, "id_columns": tuple(found["id_columns"])})
