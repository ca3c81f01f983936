"""What can be done to a column: one frozen value per treatment, parsed from the recipe. Pure data; `transform/` acts.

The words follow Korean guidance (개인정보보호위원회 가명정보 처리 가이드라인: 삭제, 일반화, 상·하단 코딩) and the usual
names of de-identification services (crypto hash, date shift, bucketing).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from deid.recipe_yaml import Node

TYPES = {"text": "String", "integer": "Int64", "number": "Float64", "date": "Date"}
LIMIT = 1e15


@dataclass(frozen=True)
class Treatment:
    """Common to all: `type` read from the source (a key of `TYPES`) and, for dates, their `format` (strftime)."""

    type: str = field(default="text", kw_only=True)
    format: str = field(default="%Y-%m-%d", kw_only=True)

    @property
    def dtype(self) -> str:
        """Polars type of the published column."""
        return TYPES[self.type]

    @property
    def needs(self) -> tuple[str, ...]:
        """Other source columns this one is computed with."""
        return ()

    @property
    def shift_days(self) -> int:
        """Largest date shift in days, 0 for none."""
        return 0

    def words(self) -> str:
        """Say what is done, for the report and the manifest."""
        raise NotImplementedError


@dataclass(frozen=True)
class Drop(Treatment):
    """The column is not published (삭제)."""

    def words(self) -> str:
        """See `Treatment.words`."""
        return "drop"


@dataclass(frozen=True)
class Keep(Treatment):
    """Published as it is (유지)."""

    def words(self) -> str:
        """See `Treatment.words`."""
        return "keep"


@dataclass(frozen=True)
class Pseudonym(Treatment):
    """HMAC-SHA256 with a key of the data set and `domain`, 16 bytes as 32 hex digits (가명)."""

    domain: str

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"pseudonym({self.domain})"


@dataclass(frozen=True)
class DateShift(Treatment):
    """Moved by the patient's own number of days, never 0, at most `max_days` either way (날짜 이동)."""

    max_days: int

    @property
    def shift_days(self) -> int:
        """See `Treatment.shift_days`."""
        return self.max_days

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"date_shift({self.max_days})"


@dataclass(frozen=True)
class Band(Treatment):
    """Number to a band `width` wide counted from 0; `top` and above, and below `bottom`, are one band (일반화)."""

    width: int
    top: int | None
    bottom: int | None

    @property
    def dtype(self) -> str:
        """See `Treatment.dtype`."""
        return "String"

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(band {self.width}{_ends(self.bottom, self.top)})"


@dataclass(frozen=True)
class AgeBand(Band):
    """Date of birth to a band of completed years of age at `at`: a date, or another source column with dates."""

    at: str

    @property
    def needs(self) -> tuple[str, ...]:
        """See `Treatment.needs`."""
        return () if is_date(self.at) else (self.at,)

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(age at {self.at}, band {self.width}{_ends(self.bottom, self.top)})"


@dataclass(frozen=True)
class DatePart(Treatment):
    """Date to its year or to year and month (일반화)."""

    part: str

    @property
    def dtype(self) -> str:
        """See `Treatment.dtype`."""
        return "Int64" if self.part == "year" else "String"

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(date to {self.part})"


@dataclass(frozen=True)
class Prefix(Treatment):
    """The first `length` characters (일반화)."""

    length: int

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(prefix {self.length})"


@dataclass(frozen=True)
class MapValues(Treatment):
    """Value by value; what the map does not name becomes `other`, or is an error when there is none (일반화)."""

    mapping: Mapping[str, str]
    other: str | None

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"generalise(map of {len(self.mapping)})"


@dataclass(frozen=True)
class Clip(Treatment):
    """Values above `top` become `top`, below `bottom` become `bottom` (상·하단 코딩)."""

    top: float | None
    bottom: float | None

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"top_code({self.top:g})" if self.top is not None else f"bottom_code({self.bottom:g})"


@dataclass(frozen=True)
class Round(Treatment):
    """To the nearest multiple of `to`, halves to even (라운딩)."""

    to: float

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"round({self.to:g})"


@dataclass(frozen=True)
class FreeText(Treatment):
    """Identifiers in the text are replaced by typed placeholders such as <이름> (자유 글)."""

    def words(self) -> str:
        """See `Treatment.words`."""
        return "free_text"


def parse_treatment(node: Node, fields: Mapping[str, Node], keys: Mapping[str, tuple[Node, Node]]) -> Treatment:
    """Read one treatment; `fields` are the column's own without label and name. Raises `RecipeError`."""
    if "treatment" not in fields:
        node.fail("missing", "'treatment' 항목이 빠졌습니다.", "'treatment' is missing.")
    word = fields["treatment"].one_of(tuple(PARSERS))
    required, optional, parser = PARSERS[word]
    for name, (key, _) in keys.items():
        if name not in {"treatment", "type", "format", *required, *optional}:
            key.fail("unknown", f"{word}에는 '{name}' 항목이 없습니다.", f"{word} has no '{name}'.")
    for name in required:
        if name not in fields:
            node.fail("missing", f"{word}에는 '{name}'이(가) 필요합니다.", f"{word} needs '{name}'.")
    return parser(node, fields)


