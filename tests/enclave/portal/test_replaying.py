"""A proposed policy is replayed on what was decided: real files, the sealed checker, kills included."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enclave import clock
from enclave.actor import Actor
from enclave.commands import provider_policy, reviewing
from enclave.commands.ballot import Ballot, Judgements
from enclave.commands.sighting import record_shown
from enclave.errors import Conflict
from enclave.policy.provider.document import PolicyDocument
from enclave.portal import replaying
from enclave.queries import policy_versions as versions
from enclave.queries.airlock_facts import load_request, present_files
from enclave.queries.policy_versions import PolicyView
from enclave.states import Decision, FileVote, PolicyState
from tests.enclave.portal.world import SMALL, TABLE, World
from tests.enclave.provider.policies import policy


def decided(world: World, request_id: str, decision: Decision = Decision.APPROVE) -> str:
    """Both checkers look at everything and give their word; a return needs one of them."""
    now, words = clock.now(), Judgements("목적에 맞음", "식별 가능성 없음", "안전조치 확인")
    with world.store.read() as session:
        found = load_request(session, request_id)
        number, content, files = found.round, found.content_sha256, [file.id for file in present_files(found)]
    for login in ("dahye", "woojin") if decision is Decision.APPROVE else ("dahye",):
        actor = replace(world.actor(login), second_factor_at=now)
        for file_id in files:
            record_shown(world.store, actor, request_id=request_id, file_id=file_id, units=1, now=now)
        votes = dict.fromkeys(files, FileVote.APPROVE) if decision is Decision.APPROVE else {}
        ballot = Ballot(decision, number, content, "output-checked", words, "확인", votes)
        reviewing.decide(world.store, actor, request_id=request_id, vote=ballot, now=now)
    return request_id


def proposed(world: World, document: PolicyDocument) -> PolicyView:
    text = document.canonical()
    return provider_policy.propose(
        world.store, world.actor("suyeon"), provider="bitgoeul", text=text, reason="소수 보호", now=clock.now()
    )


def look(world: World, policy_id: str) -> PolicyView:
    return versions.policy(world.store, world.actor("yerin"), policy_id)


@pytest.fixture
def history(world: World) -> dict[str, str]:
    """A table that left, whose smallest count is 60, and one with a count of 3 that was sent back."""
    return {
        "left": decided(world, world.submit({"table.csv": TABLE.encode()})),
        "back": decided(world, world.submit({"small.csv": SMALL.encode()}), Decision.RETURN),
    }


def test_what_left_and_would_be_blocked_is_told_with_rule_and_place(world: World, history: dict[str, str]) -> None:
    made = proposed(world, policy(min_cell=100))
    assert (made.rounds, made.missing) == (2, 2)
    assert replaying.turn(world.portal) == 2
    made = look(world, made.id)
    assert (made.state, made.missing, made.flips) == (PolicyState.REPLAYED, 0, 1)
    [left] = [each for each in made.replays if each.request_id == history["left"]]
    assert left.outcome["flips"] == ["would-block", "more-reviewers"]
    assert (left.outcome["old_reviewers"], left.outcome["new_reviewers"]) == (2, 3)
    [file] = left.outcome["files"]
    assert (file["method"], file["new"], file["by_checker"]) == ("checked", "BLOCK", False)
    assert {"rule": "cell.small", "place": "R2 C3"} in file["rules"]


def test_a_kill_between_two_rounds_loses_nothing_and_repeats_nothing(world: World, history: dict[str, str]) -> None:
    made = proposed(world, policy(min_cell=100))
    assert replaying.replay(world.portal, made.id, seconds=0) == 1
    assert look(world, made.id).state is PolicyState.PROPOSED
    [first] = look(world, made.id).replays
    assert replaying.replay(world.portal, made.id, seconds=0) == 1
    after = look(world, made.id)
    assert (after.state, after.missing) == (PolicyState.REPLAYED, 0)
    assert first in after.replays
    assert replaying.turn(world.portal) == 0


def test_the_same_replay_gives_the_same_outcome(world: World, history: dict[str, str]) -> None:
    one, two = proposed(world, policy(min_cell=100)), proposed(world, policy(min_cell=100))
    replaying.turn(world.portal)
    assert look(world, one.id).replays == look(world, two.id).replays


def test_what_was_sent_back_and_would_pass_is_told(world: World) -> None:
    """A file too long for its policy; the new one allows it."""
    strict = proposed(world, policy(max_rows=10))
    replaying.turn(world.portal)
    actor = replace(world.actor("yerin"), second_factor_at=clock.now())
    provider_policy.activate(world.store, actor, policy_id=strict.id, sha256=strict.sha256, now=clock.now())
    made = decided(world, world.submit({"table.csv": TABLE.encode()}), Decision.RETURN)
    with world.store.write(_nothing(made)) as tx:
        load_request(tx.session, made).files[0].verdict = "BLOCK"
    wide = proposed(world, policy())
    replaying.turn(world.portal)
    [back] = look(world, wide.id).replays
    assert back.request_id == made
    assert "would-pass" in back.outcome["flips"]


def test_a_file_that_is_gone_is_said_to_be_gone(world: World, history: dict[str, str]) -> None:
    with world.store.read() as session:
        [file] = load_request(session, history["left"]).files
    assert world.portal.quarantine.discard(file.sha256)
    made = proposed(world, policy(min_cell=100))
    replaying.turn(world.portal)
    [left] = [each for each in look(world, made.id).replays if each.request_id == history["left"]]
    assert (left.outcome["unknown"], left.outcome["flips"], left.outcome["files"][0]["method"]) == (1, [], "gone")


def test_a_check_that_breaks_off_is_no_flip(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine was short of memory: that says nothing of the policy, and a decision is not said to flip by it."""
    long = ("a,b\n" + "1,2\n" * 4_000_000).encode()
    decided(world, world.submit({"long.csv": long}), Decision.RETURN)
    made, measured = proposed(world, policy(min_cell=100)), replaying.measured

    def short_of_memory(*about: object) -> object:
        found = measured(*about)  # type: ignore[arg-type]
        return replace(found, rules=replace(found.rules, memory_bytes=16 << 20))

    monkeypatch.setattr(replaying, "measured", short_of_memory)
    replaying.turn(world.portal)
    [back] = look(world, made.id).replays
    assert (back.outcome["unknown"], back.outcome["flips"], back.outcome["files"][0]["method"]) == (1, [], "failed")


def test_no_file_is_read_for_a_policy_that_changes_no_check(world: World, history: dict[str, str]) -> None:
    with world.store.read() as session:
        [file] = load_request(session, history["left"]).files
    world.portal.quarantine.discard(file.sha256)
    made = proposed(world, policy(standard=3, working_days=2))
    replaying.turn(world.portal)
    [left] = [each for each in look(world, made.id).replays if each.request_id == history["left"]]
    assert (left.outcome["files"][0]["method"], left.outcome["flips"]) == ("stored", ["more-reviewers"])


def test_a_proposal_that_is_withdrawn_meanwhile_stops_no_chore(world: World, history: dict[str, str]) -> None:
    made = proposed(world, policy(min_cell=100))
    provider_policy.withdraw(world.store, world.actor("suyeon"), policy_id=made.id, now=clock.now())
    assert replaying.turn(world.portal) == 0
    with pytest.raises(Conflict):
        provider_policy.record_replay(world.store, Actor.system(), policy_id=made.id, found=[], now=clock.now())


def _nothing(request_id: str) -> object:
    from enclave.actions import Action
    from enclave.commands.acting import intent

    return intent(Action.EGRESS_VIEW, Actor.system(), ("egress_request", request_id))
