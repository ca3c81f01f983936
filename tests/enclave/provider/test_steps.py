"""A policy's steps on the real database: two persons, a whole replay, the very version, rounds that keep theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DatabaseError

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import egress, provider_policy
from enclave.commands.acting import intent
from enclave.commands.provider_policy import Replayed
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound
from enclave.model.egress import RequestRound
from enclave.policy.provider import who
from enclave.policy.provider.document import default
from enclave.policy.provider.who import PolicyFacts, ProviderFacts
from enclave.queries import policy_versions
from enclave.queries import provider_policy as queries
from enclave.queries.airlock_facts import facts, load_request
from enclave.queries.policy_versions import PolicyView
from enclave.states import Decision, PolicyState
from tests.enclave.provider.policies import policy
from tests.enclave.scene import NOW, Scene

STRICT = policy(min_cell=20, recomputed=2, standard=3, working_days=3)


def proposed(scene: Scene, document: object = STRICT, login: str = "steward-a") -> PolicyView:
    text = document if isinstance(document, str) else document.canonical()  # type: ignore[attr-defined]
    return provider_policy.propose(
        scene.store, scene.actor(login), provider="hospital-a", text=text, reason="소수 집단 보호", now=NOW
    )


def replayed(scene: Scene, policy_id: str, *, flips: bool = False) -> PolicyView:
    found = [
        Replayed(each.request_id, each.round, each.document.sha256, flips, {})
        for each in policy_versions.due(scene.store, policy_id)
    ]
    return provider_policy.record_replay(scene.store, Actor.system(), policy_id=policy_id, found=found, now=NOW)


def activated(scene: Scene, found: PolicyView, login: str = "owner", **changes: object) -> PolicyView:
    actor = replace(scene.actor(login), **changes)  # type: ignore[arg-type]
    return provider_policy.activate(scene.store, actor, policy_id=found.id, sha256=found.sha256, now=NOW)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(EnclaveError) as refused:
        act()
    return refused.value.code


def round_of(scene: Scene, request_id: str) -> RequestRound:
    with scene.store.read() as session:
        return load_request(session, request_id).rounds[-1]


def test_a_policy_is_proposed_replayed_and_put_into_force_by_two_persons(scene: Scene) -> None:
    made = proposed(scene)
    assert (made.number, made.state, made.missing) == (2, PolicyState.PROPOSED, 0)
    assert [each.name for each in made.changes] == ["min_cell", "recomputed", "standard", "working_days"]
    made = replayed(scene, made.id)
    assert made.state is PolicyState.REPLAYED
    made = activated(scene, made)
    assert (made.state, made.proposed_by, made.activated_by) == (PolicyState.ACTIVE, "steward-a", "owner")
    again = activated(scene, replayed(scene, proposed(scene, policy(min_cell=12)).id))
    with scene.store.read() as session:
        assert queries.active(session, "hospital-a").number == again.number == 3
        assert queries.active(session, "hospital-b").document == default()
        assert queries.load_policy(session, made.id).state is PolicyState.SUPERSEDED


def test_every_step_is_one_entry_that_names_the_version_and_no_text(scene: Scene) -> None:
    with scene.new_entries() as entries:
        made = proposed(scene)
        activated(scene, replayed(scene, made.id))
    assert [each["action"] for each in entries] == ["policy.propose", "policy.replay", "policy.activate"]
    assert {each["object"]["sha256"] for each in entries} == {made.sha256}  # type: ignore[index]
    assert "소수 집단" not in str(entries)


@pytest.mark.parametrize(
    "login", ["lead", "scientist", "steward-b", "steward-own", "operator", "auditor", "checker-a", "owner"]
)
def test_only_a_data_steward_of_the_provider_proposes(shared: Scene, login: str) -> None:
    assert refusal(lambda: proposed(shared, login=login)) in {"role.missing", "policy.other-provider"}


@pytest.mark.parametrize("login", ["lead", "scientist", "steward-b", "steward-own", "operator", "auditor", "checker-a"])
def test_nobody_of_the_company_or_the_platform_puts_a_policy_into_force(shared: Scene, login: str) -> None:
    made = replayed(shared, proposed(shared, policy(max_rows=500)).id)
    assert refusal(lambda: activated(shared, made, login)) in {"role.missing", "policy.other-provider"}


def test_who_proposed_it_cannot_put_it_into_force(shared: Scene) -> None:
    made = replayed(shared, proposed(shared).id)
    assert refusal(lambda: activated(shared, made, "steward-a")) == "policy.two-person"


def test_a_policy_is_not_put_into_force_without_a_fresh_second_factor(shared: Scene) -> None:
    made = replayed(shared, proposed(shared).id)
    for at in (None, NOW - timedelta(minutes=6), NOW + timedelta(minutes=1)):
        assert refusal(lambda at=at: activated(shared, made, second_factor_at=at)) == "second-factor.stale"


def test_the_console_and_the_system_are_no_persons_of_a_provider(shared: Scene) -> None:
    made = replayed(shared, proposed(shared).id)
    for actor in (Actor.console(), Actor.system()):
        with pytest.raises(Denied):
            provider_policy.activate(shared.store, actor, policy_id=made.id, sha256=made.sha256, now=NOW)
    with pytest.raises(Denied):
        provider_policy.record_replay(shared.store, shared.actor("steward-a"), policy_id=made.id, found=[], now=NOW)


def test_nobody_sets_the_policy_of_data_that_they_use_themselves(shared: Scene) -> None:
    """Roles keep stewards out of projects already; the rule does not rely on it."""
    owner, steward = shared.actor("owner"), shared.actor("steward-a")
    provider = ProviderFacts("hospital-a", frozenset({owner.account_id, steward.account_id}))
    about = PolicyFacts("y-1", provider, PolicyState.REPLAYED, "somebody-else", 0)
    assert refusal(lambda: who.check_may_activate(owner, about)) == "policy.own-case"
    assert refusal(lambda: who.check_may_propose(steward, provider)) == "policy.own-case"
    shared.usual()
    with shared.store.read() as session:
        users = queries.provider_facts(session, "hospital-a").users
    assert {shared.actor(login).account_id for login in ("lead", "scientist", "colleague")} <= users


def test_nothing_is_put_into_force_before_every_decided_round_was_replayed(scene: Scene) -> None:
    scene.approved_request(scene.active())
    made = proposed(scene)
    assert made.missing == 1
    assert refusal(lambda: activated(scene, made)) == "policy.not-replayed"
    made = provider_policy.record_replay(scene.store, Actor.system(), policy_id=made.id, found=[], now=NOW)
    assert made.state is PolicyState.PROPOSED
    assert activated(scene, replayed(scene, made.id)).state is PolicyState.ACTIVE


def test_what_was_decided_since_is_replayed_too_and_nothing_else(scene: Scene) -> None:
    project = scene.active()
    first = scene.approved_request(project)
    made = replayed(scene, proposed(scene).id)
    second = scene.submitted(project, scene.checked("가,수\n나,77\n", "second.csv"))
    scene.vote("checker-a", second, Decision.RETURN)
    assert refusal(lambda: activated(scene, made)) == "policy.replay-stale"
    assert [each.request_id for each in policy_versions.due(scene.store, made.id)] == [second]
    made = replayed(scene, made.id)
    assert {each.request_id for each in made.replays} == {first, second}
    assert activated(scene, made).state is PolicyState.ACTIVE


def test_a_version_other_than_the_one_that_was_shown_is_not_put_into_force(shared: Scene) -> None:
    made = replayed(shared, proposed(shared).id)
    forged = replace(made, sha256=default().sha256)
    assert refusal(lambda: activated(shared, forged)) == "policy.swapped"
    assert refusal(lambda: activated(shared, replace(made, id="y-none"))) == "policy.unknown"


def test_the_database_refuses_to_change_a_text_that_is_kept(shared: Scene) -> None:
    made = replayed(shared, proposed(shared).id)
    for statement in (
        "UPDATE policy_text SET text = :text WHERE sha256 = :sha256",
        "DELETE FROM policy_text WHERE sha256 = :sha256 OR text = :text",
    ):
        with pytest.raises((DatabaseError, EnclaveError)), shared.store.write(_event(made)) as tx:
            tx.session.execute(sql(statement), {"text": default().canonical(), "sha256": made.sha256})
    assert policy_versions.policy(shared.store, shared.actor("owner"), made.id).text == STRICT.canonical()


def test_a_text_that_was_swapped_beneath_its_name_is_not_put_into_force(shared: Scene) -> None:
    """Not even whoever writes the database: a row under another hash, which no text of that hash stands behind."""
    made = replayed(shared, proposed(shared, policy(min_cell=30)).id)
    with shared.store.write(_event(made)) as tx:
        values = {"sha256": "f" * 64, "text": policy(min_cell=5).canonical()}
        there = tx.session.execute(sql("SELECT 1 FROM policy_text WHERE sha256 = :sha256"), {"sha256": "f" * 64}).all()
        if not there:
            tx.session.execute(sql("INSERT INTO policy_text (sha256, text) VALUES (:sha256, :text)"), values)
        statement = sql("UPDATE provider_policy SET sha256 = :sha256 WHERE id = :id")
        tx.session.execute(statement, {"sha256": "f" * 64, "id": made.id})
    assert refusal(lambda: activated(shared, made)) == "policy.swapped"
    assert refusal(lambda: activated(shared, replace(made, sha256="f" * 64))) == "policy.forged"
    with shared.store.write(_event(made)) as tx:
        tx.session.execute(
            sql("UPDATE provider_policy SET sha256 = :sha256 WHERE id = :id"), {"sha256": made.sha256, "id": made.id}
        )


def test_a_proposal_below_the_floor_is_no_proposal(shared: Scene) -> None:
    text = default().canonical().replace("min_cell = 10", "min_cell = 4")
    assert refusal(lambda: proposed(shared, text)) == "policy.floor"
    assert refusal(lambda: proposed(shared, "min_cell = 5")) == "policy.format"


def test_a_proposal_that_changes_nothing_is_refused(shared: Scene) -> None:
    with pytest.raises(Conflict, match="같은"):
        proposed(shared, default())


def test_a_proposal_is_withdrawn_by_the_provider_and_comes_to_nothing(shared: Scene) -> None:
    made = replayed(shared, proposed(shared).id)
    with pytest.raises(Denied):
        provider_policy.withdraw(shared.store, shared.actor("steward-b"), policy_id=made.id, now=NOW)
    gone = provider_policy.withdraw(shared.store, shared.actor("steward-a"), policy_id=made.id, now=NOW)
    assert gone.state is PolicyState.WITHDRAWN
    assert refusal(lambda: activated(shared, made)) == "state.transition"
    assert refusal(lambda: replayed(shared, made.id)) == "state.transition"


def test_an_organisation_without_data_has_no_policy(shared: Scene) -> None:
    with pytest.raises(NotFound):
        provider_policy.propose(
            shared.store, shared.actor("steward-own"), provider="startup", text=STRICT.canonical(), reason="x", now=NOW
        )


def test_a_round_is_frozen_with_the_policy_it_was_submitted_under_and_decided_by_it(scene: Scene) -> None:
    project = scene.active()
    before = scene.submitted(project)
    activated(scene, replayed(scene, proposed(scene).id))
    after = scene.submitted(project, scene.checked("가,수\n나,77\n", "second.csv"))
    old, new = round_of(scene, before), round_of(scene, after)
    assert (old.policy_version, old.reviewers_needed) == (default().sha256, 2)
    assert (new.policy_version, new.reviewers_needed) == (STRICT.sha256, 3)
    assert (old.policy_parts, new.policy_parts) == ({"hospital-a": default().sha256}, {"hospital-a": STRICT.sha256})
    assert new.due_at < old.due_at
    for login in ("checker-a", "checker-b"):
        scene.vote(login, before)
        scene.vote(login, after)
    with scene.store.read() as session:
        assert load_request(session, before).state.value == "approved"
        assert load_request(session, after).state.value == "submitted"
        assert facts(load_request(session, after), NOW).rules.standard == 3


def test_a_round_that_is_submitted_again_comes_under_what_is_in_force_then(scene: Scene) -> None:
    project = scene.active()
    made = scene.submitted(project)
    activated(scene, replayed(scene, proposed(scene).id))
    scene.vote("checker-a", made, Decision.RETURN)
    scene.submitted(project, request_id=made)
    assert round_of(scene, made).policy_version == STRICT.sha256


def test_files_that_were_checked_under_another_policy_are_not_asked_for(scene: Scene) -> None:
    checked = replace(scene.checked(), policy=default().sha256)
    form = scene.submission(scene.active(), checked)
    activated(scene, replayed(scene, proposed(scene).id))
    with pytest.raises(Conflict) as refused:
        egress.submit(scene.store, scene.actor("scientist"), submission=form, now=NOW)
    assert refused.value.code == "policy.changed"


def test_pre_flight_says_and_records_which_policy_it_was_made_under(scene: Scene) -> None:
    project = scene.active()
    activated(scene, replayed(scene, proposed(scene).id))
    with scene.new_entries() as entries:
        told = egress.preflight(
            scene.store, scene.actor("scientist"), project_id=project, files=[scene.checked()], now=NOW
        )
    assert told.policy.as_json() == {
        "sha256": STRICT.sha256,
        "min_cell": 20,
        "versions": [{"provider": "hospital-a", "number": 2, "sha256": STRICT.sha256}],
    }
    assert entries[0]["details"]["policy"] == STRICT.sha256  # type: ignore[index]


def test_a_request_from_before_policies_were_kept_is_decided_as_it_was(scene: Scene) -> None:
    made = scene.submitted(scene.active())
    with scene.store.write(intent(Action.EGRESS_VIEW, Actor.system(), ("egress_request", made))) as tx:
        row = load_request(tx.session, made).rounds[-1]
        row.policy_version = row.policy_parts = None
    activated(scene, replayed(scene, proposed(scene).id))
    scene.vote("checker-a", made)
    scene.vote("checker-b", made)
    with scene.store.read() as session:
        assert load_request(session, made).state.value == "approved"


def test_an_invalid_file_names_its_key(shared: Scene) -> None:
    with pytest.raises(Invalid, match=r"checks\.surprise"):
        proposed(shared, default().canonical().replace("[checks]", "[checks]\nsurprise = 1"))


def _event(made: PolicyView) -> object:
    return intent(Action.POLICY_PROPOSE, Actor.system(), ("policy", made.id))
