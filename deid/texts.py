"""What a run says about its free texts: counts that may be published, and cases that may not.

`TextReport` holds counts only; it goes into risk.json and the report of the snapshot. `TextCase` holds the original
text, hence an identifier or two: cases are written to `texts.jsonl` in a private folder that the caller names, on the
source's side, never into a snapshot. A reviewer samples them (a recall estimate needs the unmasked text beside the
masked one). One object a line, UTF-8, file mode 0600; a run that fails leaves no such file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deid.cases import CaseFile, forget_cases

FILE = "texts.jsonl"
# Why a span is doubtful. `near-threshold`: masked, but barely. `single-view`: seen in one reading of the text only
# (say, with its lines joined). `one-rule`: a single rule, not a strong one, saw it. `below-threshold`: left as it is.
NOT_MASKED = "below-threshold"
DOUBTS = ("near-threshold", "single-view", "one-rule", NOT_MASKED)
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

    @property
    def in_doubt(self) -> bool:
        """Whether the detectors themselves doubt a span."""
        return any(span.doubt for span in self.spans)

    @property
    def found(self) -> int:
        """How many identifiers were masked."""
        return sum(span.doubt != NOT_MASKED for span in self.spans)


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


class CaseWriter(CaseFile):
    """Writes `texts.jsonl`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FILE)

    def write(self, case: TextCase) -> None:
        """Append one case."""
        self.add(asdict(case))


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
    """Destroy the texts in a private folder, as `forget_cases`."""
    return forget_cases(folder, FILE)
