"""Values that few patients have are suppressed (드문 값 삭제): merged into `other`, or left out.

Who has a value is counted over distinct patients among the rows that are published. Were a single value suppressed, or
one that too few have, everybody would know which it was: the next rarest go with it until there are two of them and
they are at least as many patients' as is asked for (2차 삭제).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from deid.recipe_yaml import Node
from deid.treatments.learned import PATIENT, VALUE, Finish, Learner
from deid.treatments.plain import Keep
from deid.treatments.treatment import TYPES, Treatment, common_fields

PATIENTS, FIRST = " patients", " first"
FEWEST_SUPPRESSED = 2


@dataclass(frozen=True)
class KeepOnly(Finish):
    """Values outside `kept` become `other`, or null where there is none."""

    kept: pl.Series = field(repr=False)
    other: str | None
    suppressed: int
    patients: int

    def expression(self, value: pl.Expr) -> pl.Expr:
        """See `Finish.expression`."""
        stays = value.is_in(self.kept.implode()) | value.is_null()
        return pl.when(stays).then(value).otherwise(pl.lit(self.other, dtype=self.kept.dtype))

    def figures(self) -> Mapping[str, int | float]:
        """See `Finish.figures`: how many values stay, how many went, and at least how many patients had those."""
        return {"values_kept": self.kept.len(), "values_suppressed": self.suppressed, "patients": self.patients}


@dataclass(frozen=True)
class Rare(Learner):
    """At least `min_patients` patients (the recipe's k where None) for each value that is published."""

    min_patients: int | None
    other: str | None

    def summary(self, frame: pl.LazyFrame, k: int) -> pl.LazyFrame:
        """See `Learner.summary`: by value how many patients, and who the first are, as many as are asked for."""
        patients = pl.col(PATIENT).unique()
        first = patients.head(self.min_patients or k)
        return frame.group_by(VALUE).agg(patients.len().alias(PATIENTS), first.alias(FIRST))

    def learn(self, summary: pl.DataFrame, k: int) -> KeepOnly:
        """See `Learner.learn`."""
        needed = self.min_patients or k
        ordered = summary.sort(PATIENTS, VALUE)
        # `other` may be a value of the source too; its own patients then count for it in any case.
        rest = ordered.filter(pl.col(VALUE) != self.other) if self.other is not None else ordered
        gone = int((rest[PATIENTS] < needed).sum())
        if gone:
            while gone < rest.height and (gone < FEWEST_SUPPRESSED or _patients(rest[:gone]) < needed):
                gone += 1
        return KeepOnly(rest[VALUE][gone:], self.other, gone, _patients(rest[:gone]))

    def words(self) -> str:
        """Say what is done, for the report and the manifest."""
        number = "k" if self.min_patients is None else str(self.min_patients)
        return f"rare under {number} patients to {self.other or 'missing'}"


def _patients(values: pl.DataFrame) -> int:
    """Count the distinct patients of some values, as far as they are known by name: the first of each value."""
    return values[FIRST].explode(empty_as_null=False).n_unique()


def parse_rare(node: Node, dtype: str) -> Rare:
    """Read a column's `rare`: `min_patients` and, for columns published as text, `other`. Raises `RecipeError`."""
    fields = node.fields((), ("min_patients", "other"))
    return _rare(fields, dtype)


def parse_suppress_rare(_: Node, fields: Mapping[str, Node]) -> Treatment:
    """Read `suppress_rare`: keep, with `rare`. Raises `RecipeError`."""
    treatment = Keep(**common_fields(fields, default="text", allowed=tuple(TYPES)))
    return replace(treatment, rare=_rare(fields, treatment.dtype))


def _rare(fields: Mapping[str, Node], dtype: str) -> Rare:
    if "other" in fields and dtype != "String":
        fields["other"].fail(
            "other", "other는 글로 공개하는 열에만 쓸 수 있습니다.", "'other' is for columns published as text."
        )
    number = fields["min_patients"].integer(2, 10**6) if "min_patients" in fields else None
    return Rare(number, fields["other"].text() if "other" in fields else None)
