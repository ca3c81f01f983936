"""What the checker must recognise of one project: its snapshots' pseudonyms and its people, as keyed hashes."""

from __future__ import annotations

from functools import lru_cache

import pyarrow.compute as pc

from deid.errors import DeidError
from deid.versions.keystore import KeyStore, keys_of
from deid.versions.tables import DataFile, table_files
from enclave.airlock.known import Known, Marks, person_marks, pseudonym_marks
from enclave.queries.dataset import SnapshotView
from enclave.queries.project import ProjectView


def known_of(project: ProjectView, snapshots: list[SnapshotView], store: KeyStore | None) -> Known | None:
    """Return the marks for a project; None when a snapshot's own files cannot be read, so that it can be said.

    A snapshot never changes under its id, so its pseudonyms are hashed once (about a second for a million).
    """
    try:
        columns = {each for snapshot in snapshots for each in _pseudonym_columns(snapshot, store)}
        pseudonyms = _marks(frozenset(columns))
    except (OSError, DeidError):
        return None
    people = (text for member in project.members for text in (member.name, member.login))
    return Known(pseudonyms, person_marks(people))


def _pseudonym_columns(snapshot: SnapshotView, store: KeyStore | None) -> list[tuple[DataFile, str]]:
    keys = keys_of(snapshot.manifest, store)
    return [
        (file, column)
        for name, table in snapshot.manifest.tables.items()
        for column, about in table.columns.items()
        if about.treatment.startswith("pseudonym")
        for file in table_files(snapshot.path, snapshot.manifest, keys, name)
    ]


@lru_cache(maxsize=4)
def _marks(columns: frozenset[tuple[DataFile, str]]) -> Marks:
    values: set[str] = set()
    for file, column in columns:
        with file.parquet() as parquet:
            found = parquet.read(columns=[column], use_threads=False).column(column)
        values |= {str(value) for value in pc.unique(found).to_pylist() if value is not None}
    return pseudonym_marks(values)
