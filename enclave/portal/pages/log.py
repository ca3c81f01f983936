"""The access log as reviewers and auditors read it: filters, stable pages, and each entry with its proof.

Every look is an entry of its own (korea.md R85): both pages read through `commands.access.view_log`, which checks
the right and records the view. An entry is addressed by its number, which never changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from audit import query
from audit.errors import AuditError
from audit.merkle import leaf_hash, root_from_inclusion
from audit.note import VerifierKey
from audit.query import Found, LogFilter
from audit.reader import LogReader
from audit.standing import standing
from enclave.actions import Action
from enclave.commands import access
from enclave.errors import EnclaveError
from enclave.portal import kst, refusals
from enclave.portal.acting import actor_of, day_of
from enclave.portal.render import label
from enclave.portal.visit import Here, Visit
from enclave.queries import people

router = APIRouter()
OUTCOMES = ("allowed", "done", "denied", "failed", "unknown")
PAGE = 50
FIELDS = ("from", "until", "actor", "project", "action", "outcome")


@dataclass(frozen=True)
class Line:
    """One row as the page shows it: the account's name instead of its id, the action in words."""

    found: Found
    actor: str
    action: str


@dataclass(frozen=True)
class Shown:
    """What the page says about an entry's proof; hashes as hex."""

    look: str
    told: str
    leaf: str = ""
    root: str = ""


@router.get("/log")
def log(visit: Here) -> Response:
    """Show one page of the log, newest first."""
    asked = {name: visit.request.query_params.get(name, "").strip() for name in FIELDS}
    after = visit.request.query_params.get("after", "")
    page, error = query.Page((), None), None
    names = _names(visit)
    try:
        page = access.view_log(
            visit.portal.store,
            actor_of(visit),
            filters=_filter(asked, names),
            after=int(after) if after.isdecimal() and len(after) < 16 else None,  # noqa: PLR2004 - below 2^53
            limit=PAGE,
            now=visit.now,
        )
    except EnclaveError as refusal:
        if refusal.status != 422:  # noqa: PLR2004 - a wrong date is shown beside the form, anything else is a page
            raise
        error = refusal
    given = {name: value for name, value in asked.items() if value}
    return visit.page(
        "log.html",
        here="log",
        status=error.status if error else 200,
        error=error,
        typed=asked,
        actions=tuple(Action),
        outcomes=OUTCOMES,
        lines=[_line(visit, each, names) for each in page.rows],
        older="?" + urlencode({**given, "after": page.next}) if page.next is not None else "",
        newest="?" + urlencode(given) if after else "",
        status_line=_status(visit),
        stands=stands_of(visit),
    )


@router.get("/log/{number}")
def entry(visit: Here, number: int) -> Response:
    """Show one entry as it was recorded, and whether its proof holds."""
    store = visit.portal.store
    page = access.view_log(store, actor_of(visit), filters=LogFilter(), after=number + 1, limit=1, now=visit.now)
    if not page.rows or page.rows[0].leaf_index != number:
        raise refusals.no_such_page()
    with store.read() as rows:
        found = query.entry(rows.connection(), page.rows[0].entry_id)
    return visit.page(
        "log_entry.html",
        here="log",
        line=_line(visit, page.rows[0], _names(visit)),
        proof=prove(visit, number, found.data),
        recorded=_pretty(found.data),
    )


def prove(visit: Visit, number: int, data: bytes) -> Shown:
    """Check the entry's bytes, as the database has them, against the signed checkpoint (RFC 6962 §2.1.1)."""
    settings = visit.portal.settings
    key = settings.keys / "log.pub"
    try:
        reader = LogReader(settings.log, VerifierKey.parse(key.read_text().strip()) if key.exists() else None)
        if number >= reader.size:
            return Shown("warn", visit.say("log.proof_not_yet"))
        leaf = leaf_hash(data)
        root = root_from_inclusion(number, reader.size, leaf, reader.proof(number).hashes)
    except (AuditError, OSError) as error:
        return Shown("stop", f"{visit.say('log.proof_bad')} ({getattr(error, 'code', type(error).__name__)})")
    if root != reader.checkpoint.root:
        return Shown("stop", visit.say("log.proof_bad"), leaf.hex(), reader.checkpoint.root.hex())
    told = visit.say("log.proof_good", size=f"{reader.size:,}")
    if not key.exists():
        return Shown("warn", f"{told} {visit.say('log.proof_unsigned')}", leaf.hex(), root.hex())
    stands = stands_of(visit)
    if stands.covers(number):
        return Shown("ok", f"{told} {visit.say('log.proof_witnessed')}", leaf.hex(), root.hex())
    return Shown("stop" if stands.look == "stop" else "warn", f"{told} {stands.told}", leaf.hex(), root.hex())


@dataclass(frozen=True)
class Stands:
    """How far witnesses have seen the log, in the visitor's language: `look` is `ok`, `warn` or `stop`."""

    look: str
    told: str
    witnessed: int = 0

    def covers(self, number: int) -> bool:
        """Say whether a quorum of witnesses has seen the entry of this number."""
        return self.look != "stop" and number < self.witnessed


def stands_of(visit: Visit) -> Stands:
    """Return what is to be said beside a checkpoint; amber also where it cannot be told."""
    settings = visit.portal.settings
    try:
        vkey = VerifierKey.parse((settings.keys / "log.pub").read_text().strip())
        found = standing(settings.log, settings.anchors, vkey)
    except (AuditError, OSError) as error:
        return Stands("warn", f"{visit.say('log.no_standing')} ({getattr(error, 'code', type(error).__name__)})")
    return Stands(found.look, found.en if visit.language == "en" else found.ko, found.witnessed)


def _filter(asked: Mapping[str, str], names: Mapping[str, str]) -> LogFilter:
    ids = {login: account_id for account_id, login in names.items()}
    since = day_of(asked["from"], "시작일", "From")
    until = day_of(asked["until"], "종료일", "Until")
    return LogFilter(
        action=asked["action"] or None,
        actor=ids.get(asked["actor"], asked["actor"]) or None,
        project=asked["project"] or None,
        outcome=asked["outcome"] or None,
        since=kst.start_of(since) if since else None,
        until=kst.start_of(until + timedelta(days=1)) if until else None,
    )


def _names(visit: Visit) -> dict[str, str]:
    """Return `{account id: login}` for those who may see accounts."""
    found = people.accounts(visit.portal.store, actor_of(visit), now=visit.now)
    return {each.id: each.login for each in found}


def _line(visit: Visit, found: Found, names: Mapping[str, str]) -> Line:
    known = {action.value: action for action in Action}
    action = label(visit.language, known[found.action]) if found.action in known else found.action
    return Line(found, names.get(found.actor, found.actor), action)


def _status(visit: Visit) -> str:
    try:
        with visit.portal.store.read() as rows:
            now = query.status(visit.portal.settings.log, rows.connection())
    except (AuditError, OSError):
        return visit.say("log.no_checkpoint")
    return visit.say(
        "log.status", size=f"{now.size:,}", at=kst.moment(now.published_at), waiting=f"{max(now.waiting or 0, 0):,}"
    )


def _pretty(data: bytes) -> str:
    try:
        return json.dumps(json.loads(data), ensure_ascii=False, indent=2)
    except ValueError:
        return ascii(data)
