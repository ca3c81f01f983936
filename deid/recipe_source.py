"""Where a table of the recipe comes from: the format and how it is read. Pure data; `readers/` acts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deid.recipe_yaml import Node
from deid.schemas import fhir as fhir_model
from deid.schemas import omop as omop_model

ENCODINGS = ("utf-8", "utf-8-sig", "cp949")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
# format: fields a table may have for it, the endings of file names it is assumed for
FORMATS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "csv": (("file", "encoding", "separator"), (".csv", ".tsv", ".txt")),
    "parquet": (("file", "timezone"), (".parquet",)),
    "sql": (("database", "table", "query", "timezone"), ()),
    "fhir": (("file", "resource", "optional", "others", "timezone"), (".ndjson",)),
    "xlsx": (("file", "sheet", "header_row", "hidden"), (".xlsx", ".xlsm")),
}
NO_URL = (
    "URL은 환경 변수(env)나 키 파일(key)에 두고 그 이름을 적으세요.",
    "Keep the URL in an environment variable (env) or a key file (key) and write its name.",
)
FIELDS = ("format", "omop", *dict.fromkeys(name for fields, _ in FORMATS.values() for name in fields))


@dataclass(frozen=True)
class Address:
    """Where a database's URL stands: environment variable `env`, or file `key` (absolute, or a service credential)."""

    env: str
    key: str

    def fields(self) -> dict[str, str]:
        """Give the fields of a recipe that name this address."""
        return {"env": self.env} if self.env else {"key": self.key}


@dataclass(frozen=True)
class Origin:
    """One table's original: `file` is a plain name in the source folder.

    CSV: `encoding`, `separator`. Workbooks: `sheet` ("" for the only one shown), `header_row` (from 1), and whether
    `hidden` sheets, rows and columns are read. Databases: the `database`'s address and a `table` (`schema.name`) or a
    `query`; `file` is then the table's name or `query`. FHIR: the `resource`'s type, the paths of published columns
    that are `optional`, and whether elements that neither identify nor are named are dropped (`drop_others`).
    `timezone` says where days are counted if time stamps carry a zone. `omop` is the table of the OMOP CDM this is.
    """

    format: str
    file: str
    encoding: str = "utf-8"
    separator: str = ","
    sheet: str = ""
    header_row: int = 1
    hidden: bool = False
    database: Address | None = None
    table: str = ""
    query: str = ""
    resource: str = ""
    optional: tuple[str, ...] = ()
    drop_others: bool = False
    timezone: str = ""
    omop: str = ""

    def lineage(self) -> dict[str, str]:
        """Say in a manifest how the original was read. A query is named by its hash: literals in it may identify."""
        if self.format == "csv":
            return {"encoding": self.encoding}
        hashed = {"query_sha256": hashlib.sha256(self.query.encode()).hexdigest()} if self.query else {}
        return {"format": self.format, **hashed}

    def fields(self) -> dict[str, str | int | dict[str, str]]:
        """Give the fields of a recipe's table that `parse_origin` would read as this."""
        fields: dict[str, str | int | dict[str, str]] = {"file": self.file}
        if self.database is not None:
            fields = {"format": "sql", "database": self.database.fields(), "table": self.table}
        elif self.format != assumed_format(self.file):
            fields["format"] = self.format
        if self.encoding != "utf-8":
            fields["encoding"] = self.encoding
        if self.separator != ",":
            fields["separator"] = next(name for name, letter in SEPARATORS.items() if letter == self.separator)
        said = {"sheet": self.sheet, "resource": self.resource, "omop": self.omop, "timezone": self.timezone}
        fields |= {name: value for name, value in said.items() if value}
        if self.header_row != 1:
            fields["header_row"] = self.header_row
        if self.drop_others:
            fields["others"] = "drop"
        return fields


