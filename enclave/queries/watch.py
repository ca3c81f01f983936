"""What is known of executed code and of shown texts: hashes, times, counts. No text leaves through here unsealed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.model.people import Account
from enclave.model.watch import DisplayFinding, DisplayText, ExecutedCode
from enclave.policy import watch as policy
from enclave.policy.allows import allows
from enclave.queries.project import facts, load_project
from enclave.store import Store

PAGE = 50
# A workspace's texts are searched together: when the first has waited this long, or when there are enough.
PATIENCE = timedelta(seconds=30)
ENOUGH = 16_000
WORKSPACES = 3


@dataclass(frozen=True)
class CodeView:
    """One execution; `login` and `project_id` are empty for a workspace the database does not know."""

    id: str
    at: datetime
    project_id: str
    workspace_id: str
    login: str
    source: str
    sha256: str
    characters: int
    may: frozenset[str]


@dataclass(frozen=True)
class FindingView:
    """Identifiers found in one shown text: `kinds` as (kind, how often)."""

    id: str
    at: datetime
    found_at: datetime
    project_id: str
    workspace_id: str
    login: str
    kinds: tuple[tuple[str, int], ...]
    sha256: str
    characters: int
    may: frozenset[str]


@dataclass(frozen=True)
class Findings:
    """That there are findings in a project: how many, and when the last was shown."""

    count: int
    last_at: datetime | None


@dataclass(frozen=True)
class WaitingText:
    """A shown text that waits to be searched, still sealed."""

    event_id: str
    mime: str
    sealed: bytes


@dataclass(frozen=True)
class WaitingBatch:
    """Texts of one workspace, in the order they were shown."""

    workspace_id: str
    texts: tuple[WaitingText, ...]


def executed(
    store: Store, actor: Actor, *, project_id: str = "", before: str = "", limit: int = PAGE
) -> tuple[CodeView, ...]:
    """Return executions, newest first, of one project or all, those before the record `before`; raises `Denied`."""
    policy.check_may_see_watch(actor)
    with store.read() as session:
        conditions = [ExecutedCode.project_id == project_id] if project_id else []
        if before:
            at = load_code(session, before).at
            older = (ExecutedCode.at == at) & (ExecutedCode.id < before)
            conditions.append((ExecutedCode.at < at) | older)
        return _codes(session, actor, conditions, limit)


def execution(store: Store, actor: Actor, code_id: str) -> CodeView:
    """Return one execution; raises `Denied`, `NotFound`."""
    policy.check_may_see_watch(actor)
    with store.read() as session:
        return code_view(session, load_code(session, code_id), actor)


def code_view(session: Session, found: ExecutedCode, actor: Actor) -> CodeView:
    """Return the row as pages show it."""
    may = allows(policy.check_may_read_code, actor)
    return CodeView(
        id=found.id,
        at=found.at,
        project_id=found.project_id or "",
        workspace_id=found.workspace_id,
        login=_login(session, found.account_id),
        source=found.source,
        sha256=found.sha256,
        characters=found.characters,
        may=frozenset({"view_code"} if may else ()),
    )


def findings(store: Store, actor: Actor, *, project_id: str = "", limit: int = PAGE) -> tuple[FindingView, ...]:
    """Return the newest findings, of one project or all; raises `Denied`."""
    policy.check_may_see_watch(actor)
    with store.read() as session:
        query = select(DisplayFinding).order_by(DisplayFinding.at.desc(), DisplayFinding.id.desc()).limit(limit)
        chosen = query.where(DisplayFinding.project_id == project_id) if project_id else query
        return tuple(finding_view(session, each, actor) for each in session.scalars(chosen))


def finding(store: Store, actor: Actor, finding_id: str) -> FindingView:
    """Return one finding; raises `Denied`, `NotFound`."""
    policy.check_may_see_watch(actor)
    with store.read() as session:
        return finding_view(session, load_finding(session, finding_id), actor)


def finding_view(session: Session, found: DisplayFinding, actor: Actor) -> FindingView:
    """Return the row as pages show it."""
    may = allows(policy.check_may_read_code, actor)
    return FindingView(
        id=found.id,
        at=found.at,
        found_at=found.found_at,
        project_id=found.project_id,
        workspace_id=found.workspace_id,
        login=_login(session, found.account_id),
        kinds=tuple((kind, int(count)) for kind, _, count in (each.partition(":") for each in found.kinds.split())),
        sha256=found.sha256,
        characters=found.characters,
        may=frozenset({"view_finding"} if may else ()),
    )


def in_project(store: Store, actor: Actor, project_id: str) -> Findings | None:
    """Return that there are findings in a project, to those who may know it; None to others."""
    with store.read() as session:
        if not allows(policy.check_may_know_findings, actor, facts(load_project(session, project_id))):
            return None
        query = select(func.count(), func.max(DisplayFinding.at)).where(DisplayFinding.project_id == project_id)
        count, last_at = session.execute(query).one()
        return Findings(count, last_at)


def ready(store: Store, *, now: datetime) -> tuple[WaitingBatch, ...]:
    """Return what should be searched now: of a few workspaces, drawn by lot so that none starves the others."""
    query = select(DisplayText.workspace_id).group_by(DisplayText.workspace_id)
    due = query.having(
        (func.min(DisplayText.taken_at) <= now - PATIENCE) | (func.sum(DisplayText.characters) >= ENOUGH)
    )
    with store.read() as session:
        names = sorted(session.scalars(due))
        drawn = secrets.SystemRandom().sample(names, min(WORKSPACES, len(names)))
        return tuple(_batch(session, name) for name in drawn)


def load_code(session: Session, code_id: str) -> ExecutedCode:
    """Return the row; raises `NotFound`."""
    found = session.get(ExecutedCode, code_id)
    if found is None:
        raise _unknown(code_id)
    return found


def load_finding(session: Session, finding_id: str) -> DisplayFinding:
    """Return the row; raises `NotFound`."""
    found = session.get(DisplayFinding, finding_id)
    if found is None:
        raise _unknown(finding_id)
    return found


def _codes(
    session: Session, actor: Actor, conditions: Sequence[ColumnElement[bool]], limit: int
) -> tuple[CodeView, ...]:
    query = select(ExecutedCode).where(*conditions).order_by(ExecutedCode.at.desc(), ExecutedCode.id.desc())
    return tuple(code_view(session, each, actor) for each in session.scalars(query.limit(limit)))


def _batch(session: Session, workspace_id: str) -> WaitingBatch:
    query = select(DisplayText).where(DisplayText.workspace_id == workspace_id)
    texts: list[WaitingText] = []
    characters = 0
    # By id within a moment: the gate numbers its events.
    for each in session.scalars(query.order_by(DisplayText.taken_at, DisplayText.event_id).limit(200)):
        characters += each.characters
        if texts and characters > ENOUGH:
            break
        texts.append(WaitingText(each.event_id, each.mime, each.sealed))
    return WaitingBatch(workspace_id, tuple(texts))


def _login(session: Session, account_id: str | None) -> str:
    account = session.get(Account, account_id) if account_id else None
    return account.login if account else ""


def _unknown(thing: str) -> NotFound:
    return NotFound(
        "watch.unknown",
        ko=f"그런 기록이 없습니다: {thing[:40]!a}",
        en=f"There is no such record: {thing[:40]!a}",
        remedy_ko="목록에서 고르세요.",
        remedy_en="Choose one from the list.",
    )
