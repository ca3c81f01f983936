"""What can be done to a column: the base of all treatments. One file per treatment or family, its parser beside it.

A treatment is a frozen value that knows its own words and, where it needs only the row's value, its own Polars
expression; what needs a look-up is joined (`prepare.py`). The words follow Korean guidance (개인정보보호위원회
가명정보 처리 가이드라인: 삭제, 일반화, 상·하단 코딩) and the usual names of de-identification services (crypto hash,
date shift).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, TypedDict

import polars as pl

from deid.recipe_yaml import Node

if TYPE_CHECKING:
    from deid.treatments.learned import Learner
    from deid.treatments.rare import Rare

TYPES = {"text": "String", "integer": "Int64", "number": "Float64", "date": "Date"}
LIMIT = 1e15


@dataclass(frozen=True)
class Treatment:
    """Common to all: `type` read from the source (a key of `TYPES`), for dates their `format` (strftime), and `rare`.

    `rare` suppresses published values that few patients have; `recoded` says that what is published are ranges and
    sets of the treated values, by combination with other columns (`recoding.py`).
    """

    type: str = field(default="text", kw_only=True)
    format: str = field(default="%Y-%m-%d", kw_only=True)
    rare: Rare | None = field(default=None, kw_only=True)
    recoded: bool = field(default=False, kw_only=True)

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

    @property
    def needs_shift(self) -> bool:
        """Whether the patient's shift is needed though this treatment does not say how far it goes."""
        return False

    @property
    def lossy(self) -> bool:
        """Whether published values say less than the source's, so that the report compares the two."""
        return False

    @property
    def joined(self) -> bool:
        """Whether published values are looked up per distinct source value and joined (`prepare.lookups_of`)."""
        return False

    @property
    def keyed(self) -> bool:
        """Whether a published value stands for the source's by a key alone, so that it says nothing of it."""
        return False

    @property
    def learner(self) -> Learner | None:
        """What has to be learned of the whole column before its values can be final, if anything."""
        return self.rare

    @property
    def seeded(self) -> bool:
        """Whether the patient's seed (`noise.SEED`) must stand beside the value."""
        return False

    def of(self, column: str) -> Treatment:  # noqa: ARG002 - most do not depend on it
        """Give the treatment as it is for one source column."""
        return self

    def expression(self, value: pl.Expr) -> pl.Expr:
        """Compute the published value from the typed source value. `NotImplementedError` where it is joined instead."""
        raise NotImplementedError(type(self).__name__)

    def words(self) -> str:
        """Say what is done, without `rare`."""
        raise NotImplementedError

    def told(self) -> str:
        """Say all that is done, for the report and the manifest, as `name(details)`."""
        further = [*([self.rare.words()] if self.rare else []), *(["mondrian"] if self.recoded else [])]
        if not further:
            return self.words()
        name, _, details = self.words().removesuffix(")").partition("(")
        return f"{name}({', '.join(filter(None, [details, *further]))})"


class Common(TypedDict, total=False):
    """Fields that every treatment may be written with."""

    type: str
    format: str


def common_fields(fields: Mapping[str, Node], *, default: str, allowed: tuple[str, ...]) -> Common:
    """Read `type` (one of `allowed`, else `default`) and `format`. Raises `RecipeError`."""
    kind = fields["type"].one_of(allowed) if "type" in fields else default
    common = Common(type=kind)
    if "format" in fields:
        if kind != "date":
            fields["format"].fail("format", "format은 날짜 열에만 쓸 수 있습니다.", "'format' is for dates only.")
        common["format"] = fields["format"].text()
    return common


def parsed(text: pl.Expr, kind: str, form: str, *, strict: bool = True) -> pl.Expr:
    """Parse text to a `kind` of `TYPES` other than text; blanks around the value are allowed.

    Anything else makes the query fail, or becomes null when not `strict`. What a reader gives in that type already
    (`spelling.read_as`) stays as it is.
    """
    reading = partial(_parsed, kind, form, strict)
    return text.map_batches(reading, return_dtype=getattr(pl, TYPES[kind]), is_elementwise=True)


def _parsed(kind: str, form: str, strict: bool, text: pl.Series) -> pl.Series:  # noqa: FBT001 - bound by partial
    if text.dtype == getattr(pl, TYPES[kind]):
        return text
    quick = _read(text, kind, form, strict=False)
    if quick.null_count() == text.null_count():
        return quick
    # Hardly any table has blanks around its values: taking them off costs more than reading the values.
    return _read(text.str.strip_chars(), kind, form, strict=strict)


def _read(text: pl.Series, kind: str, form: str, *, strict: bool) -> pl.Series:
    if kind == "date":
        # Looking each text up in a cache first takes Polars three times as long as parsing it.
        return text.str.to_date(form, strict=strict, cache=False)
    return text.cast(getattr(pl, TYPES[kind]), strict=strict)


def is_date(text: str) -> bool:
    """Whether the text is an ISO 8601 calendar date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
