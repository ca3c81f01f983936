"""What several pages of the log show: lines in words, how far witnesses have seen, where a thing has a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from audit import query
from audit.errors import AuditError
from audit.note import VerifierKey
from audit.query import Found
from audit.standing import standing
from enclave.actions import ABOUT, Action
from enclave.logbook.question import Question
from enclave.portal import kst
from enclave.portal.render import label
from enclave.portal.visit import Visit
from enclave.portal.words import has
from enclave.queries import logbook
from enclave.roles import Role

OUTCOMES = ("allowed", "done", "denied", "failed", "unknown")
# Where a kind of thing has a page of its own, below the portal's root.
PAGES: Mapping[str, str] = {
    "account": "/accounts/{}",
    "certificate": "/certificates",
    "code": "/code/{}",
    "drill": "/drills/{}",
    "egress_request": "/review/{}",
    "finding": "/findings/{}",
    "log_export": "/log/exports",
    "entry": "/log/{}",
    "period": "/periods/{}",
    "policy": "/policies/version/{}",
    "project": "/projects/{}",
    "release": "/releases/{}",
    "snapshot": "/snapshots/{}",
}


@dataclass(frozen=True)
class Line:
    """One row as a page shows it: the login instead of the account's id; action, 수행업무, thing and roles in words."""

    found: Found
    actor: str
    action: str
    task: str
    kind: str
    roles: str


@dataclass(frozen=True)
class Stands:
    """How far witnesses have seen the log, in the visitor's language: `look` is `ok`, `warn` or `stop`."""

    look: str
    told: str
    witnessed: int = 0

    def covers(self, number: int) -> bool:
        """Say whether a quorum of witnesses has seen the entry of this number."""
        return self.look != "stop" and number < self.witnessed


def lines_of(visit: Visit, rows: Iterable[Found]) -> list[Line]:
    """Return rows as they are shown."""
    with visit.portal.store.read() as session:
        names = logbook.logins(session)
    return [line_of(visit, row, names) for row in rows]


def line_of(visit: Visit, found: Found, names: Mapping[str, str]) -> Line:
    """Return one row as it is shown."""
    if found.action not in set(Action):
        action, task = found.action, ""
    else:
        known = Action(found.action)
        action, task = label(visit.language, known), task_name(visit, ABOUT[known].task)
    actor, kind = names.get(found.actor, found.actor), in_words(visit, found.object_kind)
    return Line(found, actor, action, task, kind, _roles(visit, found.actor_role))


def in_words(visit: Visit, kind: str) -> str:
    """Return what a kind of thing is called; one that nobody named as it is recorded."""
    return visit.say(f"things.{kind}") if has(f"things.{kind}") else kind


def _roles(visit: Visit, recorded: str) -> str:
    known = set(Role)
    return ", ".join(label(visit.language, Role(each)) if each in known else each for each in recorded.split("+"))


def task_name(visit: Visit, task: str) -> str:
    """Return a 수행업무 in the visitor's language: the notice's own word in Korean."""
    return task if visit.language == "ko" else visit.say(f"logplot.task_{_TASKS[task]}")


_TASKS = {
    "로그인": "log_in", "조회": "view", "생성": "create", "수정": "change", "삭제": "delete", "다운로드": "download",
    "반입": "import", "반출": "egress", "권한변경": "rights", "설정변경": "settings", "로그조회": "view_log",
}  # fmt: skip


def page_of(found: Found) -> str:
    """Return the path of the page of what was acted on, empty where there is none."""
    path = PAGES.get(found.object_kind, "") if found.object_id else ""
    if found.object_kind == "egress_request" and found.action.startswith("import."):
        path = "/imports/{}"
    return path.format(quote(found.object_id, safe=""))


def address(question: Question, **more: object) -> str:
    """Return the address of the log's page that asks this."""
    given = {**question.given(), **{name: str(value) for name, value in more.items() if value not in (None, "")}}
    return "/log" + ("?" + urlencode(given) if given else "")


def stands_of(visit: Visit) -> Stands:
    """Return what is to be said beside a checkpoint; amber also where it cannot be told."""
    settings = visit.portal.settings
    try:
        vkey = VerifierKey.parse((settings.keys / "log.pub").read_text().strip())
        found = standing(settings.log, settings.anchors, vkey)
    except (AuditError, OSError) as error:
        return Stands("warn", f"{visit.say('log.no_standing')} ({getattr(error, 'code', type(error).__name__)})")
    return Stands(found.look, found.en if visit.language == "en" else found.ko, found.witnessed)


@dataclass(frozen=True)
class State:
    """What is published and what of it can be searched, in words; `behind`: the index is still being made."""

    told: str
    behind: bool


def state_of(visit: Visit) -> State:
    """Return the state of the log in one line."""
    try:
        with visit.portal.store.read() as rows:
            now = query.status(visit.portal.settings.log, rows.connection())
    except (AuditError, OSError):
        return State(visit.say("log.no_checkpoint"), behind=False)
    size, waiting, indexed = now.size, max(now.waiting or 0, 0), now.indexed or 0
    told = visit.say("log.status", size=f"{size:,}", at=kst.moment(now.published_at), waiting=f"{waiting:,}")
    if indexed < size:
        return State(f"{told} · {visit.say('log.index_behind', indexed=f'{indexed:,}')}", behind=True)
    return State(told, behind=False)
