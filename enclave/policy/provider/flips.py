"""What one decided round would have been under another policy, and which differences are worth a person's eye. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from enclave.airlock.report import FileReport, Finding, Severity, Verdict
from enclave.policy.airlock.reviewers import FileFacts, needed
from enclave.policy.provider.document import PolicyDocument
from enclave.policy.provider.fields import FIELDS, WARNINGS
from enclave.states import FileRole, RequestState

SHOWN = 5
CHECKS = tuple(name for name, each in FIELDS.items() if each.section == "checks")


class Flip(StrEnum):
    """In which way a decision would not have come about as it did."""

    WOULD_BLOCK = "would-block"
    WOULD_PASS = "would-pass"  # noqa: S105 - a verdict, not a password
    MORE_REVIEWERS = "more-reviewers"
    FEWER_REVIEWERS = "fewer-reviewers"


class Method(StrEnum):
    """What a file's new verdict was found from."""

    CHECKED = "checked"  # checked again, by the sealed checker
    STORED = "stored"  # no limit that a check depends on differs: the report that was stored, with what now stops
    IMPORT = "import"  # no provider's policy sets what comes in is checked with: the report that was stored
    GONE = "gone"  # the file is no longer kept: it cannot be said
    FAILED = "failed"  # the sealed checker did not come to an end with it now, as it did then: it cannot be said


@dataclass(frozen=True)
class FileReplay:
    """One file. `new` is None where it cannot be said; `by_checker`: another version of the checker says so, too."""

    facts: FileFacts
    name: str
    method: Method
    new: FileReport | None
    recomputed: bool = False
    by_checker: bool = False


@dataclass(frozen=True)
class Round:
    """A decided round: how it ended, under what, and what it was to the rules of reviewers."""

    ended_as: RequestState
    under: PolicyDocument
    overseas: bool
    incoming: bool


@dataclass(frozen=True)
class Outcome:
    """What is kept and shown of one replayed round."""

    decision: str
    old_verdict: str
    new_verdict: str
    old_reviewers: int
    new_reviewers: int
    new_reasons: tuple[str, ...]
    flips: tuple[str, ...]
    unknown: int
    files: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


def same_checks(old: PolicyDocument, new: PolicyDocument) -> bool:
    """Whether every check says the same under both: then a stored report needs no file."""
    return all(getattr(old, name) == getattr(new, name) for name in CHECKS)


def restated(findings: Iterable[Finding], old: PolicyDocument, new: PolicyDocument) -> tuple[Finding, ...]:
    """Return stored findings as the new policy weighs them: what the old one alone stopped is a warning again."""
    return tuple(_weighed(each, old, new) for each in findings)


def outcome(about: Round, files: Sequence[FileReplay], new: PolicyDocument) -> Outcome:
    """Return what the round would have been. A file of which nothing can be said counts as it was."""
    before = [each.facts for each in files]
    after = [_after(each) for each in files]
    more = {"overseas": about.overseas, "incoming": about.incoming}
    old_need = needed(before, about.under.reviewer_rules, **more)
    new_need = needed(after, new.reviewer_rules, **more)
    return Outcome(
        decision=about.ended_as.value,
        old_verdict=_worst(before),
        new_verdict=_worst(after),
        old_reviewers=old_need.reviewers,
        new_reviewers=new_need.reviewers,
        new_reasons=tuple(each.value for each in new_need.reasons),
        flips=tuple(_flips(about, (before, after), (old_need.reviewers, new_need.reviewers))),
        unknown=sum(each.new is None for each in files),
        files=tuple(_told(each) for each in files),
    )


def _flips(
    about: Round, files: tuple[Sequence[FileFacts], Sequence[FileFacts]], reviewers: tuple[int, int]
) -> Iterable[Flip]:
    pairs = [pair for pair in zip(*files, strict=True) if pair[0].role is FileRole.OUTPUT]
    passed = about.ended_as is RequestState.APPROVED
    if passed and any(old.passed and _blocks(new) and not _blocks(old) for old, new in pairs):
        yield Flip.WOULD_BLOCK
    if not passed and any(_blocks(old) for old, _ in pairs) and not any(_blocks(new) for _, new in pairs):
        yield Flip.WOULD_PASS
    if reviewers[1] > reviewers[0]:
        yield Flip.MORE_REVIEWERS
    if reviewers[1] < reviewers[0]:
        yield Flip.FEWER_REVIEWERS


def _after(each: FileReplay) -> FileFacts:
    if each.new is None:
        return each.facts
    return replace(each.facts, kind=each.new.kind, verdict=each.new.verdict, recomputed=each.recomputed)


def _told(each: FileReplay) -> dict[str, Any]:
    """Return what is shown of one file: rules and bare places, no name of a column and no sample."""
    blocks = [found for found in each.new.findings if found.severity is Severity.BLOCK] if each.new is not None else []
    return {
        "file": each.facts.id,
        "name": each.name,
        "method": each.method.value,
        "old": each.facts.verdict.value,
        "new": each.new.verdict.value if each.new is not None else "",
        "by_checker": each.by_checker,
        "rules": [{"rule": found.rule, "place": found.place.partition(" (")[0]} for found in blocks[:SHOWN]],
    }


def _weighed(found: Finding, old: PolicyDocument, new: PolicyDocument) -> Finding:
    severity = found.severity
    if found.rule in old.block and found.rule in WARNINGS:
        severity = Severity.WARN
    if found.rule in new.block:
        severity = Severity.BLOCK
    return replace(found, severity=severity)


def _blocks(file: FileFacts) -> bool:
    return file.verdict is Verdict.BLOCK


def _worst(files: Iterable[FileFacts]) -> str:
    order = list(Verdict)
    return max((file.verdict for file in files), key=order.index, default=Verdict.PASS).value
