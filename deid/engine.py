"""One run: a recipe and a hospital's files become a signed snapshot, or nothing.

The order of things: check every file; find the patients and their pseudonyms; count classes over distinct patients and
decide what goes; judge the gates that can be judged; write; judge the rest on what was written; report, sign, rename.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from deid.beside import beside
from deid.completing import completed
from deid.crew.joined import joined
from deid.errors import SourceError
from deid.free_text import FreeTexts
from deid.gates import Verdict, judge_identifiers, judge_k, judge_rows, judge_share, judge_written_k
from deid.grouping import Rows, classes_of
from deid.keys import Keys
from deid.manifest import Column, Manifest, Table
from deid.many.layout import Hands, Layout
from deid.many.options import Means
from deid.many.parts import classes_by_parts
from deid.prepare import (
    Prepared,
    Subjects,
    people_of,
    with_classes_learned,
    with_lookups,
    with_rest_learned,
)
from deid.privacy.choose import choose
from deid.privacy.multidimensional import with_last_labels
from deid.privacy.table import TablePrivacy, begin
from deid.privacy.usefulness import Usefulness, usefulness_of
from deid.readers.connection import Databases
from deid.readers.open import open_source, size_of, weight_of
from deid.readers.source import Reading, Source
from deid.recipe import Recipe, TableRule, subject_domain
from deid.recipe_schema import lineage as schema_lineage
from deid.report import render, template
from deid.report_figures import summary_of, treatment_words
from deid.risk.measures import Risk, risk_of
from deid.snapshot import output_problem, publish, unfinished
from deid.suppress import Classes, Decision, Flags, Judge, TableFacts, decide
from deid.text_gate import check_place, lineage_of
from deid.texts import CaseWriter
from deid.twin.pack import MEASURED_ROWS, twin_zip
from deid.twin.pack import NAME as TWIN
from deid.versions.before import Before
from deid.versions.consent import check_consent
from deid.versions.difference import difference
from deid.versions.feed import read_feed
from deid.versions.withdrawn import Applied, without
from deid.write import (
    PART_ROWS,
    Written,
    left_of,
    order_beforehand,
    place_of,
    rows_staying,
    sealed,
    write_loaded,
    write_parts,
    write_table,
)

TOOLS = ("ansim-enclave", "polars", "polars-hash", "presidio-analyzer", "presidio-anonymizer", "cryptography")
OWN_MEANS = Means()


@dataclass(frozen=True)
class Step:
    """Where a run is: what it does, on which table, and how far (`done` of `total`, in bytes or tables)."""

    ko: str
    en: str
    table: str
    done: int
    total: int


Progress = Callable[[Step], None]


@dataclass(frozen=True)
class RunResult:
    """A published snapshot: its folder, its manifest, and how the ids of those who withdrew stood in the source.

    `redone` counts parts that failed on workers of a cluster and were done here, by table and kind of error.
    """

    snapshot: Path
    manifest: Manifest
    spelled: frozenset[str] = field(default=frozenset(), repr=False)
    redone: Mapping[tuple[str, str], int] = field(default_factory=dict)


def run(  # noqa: PLR0913 - the contract between rooms; the last three are by name only
    recipe: Recipe,
    source: Path,
    out: Path,
    keys: Keys,
    *,
    now: datetime,
    progress: Progress = lambda _: None,
    private: Path | None = None,
    before: Before | None = None,
    means: Means = OWN_MEANS,
) -> RunResult:
    """De-identify the files in `source` by `recipe` and publish a snapshot into `out`.

    `now` (aware) is the time that is recorded; `before` the version that this one follows: what is the same is kept.
    `means` say how much memory it may take, and who does the work.
    With `private`, the texts beside their masked forms go into that folder for a reviewer (`texts.py`): keep it with
    the source. Raises `RecipeError`, `SourceError`, `GateFailed`, `KeyFileError`, `OutputError`; then nothing was
    published and nothing is left behind.
    """
    check_place(recipe.gates.text_sample, given=private is not None)
    check_consent(recipe.terms.consent, recipe.dataset, now)
    withdrawn = read_feed(recipe.terms.feed, source, now)
    with ExitStack() as stack:
        folder = stack.enter_context(unfinished(out))
        try:
            room = stack.enter_context(joined(means, recipe, keys, folder))
            sources = _open_sources(recipe, source, out, stack, progress, room)
            # The report's page is compiled in Python while Polars looks for the patients.
            stack.enter_context(beside(at_once=True))(template)
            cases = stack.enter_context(CaseWriter(private)) if private else None
            left = without(sources, withdrawn)
            texts = FreeTexts(recipe, keys, left.sources, source, cases)
            result = _Run(recipe, texts, folder, progress, room, before).publish(left, out, now)
            result = replace(result, spelled=left.spelled)
        except OSError as error:
            raise output_problem(out, error) from error
        if cases:
            cases.keep()
        return result


def _open_sources(  # noqa: PLR0913, PLR0917 - what a run was given
    recipe: Recipe, folder: Path, spool: Path, stack: ExitStack, progress: Progress, room: Hands
) -> list[Source]:
    total = sum(size_of(table, folder) for table in recipe.tables)
    kept = sum(weight_of(table, folder) for table in recipe.tables) <= room.memory.whole
    databases = stack.enter_context(Databases())
    done = 0
    sources = []
    for table in recipe.tables:

        def advance(count: int, name: str = table.name) -> None:
            nonlocal done
            done += count
            progress(Step("원본 검사", "checking the source", name, done, total))

        how = Reading(spool, kept, advance, databases)
        sources.append(stack.enter_context(open_source(table, folder, recipe.limits, how)))
    return sources


@dataclass
class _Plan:
    """What is known of one table before it is written."""

    table: Prepared
    classes: Classes | None
    source_risk: Risk | None
    decision: Decision | None = None
    privacy: TablePrivacy | None = None
    of_rows: Rows | None = None
    order: pl.Series | None = None

    @property
    def rule(self) -> TableRule:
        return self.table.rule

    @property
    def judge(self) -> Judge | None:
        return None if self.privacy is None else self.privacy.watch

    def decided(self) -> Decision:
        if self.decision is None:
            raise RuntimeError("the decision comes before the writing")
        return self.decision

    def allowed(self) -> pl.DataFrame | None:
        """Return the class keys that stay, or None when nothing has to be compared row by row."""
        decision = self.decided()
        if self.classes is None or bool(decision.allowed.all()):
            return None
        return self.classes.keys.filter(pl.Series(decision.allowed))

    def staying(self) -> Flags | None:
        """Whether each row of a table in memory stays; None when all do."""
        return rows_staying(self.table.index, self.of_rows, self.decided())

    def treated(self) -> tuple[Prepared, Decision, pl.DataFrame | None]:
        """Give the table, what was decided of it, and the classes that stay."""
        return self.table, self.decided(), self.allowed()

    def rows_left(self) -> int:
        decision = self.decided()
        if self.classes is not None:
            return int(self.classes.rows[decision.kept].sum())
        return self.table.source.rows - self.table.rows_of(decision.excluded)

    def subjects_left(self) -> int:
        decision = self.decided()
        return int((self.table.present & ~decision.excluded).sum())


class _Run:
    """The stages of a run, in order; what they share."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a run was given
        self,
        recipe: Recipe,
        texts: FreeTexts,
        folder: Path,
        progress: Progress,
        room: Hands,
        before: Before | None = None,
    ) -> None:
        self.room = room
        self.recipe = recipe
        self.before = before
        self.keys = texts.keys
        self.texts = texts
        self.folder = folder
        self.progress = progress
        self.verdicts: list[Verdict] = []

    def publish(self, applied: Applied, out: Path, now: datetime) -> RunResult:
        """All stages; see the module."""
        sources = applied.sources
        layout = Layout.of(self.recipe, self.keys, self.folder, sources, self.room)
        plans = self._prepare(sources, layout)
        self._decide(plans)
        for plan in plans:
            if plan.table.has_texts:
                self._tell("자유 글 처리", "masking free text", plan.rule.name, 0)
                plan.table = self._completed(plan.table, plan.decided().excluded)
        written = {plan.rule.name: self._write(plan) for plan in plans}
        tables = {plan.rule.name: self._table(plan, written[plan.rule.name]) for plan in plans}
        with beside(at_once=all(plan.table.computed is not None for plan in plans), threads=2) as begin:
            twin = begin(partial(self._twin, written, self._manifest(tables, {}, sources, now)))
            costs = {
                plan.rule.name: begin(partial(usefulness_of, *plan.treated(), self.recipe.gates.k)) for plan in plans
            }
            for plan in plans:
                self._judge(plan, written[plan.rule.name])
            for source in sources:
                source.check_unchanged()
            risks = {plan.rule.name: self._risk(plan, costs[plan.rule.name]()) for plan in plans}
            (self.folder / TWIN).write_bytes(twin())
        manifest = self._followed(self._manifest(tables, risks, sources, now), written, applied)
        self._tell("보고서와 서명", "report and signature", "", 1)
        shutil.rmtree(layout.folder, ignore_errors=True)
        (self.folder / "risk.json").write_text(_json(risks), encoding="utf-8")
        page = render(manifest, risks, recipe_file=self.recipe.file)
        (self.folder / "report.html").write_text(page, encoding="utf-8")
        target, signed = publish(self.folder, out, manifest, self.keys.signing, sealed(self.keys.storage, written))
        return RunResult(target, signed, redone=self.room.redone())

    def _twin(self, written: Mapping[str, Written], manifest: Manifest) -> bytes:
        # No need for it to be secret: nothing but coarse figures goes in beside it (`twin/profile.py`).
        seed = self.keys.derive("twin", self.recipe.dataset, "")
        return twin_zip(manifest, {name: each.beginning(MEASURED_ROWS) for name, each in written.items()}, seed=seed)

    def _prepare(self, sources: list[Source], layout: Layout) -> list[_Plan]:
        counted = []
        for number, source in enumerate(sources):
            self._tell("환자 찾기", "finding the patients", source.rule.name, number)
            counted.append((source, *layout.begin(source)))
        people = self._people([(source, subjects) for source, subjects, _ in counted])
        plans = []
        for number, (source, subjects, laid_out) in enumerate(counted):
            self._tell("가명과 집단 계산", "pseudonyms and classes", source.rule.name, number)
            ranked = replace(subjects.ranked(source, people[subject_domain(source.rule)]), laid_out=laid_out)
            chosen = choose(ranked, self.recipe, self.keys)
            looked_up = with_lookups(chosen.table, self.recipe, self.keys)
            table = with_classes_learned(looked_up, self.recipe.gates.k)
            # Texts take longest: they are masked only when the gates that need no texts have been passed.
            plan = _with_classes(table if table.has_texts else self._completed(table))
            if plan.classes is not None:
                plan.privacy = begin(plan.table, plan.classes, self.recipe.gates, chosen.found)
            plans.append(plan)
        return plans

    def _completed(self, table: Prepared, excluded: Flags | None = None) -> Prepared:
        return completed(table, self.texts, excluded)

    def _people(self, counted: list[tuple[Source, Subjects]]) -> dict[str, pl.DataFrame]:
        domains: dict[str, list[tuple[TableRule, pl.DataFrame]]] = {}
        for source, subjects in counted:
            domains.setdefault(subject_domain(source.rule), []).append((source.rule, subjects.counts))
        return {name: people_of(self.recipe, tables, self.keys) for name, tables in domains.items()}

    def _decide(self, plans: list[_Plan]) -> None:
        recipe = self.recipe
        facts = {
            plan.rule.name: TableFacts(plan.table.present, subject_domain(plan.rule), plan.classes, plan.judge)
            for plan in plans
        }
        self._check_orphans(plans, facts)
        for plan in plans:
            if plan.classes is not None:
                judge_k(plan.rule, plan.classes, recipe.gates, rows=plan.table.source.rows)
                if plan.privacy is not None:
                    plan.privacy.judge_before(plan.rule, recipe.gates, plan.table.source.rows)
        whole = recipe.suppress == "patient"
        decisions = decide(facts, recipe.links, k=recipe.gates.k, whole_patients=whole)
        for plan in plans:
            plan.decision = decisions[plan.rule.name]
            rows, left = plan.table.source.rows, plan.rows_left()
            self.verdicts.append(judge_share(plan.rule, rows=rows, left=left, gates=recipe.gates))
            self.verdicts.append(judge_rows(plan.rule, left=left, gates=recipe.gates))

    def _check_orphans(self, plans: list[_Plan], facts: Mapping[str, TableFacts]) -> None:
        by_name = {plan.rule.name: plan for plan in plans}
        for link in self.recipe.links:
            orphans = facts[link.origin].present & ~facts[link.target].present
            if link.orphans == "fail" and orphans.any():
                rows = by_name[link.origin].table.rows_of(orphans)
                raise SourceError(
                    (by_name[link.origin].rule.file, 0, -1),
                    "orphans",
                    (
                        f"{link.target} 표에 없는 환자 {int(orphans.sum()):,}명의 행 {rows:,}개가 있습니다.",
                        f"{rows:,} rows of {int(orphans.sum()):,} patients who are not in table {link.target}.",
                    ),
                    remedy=(
                        "원본을 맞추거나 links에 orphans: drop을 쓰세요.",
                        "Mend it, or write orphans: drop in links.",
                    ),
                )

    def _write(self, plan: _Plan) -> Written:
        self._tell("공개본 쓰기", "writing", plan.rule.name, len(self.verdicts))
        plan.table = with_last_labels(plan.table, plan.decided())
        place = place_of(self.folder, plan.table, self.keys.storage, self.before, rows=plan.rows_left())
        if plan.table.laid_out:
            written = write_parts(plan.table, plan.decided(), plan.allowed(), place)
        elif plan.table.computed is not None:
            plan.table, written = write_loaded(plan.table, plan.staying(), place, self.recipe.gates.k, plan.order)
            plan.order = None
        else:
            frame = left_of(plan.table, plan.decided(), plan.allowed())
            plan.table, frame = with_rest_learned(plan.table, frame, self.recipe.gates.k)
            written = write_table(plan.table, frame, place, rows=plan.rows_left(), part_rows=PART_ROWS)
        return written

    def _judge(self, plan: _Plan, written: Written) -> None:
        """Judge once more, on what was written: what was planned does not count."""
        if written.rows != plan.rows_left():
            raise RuntimeError(f"{plan.rule.name}: {written.rows} rows written, {plan.rows_left()} decided")
        if plan.classes is not None:
            self.verdicts.append(judge_written_k(plan.rule, written.stretches(), self.recipe.gates))
        if plan.privacy is not None:
            self.verdicts += plan.privacy.judge_written(plan.table, written.scan())
        if self.recipe.gates.scan_sample is not None:
            self._tell("식별자 검사", "looking for identifiers", plan.rule.name, len(self.verdicts))
            gates = self.recipe.gates
            found = judge_identifiers(plan.table, plan.decided(), written.scan(), gates, self.texts.scan)
            self.verdicts.append(found)

    def _table(self, plan: _Plan, written: Written) -> Table:
        quasi = {entry.column for entry in plan.rule.quasi_identifiers}
        schema = written.schema()
        columns = {
            rule.name: Column(
                str(schema[rule.name]), rule.treatment.told(), rule.label.ko, rule.label.en, rule.name in quasi
            )
            for rule in plan.rule.published
        }
        names = tuple(each.file.name for each in written.files)
        label, subject = plan.rule.label, plan.rule.column(plan.rule.subject).name
        return Table(
            label.ko, label.en, columns, plan.rows_left(), plan.subjects_left(), names, subject, written.buckets
        )

    def _risk(self, plan: _Plan, useful: Usefulness) -> dict[str, Any]:
        self._tell("위험과 유용성 계산", "risk and utility", plan.rule.name, 1)
        figures: dict[str, Any] = {
            "rows_before": plan.table.source.rows,
            "rows_after": plan.rows_left(),
            "subjects_before": int(plan.table.present.sum()),
            "subjects_after": plan.subjects_left(),
            "quasi_identifiers": [entry.key for entry in plan.rule.quasi_identifiers],
            "source": None,
            "generalised": None,
            "published": None,
            "privacy": None,
        }
        if plan.classes is not None and plan.source_risk is not None:
            sizes = plan.classes.sizes()
            left = plan.classes.sizes(plan.decided().kept)
            figures["source"] = asdict(plan.source_risk)
            figures["generalised"] = asdict(risk_of(sizes))
            figures["published"] = asdict(risk_of(left, sizes))
        if plan.privacy is not None:
            figures["privacy"] = plan.privacy.figures(plan.table, plan.decided(), self.recipe.gates.k)
        figures["costs"] = useful.costs
        figures["utility"] = [asdict(entry) for entry in useful.columns]
        figures["texts"] = [report.plain() for report in self.texts.reports.get(plan.rule.name, [])]
        figures["learned"] = {name: dict(finish.figures()) for name, finish in plan.table.finishes.items()}
        figures["treatments"] = [treatment_words(rule) for rule in plan.rule.columns]
        return figures

    def _manifest(
        self, tables: Mapping[str, Table], risks: Mapping[str, dict[str, Any]], sources: list[Source], now: datetime
    ) -> Manifest:
        recipe = self.recipe
        lineage = [
            {
                "table": s.rule.name,
                "file": s.place,
                **schema_lineage(s.rule.origin, s.rule.columns),
                "rows": s.rows,
                "bytes": s.size,
            }
            | {"sha256": s.sha256, "columns": {r.name: r.source for r in s.rule.published}}
            for s in sources
        ]
        return Manifest(
            id="",
            dataset=recipe.dataset,
            title_ko=recipe.title.ko,
            title_en=recipe.title.en,
            provider=recipe.provider,
            legal_basis=recipe.legal_basis,
            recipe_version=recipe.version,
            recipe_sha256=recipe.sha256,
            created_at=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            tables=dict(tables),
            risk={name: summary_of(risk) for name, risk in risks.items()},
            gates=tuple(verdict.plain() for verdict in self.verdicts),
            tool_versions=dict(_tool_versions()),
            lineage={
                "recipe": recipe.file,
                "keys": self.keys.plain(),
                "sources": lineage,
                **self.texts.read_besides,
                **lineage_of(recipe.gates.text_sample, self.texts.cases),
            },
            files={},
        )

    def _followed(self, manifest: Manifest, written: Mapping[str, Written], applied: Applied) -> Manifest:
        """Say what the version follows, on whose consent, and who was left out."""
        consent, before = self.recipe.terms.consent, self.before
        lineage = manifest.lineage
        if self.recipe.terms.feed is not None:
            lineage = {**lineage, "withdrawn_rows": applied.rows}
        return replace(
            manifest,
            parent=before.manifest.id if before else None,
            difference=difference(before, manifest.tables, written, manifest.risk, self.keys.plain()),
            consent=consent.plain() if consent else {},
            withdrawn=applied.people,
            lineage=lineage,
        )

    def _tell(self, ko: str, en: str, table: str, done: int) -> None:
        self.progress(Step(ko, en, table, done, len(self.recipe.tables)))


def _with_classes(table: Prepared) -> _Plan:
    entries = table.rule.quasi_identifiers
    if not entries:
        return _Plan(table, None, None)
    if table.laid_out:
        return _Plan(table, *classes_by_parts(table))
    with beside(at_once=True) as begin_with:
        order = begin_with(partial(order_beforehand, table))
        found = classes_of(table)
    return _Plan(table, found.classes, risk_of(found.source_sizes), of_rows=found.of_rows, order=order())


@cache
def _tool_versions() -> Mapping[str, str]:
    return {"python": platform.python_version(), **{tool: version(tool) for tool in TOOLS}}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
