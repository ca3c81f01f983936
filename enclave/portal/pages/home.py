"""My projects and workspaces: where each stands, what waits for me, and why a workspace would not open now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.responses import Response

from enclave.actor import Actor
from enclave.errors import EnclaveError
from enclave.gpu.rules import GpuRules
from enclave.policy.drill import SEES_DRILLS
from enclave.portal.acting import actor_of
from enclave.portal.places import USERS
from enclave.portal.usage import Usage, usage_if_any
from enclave.portal.visit import Here, Visit
from enclave.queries import drill, egress, gpu, incident, logreview, project, workspace
from enclave.queries.drill import DrillView
from enclave.queries.gpu import LeaseView
from enclave.queries.project import ProjectView
from enclave.queries.workspace import WorkspaceView
from enclave.roles import Role
from enclave.states import DeviceState, WorkspaceState

router = APIRouter()
# Who is told that a review runs late, or that a receiver owes a confirmation (korea.md R67, R72).
TOLD = frozenset({Role.OUTPUT_CHECKER, Role.DATA_STEWARD})


@dataclass(frozen=True)
class Work:
    """One project of the visitor's, their workspace in it, and the policy's word on opening it now."""

    project: ProjectView
    workspace: WorkspaceView | None
    pledged: bool
    member: bool
    refusal: EnclaveError | None
    turn: LeaseView | None = None
    usage: Usage | None = None

    @property
    def starting(self) -> bool:
        """Whether the page should look again in a moment."""
        return self.workspace is not None and self.workspace.state is WorkspaceState.REQUESTED

    @property
    def frozen(self) -> bool:
        """Whether there are files that can still be seen."""
        return self.workspace is not None and self.workspace.state is WorkspaceState.FROZEN

    @property
    def running(self) -> bool:
        """Whether there is something to go to."""
        return self.workspace is not None and self.workspace.state is WorkspaceState.RUNNING


@dataclass(frozen=True)
class Task:
    """Something that waits for the visitor: a text's key, how many, and where."""

    key: str
    count: int
    path: str


@router.get("/")
def home(visit: Here) -> Response:
    """Show the first page."""
    actor, portal = actor_of(visit), visit.portal
    takes_part = bool(actor.roles & USERS)
    waiting = logreview.waiting(portal.store, actor, now=visit.now)
    return visit.page(
        "home.html",
        here="home" if takes_part else "tasks",
        tasks=[*_tasks(visit, actor), *_of_the_review(waiting)],
        works=_works(visit, actor),
        takes_part=takes_part,
        requests=egress.mine(portal.store, actor, now=visit.now) if takes_part else (),
        drill=_broken_drill(visit, actor),
        incidents=incident.waiting(portal.store, actor, now=visit.now),
        late_reviews=waiting.get("late", 0),
    )


def _works(visit: Visit, actor: Actor) -> list[Work]:
    store = visit.portal.store
    turn = gpu.mine(store, GpuRules.of(visit.portal.settings), actor, now=visit.now)
    options = {each.project_id: each for each in workspace.options(store, actor, now=visit.now)}
    places = {each.project_id: each for each in workspace.mine(store, actor)}
    works = []
    for each in project.mine(store, actor, now=visit.now):
        option = options.get(each.id)
        signed = any(one.account_id == actor.account_id and one.pledged_at for one in each.members)
        refusal = option.refusal if option else None
        own = turn if turn and turn.project_id == each.id else None
        work = Work(each, places.get(each.id), signed, option is not None, refusal, own)
        works.append(replace(work, usage=_usage(visit, work)))
    return works


def _usage(visit: Visit, work: Work) -> Usage | None:
    return usage_if_any(visit.portal, work.workspace.id) if work.workspace and work.running else None


def _broken_drill(visit: Visit, actor: Actor) -> DrillView | None:
    """Return the newest drill if a barrier did not hold in it, for those who have to mend it or to know."""
    if not actor.roles & SEES_DRILLS:
        return None
    newest = drill.newest_done(visit.portal.store, actor)
    return newest if newest and newest.broken else None


def _tasks(visit: Visit, actor: Actor) -> list[Task]:
    store, tasks = visit.portal.store, []
    if Role.DATA_STEWARD in actor.roles:
        count = len(project.to_decide(store, actor, now=visit.now))
        tasks.append(Task("home.waiting_columns", count, "/columns"))
    if Role.OUTPUT_CHECKER in actor.roles:
        tasks.append(Task("home.waiting", len(egress.queue(store, actor, now=visit.now)), "/review"))
    if actor.roles & TOLD:
        tasks.append(Task("home.late", len(egress.stuck(store, actor, now=visit.now)), "/metrics#stuck"))
        recalls = egress.unconfirmed_recalls(store, actor, now=visit.now)
        tasks.append(Task("home.unconfirmed", len(recalls), "/metrics#recalls"))
    if Role.OPERATOR in actor.roles:
        broken = [each for each in gpu.devices(store, actor) if each.state is DeviceState.QUARANTINED]
        tasks.append(Task("home.waiting_gpus", len(broken), "/gpu"))
    received = egress.to_receive(store, actor, now=visit.now)
    for act, words in (("hand_over", "home.waiting_releases"), ("confirm_recall", "home.waiting_recalls")):
        tasks.append(Task(words, sum(act in each.may for each in received), "/releases"))
    return [task for task in tasks if task.count]


def _of_the_review(waiting: Mapping[str, int]) -> list[Task]:
    """Return what the review of the log wants of the visitor (korea.md R81)."""
    places = {
        "explain": ("home.explain", "/explain"),
        "decide": ("home.findings", "/periods"),
        "sign": ("home.to_sign", "/periods"),
    }
    return [Task(words, waiting[name], path) for name, (words, path) in places.items() if waiting.get(name)]
