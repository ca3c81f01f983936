"""Every planted attack is found, no honest sequence is stopped; what is reported is true, counted anew."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from enclave.airlock.ledger.cells import Group
from enclave.airlock.ledger.conflicts import Conflict, conflicts, everyone
from enclave.airlock.ledger.image import draw
from tests.enclave.airlock.ledger import suite
from tests.enclave.airlock.ledger.suite import K, Story


def found(story: Story) -> tuple[Conflict, ...]:
    new, old = story.split()
    images = [draw(group, story.people) for group in [*old, everyone(story.people)]]
    return conflicts(new, images, K, people=story.people)


def depends_on(conflict: Conflict, groups: Iterable[Group], people: int) -> int:
    """How many people the reported combination depends on, with the signs that make it fewest."""
    cells = {(each.origin, cell.label): cell.people for each in groups for cell in each.cells}
    sums = []
    for part in conflict.parts:
        vector = np.zeros(people, np.int64)
        for label in part.cells:
            vector[np.array(cells[part.origin, label].to_array())] += 1
        sums.append(vector)
    if conflict.kind == "chain":
        return int(np.count_nonzero(sums[0] - sums[1] - sums[2]))
    return int(np.count_nonzero(sums[0] - sum(sums[1:])))


SMALL = suite.attacks(people=6_000, seeds=range(8))
LARGE = suite.attacks(people=150_000, seeds=range(2))
HONEST = suite.honest(people=6_000, seeds=range(8)) + suite.honest(people=150_000, seeds=range(2))


def test_the_suites_are_as_large_as_promised():
    assert len(SMALL) + len(LARGE) >= 100
    assert len(HONEST) >= 100


@pytest.mark.parametrize("story", SMALL + LARGE, ids=lambda story: f"{story.name}-{story.people}")
def test_a_planted_attack_is_found_and_what_is_reported_is_true(story: Story):
    new, old = story.split()
    reported = found(story)
    assert reported
    for each in reported:
        assert 1 <= each.people < K
        assert depends_on(each, [*new, *old, everyone(story.people)], story.people) == each.people
        assert any(part.new for part in each.parts)


@pytest.mark.parametrize("story", HONEST, ids=lambda story: f"{story.name}-{story.people}")
def test_an_honest_sequence_is_not_stopped(story: Story):
    assert found(story) == ()
