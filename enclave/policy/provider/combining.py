"""A request over several providers' data gets, field by field, the strictest of what they say. Pure.

The strictest of two is the join of a semilattice: order and repetition do not matter, and nothing is ever looser than
any of its parts. Within one provider's data nothing of another's policy counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from enclave.airlock.report import FileReport, Finding, Severity
from enclave.policy.provider.document import PolicyDocument
from enclave.policy.provider.fields import FIELDS, Stricter


@dataclass(frozen=True)
class Difference:
    """One field that two policies say differently. `stricter`: whether the new one protects more."""

    name: str
    old: str
    new: str
    stricter: bool

    @property
    def ko(self) -> str:
        """The difference in Korean words."""
        return f"{FIELDS[self.name].ko}: {self.old} → {self.new} ({'강화' if self.stricter else '완화'})"

    @property
    def en(self) -> str:
        """The difference in English words."""
        return f"{FIELDS[self.name].en}: {self.old} → {self.new} ({'stricter' if self.stricter else 'looser'})"


def strictest(documents: Iterable[PolicyDocument]) -> PolicyDocument:
    """Return the strictest combination of one policy or more; raises `ValueError` for none."""
    given = tuple(documents)
    if not given:
        raise ValueError("there is no strictest of no policy")
    return reduce(_join, given)


def is_as_strict(one: PolicyDocument, other: PolicyDocument) -> bool:
    """Whether no field of `one` is looser than `other`'s."""
    return _join(one, other) == one


def differences(old: PolicyDocument, new: PolicyDocument) -> tuple[Difference, ...]:
    """Return what changes from `old` to `new`, in the order of the file."""
    found = []
    for name in FIELDS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            found.append(Difference(name, _said(before), _said(after), _stricter(name, before, after) == after))
    return tuple(found)


def stopped(report: FileReport, policy: PolicyDocument) -> FileReport:
    """Return the report with the warnings that this policy stops as blocks."""
    return replace(report, findings=stopped_findings(report.findings, policy))


def stopped_findings(findings: Iterable[Finding], policy: PolicyDocument) -> tuple[Finding, ...]:
    """Return the findings, those of the rules in `block` as blocks."""
    return tuple(replace(each, severity=Severity.BLOCK) if each.rule in policy.block else each for each in findings)


def _join(one: PolicyDocument, other: PolicyDocument) -> PolicyDocument:
    return PolicyDocument(**{name: _stricter(name, getattr(one, name), getattr(other, name)) for name in FIELDS})


def _stricter(name: str, one: object, other: object) -> Any:
    match FIELDS[name].stricter, one, other:
        case Stricter.MORE, tuple(), tuple():
            return tuple(sorted({*one, *other}))
        case Stricter.HIGHER, int(), int():
            return max(one, other)
        case Stricter.LOWER, int(), int():
            return min(one, other)
    raise TypeError(name)


def _said(value: object) -> str:
    return (", ".join(value) or "–") if isinstance(value, tuple) else f"{value:,}"
