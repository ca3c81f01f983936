"""The free-text columns of a run: every distinct text is read once, replaced, counted, and kept for a reviewer.

What is masked in a text is decided in `detect/`; here is which texts there are, whose they are, and what is told.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from deid.errors import SourceError
from deid.keys import Keys
from deid.readers.source import Source
from deid.recipe import ColumnRule, Recipe
from deid.texts import CaseWriter, TextCase, TextReport, TextSpan

if TYPE_CHECKING:
    from deid.detect.worker import Masked

PATIENT, TEXT, MASKED, ROWS = " patient", " text", " masked", " rows"
_PROCESSES = 2
_REF_DIGITS = 32


@dataclass
class FreeTexts:
    """The free texts of one run: `reports` fill up per table as columns are replaced; `cases` are written if asked."""

    recipe: Recipe
    keys: Keys
    cases: CaseWriter | None = None
    reports: dict[str, list[TextReport]] = field(default_factory=dict)

    def replaced(self, source: Source, rule: ColumnRule, people: pl.DataFrame) -> pl.DataFrame:
        """Replace the distinct texts of one column: columns `TEXT`, `MASKED`.

        `people` has `TEXT`-free columns `PATIENT` (source value) and `MASKED` (pseudonym) of those who will be
        published. Raises `SourceError` when there are more distinct texts than the recipe's limit.
        """
        from deid.detect.masking import examine_texts  # noqa: PLC0415 - Presidio takes seconds to load

        column = pl.col(rule.source).alias(TEXT)
        texts = source.scan().select(column.drop_nulls().unique()).collect(engine="streaming")
        _check_count(source, rule, texts.height, self.recipe.limits.distinct_texts)
        answers = examine_texts(texts[TEXT].to_list(), keys=None, processes=_PROCESSES)
        report = _report(source.rule.name, rule.name, (spans_of(answer) for answer in answers))
        self.reports.setdefault(source.rule.name, []).append(report)
        if self.cases is not None:
            self._keep(source, rule, people, dict(zip(texts[TEXT], answers, strict=True)), self.cases)
        return texts.with_columns(pl.Series(MASKED, [masked for masked, _ in answers], dtype=pl.String))

    def _keep(
        self, source: Source, rule: ColumnRule, people: pl.DataFrame, answers: dict[str, Masked], cases: CaseWriter
    ) -> None:
        subject = pl.col(source.rule.subject).alias(PATIENT)
        frame = source.scan().select(subject, pl.col(rule.source).alias(TEXT)).drop_nulls(TEXT)
        pairs = frame.group_by(PATIENT, TEXT).agg(pl.len().alias(ROWS)).join(people.lazy(), on=PATIENT)
        key = self.keys.derive("text-reference", self.recipe.dataset, f"{source.rule.name}.{rule.name}")
        for _, text, rows, pseudonym in pairs.sort(MASKED, TEXT).collect(engine="streaming").iter_rows():
            masked, _ = answers[text]
            ref = _reference(key, pseudonym, text)
            spans = tuple(spans_of(answers[text]))
            cases.write(TextCase(ref, source.rule.name, rule.name, pseudonym, rows, text, masked, spans))


def spans_of(answer: Masked) -> Iterator[TextSpan]:
    """Give what was seen in a text in the form of the private file."""
    for one in answer[1]:
        span = one.span
        yield TextSpan(span.start, span.end, span.type, span.score, "rules", one.doubt)


def _report(table: str, column: str, texts: Iterable[Iterable[TextSpan]]) -> TextReport:
    count = 0
    found: Counter[str] = Counter()
    masked: Counter[str] = Counter()
    known: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    for spans in texts:
        count += 1
        for span in spans:
            found[span.type] += 1
            masked[span.type] += span.doubt != "below-threshold"
            known[span.type] += span.by in {"known", "profile"}
            doubts[span.doubt] += 1
    doubts.pop("", None)
    tables = (found, +masked, +known, doubts)
    return TextReport(table, column, count, *(dict(sorted(each.items())) for each in tables))


def _reference(key: bytes, patient: str, text: str) -> str:
    value = f"{len(patient)}:{patient}{text}".encode()
    return hmac.new(key, value, hashlib.sha256).hexdigest()[:_REF_DIGITS]


def _check_count(source: Source, rule: ColumnRule, count: int, limit: int) -> None:
    if count > limit:
        raise SourceError(
            (source.place, 0, -1),
            "texts",
            (
                f"열 {rule.source}의 서로 다른 글 {count:,}개가 제한 {limit:,}을 넘습니다.",
                f"{count:,} distinct texts in {rule.source} exceed the limit {limit:,}.",
            ),
            remedy=(
                "limits.distinct_texts를 올리거나 파일을 나누세요.",
                "Raise limits.distinct_texts or split the file.",
            ),
        )
