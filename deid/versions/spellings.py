"""One number in other spellings: who withdraws must not stay in because two files write the same id differently.

Excel drops leading zeros, a form is filled in in full-width letters, an export pads with blanks: `BG-0107`, `bg 107`
and the same in full width are one person here (NFKC; case, signs and leading zeros do not count). A hospital in which
they are different people says `spellings: exact` in its recipe.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import polars as pl

from deid.versions.alike import ALIKE, EXACT

# Widths to which a number's digits may have been padded in an earlier file.
WIDEST = 12
# Signs that stand between a number's letters and its digits.
SIGNS = "-_ "


def core(ids: pl.Expr, spellings: str) -> pl.Expr:
    """Return what two spellings of one id have in common; with `EXACT` only blanks around it do not count."""
    if spellings == EXACT:
        return ids.str.strip_chars()
    # A whole number that a workbook wrote as a decimal is that number.
    plain = ids.str.normalize("NFKC").str.to_lowercase().str.replace(r"^(\s*\d+)\.0+\s*$", "$1")
    squeezed = plain.str.replace_all(r"[^\p{L}\p{N}]", "")
    short = squeezed.str.replace(r"^(\p{L}*)0+(\d)", "$1$2")
    # An id of nothing but signs is itself: it must not be alike to every other such id.
    return pl.when(short == "").then(plain.str.strip_chars()).otherwise(short)


def cores(ids: Iterable[str], spellings: str) -> pl.Series:
    """Return the cores of these ids, each once."""
    frame = pl.DataFrame({"id": sorted(set(ids))}, schema={"id": pl.String})
    return frame.select(core(pl.col("id"), spellings).unique()).to_series()


def usual(ids: Iterable[str], spellings: str) -> frozenset[str]:
    """Return these ids as earlier files are likely to have written them: padded or not, in either case, without signs.

    For versions whose source is gone, in which only pseudonyms are left to compare with.
    """
    found = {each.strip() for each in ids} | set(ids)
    if spellings == EXACT:
        return frozenset(found)
    frame = pl.DataFrame({"id": sorted(found)}, schema={"id": pl.String})
    plain = frame.select(pl.col("id").str.normalize("NFKC").str.strip_chars().unique()).to_series().to_list()
    bare = frame.select(core(pl.col("id"), ALIKE).unique()).to_series().to_list()
    padded = {form for each in {*plain, *bare} for form in _padded(each)}
    return frozenset(found | {form for each in padded for form in (each, each.upper(), each.lower())})


def _padded(one: str) -> Iterable[str]:
    """Yield an id with its first run of digits in every usual width, and with the signs before it or without."""
    head = one[: next((at for at, sign in enumerate(one) if sign.isdigit()), len(one))]
    digits = one[len(head) :]
    run = digits[: next((at for at, sign in enumerate(digits) if not sign.isdigit()), len(digits))]
    rest, short = digits[len(run) :], run.lstrip("0") or run[-1:]
    yield one
    bare = "".join(sign for sign in head if sign.isalnum())
    heads = {head, bare, *(f"{bare}{sign}" for sign in SIGNS if bare)}
    yield from (f"{front}{short.zfill(width)}{rest}" for front, width in product(heads, range(WIDEST + 1)) if run)
