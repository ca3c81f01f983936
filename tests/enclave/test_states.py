"""The tables of states: complete, drawn in the manual, spoken in both languages; and roles that never meet."""

from __future__ import annotations

from enum import StrEnum
from itertools import combinations
from pathlib import Path

import pytest

from enclave import states
from enclave.errors import Conflict
from enclave.roles import FORBIDDEN_PAIRS, LABELS, RIGHT_OF, Right, Role

REFERENCE = Path(__file__).parents[2] / "docs/reference"
STARTS = {
    "project": "draft",
    "airlock": "draft",
    "airlock-phase": "author",
    "release": "requested",
    "workspace": "requested",
    "snapshot": "received",
    "text-sample": "open",
    "lease": "waiting",
    "device": "dirty",
    "drill": "requested",
    "policy": "proposed",
    "finding": "raised",
    "period": "open",
    "incident": "open",
}


@pytest.mark.parametrize("name", states.TABLES)
def test_every_state_is_in_its_table_and_the_table_in_the_manual(name):
    table = states.TABLES[name]
    kind = type(next(iter(table)))
    assert set(table) == set(kind)
    start = kind(STARTS[name])
    drawn = states.verb_diagram(states.AIRLOCK, start) if name == "airlock" else states.diagram(table, start)
    assert drawn == (REFERENCE / f"{name}-states.mmd").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", states.TABLES)
def test_every_state_can_be_reached_from_the_first(name):
    table = states.TABLES[name]
    kind = type(next(iter(table)))
    reached, ahead = set(), {kind(STARTS[name])}
    while ahead:
        reached |= ahead
        ahead = {after for state in ahead for after in table[state]} - reached
    assert reached == set(kind)


def test_nothing_but_an_approval_leads_to_a_release():
    steps = [
        (state, verb)
        for state, verbs in states.AIRLOCK.items()
        for verb, after in verbs.items()
        if states.RequestState.RELEASED in after
    ]
    assert steps == [(states.RequestState.APPROVED, states.Verb.RELEASE)]


def test_every_verb_is_used_in_some_state_and_only_a_review_or_its_conclusion_approves():
    assert {verb for verbs in states.AIRLOCK.values() for verb in verbs} == set(states.Verb)
    approves = {
        verb
        for verbs in states.AIRLOCK.values()
        for verb, after in verbs.items()
        if states.RequestState.APPROVED in after
    }
    assert approves - {states.Verb.REASSIGN} == {states.Verb.REVIEW, states.Verb.REVISE, states.Verb.CONCLUDE}


def test_every_state_that_is_not_over_leads_on_and_the_system_closes_what_waits_for_its_author():
    over = {state for state, verbs in states.AIRLOCK.items() if not verbs}
    assert over == states.SETTLED - {states.RequestState.RELEASED}
    waits = {states.RequestState.DRAFT, states.RequestState.RETURNED, states.RequestState.APPROVED}
    assert [state for state in waits if states.Verb.EXPIRE not in states.AIRLOCK[state]] == []


def test_every_state_and_vote_has_a_korean_and_an_english_word():
    kinds = [kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, StrEnum)]
    for kind in kinds:
        if kind is not StrEnum:
            assert [state for state in kind if not all(states.label(state))] == []


def test_a_step_that_is_not_in_the_table_is_a_conflict_that_names_both_states():
    with pytest.raises(Conflict) as refused:
        states.check_transition(
            states.targets(states.AIRLOCK), states.RequestState.REJECTED, states.RequestState.APPROVED, "e-1"
        )
    assert (refused.value.code, "반려" in refused.value.ko, "승인" in refused.value.ko) == (
        "state.transition",
        True,
        True,
    )


FREE_PAIRS = {
    frozenset({Role.SCIENTIST, Role.PROJECT_LEAD}),
    frozenset({Role.DATA_STEWARD, Role.OUTPUT_CHECKER}),
}


def test_every_two_roles_but_the_free_pairs_are_forbidden_together():
    every = {frozenset(pair) for pair in combinations(Role, 2)}
    assert every - FORBIDDEN_PAIRS == FREE_PAIRS


def test_nobody_can_hold_data_access_and_mapping_access_or_operator_and_checker():
    assert frozenset({Role.SCIENTIST, Role.ASSET_OWNER}) in FORBIDDEN_PAIRS
    assert frozenset({Role.DATA_STEWARD, Role.ASSET_OWNER}) in FORBIDDEN_PAIRS
    assert frozenset({Role.OPERATOR, Role.OUTPUT_CHECKER}) in FORBIDDEN_PAIRS
    assert all(frozenset({Role.AUDITOR, other}) in FORBIDDEN_PAIRS for other in Role if other is not Role.AUDITOR)


def test_every_role_has_a_right_and_a_name():
    assert (set(RIGHT_OF), set(LABELS)) == (set(Role), set(Role))
    assert set(RIGHT_OF.values()) == set(Right)
