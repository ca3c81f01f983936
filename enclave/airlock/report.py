"""What the checker says about one file: a verdict and its findings (korea.md R47).

The JSON comes from a process that has just read hostile bytes, so it is read back strictly: unknown fields, wrong
types, over-long texts and a verdict that does not follow from the findings are refused, never repaired.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

MAX_FINDINGS = 200
MAX_REPAIRS = 8
MAX_TEXT = 600
MAX_EVIDENCE, MAX_EVIDENCE_ROWS, MAX_EVIDENCE_CELLS = 8, 4_000, 40_000


class Severity(StrEnum):
    """How grave one finding is."""

    WARN = "WARN"
    BLOCK = "BLOCK"


class Verdict(StrEnum):
    """What the report says about the whole file: its gravest finding."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    WARN = "WARN"
    BLOCK = "BLOCK"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule that was hit, where, and a sample that never shows the value (first character, then ``***``).

    ``repairs``: ids of the one-step repairs that may mend it (``round``, ``rasterise`` …); a hint, not a promise.
    """

    rule: str
    severity: Severity
    ko: str
    en: str
    place: str = ""
    sample: str = ""
    repairs: tuple[str, ...] = ()


class Status(StrEnum):
    """What the system's own work says about what was submitted; ``none``: it could not be done."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the system found out itself, beyond the file: ``kind`` (``recompute`` …) and a table of texts.

    The first of ``rows`` is the head. For checkers only: it holds what was recomputed, also of cells that are hidden.
    """

    kind: str
    title_ko: str
    title_en: str
    status: Status
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """The report on one file. ``rows``, ``columns``: of a table's body. ``sealed``: the barriers that held."""

    name: str
    sha256: str
    kind: str
    findings: tuple[Finding, ...] = ()
    rows: int | None = None
    columns: int | None = None
    sealed: tuple[str, ...] = field(default=())
    evidence: tuple[Evidence, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gravest finding; PASS when there is none."""
        severities = {finding.severity for finding in self.findings}
        if Severity.BLOCK in severities:
            return Verdict.BLOCK
        return Verdict.WARN if severities else Verdict.PASS

    def with_more(self, findings: Sequence[Finding], evidence: Sequence[Evidence]) -> FileReport:
        """Return the report with further findings and evidence, within what a report may hold; the gravest stay."""
        both = sorted((*findings, *self.findings), key=lambda one: one.severity is not Severity.BLOCK)
        shown = (*evidence, *self.evidence)[:MAX_EVIDENCE]
        return replace(self, findings=tuple(both[:MAX_FINDINGS]), evidence=shown)

    def to_json(self) -> str:
        """Return the report as one JSON object; `from_json` gives back an equal report."""
        return json.dumps({"verdict": self.verdict, **asdict(self)}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> FileReport:
        """Read what `to_json` wrote. Raises `ValueError` for anything else."""
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("a report is one JSON object")  # noqa: TRY004 - one error type for a bad document
        verdict = found.pop("verdict", None)
        findings = found.pop("findings", None)
        if not isinstance(findings, list) or len(findings) > MAX_FINDINGS:
            raise ValueError("findings must be a list of bounded length")
        report = cls(
            findings=tuple(_finding(one) for one in findings),
            sealed=tuple(_text(one) for one in found.pop("sealed", [])),
            evidence=read_evidence(found.pop("evidence", [])),
            rows=_count(found.pop("rows", None)),
            columns=_count(found.pop("columns", None)),
            **_texts(found, ("name", "sha256", "kind")),
        )
        if verdict != report.verdict:
            raise ValueError(f"the verdict {verdict!r} does not follow from the findings")
        return report


def read_evidence(found: object) -> tuple[Evidence, ...]:
    """Read evidence from what JSON gave. Raises `ValueError` for anything that is not bounded texts."""
    if not isinstance(found, list) or len(found) > MAX_EVIDENCE:
        raise ValueError("evidence must be a list of bounded length")
    return tuple(_evidence(one) for one in found)


def _evidence(found: object) -> Evidence:
    if not isinstance(found, dict):
        raise ValueError("evidence is one JSON object")  # noqa: TRY004 - one error type for a bad document
    status, rows = Status(found.pop("status", None)), found.pop("rows", None)
    if not isinstance(rows, list) or len(rows) > MAX_EVIDENCE_ROWS or any(not isinstance(row, list) for row in rows):
        raise ValueError("evidence is a table of bounded length")
    if sum(map(len, rows)) > MAX_EVIDENCE_CELLS:
        raise ValueError("evidence has too many cells")
    table = tuple(tuple(_text(cell) for cell in row) for row in rows)
    return Evidence(status=status, rows=table, **_texts(found, ("kind", "title_ko", "title_en")))


def _finding(found: object) -> Finding:
    if not isinstance(found, dict):
        raise ValueError("a finding is one JSON object")  # noqa: TRY004 - one error type for a bad document
    severity = Severity(found.pop("severity", None))
    repairs = found.pop("repairs", [])  # reports of earlier versions have none
    if not isinstance(repairs, list) or len(repairs) > MAX_REPAIRS:
        raise ValueError("repairs must be a list of bounded length")
    texts = _texts(found, ("rule", "ko", "en", "place", "sample"))
    return Finding(severity=severity, repairs=tuple(_text(one) for one in repairs), **texts)


def _texts(found: Mapping[str, object], names: tuple[str, ...]) -> dict[str, Any]:
    if set(found) != set(names):
        raise ValueError(f"expected the fields {sorted(names)}, got {sorted(found)}")
    return {name: _text(found[name]) for name in names}


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError("a text field must be a string of bounded length")
    return value


def _count(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a count must be a whole number")
    return value
