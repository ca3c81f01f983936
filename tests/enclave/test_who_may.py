"""Who may do what in which state: one table, every account tried against every command in every state.

A refusal changes nothing and leaves one `denied` or `failed` entry; an act leaves one entry that says it was done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from enclave import pledge
from enclave.actor import Actor
from enclave.commands import (
    credentials,
    dataset,
    display,
    egress,
    logbook,
    people,
    project,
    release,
    reviewing,
    workspace,
)
from enclave.errors import Denied, EnclaveError
from enclave.ids import new_id
from enclave.logbook.question import Question
from enclave.model.people import OrganisationKind
from enclave.queries import egress as egress_queries
from enclave.queries import workspace as workspace_queries
from enclave.roles import Role
from enclave.states import Decision, WorkspaceState
from enclave.workspace.plan import Display
from tests.enclave.scene import CAST, COLUMNS, NOW, Scene

MEMBERS = {"lead", "scientist", "colleague"}
CHECKERS = {"checker-a", "checker-a2", "checker-b", "checker-c"}
ADMIN = {"operator", "console"}
STEWARD = {"steward-a", "console"}
NOBODY: set[str] = set()


@dataclass(frozen=True)
class Case:
    """`prepare` makes the thing in its state, `act` does the command to it, `may` says who is let through.

    `ever`: who is let through in some state of the thing.
    """

    name: str
    prepare: Callable[[Scene], str]
    act: Callable[[Scene, Actor, str], object]
    may: set[str]
    ever: frozenset[str] = frozenset()

    def who(self, scene: Scene) -> list[str]:
        """Everybody on SQLite; on PostgreSQL those the rules are about, and one of each other kind."""
        everybody = [*CAST, "console", "system"]
        if scene.store.engine.dialect.name == "sqlite":
            return everybody
        about = self.may | self.ever | {"checker-own", "steward-b", "operator", "auditor", "console", "system"}
        return [login for login in everybody if login in about]

    @property
    def renews(self) -> bool:
        """Whether the act changes the thing, so that the next person needs another."""
        return self.name.partition("/")[0] not in {
            "view",
            "log",
            "receive",
            "preflight",
            "submit",
            "start",
            "apply-new",
        }


def _nothing(_: Scene) -> str:
    return ""


def _draft(scene: Scene) -> str:
    return project.save_draft(scene.store, scene.actor("lead"), application=scene.application(purpose=""), now=NOW).id


def _returned(scene: Scene) -> str:
    made = scene.applied()
    project.return_application(scene.store, scene.actor("steward-a"), project_id=made, reason="보완", now=NOW)
    return made


def _rejected(scene: Scene) -> str:
    made = scene.applied()
    project.decide_columns(
        scene.store, scene.actor("steward-a"), project_id=made, dataset_id="set-a", approve={}, reason="부적합", now=NOW
    )
    return made


def _ready(scene: Scene) -> str:
    made = scene.approved()
    scene.pledged(made, "lead")
    return made


def _ended(scene: Scene) -> str:
    made = scene.active()
    project.end_project(scene.store, scene.actor("lead"), project_id=made, reason="끝", now=NOW)
    return made


PROJECT_STATES = {
    "draft": _draft,
    "submitted": Scene.applied,
    "returned": _returned,
    "rejected": _rejected,
    "approved": _ready,
    "active": Scene.active,
    "ended": _ended,
}


def _request(*votes: tuple[str, Decision]) -> Callable[[Scene], str]:
    def prepare(scene: Scene) -> str:
        made = scene.submitted(scene.usual())
        for login, decision in votes:
            scene.vote(login, made, decision)
        return made

    return prepare


def _withdrawn(scene: Scene) -> str:
    made = _request()(scene)
    egress.withdraw(scene.store, scene.actor("scientist"), request_id=made, now=NOW)
    return made


def _released(scene: Scene) -> str:
    made = _request(*TWO)(scene)
    release.build(scene.store, scene.depot, release_id=_release_of(scene, made), now=NOW)
    return made


TWO = (("checker-a", Decision.APPROVE), ("checker-b", Decision.APPROVE))
REQUEST_STATES = {
    "submitted": _request(),
    "returned": _request(("checker-a", Decision.RETURN)),
    "rejected": _request(("checker-a", Decision.REJECT)),
    "withdrawn": _withdrawn,
    "approved": _request(*TWO),
    "released": _released,
}


def _release_of(scene: Scene, request_id: str) -> str:
    view = egress_queries.request(scene.store, scene.actor("scientist"), request_id, now=NOW)
    assert view.release is not None
    return view.release.id


def _release(state: str) -> Callable[[Scene], str]:
    def prepare(scene: Scene) -> str:
        made = _release_of(scene, _request(*TWO)(scene))
        if state != "requested":
            release.build(scene.store, scene.depot, release_id=made, now=NOW)
        if state == "handed_over":
            release.hand_over(scene.store, scene.depot, scene.actor("scientist"), release_id=made, now=NOW)
        if state == "recalled":
            release.recall(scene.store, scene.depot, scene.actor("checker-c"), release_id=made, reason="오류", now=NOW)
        return made

    return prepare


def _workspace(scene: Scene) -> str:
    for open_one in workspace_queries.mine(scene.store, scene.actor("scientist")):
        if open_one.state is WorkspaceState.RUNNING:
            workspace.mark_stopped(scene.store, Actor.system(), workspace_id=open_one.id, reason="시험", now=NOW)
    start = workspace.request_start(
        scene.store, scene.means, scene.actor("scientist"), project_id=scene.active(), now=NOW
    )
    return start.workspace.id


def _account(scene: Scene) -> str:
    login = "x" + new_id("x")[-10:]
    people.create_account(
        scene.store, Actor.console(), login=login, name="새 사람", organisation_id="startup", password="p" * 12, now=NOW
    )
    people.grant_role(scene.store, Actor.console(), login=login, role=Role.SCIENTIST, reason="시험", now=NOW)
    return login


def _act_decide(decision: Decision) -> Callable[[Scene, Actor, str], object]:
    return lambda scene, actor, made: reviewing.decide(
        scene.store, actor, request_id=made, vote=scene.ballot(made, decision), now=NOW
    )


def _act_view(scene: Scene, actor: Actor, made: str) -> object:
    files = egress_queries.request(scene.store, scene.actor("scientist"), made, now=NOW).files
    return egress.view_file(scene.store, actor, request_id=made, file_id=files[0].id, now=NOW)


def _act_pledge(scene: Scene, actor: Actor, made: str) -> object:
    text = pledge.CURRENT
    return project.sign_pledge(
        scene.store, actor, project_id=made, version=text.version, text_sha256=text.sha256, now=NOW
    )


def _by_state(
    name: str,
    states: dict[str, Callable[[Scene], str]],
    act: Callable[[Scene, Actor, str], object],
    may: dict[str, set[str]],
) -> list[Case]:
    assert set(may) <= set(states)
    ever = frozenset().union(*may.values())
    return [Case(f"{name}/{state}", prepare, act, may.get(state, NOBODY), ever) for state, prepare in states.items()]


CASES = [
    Case(
        "organisation",
        _nothing,
        lambda s, a, _: people.create_organisation(
            s.store, a, organisation_id=new_id("o"), name="기관", kind=OrganisationKind.STARTUP, now=NOW
        ),
        ADMIN,
    ),
    Case(
        "account",
        _nothing,
        lambda s, a, _: people.create_account(
            s.store, a, login="y" + new_id("y")[-10:], name="이", organisation_id="zone", password="p" * 12, now=NOW
        ),
        ADMIN,
    ),
    Case(
        "grant",
        _account,
        lambda s, a, made: people.grant_role(s.store, a, login=made, role=Role.PROJECT_LEAD, reason="r", now=NOW),
        ADMIN,
    ),
    Case(
        "revoke",
        _account,
        lambda s, a, made: people.revoke_role(s.store, a, login=made, role=Role.SCIENTIST, reason="r", now=NOW),
        ADMIN,
    ),
    Case("unlock", _account, lambda s, a, m: people.unlock_account(s.store, a, login=m, reason="r", now=NOW), ADMIN),
    Case("end", _account, lambda s, a, m: people.end_account(s.store, a, login=m, reason="r", now=NOW), ADMIN),
    Case("enrol", _account, lambda s, a, m: credentials.enrol_totp(s.store, s.vault, a, login=m, now=NOW), ADMIN),
    Case(
        "register",
        lambda s: "d" + new_id("d")[2:],
        lambda s, a, made: dataset.register_dataset(
            s.store,
            a,
            dataset_id=made,
            organisation_id="hospital-a",
            title_ko="가",
            title_en="",
            description="나",
            now=NOW,
        ),
        STEWARD,
    ),
    Case(
        "receive",
        _nothing,
        lambda s, a, _: dataset.receive_snapshot(
            s.store, a, folder=s.folders["set-a"], public_key=s.means.snapshot_key, now=NOW
        ),
        STEWARD,
    ),
    Case(
        "log",
        _nothing,
        lambda s, a, _: logbook.ask(s.store, a, question=Question(), after=None, limit=5, now=NOW),
        {"reviewer", "auditor", "console"},
    ),
    Case(
        "apply-new",
        _nothing,
        lambda s, a, _: project.apply(s.store, a, application=s.application(people=("scientist",)), now=NOW),
        {"lead", "other-lead"},
    ),
    *_by_state(
        "apply",
        PROJECT_STATES,
        lambda s, a, made: project.apply(s.store, a, application=s.application(), project_id=made, now=NOW),
        {"draft": {"lead"}, "returned": {"lead"}},
    ),
    *_by_state(
        "draft",
        PROJECT_STATES,
        lambda s, a, made: project.save_draft(s.store, a, application=s.application(), project_id=made, now=NOW),
        {"draft": {"lead"}},
    ),
    *_by_state(
        "columns",
        PROJECT_STATES,
        lambda s, a, made: project.decide_columns(
            s.store, a, project_id=made, dataset_id="set-a", approve=COLUMNS, reason="r", now=NOW
        ),
        {"submitted": {"steward-a"}},
    ),
    *_by_state(
        "return",
        PROJECT_STATES,
        lambda s, a, made: project.return_application(s.store, a, project_id=made, reason="r", now=NOW),
        {"submitted": {"steward-a"}},
    ),
    *_by_state(
        "display-policy",
        PROJECT_STATES,
        lambda s, a, made: display.set_display_policy(
            s.store, s.means.settings, a, project_id=made, limits=Display(), reason="r", now=NOW
        ),
        {state: {"steward-a"} for state in ("submitted", "approved", "active")},
    ),
    *_by_state("pledge", PROJECT_STATES, _act_pledge, {"approved": MEMBERS, "active": MEMBERS}),
    *_by_state(
        "activate",
        PROJECT_STATES,
        lambda s, a, made: project.activate(s.store, a, project_id=made, now=NOW),
        {"approved": {"lead", *ADMIN}},
    ),
    *_by_state(
        "end-project",
        PROJECT_STATES,
        lambda s, a, made: project.end_project(s.store, a, project_id=made, reason="r", now=NOW),
        {"approved": {"lead", "steward-a", *ADMIN}, "active": {"lead", "steward-a", *ADMIN}},
    ),
    *_by_state(
        "start",
        PROJECT_STATES,
        lambda s, a, made: workspace.request_start(s.store, s.means, a, project_id=made, now=NOW),
        {"active": {"lead", "scientist"}},
    ),
    *_by_state(
        "preflight",
        PROJECT_STATES,
        lambda s, a, made: egress.preflight(s.store, a, project_id=made, files=[s.checked()], now=NOW),
        {"active": MEMBERS},
    ),
    *_by_state(
        "submit",
        PROJECT_STATES,
        lambda s, a, made: egress.submit(s.store, a, submission=s.submission(made), now=NOW),
        {"active": MEMBERS},
    ),
    Case(
        "started",
        _workspace,
        lambda s, a, m: workspace.mark_started(s.store, a, workspace_id=m, container_id="c", now=NOW),
        {"system"},
    ),
    Case(
        "failed",
        _workspace,
        lambda s, a, m: workspace.mark_failed(s.store, a, workspace_id=m, reason="r", now=NOW),
        {"system"},
    ),
    Case(
        "stopped",
        _workspace,
        lambda s, a, m: workspace.mark_stopped(s.store, a, workspace_id=m, reason="r", now=NOW),
        {"system"},
    ),
    Case(
        "freeze",
        _workspace,
        lambda s, a, m: workspace.freeze(s.store, a, workspace_id=m, reason="r", now=NOW),
        {"lead", "steward-a", *ADMIN},
    ),
    *_by_state("approve", REQUEST_STATES, _act_decide(Decision.APPROVE), {"submitted": CHECKERS}),
    *_by_state("return-request", REQUEST_STATES, _act_decide(Decision.RETURN), {"submitted": CHECKERS}),
    *_by_state("reject", REQUEST_STATES, _act_decide(Decision.REJECT), {"submitted": CHECKERS}),
    Case("approve/half", _request(TWO[0]), _act_decide(Decision.APPROVE), {"checker-b", "checker-c"}),
    *_by_state(
        "withdraw",
        REQUEST_STATES,
        lambda s, a, made: egress.withdraw(s.store, a, request_id=made, now=NOW),
        {"submitted": {"scientist"}, "returned": {"scientist"}, "approved": {"scientist"}},
    ),
    *_by_state(
        "view",
        REQUEST_STATES,
        _act_view,
        dict.fromkeys(REQUEST_STATES, MEMBERS | CHECKERS | {"reviewer", "auditor"}),
    ),
    *_by_state(
        "hand-over",
        {state: _release(state) for state in ("requested", "done", "handed_over", "recalled")},
        lambda s, a, made: release.hand_over(s.store, s.depot, a, release_id=made, now=NOW),
        {"done": {"scientist"}},
    ),
    *_by_state(
        "recall",
        {state: _release(state) for state in ("requested", "done", "handed_over", "recalled")},
        lambda s, a, made: release.recall(s.store, s.depot, a, release_id=made, reason="r", now=NOW),
        dict.fromkeys(("requested", "done", "handed_over"), CHECKERS | {"steward-a"}),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_command_lets_through_exactly_those_the_table_names(shared: Scene, case: Case) -> None:
    made = case.prepare(shared)
    let_through = set()
    for login in case.who(shared):
        actor = {"console": Actor.console, "system": Actor.system}.get(login, lambda: shared.actor(login))()  # noqa: B023
        with shared.new_entries() as entries:
            try:
                case.act(shared, actor, made)
            except EnclaveError as error:
                refused, code = True, error.code
                outcome = {"denied"} if isinstance(error, Denied) else {"failed"}
            else:
                refused, code, outcome = False, "", {"done", "allowed", "failed"}
        terminal = [entry for entry in entries if entry["action"] != "release.requested"]
        assert [entry["outcome"] in outcome for entry in terminal] == [True], (login, entries)
        if refused:
            assert terminal[0]["reason"]["code"] == code  # type: ignore[index]
        else:
            let_through.add(login)
            made = case.prepare(shared) if case.renews else made
    assert let_through == case.may


def test_a_vote_needs_a_second_factor_of_the_last_five_minutes_and_so_does_collecting(shared: Scene) -> None:
    made = _request()(shared)
    stale = shared.actor("checker-a", fresh=False)
    with pytest.raises(Denied, match="2차 인증"):
        reviewing.decide(shared.store, stale, request_id=made, vote=shared.ballot(made), now=NOW)
    ready = _release("done")(shared)
    with pytest.raises(Denied, match="2차 인증"):
        release.hand_over(shared.store, shared.depot, shared.actor("scientist", fresh=False), release_id=ready, now=NOW)
