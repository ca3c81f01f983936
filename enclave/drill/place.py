"""What an attack from outside has to work with: the running enclave, the drill's workspaces, and a kernel in one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from enclave.drill.ground import Canaries
from enclave.drill.hub import Door
from enclave.drill.kernel import Kernel
from enclave.settings import Settings
from enclave.workspace.barriers.barrier import Outcome
from enclave.workspace.plan import WorkspacePlan

Verdict = tuple[Outcome, str]
Attack = Callable[["Place"], Verdict]
ATTACKS: dict[str, Attack] = {}


@dataclass
class Place:
    """The drill's workspace `login` and its neighbour, both running; tokens are those of their notebook servers."""

    settings: Settings
    door: Door
    canaries: Canaries
    login: str
    neighbour: str
    plan: WorkspacePlan
    neighbour_plan: WorkspacePlan
    kernel: Kernel
    token: str = field(repr=False)
    neighbour_token: str = field(repr=False)
    # What an attack has shown about others on the way (the neighbour's work is judged at the end).
    notes: dict[str, Any] = field(default_factory=dict)


def attack(barrier: str) -> Callable[[Attack], Attack]:
    """Put a function down as the attack on this barrier."""

    def keep(work: Attack) -> Attack:
        ATTACKS[barrier] = work
        return work

    return keep


def held(evidence: str) -> Verdict:
    """Say that the attack failed, and what shows it."""
    return Outcome.HELD, evidence


def broken(evidence: str) -> Verdict:
    """Say that the attack succeeded, or failed for another reason than the barrier."""
    return Outcome.BROKEN, evidence


def untestable(reason: str) -> Verdict:
    """Say that this place lacks what the attack needs."""
    return Outcome.UNTESTABLE, reason


def judged(answers: dict[str, object], good: Callable[[object], bool], *, most: int = 6) -> Verdict:
    """Held if every answer is a good one; the evidence counts them, or names those that are not."""
    wrong = {what: answer for what, answer in answers.items() if not good(answer)}
    if wrong or not answers:
        return broken("; ".join(f"{what}: {answer}" for what, answer in list(wrong.items())[:most]) or "nothing tried")
    counts: dict[str, int] = {}
    for answer in answers.values():
        counts[str(answer)] = counts.get(str(answer), 0) + 1
    return held(
        f"{len(answers)} attempts: {', '.join(f'{count} × {answer}' for answer, count in sorted(counts.items()))}"
    )
