"""How much may be shown in a project: what is usual, what each provider said, what counts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.model.project import Project
from enclave.model.watch import DisplayPolicy
from enclave.model.workspace import Workspace
from enclave.policy import display as policy
from enclave.policy.allows import allows
from enclave.policy.project import check_may_see
from enclave.queries import project as projects
from enclave.settings import Settings
from enclave.states import ProjectState, WorkspaceState
from enclave.store import Store
from enclave.workspace.plan import Display

FIELDS = tuple(field.name for field in fields(Display))
# Before an application is submitted nobody has to say anything, and after the end nothing is shown any more.
OPEN = frozenset({ProjectState.SUBMITTED, ProjectState.APPROVED, ProjectState.ACTIVE})


@dataclass(frozen=True)
class VoiceView:
    """What one providing organisation said, when and why."""

    organisation_id: str
    limits: Display
    set_at: datetime
    reason: str


@dataclass(frozen=True)
class DisplayView:
    """The limits of one project. `own`: what the actor's organisation said, or what is usual: a form begins with it."""

    project_id: str
    limits: Display
    usual: Display
    widest: Display
    own: Display
    voices: tuple[VoiceView, ...]
    may: frozenset[str]


def of_project(store: Store, actor: Actor, project_id: str, settings: Settings) -> DisplayView:
    """Return the limits of a project; raises `NotFound`, or `Denied` if it is none of the actor's business."""
    with store.read() as session:
        found = projects.load_project(session, project_id)
        check_may_see(actor, projects.facts(found))
        return display_view(session, found, actor, settings)


def display_view(session: Session, found: Project, actor: Actor, settings: Settings) -> DisplayView:
    """Return the limits of the project's row as pages show them."""
    scale, said = scale_of(settings), _said(session, found.id)
    limits = {each.organisation_id: limits_of(each) for each in said}
    about = projects.facts(found)
    may = found.state in OPEN and allows(policy.check_may_set_display, actor, about)
    return DisplayView(
        project_id=found.id,
        limits=policy.in_force(about.providers, limits, scale),
        usual=scale.usual,
        widest=scale.widest,
        own=limits.get(actor.organisation_id, scale.usual),
        voices=tuple(VoiceView(each.organisation_id, limits_of(each), each.set_at, each.reason) for each in said),
        may=frozenset({"set_display_policy"} if may else ()),
    )


def in_force(session: Session, found: Project, settings: Settings) -> Display:
    """Return the limits that count for a project at this moment."""
    said = {each.organisation_id: limits_of(each) for each in _said(session, found.id)}
    return policy.in_force(projects.facts(found).providers, said, scale_of(settings))


def running(store: Store, settings: Settings, *, project_id: str = "") -> tuple[tuple[str, Display], ...]:
    """Return each running workspace with the limits that count for it, in one project or all; for the system."""
    query = select(Workspace).where(Workspace.state == WorkspaceState.RUNNING).order_by(Workspace.id)
    chosen = query.where(Workspace.project_id == project_id) if project_id else query
    with store.read() as session:
        found = session.scalars(chosen).all()
        limits = {each.project_id: in_force(session, each.project, settings) for each in found}
        return tuple((each.id, limits[each.project_id]) for each in found)


def scale_of(settings: Settings) -> policy.Scale:
    """Return what is usual and what is the most in this installation."""
    usual = Display(**{name: getattr(settings, f"display_{name}") for name in FIELDS})
    return policy.Scale.of(usual, settings.display_widest_times)


def limits_of(found: DisplayPolicy) -> Display:
    """Return the limits in a row."""
    return Display(**{name: getattr(found, name) for name in FIELDS})


def _said(session: Session, project_id: str) -> list[DisplayPolicy]:
    query = select(DisplayPolicy).where(DisplayPolicy.project_id == project_id)
    return list(session.scalars(query.order_by(DisplayPolicy.organisation_id)))
