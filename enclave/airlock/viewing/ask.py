"""What a reviewer asks of one piece: which rows or lines, in which order, with which filter. As JSON to the child."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LONGEST_FIND = 200


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Rows from the position ``start`` on, counted in the order asked for. Columns and rows are counted from 0.

    ``find``: only rows with this text in a cell (or, after ``<``, ``<=``, ``>``, ``>=``, ``=``, ``!=``, cells that
    compare so); ``column``: look in this column alone. ``row``: the page that holds this row; it wins over ``start``.
    """

    piece: int = 0
    start: int = 0
    sort: int | None = None
    down: bool = False
    find: str = ""
    column: int | None = None
    row: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the piece is shown from its first row, as it stands in the file."""
        return self == Ask(piece=self.piece)

    def to_json(self) -> dict[str, Any]:
        """Return the fields, as `from_json` reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Ask:
        """Read what `to_json` wrote; raises `TypeError` for other fields."""
        return cls(**found)
