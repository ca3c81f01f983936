"""Findings that a reviewer can settle with one reason: those of one rule, as one form of the period's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enclave.commands.findings_together import SomeRefused
from enclave.errors import EnclaveError
from enclave.policy.logreview.hit import Rule
from enclave.portal.forms import Form
from enclave.queries.logreview import FindingView
from enclave.states import FindingState

SETTLES = frozenset({"accept", "escalate"})


@dataclass(frozen=True)
class Group:
    """Findings of one rule; `chosen`: those ticked, `text`: the reason typed, where the form was refused before."""

    rule: Rule
    name: tuple[str, str]
    findings: tuple[FindingView, ...]
    chosen: frozenset[str] = frozenset()
    text: str = ""

    @property
    def may(self) -> frozenset[str]:
        """What can be done to at least one of them: `accept`, `escalate`."""
        return frozenset().union(*(each.may for each in self.findings)) & SETTLES


def groups(listed: Sequence[FindingView], sent: Form | None, error: EnclaveError | None) -> tuple[Group, ...]:
    """Return the groups of two or more; `sent`, `error`: the form that was refused, so that nothing typed is lost."""
    settled = [each for each in listed if each.may & SETTLES]
    ticked = frozenset(sent.many("finding")) if sent else frozenset()
    refused = frozenset(error.refused) if isinstance(error, SomeRefused) else frozenset()
    found = []
    for rule in dict.fromkeys(each.rule for each in settled):
        own = tuple(each for each in settled if each.rule is rule)
        chosen = frozenset(each.id for each in own) & ticked
        # What cannot be settled so is no longer ticked: sent again, the rest is done.
        text = sent.text("text") if sent and chosen else ""
        if len(own) > 1:
            found.append(Group(rule, own[0].name, own, chosen - refused, text))
    return tuple(found)


def refusals(listed: Sequence[FindingView], error: EnclaveError | None) -> list[tuple[FindingView, EnclaveError]]:
    """Return which finding was refused, and why."""
    if not isinstance(error, SomeRefused):
        return []
    return [(each, error.refused[each.id]) for each in listed if each.id in error.refused]


def explained(finding: FindingView) -> str:
    """Return the last explanation of a finding; nothing where it has none."""
    said = [each.text for each in finding.texts if each.part is FindingState.ANSWERED]
    return said[-1] if said else ""
