"""How many people are alone on the proposed quasi-identifiers, before and after: by the engine's own passes.

Nothing is published. The keys are throw-away ones: counts do not depend on them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deid import recipe as recipes
from deid.keys import MASTER_BYTES, Keys
from deid.planning.draft import Head, LinkPlan, recipe_text
from deid.planning.options import DROP, KEEP_TEXT
from deid.planning.role import Proposal, TablePlan
from deid.planning.safeguards import with_diversity, without_diversity
from deid.prepare import RAW, Prepared, pairs_of, people_of, subjects_of, with_lookups
from deid.privacy.table import begin
from deid.readers.connection import Databases
from deid.readers.open import open_source, size_of
from deid.readers.source import Reading, Source
from deid.recipe import Gates, Link, Recipe
from deid.risk.measures import Risk, risk_of
from deid.suppress import ROWS, Classes, Decision, Judge, TableFacts, classify, decide, most_telling, small_rows
from deid.transform.columns import INDEX, typed

IN_MEMORY_BYTES = 256 << 20
KEYS = Keys(bytes(MASTER_BYTES), Ed25519PrivateKey.from_private_bytes(bytes(MASTER_BYTES)))


@dataclass(frozen=True)
class Measured:
    """One table: risk on source values and as proposed; the share of rows that would go; what to coarsen first."""

    table: str
    rows: int
    patients: int
    before: Risk | None
    after: Risk | None
    lost: float
    coarsen: str


@dataclass(frozen=True)
class Survey:
    """All tables, the links with what the data say of orphans, and columns whose type does not hold for every row."""

    tables: tuple[Measured, ...]
    links: tuple[LinkPlan, ...]
    misread: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Counted:
    """One table's classes as proposed, its risk on source values, and the key to coarsen first."""

    table: Prepared
    classes: Classes | None
    before: Risk | None
    coarsen: str
    judge: Judge | None = None


def survey(head: Head, tables: list[TablePlan], folder: Path) -> Survey:
    """Measure a plan on the whole files. Raises `SourceError` when a file is broken beyond the rows that were seen."""
    with TemporaryDirectory() as place, ExitStack() as stack:
        path = Path(place) / "recipe.yaml"
        path.write_text(recipe_text(head, tables), encoding="utf-8")
        recipe = recipes.load(path)
        size = sum(size_of(table, folder) for table in recipe.tables)
        how = Reading(Path(place), size <= IN_MEMORY_BYTES, lambda _: None, stack.enter_context(Databases()))
        sources = [stack.enter_context(open_source(table, folder, recipe.limits, how)) for table in recipe.tables]
        misread = [(source.rule.name, column) for source in sources for column in _misread(source)]
        if misread:
            return Survey((), (), tuple(misread))
        counted = [_count(table, recipe.gates) for table in _prepare(recipe, sources)]
        links = _links(tables, [each.table for each in counted])
        return Survey(tuple(_decided(counted, links, recipe.gates.k)), tuple(links), ())


def _misread(source: Source) -> list[str]:
    """Columns with a value that is not of the type proposed for them."""
    rules = [rule for rule in source.rule.published if rule.treatment.type != "text"]
    bad = [
        (pl.col(rule.source).is_not_null() & typed(rule.source, rule.treatment, strict=False).is_null())
        .any()
        .alias(rule.source)
        for rule in rules
    ]
    found = source.scan().select(bad).collect(engine="streaming") if bad else pl.DataFrame()
    return [name for name in found.columns if found[name].item()]


def _prepare(recipe: Recipe, sources: list[Source]) -> list[Prepared]:
    found = [subjects_of(source) for source in sources]
    # All tables of a plan pseudonymise their patients in one domain.
    counts = [(source.rule, each.counts) for source, each in zip(sources, found, strict=True)]
    people = people_of(recipe, counts, KEYS)
    ranked = [each.ranked(source, people) for source, each in zip(sources, found, strict=True)]
    return [with_lookups(table, recipe, KEYS) for table in ranked]


def _count(table: Prepared, gates: Gates) -> _Counted:
    keys = [entry.key for entry in table.rule.quasi_identifiers]
    if not keys:
        return _Counted(table, None, None, "")
    pairs = pairs_of(table)
    raw = [RAW + name if RAW + name in pairs.columns else name for name in keys]
    sizes = pairs.select(INDEX, *raw).unique().group_by(raw).len()["len"].cast(pl.Int64).to_numpy()
    distinct = pairs.group_by(INDEX, *keys).agg(pl.col(ROWS).sum())
    classes = classify(distinct, keys)
    coarsen = most_telling(distinct, keys, gates.k) if small_rows(classes, gates.k) else ""
    asked = begin(table, classes, gates, None)
    return _Counted(table, classes, risk_of(sizes), coarsen, None if asked is None else asked.watch)


