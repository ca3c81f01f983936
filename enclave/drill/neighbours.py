"""Judging an attack by what the neighbour could do meanwhile: a limit that took others' share did not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from enclave.workspace.barriers.barrier import Outcome

# Between two ticks of 0.2 s, on a machine that is busy with the attack itself.
LONGEST_GAP_S = 8.0


@dataclass(frozen=True)
class Work:
    """The neighbour's ticks and failures, by the clock that all workspaces of a host share; its user id."""

    ticks: Sequence[float]
    failures: Sequence[tuple[float, str]]
    uid: int

    def failed(self, began: float, ended: float) -> list[str]:
        """Return what the neighbour could not have between two moments."""
        return [what for at, what in self.failures if began <= at <= ended]

    def gap(self, began: float, ended: float) -> float:
        """Return the longest time without a tick that touches the time between two moments."""
        gaps = [after - before for before, after in pairwise(self.ticks) if after >= began and before <= ended]
        if not self.ticks or self.ticks[-1] < ended - LONGEST_GAP_S:
            return float("inf")
        return max(gaps, default=float("inf"))


def judged(outcome: Outcome, evidence: str, work: Work, began: float, ended: float) -> tuple[Outcome, str]:
    """Return the outcome of an attack on resources together with the neighbour's: held only if it worked on."""
    failed, gap = work.failed(began, ended), work.gap(began, ended)
    if failed:
        return Outcome.BROKEN, f"{evidence}; the neighbour failed {len(failed)} times: {failed[0]}"
    if gap > LONGEST_GAP_S:
        return Outcome.BROKEN, f"{evidence}; the neighbour stood still for {gap:.1f} s"
    return outcome, f"{evidence}; the neighbour worked on (longest pause {gap:.1f} s)"
