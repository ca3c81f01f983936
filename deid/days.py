"""Work on a column of days, each day once: the rows of a table share few of them."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


def each_day_once(work: Callable[[pl.Series], pl.Series], days: pl.Series) -> pl.Series:
    """Return what `work` makes of a column of dates, value by value; null stays null.

    Every day from the first to the last is worked on and looked up by its distance from the first, which costs next to
    nothing. Where they are more than the rows, the rows themselves are.
    """
    whole = days.to_physical()
    first, last = whole.min(), whole.max()
    if not isinstance(first, int) or not isinstance(last, int) or last - first >= days.len():
        return work(days)
    known = pl.int_range(first, last + 1, dtype=pl.Int32, eager=True).cast(pl.Date)
    return work(known).gather(whole - first).alias(days.name)
