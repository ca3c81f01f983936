"""The manifest of a snapshot: what is in it, what was done to it, on whose authority. Pure: bytes in, values out.

`Manifest.id` is the SHA-256 of the manifest's bytes, so a snapshot is named by its own content. Parsing refuses what
does not round-trip: the bytes that were signed are the only spelling of their meaning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = "ansim-snapshot/2"
# What was signed before files had keys and versions a parent; read, verified and spelled as it was.
FORMAT_1 = "ansim-snapshot/1"
# Of a folder of images and signals: a table is the index of files that are held beside it (`versions/held.py`).
FORMAT_3 = "ansim-snapshot/3"
SINCE_2 = ("parent", "difference", "consent", "withdrawn")


@dataclass(frozen=True)
class Column:
    """One published column: Polars `dtype` by name, the `treatment` in words, Korean label, and its role in k."""

    dtype: str
    treatment: str
    label_ko: str
    label_en: str
    quasi_identifier: bool


@dataclass(frozen=True)
class Table:
    """One published table: columns in order, counts of rows and of distinct patients, files relative to the folder.

    Since format 2: `subject`, the column of the patients' pseudonyms, and over how many `buckets` they are spread.
    In format 3: `holds`, the column whose values name files held beside the table ("": none). Whoever is given that
    column is given those files.
    """

    label_ko: str
    label_en: str
    columns: Mapping[str, Column]
    rows: int
    subjects: int
    files: tuple[str, ...]
    subject: str = ""
    buckets: int = 0
    holds: str = ""


@dataclass(frozen=True)
class FileEntry:
    """One file of the snapshot: SHA-256 (hex) and size in bytes, as it lies on the disk.

    A data file of format 2 says how many rows it has, of which bucket, and under which key (its name, never the key).
    A held file of format 3 has a key too, and whose it is: `owners`, keyed tags of pseudonyms (`held.owner_tags`).
    """

    sha256: str
    bytes: int
    rows: int | None = None
    bucket: int | None = None
    dek: str | None = None
    owners: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Manifest:
    """Everything that was signed. `created_at` is RFC 3339 in UTC; `risk`, `gates`, `lineage` are plain JSON values.

    Since format 2: `parent` (id of the version before, or None), the `difference` to it by table (counts, no values),
    `consent` (`version`, `scope`, `expires`) where that is the legal basis, and how many people were `withdrawn`.
    """

    id: str
    dataset: str
    title_ko: str
    title_en: str
    provider: str
    legal_basis: str
    recipe_version: int
    recipe_sha256: str
    created_at: str
    tables: Mapping[str, Table]
    risk: Mapping[str, Any]
    gates: tuple[Mapping[str, Any], ...]
    tool_versions: Mapping[str, str]
    lineage: Mapping[str, Any]
    files: Mapping[str, FileEntry]
    parent: str | None = None
    difference: Mapping[str, Any] = field(default_factory=dict)
    consent: Mapping[str, str] = field(default_factory=dict)
    withdrawn: int = 0
    format: str = FORMAT

    @property
    def project(self) -> str:
        """The project whose own pseudonyms these are (`Keys.for_project`); "" for the catalogue, for all."""
        return str(self.lineage.get("keys", {}).get("project", ""))


def dump(manifest: Manifest) -> tuple[str, bytes]:
    """Return (id, bytes) of a manifest; its own `id` field is not part of the bytes."""
    body = asdict(manifest)
    del body["id"], body["format"]
    body["files"] = {name: _entry(entry) for name, entry in body["files"].items()}
    if manifest.format == FORMAT_1:
        for name in SINCE_2:
            del body[name]
        for table in body["tables"].values():
            del table["subject"], table["buckets"]
    if manifest.format != FORMAT_3:
        for table in body["tables"].values():
            del table["holds"]
    data = _spell({"format": manifest.format, **body})
    return hashlib.sha256(data).hexdigest(), data


def parse(data: bytes) -> Manifest:
    """Read manifest bytes. Raises `ValueError` for anything but the exact bytes `dump` writes."""
    body = json.loads(data.decode("utf-8"))
    if not isinstance(body, dict) or body.get("format") not in {FORMAT, FORMAT_1, FORMAT_3}:
        raise ValueError(f"not a manifest of format {FORMAT}")
    try:
        body["tables"] = {name: _table(table) for name, table in body["tables"].items()}
        body["files"] = {name: _file(entry) for name, entry in body["files"].items()}
        body["gates"] = tuple(body["gates"])
        manifest = Manifest(id=hashlib.sha256(data).hexdigest(), **body)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("a field is missing, unknown or of the wrong kind") from error
    if dump(manifest)[1] != data:
        raise ValueError("not in canonical spelling")
    return manifest


def _table(body: dict[str, Any]) -> Table:
    columns = {name: Column(**column) for name, column in body.pop("columns").items()}
    files = tuple(body.pop("files"))
    return Table(columns=columns, files=files, **body)


def _file(body: dict[str, Any]) -> FileEntry:
    owners = body.pop("owners", None)
    return FileEntry(**body, owners=None if owners is None else tuple(owners))


def _entry(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _spell(body: Mapping[str, Any]) -> bytes:
    # Keys keep their order: the order of columns carries meaning. Floats are spelled by repr, which round-trips.
    return (json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")
