"""How much may come in at once, and what a project's own data look like: policy for imports as data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class DataColumn:
    """A column of a data set that the project may read; `key`: nearly every row has a value of its own."""

    dataset: str
    table: str
    column: str
    key: bool = False
    # SHA-256 digests of some of its values, the first eight bytes each, in hexadecimal.
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImportLimits:
    """Sizes in bytes, times in seconds. `columns`: what reference data are compared with (korea.md R95).

    `ratio`: how many times its size an archive may unpack to (korea.md R36).
    """

    max_bytes: int = 512 * MEBIBYTE
    max_members: int = 2_000
    max_unpacked: int = 64 * MEBIBYTE
    ratio: int = 100
    max_text: int = 2_000_000
    columns: tuple[DataColumn, ...] = field(default=())
    timeout_s: float = 300.0
    memory_bytes: int = 2048 * MEBIBYTE

    def to_json(self) -> str:
        """Return them as one JSON object, as they are sent to the sealed process."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ImportLimits:
        """Read what `to_json` wrote. Raises `ValueError` or `TypeError` for anything else."""
        found: dict[str, Any] = json.loads(text)
        columns = tuple(DataColumn(**{**one, "digests": tuple(one["digests"])}) for one in found["columns"])
        return cls(**{**found, "columns": columns})
