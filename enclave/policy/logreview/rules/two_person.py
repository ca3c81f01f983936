"""Four eyes that are really two: an author who judges, or always the same pair (audit-log.md §8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from enclave.actions import Action
from enclave.clock import KST
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.window import Window

JUDGED = frozenset({Action.EGRESS_APPROVE.value, Action.EGRESS_REVIEW.value})
# Fewer people than this cannot but be the same; fewer requests than this say nothing.
FEWEST_CHECKERS, FEWEST_REQUESTS = 3, 5


def find(window: Window) -> Iterator[Hit]:
    """Yield judgements of one's own request, and pairs with more than `pair_percent` of a project's month."""
    authors = dict(window.facts.authors)
    months: dict[tuple[str, str], dict[str, list[Line]]] = {}
    for line in window.all(JUDGED | {Action.EGRESS_SUBMIT.value}):
        if not line.is_done:
            continue
        if line.action == Action.EGRESS_SUBMIT.value:
            authors[line.object_id] = line.actor
            continue
        if authors.get(line.object_id) == line.actor and line.index >= window.start:
            yield hit(Rule.TWO_PERSON, "own", [line], request=line.object_id)
        month = f"{line.at.astimezone(KST):%Y-%m}"
        months.setdefault((line.project, month), {}).setdefault(line.object_id, []).append(line)
    for (project, month), judged in months.items():
        yield from _pairs(window, project, month, judged)


def _pairs(window: Window, project: str, month: str, judged: dict[str, list[Line]]) -> Iterator[Hit]:
    everything = [line for lines in judged.values() for line in lines]
    few = window.facts.checkers.get(project, FEWEST_CHECKERS) < FEWEST_CHECKERS
    if few or len(judged) < FEWEST_REQUESTS or max(line.index for line in everything) < window.start:
        return
    by_pair: Counter[tuple[str, str]] = Counter()
    for lines in judged.values():
        by_pair.update(combinations(sorted({line.actor for line in lines}), 2))
    for pair, count in by_pair.items():
        if count * 100 > len(judged) * window.limits_of(project).pair_percent:
            lines = sorted((line for line in everything if line.actor in pair), key=lambda line: line.index)
            share = count * 100 // len(judged)
            yield hit(
                Rule.TWO_PERSON, "pair", lines, actor=pair[0],
                about=pair[1], other=pair[1], percent=share,
                requests=len(judged), month=month,
            )  # fmt: skip
