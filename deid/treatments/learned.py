"""Treatments that need statistics of the whole column before any row can be treated (`deid/learning.py` runs them).

Statistics are of distinct patients, never of rows: a patient with a thousand rows counts once, so that no figure can be
one person's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import polars as pl

# Columns of the frame that is learned from: the patient's rank, and the published value.
PATIENT, VALUE = " patient", " value"


class TooFewPatients(Exception):  # noqa: N818 - the finding in words
    """The column has values of `found` patients, and `needed` are needed to learn anything from it."""

    def __init__(self, found: int, needed: int) -> None:
        super().__init__(f"{found} of {needed}")
        self.found, self.needed = found, needed


class Finish(ABC):
    """What was learned: how a typed published value becomes the final one, and figures for the report."""

    @abstractmethod
    def expression(self, value: pl.Expr) -> pl.Expr:
        """Compute the final value, row by row, of the same type."""

    @abstractmethod
    def figures(self) -> Mapping[str, int | float]:
        """Say what was learned in figures that are no single patient's."""


class Learner(ABC):
    """What has to be known of a column, and what follows from it."""

    @abstractmethod
    def summary(self, frame: pl.LazyFrame, k: int) -> pl.LazyFrame:
        """Reduce the rows (`PATIENT`, `VALUE`, nulls left out) to what `learn` needs; streamed."""

    @abstractmethod
    def learn(self, summary: pl.DataFrame, k: int) -> Finish:
        """Learn, with the recipe's `k` where the treatment names no number. Raises `TooFewPatients`."""
