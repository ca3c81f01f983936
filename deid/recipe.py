"""Recipes (가명처리 계획): what is done to which column, as a file that people review and versions can be compared by.

`load` parses a YAML recipe into frozen values or raises `RecipeError` with file, line and column. A column of the
source that the recipe does not name is an error when the file is read (`readers/`): nothing passes by being forgotten.
`recipes/README.md` describes every field; treatments are in `treatments/`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from deid.detect.known.kinds import kind_of
from deid.many.memory import parse_size
from deid.privacy.asked import Privacy, parse_privacy
from deid.recipe_known import PEOPLE, Known, parse_known, parse_missed
from deid.recipe_schema import check_columns, check_schema, must_scan
from deid.recipe_source import FIELDS, Origin, parse_origin
from deid.recipe_yaml import Node, content, read
from deid.sample_gate import WantedSample
from deid.slugs import SLUG, read_slug
from deid.text_gate import parse_text_sample
from deid.treatments.free_text import FreeText
from deid.treatments.parse import parse_treatment
from deid.treatments.plain import Drop
from deid.treatments.pseudonym import Pseudonym
from deid.treatments.treatment import Treatment
from deid.versions.consent import Terms, parse_terms

MIB = 1 << 20
COMMON = ("label", "as", "direct", "reason", "keep_identifying")  # what every column may say, whatever its treatment
COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")


@dataclass(frozen=True)
class Label:
    """What people read: Korean first."""

    ko: str
    en: str


@dataclass(frozen=True)
class ColumnRule:
    """One source column: its name there, its published name, what is done, whether it names a person, and why so."""

    source: str
    name: str
    treatment: Treatment
    label: Label
    direct: bool
    node: Node
    reason: Label = Label("", "")
    keep_identifying: bool = False  # published although its schema says that it identifies; the reason says why
    kind: str = "other"  # of a direct one: a key of `detect.known.kinds.KINDS`


@dataclass(frozen=True)
class QuasiIdentifier:
    """A published column that counts for k; `by` (`year`, `month`) takes only that part of a date."""

    column: str
    by: str | None

    @property
    def key(self) -> str:
        """Name of the class column."""
        return f"{self.column}.{self.by}" if self.by else self.column


@dataclass(frozen=True)
class TableRule:
    """One source table: where it comes from, the column that names the patient, treatments, quasi-identifiers."""

    name: str
    origin: Origin
    label: Label
    subject: str
    unique: tuple[str, ...]
    nulls: tuple[str, ...]
    columns: tuple[ColumnRule, ...]
    quasi_identifiers: tuple[QuasiIdentifier, ...]
    texts_elsewhere: bool = False  # another table with the same patients has free texts to search
    privacy: Privacy | None = None

    @property
    def file(self) -> str:
        """Name of the original."""
        return self.origin.file

    @property
    def encoding(self) -> str:
        """Encoding of the original, if it is text."""
        return self.origin.encoding

    def column(self, source: str) -> ColumnRule:
        """Find the rule of a source column (`KeyError` if there is none)."""
        return next((rule for rule in self.columns if rule.source == source), None) or _missing(source)

    @property
    def published(self) -> tuple[ColumnRule, ...]:
        """Rules of the columns that appear in the snapshot, in order."""
        return tuple(rule for rule in self.columns if not isinstance(rule.treatment, Drop))

    @property
    def used(self) -> tuple[str, ...]:
        """Source columns that anything is computed from; the others are never parsed."""
        texts = self.texts_elsewhere or any(isinstance(rule.treatment, FreeText) for rule in self.columns)
        own = [rule.source for rule in self.identifying] if texts else []
        needed = [name for rule in self.published for name in (rule.source, *rule.treatment.needs)]
        return tuple(dict.fromkeys([self.subject, *self.unique, *needed, *own]))

    @property
    def replaced(self) -> frozenset[str]:
        """Source columns of which every distinct value is looked up once, texts aside: patients, pseudonyms, levels."""
        rules = [rule for rule in self.published if rule.treatment.joined and not isinstance(rule.treatment, FreeText)]
        return frozenset([self.subject, *(rule.source for rule in rules)])

    @property
    def texts(self) -> tuple[ColumnRule, ...]:
        """Rules of the free-text columns."""
        return tuple(rule for rule in self.columns if isinstance(rule.treatment, FreeText))

    @property
    def identifying(self) -> tuple[ColumnRule, ...]:
        """Rules of the columns that name a person directly, texts aside."""
        return tuple(rule for rule in self.columns if rule.direct and not isinstance(rule.treatment, FreeText))


@dataclass(frozen=True)
class Link:
    """Every patient of table `origin` must be in table `target`; otherwise fail, or drop those rows."""

    origin: str
    target: str
    orphans: str


@dataclass(frozen=True)
class Gates:
    """What must hold or nothing is published. `k` counts distinct patients. `None` means not asked for."""

    k: int
    max_suppressed_share: float
    min_rows: int
    scan_sample: int | None
    scan_min_score: float
    text_sample: WantedSample | None = None


@dataclass(frozen=True)
class Limits:
    """How much input is taken: bytes in one line, rows in one table, distinct free texts held at once.

    `memory` (bytes) is what a run may take; None for the engine's own measure (`many/memory.py`).
    """

    line_bytes: int
    rows: int
    distinct_texts: int
    memory: int | None = None


@dataclass(frozen=True)
class Recipe:
    """A whole recipe; `sha256` is of the file's bytes; `suppress` is `row` or `patient`."""

    dataset: str
    version: int
    title: Label
    provider: str
    legal_basis: str
    suppress: str
    tables: tuple[TableRule, ...]
    links: tuple[Link, ...]
    gates: Gates
    limits: Limits
    sha256: str
    file: str
    known: Known = field(default_factory=Known)
    terms: Terms = field(default_factory=Terms)


