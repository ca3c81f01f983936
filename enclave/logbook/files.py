"""An export as a file and its manifest: streamed, hashed on the way, and never whole in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from enclave.logbook import csv_form, jsonl_form, ocsf
from enclave.logbook.export_words import SUFFIX, ExportForm
from enclave.logbook.line import Line
from enclave.queries.logbook import ExportView

Writer = Callable[[Iterable[Line]], Iterator[bytes]]
# A bundle needs the published log besides: `enclave.logbook.evidence`.
WRITERS: dict[ExportForm, Writer] = {
    ExportForm.CSV: csv_form.chunks,
    ExportForm.JSONL: jsonl_form.chunks,
    ExportForm.OCSF: ocsf.chunks,
}


class File:
    """The bytes of an export as they pass; afterwards how many entries there were, and their SHA-256."""

    def __init__(self, writer: Writer, lines: Iterable[Line]) -> None:
        self.rows = 0
        self._writer, self._lines, self._hash = writer, lines, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file piece by piece."""
        for chunk in self._writer(self._counted()):
            self._hash.update(chunk)
            if chunk:
                yield chunk

    @property
    def sha256(self) -> str:
        """The hash of what passed so far."""
        return self._hash.hexdigest()

    def _counted(self) -> Iterator[Line]:
        for line in self._lines:
            self.rows += 1
            yield line


def name_of(export: ExportView) -> str:
    """Return the file's name: the export, the checkpoint's size, the form."""
    return f"ansim-log-{export.size}-{export.id}.{SUFFIX[ExportForm(export.form)]}"


def manifest(export: ExportView, by: str) -> dict[str, Any]:
    """Return what the file is: filter, checkpoint, number of entries, SHA-256; `by` is who took it."""
    return {
        "export": export.id,
        "file": name_of(export),
        "form": export.form,
        **({"ocsf": ocsf.VERSION} if export.form == ExportForm.OCSF else {}),
        "filter": export.question.given(),
        "filter_sha256": export.question.sha256,
        "checkpoint": export.checkpoint,
        "size": export.size,
        "entries": export.rows,
        "sha256": export.sha256,
        "by": by,
        "reason_code": export.reason_code,
        "asked_at": export.asked_at.isoformat(timespec="seconds"),
        "ended_at": export.ended_at.isoformat(timespec="seconds") if export.ended_at else None,
    }