def _links(tables: list[TablePlan], prepared: list[Prepared]) -> list[LinkPlan]:
    """Link every table to the one that has each patient once, where both name patients by the same column."""
    if not tables[0].unique or tables[0].sampled:
        return []
    everybody = prepared[0].present
    made = []
    for table, each in zip(tables[1:], prepared[1:], strict=True):
        missing = int((each.present & ~everybody).sum())
        if table.subject == tables[0].subject and missing < int(each.present.sum()):
            made.append(LinkPlan(table.name, tables[0].name, "drop" if missing else "fail"))
    return made


def _decided(counted: list[_Counted], links: list[LinkPlan], k: int) -> list[Measured]:
    facts = {
        each.table.rule.name: TableFacts(each.table.present, "patient", each.classes, each.judge) for each in counted
    }
    decisions = decide(facts, [Link(one.origin, one.target, one.orphans) for one in links], k=k, whole_patients=False)
    return [_measured(each, decisions[each.table.rule.name]) for each in counted]


def _measured(each: _Counted, decision: Decision) -> Measured:
    rows, classes = each.table.source.rows, each.classes
    gone = each.table.rows_of(decision.excluded)
    after = None
    if classes is not None:
        gone = rows - int(classes.rows[decision.kept].sum())
        after = risk_of(classes.sizes(decision.kept), classes.sizes())
    patients = int(each.table.present.sum())
    return Measured(each.table.rule.name, rows, patients, each.before, after, gone / rows, each.coarsen)


def settle(head: Head, tables: list[TablePlan], folder: Path) -> tuple[list[TablePlan], Survey]:
    """Coarsen step by step until no table loses more rows than the gates allow.

    Each step takes the quasi-identifier without which the fewest rows would be in small classes down its ladder; the
    last rung leaves it out. A column whose type does not hold for every row becomes text, or goes if it cannot. The
    risk "before" is that of all quasi-identifiers first proposed.
    """
    before: dict[str, Risk | None] = {}
    while True:
        found = survey(head, tables, folder)
        if found.misread:
            tables = [_as_text(table, {name for at, name in found.misread if at == table.name}) for table in tables]
            continue
        before = before or {each.table: each.before for each in found.tables}
        # A linked table loses the rows of patients who are gone elsewhere: then it is there that must be coarsened.
        lossy = any(each.lost > head.max_suppressed_share for each in found.tables)
        steps = {each.table: each.coarsen for each in found.tables if lossy and each.coarsen}
        if not steps:
            tables, found = _diverse(head, tables, folder, found)
            shown = tuple(replace(each, before=before[each.table]) for each in found.tables)
            return tables, replace(found, tables=shown)
        tables = [_coarser(table, steps[table.name]) if table.name in steps else table for table in tables]


def _diverse(head: Head, tables: list[TablePlan], folder: Path, plain: Survey) -> tuple[list[TablePlan], Survey]:
    """Ask for diversity where the rows that it costs may go, table by table; k stays as it is settled."""
    for at, table in enumerate(tables):
        asked = with_diversity(table)
        if not asked.diverse:
            continue
        tried = [*tables[:at], asked, *tables[at + 1 :]]
        found = survey(head, tried, folder)
        if any(each.lost > head.max_suppressed_share for each in found.tables):
            tables = [*tables[:at], without_diversity(asked), *tables[at + 1 :]]
        else:
            tables, plain = tried, found
    return tables, plain


def _coarser(table: TablePlan, key: str) -> TablePlan:
    def step(each: Proposal) -> Proposal:
        if each.name != key or each.chosen + 1 >= len(each.options):
            return each
        ko, en = each.reason
        mended = (ko.removesuffix(COARSER[0]) + COARSER[0], en.removesuffix(COARSER[1]) + COARSER[1])
        return replace(each, chosen=each.chosen + 1, reason=mended)

    return replace(table, columns=tuple(step(each) for each in table.columns))


COARSER = (" k를 지키려고 더 넓게 묶었습니다.", " Coarsened to hold k.")


def _as_text(table: TablePlan, columns: set[str]) -> TablePlan:
    def mend(each: Proposal) -> Proposal:
        if each.source not in columns:
            return each
        fallback = KEEP_TEXT if each.fields["treatment"] == "keep" else DROP
        ko, en = each.reason
        why = (f"{ko} 뒤쪽에 형식이 다른 값이 있습니다.", f"{en} Further down there are values of another form.")
        return replace(each, options=(fallback,), chosen=0, reason=why, doubtful=True)

    return replace(table, columns=tuple(mend(each) for each in table.columns))
