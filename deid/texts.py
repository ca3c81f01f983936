"""What a run says about its free texts: counts that may be published, and cases that may not.

`TextReport` holds counts only; it goes into risk.json and the report of the snapshot. `TextCase` holds the original
text, hence an identifier or two: cases are written to `texts.jsonl` in a private folder that the caller names, on the
source's side, never into a snapshot. A reviewer samples them (a recall estimate needs the unmasked text beside the
masked one). One object a line, UTF-8, file mode 0600; a run that fails leaves no such file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FILE = "texts.jsonl"
# Why a span is doubtful. `near-threshold`: masked, but barely. `single-view`: seen in one reading of the text only
# (say, with its lines joined). `one-rule`: a single rule, not a strong one, saw it. `below-threshold`: left as it is.
DOUBTS = ("near-threshold", "single-view", "one-rule", "below-threshold")
# Who saw a span: our recognisers, the values known of the patient and of staff, the provider's profile, a model,
# what reviewers marked as missed in an earlier version.
VOICES = ("rules", "known", "profile", "model", "marks")


@dataclass(frozen=True)
class TextSpan:
    """Characters `start` to `end` (half open, of the original text); `score` in (0, 1]; `doubt` is "" or of `DOUBTS`.

    A span of doubt `below-threshold` was not masked; every other one was.
    """

    start: int
    end: int
    type: str
    score: float
    by: str
    doubt: str


@dataclass(frozen=True)
class TextCase:
    """One distinct text of one patient in one column, with `rows` rows; `ref` (32 hex digits, keyed) names it.

    `patient` is the published pseudonym. `ref` says nothing about the text to whom has no key, so it may be stored
    with a reviewer's marks.
    """

    ref: str
    table: str
    column: str
    patient: str
    rows: int
    text: str
    masked: str
    spans: tuple[TextSpan, ...]


@dataclass(frozen=True)
class TextReport:
    """Counts of one published text column. `texts`: distinct texts looked at, or distinct (patient, text) pairs.

    `found`: spans per type, those below the threshold included; `masked`: those replaced; `known`: those of `masked`
    that only the known-value pass or the profile saw; `uncertain`: spans per doubt (`DOUBTS`); `marked`: those of
    `masked` that only a reviewer's mark on an earlier version saw.
    """

    table: str
    column: str
    texts: int
    found: Mapping[str, int]
    masked: Mapping[str, int]
    known: Mapping[str, int]
    uncertain: Mapping[str, int]
    marked: Mapping[str, int] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Give the report as plain JSON values."""
        return asdict(self)


class CaseWriter:
    """Writes `texts.jsonl` into a folder (made 0700); the file gets its name only by `keep`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._target = folder / FILE
        self._unfinished = folder / f"{FILE}.part"
        descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self.count = 0

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of what was written so far."""
        return self._hash.hexdigest()

    def write(self, case: TextCase) -> None:
        """Append one case."""
        line = (json.dumps(asdict(case), ensure_ascii=False) + "\n").encode()
        self._file.write(line)
        self._hash.update(line)
        self.count += 1

    def keep(self) -> None:
        """Put the file in its place, durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unfinished.replace(self._target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
        self._unfinished.unlink(missing_ok=True)


def read_cases(folder: Path) -> Iterator[TextCase]:
    """Cases of one run, in the order written. Raises `FileNotFoundError` when the run was told to keep none."""
    with (folder / FILE).open("rb") as lines:
        yield from cases_in(lines)


def cases_in(lines: Iterable[bytes]) -> Iterator[TextCase]:
    """Read cases from the lines of an open file."""
    for line in lines:
        body = json.loads(line)
        spans = tuple(TextSpan(**span) for span in body.pop("spans"))
        yield TextCase(spans=spans, **body)


def forget(folder: Path) -> bool:
    """Destroy the cases in a private folder, finished or not, and the folder once it is empty; says if there were any.

    The bytes are overwritten before their name goes: of little use on a disk that moves blocks, and harmless. Raises
    `OSError`.
    """
    found = [path for path in (folder / FILE, folder / f"{FILE}.part") if path.is_file() and not path.is_symlink()]
    for path in found:
        with path.open("r+b") as file:
            left = path.stat().st_size
            while left:
                left -= file.write(bytes(min(left, 1 << 20)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    if found and not any(folder.iterdir()):
        folder.rmdir()
    return bool(found)
