"""The gates of a recipe: each either records its verdict or raises `GateFailed`, and then nothing is published.

`k` and the suppressed share are judged before anything is written; `k` again, and what is left of identifiers, on the
files that are about to be signed. What was planned does not count, what was written does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from deid.errors import GateFailed
from deid.grouping import PEOPLE
from deid.prepare import Prepared
from deid.recipe import ColumnRule, Gates, TableRule
from deid.suppress import Classes, Decision, most_telling, small_rows
from deid.transform.columns import contains_own, select_published
from deid.treatments.free_text import FreeText
from deid.versions.tables import DataFile
from deid.written_classes import classes_in

# What names or reaches a person directly; dates, institutions and ages over 90 are the recipe's business.
DIRECT = frozenset({
    "NAME", "RRN", "FRN", "PHONE", "ADDRESS", "MRN", "INS_NO", "PASSPORT", "DRIVER_LICENSE", "BANK_ACCOUNT", "CARD",
    "PLATE", "EMAIL", "LICENSE_NO",
})  # fmt: skip
MEND_K = (
    "이 열을 더 넓은 범주로 묶거나 준식별자에서 뺄 근거를 검토한 뒤 다시 실행하세요.",
    "Coarsen this column, or review whether it is a quasi-identifier, and run again.",
)


class Span(Protocol):
    """What a scanner reports: a type of identifier and how sure it is."""

    @property
    def type(self) -> str:
        """Type of identifier."""

    @property
    def score(self) -> float:
        """How sure, in (0, 1]."""


ScanText = Callable[[str], Sequence[Span]]


@dataclass(frozen=True)
class Verdict:
    """A gate that was passed: on which table, the value found and the limit asked for."""

    gate: str
    table: str
    value: float
    limit: float
    ko: str
    en: str

    def plain(self) -> Mapping[str, Any]:
        """Give the verdict as plain values."""
        return dict(vars(self))


def judge_k(rule: TableRule, classes: Classes, gates: Gates, *, rows: int) -> None:
    """Fail if more rows are in classes of fewer than k patients than may be suppressed for it."""
    small = small_rows(classes, gates.k)
    if small <= gates.max_suppressed_share * rows:
        return
    column = most_telling(classes.pairs(), [entry.key for entry in rule.quasi_identifiers], gates.k)
    share, limit = small / rows, gates.max_suppressed_share
    raise GateFailed(
        "k",
        (rule.name, column),
        small,
        (
            f"같은 조합의 환자가 {gates.k}명 미만인 행이 {share:.1%}로, 지울 수 있는 한도 {limit:.1%}를 넘습니다.",
            f"{share:.1%} of the rows belong to fewer than {gates.k} patients each; at most {limit:.1%} may go.",
        ),
        remedy=MEND_K,
    )


def judge_share(rule: TableRule, *, rows: int, left: int, gates: Gates) -> Verdict:
    """Fail if more than the allowed share of a table's rows is removed, for whatever reason."""
    share = (rows - left) / rows
    if share > gates.max_suppressed_share:
        raise GateFailed(
            "max_suppressed_share",
            (rule.name, rule.subject),
            rows - left,
            (
                f"행의 {share:.1%}가 빠져 한도 {gates.max_suppressed_share:.1%}를 넘습니다.",
                f"{share:.1%} of the rows would be removed; the limit is {gates.max_suppressed_share:.1%}.",
            ),
            remedy=MEND_K,
        )
    ko, en = f"{rows - left:,}행 제외", f"{rows - left:,} rows removed"
    return Verdict("max_suppressed_share", rule.name, round(share, 6), gates.max_suppressed_share, ko, en)


def judge_rows(rule: TableRule, *, left: int, gates: Gates) -> Verdict:
    """Fail if too few rows are left."""
    if left < gates.min_rows:
        ko, en = f"남는 행이 {gates.min_rows:,}개보다 적습니다.", f"fewer than {gates.min_rows:,} rows are left."
        raise GateFailed("min_rows", (rule.name, ""), left, (ko, en), remedy=MEND_K)
    return Verdict("min_rows", rule.name, left, gates.min_rows, f"{left:,}행 남음", f"{left:,} rows left")


