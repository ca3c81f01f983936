"""Looking is an act too: whoever reads the log is in the log (korea.md R85); and what the hub saw."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from audit import query
from audit.query import LogFilter, Page
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, text_sha256
from enclave.errors import Invalid
from enclave.policy.people import check_is
from enclave.roles import Role
from enclave.store import Store

KIND = re.compile(r"[a-z][a-z0-9-]{0,39}")
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_DETAIL = 200


def view_log(  # noqa: PLR0913 - keyword-only fields of one search
    store: Store, actor: Actor, *, filters: LogFilter, after: int | None, limit: int, now: datetime
) -> Page:
    """Return one page of the log. Reviewers and auditors; what is not recorded is not shown. Raises `Denied`."""
    event = intent(Action.LOG_VIEW, actor, ("log", "entries"))
    with store.prepare(event), store.read() as session:
        check_is(present(session, actor, now), Role.REVIEWER, Role.AUDITOR)
        page = query.search(session.connection(), filters=filters, after=after, limit=limit)
    with store.write(event) as tx:
        tx.record(details={"filter_sha256": text_sha256(repr(filters)), "after": after or 0, "rows": len(page.rows)})
    return page


def hub_event(
    store: Store,
    *,
    login: str,
    kind: str,
    details: Mapping[str, str | int | bool],
    now: datetime,  # noqa: ARG001 - every command takes it
) -> None:
    """Record what the hub saw of a person (a server that stopped by itself); `kind` in `[a-z-]`. Raises `Invalid`."""
    with store.write(intent(Action.HUB_EVENT, Actor.system(), ("account", login))) as tx:
        tx.record(details=_checked(kind, details))


def _checked(kind: str, details: Mapping[str, str | int | bool]) -> dict[str, str | int | bool]:
    values: dict[str, str | int | bool] = {"kind": kind, **details}
    wrong = [name for name, value in values.items() if not KEY.fullmatch(name) or len(str(value)) > MAX_DETAIL]
    if wrong or not KIND.fullmatch(kind):
        raise Invalid(
            "event.malformed",
            ko=f"기록할 수 없는 사건입니다: {ascii([kind, *wrong])[:200]}",
            en=f"This event cannot be recorded: {ascii([kind, *wrong])[:200]}",
            remedy_ko="사건 이름과 항목의 형식을 확인하세요.",
            remedy_en="Check the form of its name and details.",
        )
    return values
