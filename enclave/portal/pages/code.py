"""Executed code: what ran where, as hashes for reviewers; its text for auditors, each look one entry."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import code as commands
from enclave.portal.acting import actor_of
from enclave.portal.visit import Here, Visit
from enclave.queries import watch
from enclave.queries.watch import PAGE, CodeView

router = APIRouter()


@router.get("/code")
def executed(visit: Here, project: str = "", before: str = "") -> Response:
    """Show what ran, newest first, in one project or all."""
    actor, store = actor_of(visit), visit.portal.store
    found = watch.executed(store, actor, project_id=project.strip(), before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    given = {"project": project} if project else {}
    return visit.page(
        "code.html",
        here="executed",
        project=project,
        found=shown,
        older="?" + urlencode({**given, "before": shown[-1].id}) if len(found) > PAGE else "",
        newest="?" + urlencode(given) if before else "",
    )


@router.get("/code/{code_id}")
def one(visit: Here, code_id: str) -> Response:
    """Show one execution without its text."""
    return _page(visit, watch.execution(visit.portal.store, actor_of(visit), code_id))


@router.get("/code/{code_id}/text")
def text(visit: Here, code_id: str) -> Response:
    """Show one execution with its text; this look is an entry."""
    portal = visit.portal
    read = commands.view_code(portal.store, portal.vault, actor_of(visit), code_id=code_id, now=visit.now)
    return _page(visit, read.code, lines(read.text))


def lines(text: str) -> list[str]:
    r"""Return a text from a workspace line by line; what a screen would not show as itself is written out.

    So that no character turns the writing direction or hides what ran; tabs and backslashes stay.
    """
    return ["".join(c if c == "\t" or c.isprintable() else _written_out(c) for c in line) for line in text.split("\n")]


def _page(visit: Visit, found: CodeView, shown: list[str] | None = None) -> Response:
    return visit.page("code_one.html", here="executed", code=found, lines=shown)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
