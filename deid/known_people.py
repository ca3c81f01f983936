"""What a recipe's tables and `known:` files say of each patient and of staff, to be searched for in free texts.

Values stay in the memory of the run and in the pipes to its child processes; nothing of them is written.
"""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from deid.errors import SourceError
from deid.readers.source import Source
from deid.recipe import Recipe, subject_domain
from deid.recipe_known import KnownFile

Value = tuple[str, str]
_PATIENT, _VALUE = " patient", " value"


@dataclass(frozen=True)
class People:
    """Values of patients by domain and source number, values of staff, and the files they were read from besides."""

    patients: dict[str, dict[str, tuple[Value, ...]]]
    staff: tuple[Value, ...]
    lineage: tuple[dict[str, Any], ...]

    def of(self, domain: str, patient: str) -> tuple[Value, ...]:
        """Values of one patient."""
        return self.patients.get(domain, {}).get(patient, ())


def known_people(recipe: Recipe, sources: Sequence[Source], folder: Path) -> People:
    """Read every direct identifier of every table, and the `known:` files in `folder`. Raises `SourceError`."""
    values: dict[str, dict[str, dict[Value, None]]] = defaultdict(lambda: defaultdict(dict))
    staff: dict[Value, None] = {}
    for source in sources:
        of_domain = values[subject_domain(source.rule)]
        for patient, value in _of_source(source):
            of_domain[patient][value] = None
    lineage = []
    for file in recipe.known.files:
        frame, entry = _read(file, folder)
        lineage.append(entry)
        for patient, value in _of_file(frame, file):
            target = staff if file.domain is None else values[file.domain][patient]
            target[value] = None
    patients = {domain: {who: tuple(own) for who, own in people.items()} for domain, people in values.items()}
    return People(patients, tuple(staff), tuple(lineage))


def _of_source(source: Source) -> Iterator[tuple[str, Value]]:
    subject = source.rule.subject
    columns = [(rule.source, rule.kind) for rule in source.rule.identifying if rule.source != subject]
    who = source.scan().select(pl.col(subject).alias(_PATIENT)).unique().collect(engine="streaming")
    yield from ((patient, ("record", patient)) for patient in who[_PATIENT].drop_nulls())
    for column, kind in columns:
        pair = source.scan().select(pl.col(subject).alias(_PATIENT), pl.col(column).alias(_VALUE))
        found = pair.drop_nulls().unique().collect(engine="streaming")
        yield from ((patient, (kind, value)) for patient, value in found.iter_rows())


def _of_file(frame: pl.DataFrame, file: KnownFile) -> Iterator[tuple[str, Value]]:
    patients: Iterable[str | None] = frame[file.subject] if file.subject else [""] * frame.height
    for column, kind in file.columns.items():
        for patient, value in zip(patients, frame[column], strict=True):
            if patient is not None and value:
                yield patient, (kind, value)


def _read(file: KnownFile, folder: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    path = folder / file.file
    if path.is_symlink() or not path.is_file():
        _refuse(file, "missing", ("열 수 없습니다(없거나 바로가기).", "cannot be opened (missing, or a link)."))
    data = path.read_bytes()
    try:
        text = data.decode(file.encoding)
    except UnicodeDecodeError:
        _refuse(file, "encoding", (f"{file.encoding}이(가) 아닙니다.", f"is not {file.encoding}."))
    try:
        frame = pl.read_csv(io.BytesIO(text.encode()), infer_schema=False)
    except pl.exceptions.PolarsError:
        _refuse(file, "broken", ("CSV로 읽을 수 없습니다.", "cannot be read as CSV."))
    for column in (*file.columns, *([file.subject] if file.subject else [])):
        if column not in frame.columns:
            _refuse(file, "unknown-column", (f"열 '{column}'이(가) 없습니다.", f"there is no column '{column}'."))
    entry = {"file": file.file, "rows": frame.height, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return frame, entry


def _refuse(file: KnownFile, code: str, message: tuple[str, str]) -> NoReturn:
    raise SourceError(
        (file.file, 0, -1),
        code,
        message,
        remedy=(
            "파일과 계획의 known 항목을 맞추세요.",
            "Make the file and the recipe's `known` agree.",
        ),
    )
