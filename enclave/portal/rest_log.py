"""The log as JSON: questions, single entries, activity by hour, kept filters, exports. Every look is an entry."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from enclave.commands import logbook as commands
from enclave.logbook.export_words import ExportForm, ExportReason
from enclave.logbook.files import manifest
from enclave.logbook.question import LONGEST, NAMES, Question
from enclave.portal.acting import actor_of
from enclave.portal.pages.log_exports import stream
from enclave.portal.rest import Changing, once
from enclave.portal.rest_bodies import Body
from enclave.portal.rest_json import told
from enclave.portal.visit import Here, Visit
from enclave.queries import logbook

router = APIRouter(tags=["log"])
Json = Any
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]
Typed = Annotated[str, Field(max_length=LONGEST)]
# Names of before this question had so many fields.
FORMER = {"project_id": "project", "since": "begin", "until": "end"}


class Asked(BaseModel):
    """A question to the log: `enclave.logbook.question.Question`; `project_id`, `since`, `until` are former names."""

    begin: Typed = ""
    end: Typed = ""
    recent: Typed = ""
    actor: Typed = ""
    project: Typed = ""
    dataset: Typed = ""
    thing: Typed = ""
    action: Typed = ""
    task: Typed = ""
    outcome: Typed = ""
    place: Typed = ""
    reason: Typed = ""
    session: Typed = ""
    text: Typed = ""
    project_id: Typed = ""
    since: Typed = ""
    until: Typed = ""

    def question(self) -> Question:
        """Return it as commands take it."""
        given = {name: value for name, value in self.model_dump().items() if value and name in {*NAMES, *FORMER}}
        return Question.of({FORMER.get(name, name): value for name, value in given.items()})


class PageAsked(Asked):
    """A question and which page of its answer."""

    after: int | None = None
    limit: int = 50


class KeepBody(Body):
    """A question to keep, and its name."""

    name: Annotated[str, Field(max_length=60)]
    question: Asked


class ExportBody(Body):
    """What to take out, in which form, and why."""

    question: Asked
    form: ExportForm
    reason_code: ExportReason
    reason: Annotated[str, Field(max_length=1_000)]


@router.get("/log")
def ask(visit: Here, asked: Annotated[PageAsked, Query()]) -> Json:
    """One page of the access log, newest first; `next` is the `after` of the page that follows.

    `count`: how many entries there are in all, null where only reading them would tell.
    """
    answer = commands.ask(
        visit.portal.store,
        actor_of(visit),
        question=asked.question(),
        after=asked.after,
        limit=asked.limit,
        now=visit.now,
    )
    return told(answer.page) | {"count": answer.count}


@router.get("/log/entries/{entry}")
def one(visit: Here, entry: str) -> Json:
    """One entry by its number or its id, with the entries of its session around it."""
    seen = commands.view_entry(visit.portal.store, actor_of(visit), entry=entry, now=visit.now)
    found = {"leaf_index": seen.entry.leaf_index, "entry_id": seen.entry.entry_id, "entry": seen.entry.record}
    return found | {"session": told(seen.session)}


@router.get("/log/activity")
def activity(visit: Here, since: datetime, until: datetime, project: str = "", account_id: str = "") -> Json:
    """Show what was done in a period by hour, action and outcome: in a project, by an account, or in all."""
    found = commands.view_activity(
        visit.portal.store,
        actor_of(visit),
        project=project or None,
        account=account_id or None,
        since=since.astimezone(),
        until=until.astimezone(),
        now=visit.now,
    )
    return told(found)


@router.get("/log/filters")
def kept(visit: Here) -> Json:
    """Show the filters one keeps."""
    return {"filters": told(logbook.filters(visit.portal.store, actor_of(visit)))}


@router.post("/log/filters", status_code=201)
def keep(visit: Changing, body: KeepBody, key: Key = "") -> Json:
    """Keep a question under a name; the same name replaces it."""
    return once(visit, key, lambda: _keep(visit, body))


@router.post("/log/filters/{filter_id}/drop")
def drop(visit: Changing, filter_id: str, key: Key = "") -> Json:
    """Drop a filter of one's own."""

    def act() -> dict[str, bool]:
        commands.drop_filter(visit.portal.store, actor_of(visit), filter_id=filter_id, now=visit.now)
        return {"dropped": True}

    return once(visit, key, act)


@router.post("/log/exports")
def export(visit: Changing, body: ExportBody) -> Response:
    """Take entries out as a file, streamed; its manifest is at `/log/exports/` with the id in `X-Ansim-Export`."""
    return stream(visit, body.question.question(), body.form, body.reason_code, body.reason)


@router.get("/log/exports")
def exports(visit: Here) -> Json:
    """Show what was taken out, newest first."""
    return {"exports": told(logbook.exports(visit.portal.store, actor_of(visit)))}


@router.get("/log/exports/{export_id}")
def export_manifest(visit: Here, export_id: str) -> Json:
    """Show the manifest of one export: filter, checkpoint, number of entries, SHA-256."""
    found = logbook.export(visit.portal.store, actor_of(visit), export_id)
    return manifest(found, found.login or "console")


def _keep(visit: Visit, body: KeepBody) -> object:
    question = body.question.question()
    return commands.keep_filter(visit.portal.store, actor_of(visit), name=body.name, question=question, now=visit.now)