def parse_origin(table: Node, fields: Mapping[str, Node]) -> Origin:
    """Read a table's own `FIELDS`; without `format` it is told by the file's name. Raises `RecipeError`."""
    assumed = assumed_format(fields["file"].text() if "file" in fields else "")
    chosen = fields["format"].one_of(tuple(FORMATS)) if "format" in fields else assumed
    for name in FIELDS:
        if name in fields and name not in {"format", "omop", *FORMATS[chosen][0]}:
            fields[name].fail("unknown", f"{chosen}에는 '{name}' 항목이 없습니다.", f"{chosen} has no '{name}'.")
    omop = fields["omop"].one_of(tuple(sorted(omop_model.TABLES))) if "omop" in fields else ""
    timezone = _zone(fields["timezone"]) if "timezone" in fields else ""
    if chosen == "sql":
        return replace(_database(table, fields), omop=omop, timezone=timezone)
    if "file" not in fields:
        table.fail("missing", "'file' 항목이 빠졌습니다.", "'file' is missing.")
    return Origin(
        format=chosen,
        file=_file(fields["file"]),
        encoding=fields["encoding"].one_of(ENCODINGS) if "encoding" in fields else "utf-8",
        separator=SEPARATORS[fields["separator"].one_of(tuple(SEPARATORS))] if "separator" in fields else ",",
        sheet=fields["sheet"].text() if "sheet" in fields else "",
        header_row=fields["header_row"].integer(1, 1000) if "header_row" in fields else 1,
        hidden="hidden" in fields and fields["hidden"].one_of(("refuse", "read")) == "read",
        resource=_resource(table, fields) if chosen == "fhir" else "",
        optional=tuple(item.text() for item in fields["optional"].items()) if "optional" in fields else (),
        drop_others="others" in fields and fields["others"].one_of(("refuse", "drop")) == "drop",
        timezone=timezone,
        omop=omop,
    )


def _resource(table: Node, fields: Mapping[str, Node]) -> str:
    if "resource" in fields:
        return fields["resource"].one_of(tuple(sorted(fhir_model.RESOURCES)))
    stem = fields["file"].text().split(".")[0]
    if stem not in fhir_model.RESOURCES:
        table.fail("missing", "resource에 자료 종류를 적으세요.", "resource must name the resources' type.")
    return stem


def _zone(node: Node) -> str:
    name = node.text()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        node.fail("timezone", f"'{name}'은(는) 시간대가 아닙니다.", f"'{name}' is no time zone.")
    return name


def _database(table: Node, fields: Mapping[str, Node]) -> Origin:
    if "database" not in fields or ("table" in fields) == ("query" in fields):
        table.fail(
            "missing",
            "database와, table이나 query 중 하나가 필요합니다.",
            "database is needed, and either table or query.",
        )
    name = fields["table"].text() if "table" in fields else ""
    query = fields["query"].text() if "query" in fields else ""
    return Origin("sql", name or "query", database=_address(fields["database"]), table=name, query=query)


def _address(node: Node) -> Address:
    parts = node.fields((), ("env", "key"))
    if len(parts) != 1:
        node.fail("database", "env나 key 중 하나가 필요합니다.", "either env or key is needed.", remedy=NO_URL)
    for part in parts.values():
        if "://" in part.text():
            part.fail("database", "주소를 계획에 적지 마세요.", "no address may stand in a recipe.", remedy=NO_URL)
    return Address(*(parts[name].text() if name in parts else "" for name in ("env", "key")))


def assumed_format(file: str) -> str:
    """Tell a file's format by the ending of its name; CSV if it is not known."""
    ending = Path(file).suffix.lower()
    return next((name for name, (_, endings) in FORMATS.items() if ending in endings), "csv")


def _file(node: Node) -> str:
    value = node.text()
    if Path(value).name != value or value.startswith("."):
        node.fail("file", "폴더 없이 파일 이름만 쓰세요.", "a plain file name without folders is expected.")
    return value
