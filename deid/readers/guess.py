"""What type a column of text seems to hold, for proposals only: nobody's treatment depends on a guess."""

from __future__ import annotations

import polars as pl

# Formats of dates seen in Korean hospital exports, the commonest first; time stamps are read as their day.
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y%m%d%H%M%S",
    "%Y. %m. %d.",
)
EARLIEST_YEAR, LATEST_YEAR = 1880, 2100
WHOLE = r"^[+-]?(0|[1-9][0-9]{0,17})$"


def guess(values: pl.Series) -> tuple[str, str]:
    """Guess (type, date format) of a text column; `("text", "")` when nothing else fits every value.

    Numbers with leading zeros are text: they are numbers of something, not amounts.
    """
    seen = values.drop_nulls().str.strip_chars()
    if seen.is_empty():
        return "text", ""
    form = _date_format(seen)
    if form:
        return "date", form
    if bool(seen.str.contains(WHOLE).all()):
        return "integer", ""
    padded = bool(seen.str.contains(r"^[+-]?0[0-9]").any())
    if not padded and seen.cast(pl.Float64, strict=False).null_count() == 0:
        return "number", ""
    return "text", ""


def _date_format(seen: pl.Series) -> str:
    for form in DATE_FORMATS:
        days = seen.str.to_date(form, strict=False)
        if days.null_count() == 0:
            years = days.dt.year()
            if bool(years.is_between(EARLIEST_YEAR, LATEST_YEAR).all()):
                return form
    return ""