def _common(fields: Mapping[str, Node], *, default: str, allowed: tuple[str, ...]) -> dict[str, str]:
    kind = fields["type"].one_of(allowed) if "type" in fields else default
    common = {"type": kind}
    if "format" in fields:
        if kind != "date":
            fields["format"].fail("format", "format은 날짜 열에만 쓸 수 있습니다.", "'format' is for dates only.")
        common["format"] = fields["format"].text()
    return common


def _drop(_: Node, fields: Mapping[str, Node]) -> Drop:
    return Drop(**_common(fields, default="text", allowed=tuple(TYPES)))


def _keep(_: Node, fields: Mapping[str, Node]) -> Keep:
    return Keep(**_common(fields, default="text", allowed=tuple(TYPES)))


def _pseudonym(_: Node, fields: Mapping[str, Node]) -> Pseudonym:
    return Pseudonym(fields["domain"].text(), **_common(fields, default="text", allowed=("text",)))


def _date_shift(_: Node, fields: Mapping[str, Node]) -> DateShift:
    days = fields["max_days"].integer(1, 36500)
    return DateShift(days, **_common(fields, default="date", allowed=("date",)))


def _free_text(_: Node, fields: Mapping[str, Node]) -> FreeText:
    return FreeText(**_common(fields, default="text", allowed=("text",)))


def _round(_: Node, fields: Mapping[str, Node]) -> Round:
    return Round(fields["to"].number(1e-9, LIMIT), **_common(fields, default="number", allowed=("number", "integer")))


def _top_code(_: Node, fields: Mapping[str, Node]) -> Clip:
    common = _common(fields, default="number", allowed=("number", "integer"))
    return Clip(fields["at"].number(-LIMIT, LIMIT), None, **common)


def _bottom_code(_: Node, fields: Mapping[str, Node]) -> Clip:
    common = _common(fields, default="number", allowed=("number", "integer"))
    return Clip(None, fields["at"].number(-LIMIT, LIMIT), **common)


def _generalise(node: Node, fields: Mapping[str, Node]) -> Treatment:
    chosen = [name for name in ("band", "prefix", "map", "date") if name in fields]
    if len(chosen) != 1:
        node.fail(
            "missing", "band, prefix, map, date 중 하나가 필요합니다.", "one of band, prefix, map, date is needed."
        )
    if "age_at" in fields and chosen != ["band"]:
        fields["age_at"].fail("unknown", "age_at은 band와 함께 씁니다.", "age_at goes with band.")
    if chosen == ["band"]:
        return _band(fields)
    if chosen == ["prefix"]:
        length = fields["prefix"].integer(1, 100)
        return Prefix(length, **_common(fields, default="text", allowed=("text",)))
    if chosen == ["date"]:
        part = fields["date"].one_of(("year", "month"))
        return DatePart(part, **_common(fields, default="date", allowed=("date",)))
    mapping = {name: value.text() for name, (_, value) in fields["map"].pairs().items()}
    other = fields["other"].text() if "other" in fields else None
    return MapValues(mapping, other, **_common(fields, default="text", allowed=("text",)))


def _band(fields: Mapping[str, Node]) -> Band:
    parts = fields["band"].fields(("width",), ("top", "bottom"))
    width = parts["width"].integer(1, 10**9)
    edges = {name: parts[name].integer(-(10**12), 10**12) if name in parts else None for name in ("top", "bottom")}
    for name, edge in edges.items():
        if edge is not None and edge % width:
            parts[name].fail("edge", f"{name}은(는) width의 배수여야 합니다.", f"{name} must be a multiple of width.")
    if "age_at" not in fields:
        common = _common(fields, default="integer", allowed=("integer", "number"))
        return Band(width, edges["top"], edges["bottom"], **common)
    common = _common(fields, default="date", allowed=("date",))
    at = fields["age_at"].text()
    return AgeBand(width, edges["top"], edges["bottom"], at, **common)


def _ends(bottom: int | None, top: int | None) -> str:
    return ("" if bottom is None else f", bottom {bottom}") + ("" if top is None else f", top {top}")


def is_date(text: str) -> bool:
    """Whether the text is an ISO 8601 calendar date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


Parser = Callable[[Node, Mapping[str, Node]], Treatment]
# word: (required fields, optional fields, parser)
PARSERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Parser]] = {
    "drop": ((), (), _drop),
    "keep": ((), (), _keep),
    "pseudonym": (("domain",), (), _pseudonym),
    "date_shift": (("max_days",), (), _date_shift),
    "generalise": ((), ("band", "age_at", "prefix", "map", "other", "date"), _generalise),
    "top_code": (("at",), (), _top_code),
    "bottom_code": (("at",), (), _bottom_code),
    "free_text": ((), (), _free_text),
    "round": (("to",), (), _round),
}
