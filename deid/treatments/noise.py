"""Bounded noise (잡음 추가): a secret of the patient and the value decide it, so that a rerun gives the same bytes.

The draw is SHA-256 of the patient's seed (HMAC under the key of project and data set), the column and the value. The
same value of the same patient therefore always gets the same noise: repeated rows cannot be averaged until it is gone
(sticky noise: Francis et al. 2017, doi:10.1007/978-3-319-67280-9_4). Two projects get different noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl
import polars_hash as plh

from deid.recipe_yaml import Node
from deid.treatments.numbers import NUMBERS
from deid.treatments.treatment import LIMIT, Treatment, common_fields

# The patient's seed, joined in by the engine; the blank keeps it apart from any published name.
SEED = " seed"
SHAPES = ("uniform", "triangular")
# 52 bits of the tag fill a float's mantissa exactly: a draw in [0, 1).
HEX, DRAWS = 13, 16**13
DIGITS = 4


@dataclass(frozen=True)
class Noise(Treatment):
    """A number moved by at most `within` (or by `percent` of itself), rounded to `to`, inside `bottom` … `top`.

    `shape` is `uniform` over the whole range, or `triangular` (the difference of two uniform draws: small noise is
    likelier). Where it would leave the limits, or change sign when `keep_sign`, it is reflected. Integers stay so.
    """

    within: float
    percent: bool
    shape: str
    to: float | None
    bottom: float | None
    top: float | None
    keep_sign: bool
    column: str = ""

    @property
    def seeded(self) -> bool:
        """See `Treatment.seeded`."""
        return True

    def of(self, column: str) -> Noise:
        """See `Treatment.of`: two columns must not share their noise."""
        return replace(self, column=column)

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Treatment.expression`; the column `SEED` is beside the value."""
        number = value.cast(pl.Float64)
        reach = number.abs() * (self.within / 100) if self.percent else pl.lit(self.within)
        moved = number + self._draw(value) * reach
        if self.keep_sign:
            moved = moved.abs() * number.sign()
        # Reflected without naming the value twice: the engine would draw again for each mention.
        if self.bottom is not None:
            moved = (moved - self.bottom).abs() + self.bottom
        if self.top is not None:
            moved = self.top - (moved - self.top).abs()
        moved = self._rounded(moved).clip(self.bottom, self.top)
        return moved.cast(pl.Int64) if self.type == "integer" else moved

    def _draw(self, value: pl.Expr) -> pl.Expr:
        """Draw from -1 to 1 for each patient and value."""
        tag = plh.concat_str(plh.col(SEED), pl.lit(f" {self.column} "), value.cast(pl.String)).chash.sha2_256()
        first, second = (
            tag.str.slice(start, HEX).str.to_integer(base=16, dtype=pl.Int64) / DRAWS for start in (0, HEX)
        )
        return first * 2 - 1 if self.shape == "uniform" else first - second

    def _rounded(self, moved: pl.Expr) -> pl.Expr:
        if self.to is not None:
            return (moved / self.to).round() * self.to
        if self.type == "integer":
            return moved.round()
        # Digits far below what the noise can hide say nothing true.
        return moved.round_sig_figs(DIGITS) if self.percent else moved.round(_decimals(self.within))

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"noise({self.shape}, within {self.within:g}{'%' if self.percent else ''})"


def parse_noise(node: Node, fields: Mapping[str, Node]) -> Noise:
    """Read `noise`: exactly one of `within` and `percent`. Raises `RecipeError`."""
    chosen = [name for name in ("within", "percent") if name in fields]
    if len(chosen) != 1:
        node.fail("missing", "within, percent 중 하나가 필요합니다.", "one of within, percent is needed.")
    common = common_fields(fields, default="number", allowed=NUMBERS)
    limits = {name: fields[name].number(-LIMIT, LIMIT) if name in fields else None for name in ("bottom", "top")}
    if limits["bottom"] is not None and limits["top"] is not None and limits["bottom"] >= limits["top"]:
        fields["top"].fail("range", "top은 bottom보다 커야 합니다.", "top must be above bottom.")
    lowest = 1.0 if common.get("type") == "integer" else 1e-9
    return Noise(
        fields[chosen[0]].number(lowest, 100 if chosen == ["percent"] else LIMIT),
        chosen == ["percent"],
        fields["shape"].one_of(SHAPES) if "shape" in fields else SHAPES[0],
        fields["to"].number(lowest, LIMIT) if "to" in fields else None,
        limits["bottom"],
        limits["top"],
        "keep_sign" in fields and fields["keep_sign"].flag(),
        **common,
    )


def _decimals(within: float) -> int:
    return max(0, 1 - math.floor(math.log10(within)))
