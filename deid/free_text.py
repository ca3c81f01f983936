"""The free-text columns of a run: every distinct text is read once, replaced, counted, and kept for a reviewer.

What is masked in a text is decided in `detect/`; here is which texts there are, whose they are, and what is told. Where
something is known of patients, or the recipe asks for stand-ins or shifted dates, a text is replaced for each patient
whose text it is; it is still read by the recognisers only once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from deid.detect.found import Found
from deid.errors import SourceError
from deid.keys import Keys
from deid.known_people import People, known_people
from deid.marks import Mark, read_marks
from deid.readers.source import Source
from deid.recipe import ColumnRule, Recipe, subject_domain
from deid.texts import CaseWriter, TextCase, TextReport, TextSpan
from deid.treatments.dates import SHIFT
from deid.treatments.free_text import FreeText

if TYPE_CHECKING:
    from deid.detect.known.touched import Heads
    from deid.detect.treat import Person, Setup, Treated

PATIENT, PSEUDONYM, TEXT, MASKED, ROWS = " patient", " pseudonym", " text", " masked", " rows"
_REF_DIGITS = 32
# From four patients a text on, and for up to so many characters of distinct texts, it is worth asking who is touched.
_SHARED, _SHARED_CHARACTERS = 4, 5_000_000


@dataclass
class FreeTexts:
    """The free texts of one run: `reports` fill up per table as columns are replaced; `cases` are written if asked.

    `stand_ins` says where, in a text as published, a stand-in stands that looks like an identifier and is none.
    """

    recipe: Recipe
    keys: Keys
    sources: Sequence[Source]
    folder: Path
    cases: CaseWriter | None = None
    reports: dict[str, list[TextReport]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    stand_ins: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    @cached_property
    def people(self) -> People:
        """What is known of people; read when the first text needs it. Raises `SourceError`."""
        return known_people(self.recipe, self.sources, self.folder)

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """What reviewers marked as missed in an earlier version. Raises `SourceError`."""
        return read_marks(self.folder / self.recipe.known.missed) if self.recipe.known.missed else ()

    @property
    def read_besides(self) -> dict[str, object]:
        """Give what was read besides the tables, for the lineage; empty when nothing was."""
        known = self.recipe.known
        files = list(self.people.lineage) if known.files and "people" in vars(self) else []
        profile = {"file": known.profile_file, "sha256": known.profile_sha256} if known.profile_file else None
        waived = dict(zip(("ko", "en"), known.waived, strict=True)) if known.waived else None
        # No hash of it: see `marks.py`.
        missed = {"file": known.missed, "rows": len(self.marks)} if known.missed else None
        besides = {"profile": profile, "profile_waived": waived, "missed": missed}
        parts = {"known": files, "models": dict(self.models), **besides}
        return {name: value for name, value in parts.items() if value}

    def replaced(self, source: Source, rule: ColumnRule, people: pl.DataFrame) -> pl.DataFrame:
        """Replace the texts of one column: columns `TEXT`, `MASKED` and, where it depends on the patient, `PATIENT`.

        `people` are those who will be published: `PATIENT` (source value), `PSEUDONYM` and, if dates are shifted,
        `SHIFT`. Raises `SourceError` when there are more distinct texts than the recipe's limit.
        """
        column = pl.col(rule.source).alias(TEXT)
        count = source.scan().select(column.drop_nulls().n_unique()).collect(engine="streaming").item()
        _check_count(source, rule, count, self.recipe.limits.distinct_texts)
        if self._personal(source, rule) or self.cases is not None:
            return self._per_patient(source, rule, people)
        texts = source.scan().select(column.drop_nulls().unique()).collect(engine="streaming")
        answers = self._treated(source, rule, [(text, [None]) for text in texts[TEXT]])
        return texts.with_columns(pl.Series(MASKED, [one.text for one in answers], dtype=pl.String))

    def scan(self, text: str) -> list[Found]:
        """Find identifiers in a published text, for the gate: what the recognisers see but our own stand-ins."""
        from deid.detect.operators.placeholder import blanked  # noqa: PLC0415 - as the next line
        from deid.detect.scan import scan  # noqa: PLC0415 - Presidio takes seconds to load

        found = scan(blanked(text))
        own = self.stand_ins.get(text, ())
        return [one for one in found if not own or more_than(text, one, own)]

    def _personal(self, source: Source, rule: ColumnRule) -> bool:
        treatment = _treatment(rule)
        chosen = (treatment.names, treatment.numbers, treatment.dates)
        if any(choice != "placeholder" for choice in chosen):
            return True
        return treatment.known and bool(self.people.patients.get(subject_domain(source.rule)))

    def _per_patient(self, source: Source, rule: ColumnRule, people: pl.DataFrame) -> pl.DataFrame:
        subject = pl.col(source.rule.subject).alias(PATIENT)
        frame = source.scan().select(subject, pl.col(rule.source).alias(TEXT)).drop_nulls(TEXT)
        pairs = frame.group_by(PATIENT, TEXT).agg(pl.len().alias(ROWS)).join(people.lazy(), on=PATIENT)
        found = pairs.sort(TEXT, PSEUDONYM).collect(engine="streaming")
        treatment, domain = _treatment(rule), subject_domain(source.rule)
        of_patient = self._persons(found, treatment, domain)
        texts = found.group_by(TEXT, maintain_order=True).agg(PATIENT)
        tasks = [(text, [of_patient[who] for who in patients]) for text, patients in texts.iter_rows()]
        answers = self._treated(source, rule, tasks)
        if self.cases is not None:
            self._keep(source, rule, found, answers, self.cases)
        masked = pl.Series(MASKED, [one.text for one in answers], dtype=pl.String)
        return found.select(PATIENT, TEXT).with_columns(masked)

    def _persons(self, pairs: pl.DataFrame, treatment: FreeText, domain: str) -> dict[str, Person]:
        from deid.detect.treat import NO_KEY, Person  # noqa: PLC0415 - Presidio takes seconds to load

        surrogates = "surrogate" in {treatment.names, treatment.numbers}
        # Each patient's stand-ins by a key of their own: the same surname in two patients' notes says nothing.
        secret = self.keys.derive("text-stand-ins", self.recipe.dataset, domain) if surrogates else b""
        shifted = treatment.dates == "shift"
        people = pairs.select(PATIENT, SHIFT if shifted else pl.lit(None).alias(SHIFT)).unique(PATIENT)
        shared = _shared(pairs) if treatment.known else None
        found = {}
        for patient, days in people.iter_rows():
            values = self.people.of(domain, patient) if treatment.known else ()
            values = values if shared is None or shared.touch(values) else ()
            key = hmac.new(secret, patient.encode(), hashlib.sha256).digest() if surrogates else NO_KEY
            found[patient] = Person(values, key, days)
        return found

    def _treated(
        self, source: Source, rule: ColumnRule, texts: Sequence[tuple[str, Sequence[Person | None]]]
    ) -> list[Treated]:
        """Treat each text for each of its people (None: for nobody), in order; people alike are treated once."""
        from deid.detect.masking import treat_all, usable_processes  # noqa: PLC0415 - as above
        from deid.detect.treat import NOBODY, Task  # noqa: PLC0415 - as above

        alike = [dict.fromkeys(person or NOBODY for person in people) for _, people in texts]
        tasks = [Task(text, tuple(people)) for (text, _), people in zip(texts, alike, strict=True)]
        treated = treat_all(tasks, self._setup(rule), processes=usable_processes())
        answers = []
        for (_, people), task, ones in zip(texts, tasks, treated, strict=True):
            of_person = dict(zip(task.people, ones, strict=True))
            answers += [of_person[person or NOBODY] for person in people]
        spans = (one.spans for one in answers)
        self.reports.setdefault(source.rule.name, []).append(_report(source.rule.name, rule.name, spans))
        self.stand_ins.update({one.text: one.stand_ins for one in answers if one.stand_ins})
        return answers

    def _setup(self, rule: ColumnRule) -> Setup:
        from deid.detect.style import Style  # noqa: PLC0415 - as above
        from deid.detect.treat import Setup  # noqa: PLC0415 - as above

        treatment = _treatment(rule)
        if treatment.model:
            self._check_model(rule, Path(treatment.model))
        style = Style(treatment.names, treatment.numbers, treatment.dates)
        if not treatment.known:
            return Setup(style, model=treatment.model, marks=self.marks)
        return Setup(style, self.people.staff, self.recipe.known.profile, treatment.model, self.marks)

    def _check_model(self, rule: ColumnRule, folder: Path) -> None:
        from deid.detect.model.voice import fingerprint, problem_of  # noqa: PLC0415 - as above

        problem = problem_of(folder)
        if problem:
            fix = ("모델 폴더와 설치된 라이브러리를 확인하세요.", "Check the folder and what is installed.")
            rule.node.fail("model", *problem, remedy=fix)
        self.models[folder.name] = fingerprint(folder)

    def _keep(
        self, source: Source, rule: ColumnRule, pairs: pl.DataFrame, answers: Sequence[Treated], cases: CaseWriter
    ) -> None:
        table = source.rule.name
        key = self.keys.derive("text-reference", self.recipe.dataset, f"{table}.{rule.name}")
        rows = pairs.select(PSEUDONYM, TEXT, ROWS).iter_rows()
        for (pseudonym, text, count), one in zip(rows, answers, strict=True):
            ref = _reference(key, pseudonym, text)
            cases.write(TextCase(ref, table, rule.name, pseudonym, count, text, one.text, one.spans))


def _shared(pairs: pl.DataFrame) -> Heads | None:
    """Give the runs of characters in texts that many patients share; None when texts are rather each patient's own."""
    texts = pairs[TEXT].unique()
    if pairs.height < _SHARED * texts.len() or texts.str.len_chars().sum() > _SHARED_CHARACTERS:
        return None
    from deid.detect.known.touched import Heads  # noqa: PLC0415 - as above

    return Heads(texts)


def more_than(text: str, span: Found, stand_ins: Sequence[tuple[int, int]]) -> bool:
    """Whether a span of a published text is more than stand-ins: two letters or digits beside them are."""
    covered = {index for start, end in stand_ins for index in range(start, end)}
    return sum(text[index].isalnum() for index in range(span.start, span.end) if index not in covered) > 1


def _treatment(rule: ColumnRule) -> FreeText:
    if not isinstance(rule.treatment, FreeText):
        raise TypeError(rule.name)
    return rule.treatment


def _report(table: str, column: str, texts: Iterable[Iterable[TextSpan]]) -> TextReport:
    count = 0
    found: Counter[str] = Counter()
    masked: Counter[str] = Counter()
    known: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for spans in texts:
        count += 1
        for span in spans:
            found[span.type] += 1
            masked[span.type] += span.doubt != "below-threshold"
            known[span.type] += span.by in {"known", "profile"}
            marked[span.type] += span.by == "marks"
            doubts[span.doubt] += 1
    doubts.pop("", None)
    tables = (found, +masked, +known, doubts, +marked)
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
