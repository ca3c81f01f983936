"""What ends a workspace mid-session, on the real database with a moved clock; freezing, thawing and the grace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest

from enclave import pledge
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import dataset, ends, freeze, people, project, workspace
from enclave.commands.acting import intent
from enclave.errors import Conflict, Denied, EnclaveError, Invalid
from enclave.model.project import ProjectColumn, ProjectMember
from enclave.queries import ends as queries
from enclave.queries import workspace as workspaces
from enclave.queries.people import load_account
from enclave.roles import Role
from enclave.states import ColumnState, FreezeCause, WorkspaceState
from tests.enclave.scene import NOW, Scene

SYSTEM = Actor.system()
HOUR = timedelta(hours=1)


def opened(scene: Scene, made: str, login: str = "scientist") -> str:
    """A running workspace in this project; what other tests of the module left open is closed first."""
    for each in workspaces.mine(scene.store, scene.actor(login)):
        if each.state is WorkspaceState.RUNNING:
            workspace.mark_stopped(scene.store, SYSTEM, workspace_id=each.id, reason="closed", now=NOW)
    start = workspace.request_start(scene.store, scene.means, scene.actor(login), project_id=made, now=NOW)
    name = start.workspace.id
    workspace.mark_started(scene.store, SYSTEM, workspace_id=name, container_id="c", now=NOW)
    return name


def change(scene: Scene, made: str, act: Callable[..., object]) -> None:
    """Bring about what no command does."""
    with scene.store.write(intent(Action.PROJECT_COLUMNS, Actor.console(), ("project", made))) as tx:
        act(tx.session)


def _lose_role(scene: Scene, made: str) -> Callable[[], object]:
    del made
    console = Actor.console()
    people.revoke_role(scene.store, console, login="scientist", role=Role.SCIENTIST, reason="r", now=NOW)
    return lambda: people.grant_role(scene.store, console, login="scientist", role=Role.SCIENTIST, reason="r", now=NOW)


def _lose_membership(scene: Scene, made: str) -> None:
    change(scene, made, lambda session: session.delete(session.get(ProjectMember, (made, "u-scientist"))))


def _lose_column(scene: Scene, made: str) -> None:
    def act(session):
        column = session.query(ProjectColumn).filter_by(project_id=made, column_name="age").one()
        column.state = ColumnState.REJECTED

    change(scene, made, act)


def _lose_all_columns(scene: Scene, made: str) -> None:
    def act(session):
        for column in session.query(ProjectColumn).filter_by(project_id=made):
            column.state = ColumnState.REJECTED

    change(scene, made, act)


def _account(field: str, value: object) -> Callable[[Scene, str], Callable[[], object]]:
    def prepare(scene: Scene, made: str) -> Callable[[], object]:
        def put(to: object) -> None:
            change(scene, made, lambda session: setattr(load_account(session, "scientist"), field, to))

        put(value)
        return lambda: put(None)

    return prepare


def _nothing(_scene: Scene, _made: str) -> None:
    pass


@dataclass(frozen=True)
class Case:
    name: str
    prepare: Callable[[Scene, str], Callable[[], object] | None]
    after: timedelta
    code: str
    state: WorkspaceState
    cause: FreezeCause | None = None


STOPPED, FROZEN = WorkspaceState.STOPPED, WorkspaceState.FROZEN
CASES = [
    Case("last day over", _nothing, timedelta(days=38), "project.expired", FROZEN, FreezeCause.PERIOD),
    Case("role revoked", _lose_role, HOUR, "role.missing", STOPPED),
    Case("no longer a member", _lose_membership, HOUR, "project.not-member", STOPPED),
    Case("a column taken away", _lose_column, HOUR, "workspace.columns-changed", STOPPED),
    Case("all columns taken away", _lose_all_columns, HOUR, "workspace.no-columns", STOPPED),
    Case("account locked", _account("locked_at", NOW), HOUR, "account.locked", STOPPED),
    Case("account's last day", _account("ends_on", date(2026, 11, 24)), 13 * HOUR, "account.closed", FROZEN,
         FreezeCause.ACCOUNT),
    Case("longest visit", _nothing, 12 * HOUR, "workspace.expired", STOPPED),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_over_ends_a_running_workspace_with_an_entry_that_says_why(shared: Scene, case: Case) -> None:
    made = shared.active()
    name = opened(shared, made)
    assert name not in dict(queries.must_end(shared.store, now=NOW + timedelta(minutes=1)))
    undo = case.prepare(shared, made)
    now = NOW + case.after
    try:
        assert dict(queries.must_end(shared.store, now=now))[name].code == case.code
        with shared.new_entries() as entries:
            ended = ends.enforce(shared.store, SYSTEM, workspace_id=name, now=now)
    finally:
        if undo:
            undo()
    assert (ended.state, ended.reason) == (case.state, case.code)
    (entry,) = entries
    assert (entry["action"], entry["reason"]["code"], entry["project"]) == ("workspace.enforce", case.code, made)
    with shared.store.read() as session:
        row = workspaces.load_workspace(session, name)
        assert row.freeze_cause is case.cause


def test_the_minute_before_the_last_day_is_over_nothing_ends(shared: Scene) -> None:
    made = shared.active(ends_on=date(2026, 11, 24))
    name = opened(shared, made)
    midnight = datetime(2026, 11, 24, 15, 0, tzinfo=NOW.tzinfo)  # in Seoul
    before = dict(queries.must_end(shared.store, now=midnight - timedelta(seconds=1)))
    assert name not in before or before[name].cause is None
    assert dict(queries.must_end(shared.store, now=midnight))[name].cause is FreezeCause.PERIOD


def test_a_snapshot_that_is_withdrawn_and_a_pledge_whose_text_changed_stop_what_runs(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = opened(scene, scene.active())
    with monkeypatch.context() as patch:
        patch.setattr(pledge, "CURRENT", replace(pledge.CURRENT, version="99", ko=pledge.CURRENT.ko + " 덧붙임"))
        assert dict(queries.must_end(scene.store, now=NOW))[name].code == "workspace.no-pledge"
    assert dict(queries.must_end(scene.store, now=NOW)) == {}
    dataset.withdraw_snapshot(
        scene.store, scene.actor("steward-a"), snapshot_id=scene.folders["set-a"].name, reason="오류", now=NOW
    )
    assert dict(queries.must_end(scene.store, now=NOW))[name].code == "workspace.snapshot-withdrawn"


def test_what_the_rules_let_be_is_not_ended_and_only_by_the_system(shared: Scene) -> None:
    name = opened(shared, shared.active())
    with pytest.raises(Conflict):
        ends.enforce(shared.store, SYSTEM, workspace_id=name, now=NOW)
    with pytest.raises(Denied):
        ends.enforce(shared.store, shared.actor("operator"), workspace_id=name, now=NOW + timedelta(days=99))


def test_a_closed_workspace_freezes_too_when_the_period_is_over_and_its_grace_is_counted_from_then(
    shared: Scene,
) -> None:
    name = opened(shared, shared.active())
    workspace.mark_stopped(shared.store, SYSTEM, workspace_id=name, reason="closed", now=NOW)
    later = NOW + timedelta(days=38)
    ends.enforce(shared.store, SYSTEM, workspace_id=name, now=later)
    assert name in queries.without_grace(shared.store)
    ends.begin_grace(shared.store, SYSTEM, workspace_id=name, days=7, now=later + HOUR)
    assert name not in queries.without_grace(shared.store)
    seen = queries.ended(shared.store, shared.actor("scientist"), name, now=later)
    assert (seen.cause, seen.grace_until) == (FreezeCause.PERIOD, later + timedelta(days=7))
    assert name not in queries.due(shared.store, now=later + timedelta(days=7) - timedelta(seconds=1))
    assert name in queries.due(shared.store, now=later + timedelta(days=7))
    with pytest.raises(Conflict):
        ends.begin_grace(shared.store, SYSTEM, workspace_id=name, days=99, now=later)


def test_one_button_freezes_all_of_a_project_and_nothing_opens_until_a_steward_lifts_it(shared: Scene) -> None:
    made = shared.active()
    other = opened(shared, shared.active(people=("scientist",)), "lead")
    first, second = opened(shared, made), None
    workspace.mark_stopped(shared.store, SYSTEM, workspace_id=other, reason="closed", now=NOW)
    second = opened(shared, made, "lead")
    with shared.new_entries() as entries:
        freeze.freeze_project(shared.store, shared.actor("steward-a"), project_id=made, reason="재식별 의심", now=NOW)
    assert [(entry["action"], entry["details"]["workspaces_frozen"]) for entry in entries] == [("project.freeze", 2)]
    found = queries.of_project(shared.store, shared.actor("steward-a"), made, now=NOW)
    assert {each.id: each.state for each in found.workspaces} == {first: FROZEN, second: FROZEN}
    assert found.may == {"thaw_project"}
    with shared.store.read() as session:
        assert workspaces.load_workspace(session, other).state is STOPPED
    with pytest.raises(Denied) as refused:
        opened(shared, made)
    assert refused.value.code == "project.frozen"
    # An incident has no grace: nothing is destroyed while it is looked into.
    assert first not in queries.without_grace(shared.store) + queries.due(shared.store, now=NOW + timedelta(days=999))
    for login in ("lead", "operator", "steward-b", "owner", "scientist", "checker-a"):
        with pytest.raises(Denied):
            freeze.thaw_project(shared.store, shared.actor(login), project_id=made, reason="r", now=NOW)
    with pytest.raises(Invalid):
        freeze.thaw_project(shared.store, shared.actor("steward-a"), project_id=made, reason=" ", now=NOW)
    freeze.thaw_project(shared.store, shared.actor("steward-a"), project_id=made, reason="조사 종료", now=NOW)
    assert opened(shared, made) == first


def test_what_was_frozen_by_itself_stays_so_when_the_project_is_thawed(shared: Scene) -> None:
    made = shared.active()
    name = opened(shared, made)
    steward = shared.actor("steward-a")
    workspace.freeze(shared.store, steward, workspace_id=name, reason="한 사람", now=NOW)
    freeze.freeze_project(shared.store, steward, project_id=made, reason="모두", now=NOW)
    with pytest.raises(Conflict):
        freeze.thaw_workspace(shared.store, steward, workspace_id=name, reason="r", now=NOW)
    freeze.thaw_project(shared.store, steward, project_id=made, reason="r", now=NOW)
    with shared.store.read() as session:
        assert workspaces.load_workspace(session, name).state is FROZEN
    freeze.thaw_workspace(shared.store, steward, workspace_id=name, reason="확인함", now=NOW)
    assert opened(shared, made) == name


def test_what_froze_because_its_time_was_over_is_never_thawed(shared: Scene) -> None:
    made = shared.active()
    name = opened(shared, made)
    project.end_project(shared.store, shared.actor("lead"), project_id=made, reason="끝", now=NOW)
    with pytest.raises(Conflict) as refused:
        freeze.thaw_workspace(shared.store, shared.actor("steward-a"), workspace_id=name, reason="r", now=NOW)
    assert refused.value.code == "ends.final"


@pytest.mark.parametrize("login", ["scientist", "steward-b", "checker-a", "reviewer", "auditor", "nobody"])
def test_who_may_not_freeze_a_project(shared: Scene, login: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        freeze.freeze_project(shared.store, shared.actor(login), project_id=shared.usual(), reason="r", now=NOW)
    assert isinstance(refused.value, Denied)


def test_the_hubs_word_of_a_stop_changes_nothing_of_what_a_rule_has_ended(shared: Scene) -> None:
    name = opened(shared, shared.active())
    ends.enforce(shared.store, SYSTEM, workspace_id=name, now=NOW + 12 * HOUR)
    seen = workspace.mark_stopped(shared.store, SYSTEM, workspace_id=name, reason="poll", now=NOW + 13 * HOUR)
    assert (seen.state, seen.reason, seen.ended_at) == (STOPPED, "workspace.expired", NOW + 12 * HOUR)