def judge_written_k(rule: TableRule, written: Sequence[Sequence[DataFile]], gates: Gates) -> Verdict:
    """Count distinct patients per class again in the files themselves; each group of them has whole buckets."""
    subject, entries = rule.column(rule.subject).name, rule.quasi_identifiers
    counts = [found for files in written if (found := classes_in(entries, subject, files)) is not None]
    # A patient is in one bucket only: counts add up.
    groups = pl.concat(counts).group_by(entry.key for entry in entries).agg(pl.col(PEOPLE).sum()) if counts else None
    smallest = None if groups is None else int(groups[PEOPLE].to_numpy().min())
    if smallest is not None and smallest < gates.k:
        message = (
            f"쓰인 파일의 최소 집단이 {smallest}명입니다.",
            f"the smallest class written has {smallest} patients.",
        )
        raise GateFailed("k", (rule.name, ""), smallest, message, remedy=MEND_K)
    value = smallest or 0
    ko, en = f"최소 집단 {value}명", f"smallest class: {value} patients"
    return Verdict("k", rule.name, value, gates.k, ko, en)


def judge_identifiers(
    table: Prepared, decision: Decision, written: pl.LazyFrame, gates: Gates, scan: ScanText
) -> Verdict:
    """Look for identifiers in what was written: by recognisers in samples, and each row's own values in its texts."""
    own = _own_values(table, decision)
    if own is not None:
        raise _identifier_left(table.rule, *own, ("자기 행의 식별자", "the row's own identifier"))
    quasi = {entry.column for entry in table.rule.quasi_identifiers}
    looked = 0
    for rule in table.rule.published:
        if rule.treatment.dtype != "String" or rule.treatment.keyed:
            continue
        values = _sample(written, rule.name, gates.scan_sample or 1)
        looked += len(values)
        coarse = rule.name in quasi
        bad = {
            value: kinds
            for value in values
            if (kinds := _kinds(scan(value), gates.scan_min_score) - (_district(value) if coarse else set()))
        }
        if bad:
            rows = written.filter(pl.col(rule.name).is_in(list(bad))).select(pl.len()).collect().item()
            words = ", ".join(sorted(set().union(*bad.values())))
            raise _identifier_left(table.rule, rule.name, int(rows), (words, words))
    ko, en = f"값 {looked:,}개 검사, 0개 발견", f"{looked:,} values scanned, none found"
    return Verdict("no_direct_identifier_left", table.rule.name, 0, 0, ko, en)


def _sample(written: pl.LazyFrame, column: str, size: int) -> list[str]:
    distinct = written.select(pl.col(column).drop_nulls().unique().sort()).collect().to_series()
    return distinct.gather_every(max(1, -(-distinct.len() // size))).to_list()


def _kinds(spans: Sequence[Span], min_score: float) -> set[str]:
    return {span.type for span in spans if span.type in DIRECT and span.score >= min_score}


def _district(value: str) -> set[str]:
    """Name what a quasi-identifier may hold although it looks like an address: a district without any number in it.

    A region without a building number is a quasi-identifier (korea.md §5); that enough people share it is the business
    of k.
    """
    return set() if any(letter.isdigit() for letter in value) else {"ADDRESS"}


def _own_values(table: Prepared, decision: Decision) -> tuple[str, int] | None:
    """Count rows whose published text still contains a direct identifier of the same row."""
    rule, direct = table.rule, table.rule.identifying
    texts = [column for column in rule.published if isinstance(column.treatment, FreeText)]
    if not texts or not direct:
        return None
    people = table.people.filter(~pl.Series(decision.excluded))
    others = [pl.col(own.source).alias(_own(own)) for own in direct]
    frame = select_published(table.frame(people), texts, rule, *others)
    left = [pl.any_horizontal(contains_own(pl.col(text.name), _own(own)) for own in direct) for text in texts]
    sums = [expression.sum().alias(text.name) for text, expression in zip(texts, left, strict=True)]
    counts = frame.select(sums).collect(engine="streaming")
    found = {name: int(counts[name].item() or 0) for name in counts.columns}
    return next(((name, count) for name, count in found.items() if count), None)


def _own(rule: ColumnRule) -> str:
    return f" own {rule.source}"


def _identifier_left(rule: TableRule, column: str, rows: int, kinds: tuple[str, str]) -> GateFailed:
    return GateFailed(
        "no_direct_identifier_left",
        (rule.name, column),
        rows,
        (f"식별자가 남아 있습니다: {kinds[0]}.", f"identifiers are left: {kinds[1]}."),
        remedy=(
            "이 열을 drop 또는 free_text로 처리하거나 원본의 표기를 고치세요.",
            "Treat this column as drop or free_text, or mend how it is written at its origin.",
        ),
    )