def load(path: Path) -> Recipe:
    """Read a recipe. Raises `RecipeError` naming file, line and column."""
    data = content(path)
    root = read(path, data)
    required = ("recipe", "dataset", "version", "title", "provider", "legal_basis", "tables", "gates")
    top = root.fields(required, ("suppress", "links", "limits", "known", "profile", "missed", "consent", "withdrawals"))
    top["recipe"].integer(1, 1)
    tables = tuple(_table(name, node) for name, (_, node) in top["tables"].pairs().items())
    if not tables:
        top["tables"].fail("empty", "표가 하나도 없습니다.", "there is no table.")
    with_texts = {subject_domain(table) for table in tables if table.texts}
    tables = tuple(replace(table, texts_elsewhere=subject_domain(table) in with_texts) for table in tables)
    domains = tuple(dict.fromkeys(map(subject_domain, tables)))
    recipe = Recipe(
        dataset=read_slug(top["dataset"]),
        version=top["version"].integer(1, 10**6),
        title=_label(top["title"]),
        provider=read_slug(top["provider"]),
        legal_basis=top["legal_basis"].text(),
        suppress=top["suppress"].one_of(("row", "patient")) if "suppress" in top else "row",
        tables=tables,
        links=tuple(_link(node, tables) for node in top["links"].items()) if "links" in top else (),
        gates=_gates(top["gates"]),
        limits=_limits(top.get("limits")),
        sha256=hashlib.sha256(data).hexdigest(),
        file=path.name,
        known=replace(
            parse_known(top.get("known"), top.get("profile"), path.parent, domains),
            missed=parse_missed(top.get("missed")),
        ),
        terms=parse_terms(top.get("consent"), top.get("withdrawals"), domains),
    )
    _check_consistent(recipe)
    return recipe


def _table(name: str, node: Node) -> TableRule:
    if not SLUG.fullmatch(name):
        node.fail(
            "name", f"표 이름 '{name}'은 영문 소문자여야 합니다.", f"table name '{name}' must be lower-case letters."
        )
    fields = node.fields(("subject", "label", "columns"), ("unique", "nulls", "quasi_identifiers", "privacy", *FIELDS))
    columns = tuple(_column(source, *pair) for source, pair in fields["columns"].pairs().items())
    sources = [rule.source for rule in columns]
    quasi = _quasi_identifiers(fields.get("quasi_identifiers"), columns)
    table = TableRule(
        name=name,
        origin=parse_origin(node, fields),
        label=_label(fields["label"]),
        subject=_known(fields["subject"], sources),
        unique=tuple(_known(item, sources) for item in fields["unique"].items()) if "unique" in fields else (),
        nulls=tuple(item.text() for item in fields["nulls"].items()) if "nulls" in fields else (),
        columns=columns,
        quasi_identifiers=quasi,
        privacy=parse_privacy(fields.get("privacy"), _plain_columns(columns), [entry.column for entry in quasi]),
    )
    _check_table(table, fields["subject"])
    check_schema(table.origin, (table.subject, fields["subject"]), columns)
    return table


