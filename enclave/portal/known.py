"""What the checker must recognise of one project: its snapshots' pseudonyms and its people, as keyed hashes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from enclave.airlock.known import Known, Marks, person_marks, pseudonym_marks
from enclave.queries.dataset import SnapshotView
from enclave.queries.project import ProjectView


def known_of(project: ProjectView, snapshots: list[SnapshotView]) -> Known | None:
    """Return the marks for a project; None when a snapshot's own files cannot be read, so that it can be said.

    A snapshot never changes under its id, so its pseudonyms are hashed once (about a second for a million).
    """
    columns = tuple(sorted({each for snapshot in snapshots for each in _pseudonym_columns(snapshot)}))
    try:
        pseudonyms = _marks(columns)
    except OSError:
        return None
    people = (text for member in project.members for text in (member.name, member.login))
    return Known(pseudonyms, person_marks(people))


def _pseudonym_columns(snapshot: SnapshotView) -> list[tuple[Path, str]]:
    return [
        (snapshot.path / "data" / name, column)
        for name, table in snapshot.manifest.tables.items()
        for column, about in table.columns.items()
        if about.treatment.startswith("pseudonym")
    ]


@lru_cache(maxsize=4)
def _marks(columns: tuple[tuple[Path, str], ...]) -> Marks:
    values: set[str] = set()
    for folder, column in columns:
        for path in sorted(each for each in folder.iterdir() if each.suffix == ".parquet"):
            found = pq.read_table(path, columns=[column], use_threads=False).column(column)
            values |= {str(value) for value in pc.unique(found).to_pylist() if value is not None}
    return pseudonym_marks(values)