def _column(source: str, key: Node, node: Node) -> ColumnRule:
    fields = node.pairs()
    common = {name: fields.pop(name)[1] for name in COMMON if name in fields}
    treatment = parse_treatment(node, {name: value for name, (_, value) in fields.items()}, fields)
    treatment = treatment.of(source)
    label = _label(common["label"]) if "label" in common else Label(source, source)
    name = common["as"].text() if "as" in common else source
    if not COLUMN_NAME.fullmatch(name) and not isinstance(treatment, Drop):
        (common.get("as") or key).fail(
            "name", f"공개할 열 이름 '{name}'은 영문이어야 합니다.", f"the published name '{name}' must be letters.",
            remedy=("as: 에 영문 이름을 주세요.", "Give an English name in as:."),
        )  # fmt: skip
    reason = _label(common["reason"]) if "reason" in common else Label("", "")
    direct, kind = _direct(common.get("direct"), (source, name, label.ko, label.en))
    keep = "keep_identifying" in common and common["keep_identifying"].flag()
    if keep and not reason.ko:
        common["keep_identifying"].fail("reason", "reason에 까닭을 적으세요.", "the reason must be given in 'reason'.")
    return ColumnRule(source, name, treatment, label, direct, node, reason, keep, kind)


def _direct(node: Node | None, words: tuple[str, ...]) -> tuple[bool, str]:
    """Whether a column names a person, and by what kind of value: said, or told from the column's words."""
    if node is None or node.is_flag():
        return node is not None and node.flag(), kind_of(*words)
    return True, node.one_of(PEOPLE)


def _quasi_identifiers(node: Node | None, columns: tuple[ColumnRule, ...]) -> tuple[QuasiIdentifier, ...]:
    published = [rule.name for rule in columns if not isinstance(rule.treatment, Drop)]
    found = []
    for item in node.items() if node else []:
        if item.is_mapping():
            fields = item.fields(("column", "by"))
            entry = QuasiIdentifier(_known(fields["column"], published), fields["by"].one_of(("year", "month")))
        else:
            entry = QuasiIdentifier(_known(item, published), None)
        rule = next(rule for rule in columns if rule.name == entry.column and not isinstance(rule.treatment, Drop))
        if rule.treatment.keyed or isinstance(rule.treatment, FreeText):
            item.fail(
                "quasi",
                "가명이나 자유 글은 준식별자가 될 수 없습니다.",
                "neither a pseudonym nor free text can be one.",
            )
        if entry.by and rule.treatment.dtype != "Date":
            item.fail("quasi", "by는 날짜 열에만 쓸 수 있습니다.", "'by' is for date columns only.")
        found.append(entry)
    return tuple(found)


def _plain_columns(columns: tuple[ColumnRule, ...]) -> list[str]:
    """Name the published columns whose values say something of the person: neither keyed nor free text."""
    said = [rule for rule in columns if not rule.treatment.keyed and not isinstance(rule.treatment, Drop | FreeText)]
    return [rule.name for rule in said]


def _link(node: Node, tables: tuple[TableRule, ...]) -> Link:
    fields = node.fields(("from", "to"), ("orphans",))
    names = [table.name for table in tables]
    orphans = fields["orphans"].one_of(("fail", "drop")) if "orphans" in fields else "fail"
    link = Link(_known(fields["from"], names), _known(fields["to"], names), orphans)
    origin, target = (next(t for t in tables if t.name == name) for name in (link.origin, link.target))
    if subject_domain(origin) != subject_domain(target):
        node.fail("link", "두 표의 환자 가명 영역(domain)이 다릅니다.", "the tables' patient domains differ.")
    return link


def subject_domain(table: TableRule) -> str:
    """Name the pseudonym domain of the column that names the patient."""
    treatment = table.column(table.subject).treatment
    return treatment.domain if isinstance(treatment, Pseudonym) else ""


def _gates(node: Node) -> Gates:
    fields = node.fields(("k", "max_suppressed_share"), ("min_rows", "no_direct_identifier_left", "text_sample"))
    scan = fields.get("no_direct_identifier_left")
    options = scan.fields((), ("sample", "min_score")) if scan else {}
    sample = options["sample"].integer(1, 10**6) if "sample" in options else 1000
    return Gates(
        k=fields["k"].integer(1, 10**6),
        max_suppressed_share=fields["max_suppressed_share"].number(0, 1),
        min_rows=fields["min_rows"].integer(1, 10**12) if "min_rows" in fields else 1,
        scan_sample=sample if scan else None,
        scan_min_score=options["min_score"].number(0, 1) if "min_score" in options else 0.6,
        text_sample=parse_text_sample(fields.get("text_sample")),
    )


def _limits(node: Node | None) -> Limits:
    fields = node.fields((), ("line_bytes", "rows", "distinct_texts", "memory")) if node else {}
    return Limits(
        line_bytes=fields["line_bytes"].integer(64, 1 << 30) if "line_bytes" in fields else MIB,
        rows=fields["rows"].integer(1, 10**12) if "rows" in fields else 200_000_000,
        distinct_texts=fields["distinct_texts"].integer(1, 10**9) if "distinct_texts" in fields else 2_000_000,
        memory=_memory(fields["memory"]) if "memory" in fields else None,
    )


def _memory(node: Node) -> int:
    size = parse_size(node.text())
    if size is None:
        node.fail("memory", "700MB, 4GB처럼 쓰고 500MB 이상이어야 합니다.", "write 700MB or 4GB; at least 500MB.")
    return size


def _label(node: Node) -> Label:
    if node.is_mapping():
        fields = node.fields(("ko", "en"))
        return Label(fields["ko"].text(), fields["en"].text())
    return Label(node.text(), node.text())


def _known(node: Node, names: list[str]) -> str:
    value = node.text()
    if value not in names:
        words = ", ".join(names)
        node.fail(
            "reference", f"'{value}'은(는) 없습니다. 있는 것: {words}.", f"there is no '{value}'; there are: {words}."
        )
    return value


def _check_table(table: TableRule, subject: Node) -> None:
    seen: set[str] = set()
    for rule in table.published:
        if rule.name in seen:
            rule.node.fail("twice", f"공개할 이름 '{rule.name}'이(가) 겹칩니다.", f"two columns publish '{rule.name}'.")
        seen.add(rule.name)
        for other in rule.treatment.needs:
            if other not in {rule.source for rule in table.columns}:
                rule.node.fail("reference", f"열 '{other}'이(가) 없습니다.", f"there is no column '{other}'.")
    if not isinstance(table.column(table.subject).treatment, Pseudonym):
        subject.fail("subject", "환자 열의 처리는 pseudonym이어야 합니다.", "the patient column must be a pseudonym.")


def _check_consistent(recipe: Recipe) -> None:
    shifts: dict[int, Node] = {}
    for table in recipe.tables:
        for rule in table.columns:
            days = rule.treatment.shift_days
            if days:
                shifts.setdefault(days, rule.node)
    for rule in (rule for table in recipe.tables for rule in table.texts):
        if rule.treatment.needs_shift and not shifts:
            rule.node.fail(
                "shift",
                "dates: shift에는 date_shift로 처리하는 열이 하나는 있어야 합니다.",
                "dates: shift needs a column treated by date_shift, which says by how much.",
            )
    _check_schemas(recipe)
    if len(shifts) > 1:
        list(shifts.values())[1].fail(
            "shift",
            "max_days가 열마다 다르면 같은 환자의 간격이 깨집니다.",
            "different max_days would break a patient's intervals.",
            remedy=("모든 date_shift에 같은 max_days를 쓰세요.", "Use the same max_days in every date_shift."),
        )


def _check_schemas(recipe: Recipe) -> None:
    for table in recipe.tables:
        check_columns(recipe.known.columns, table.columns)
    unscanned = next((found for table in recipe.tables if (found := must_scan(table.origin, table.columns))), None)
    if unscanned is not None and recipe.gates.scan_sample is None:
        unscanned.node.fail(
            "gate",
            "OMOP·FHIR의 자유 글을 공개하려면 gates에 no_direct_identifier_left가 있어야 합니다.",
            "free text of OMOP or FHIR needs the gate no_direct_identifier_left.",
        )


def _missing(source: str) -> ColumnRule:
    raise KeyError(source)
