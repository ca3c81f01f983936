"""Looking into the files of a request: recorded first, drawn in the sealed child, and counted.

One entry for each session and file before its first look; one more when nothing of it is left to be seen, without
which this person cannot approve it (`enclave.commands.sighting`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from enclave.actor import Actor
from enclave.airlock.errors import AirlockError
from enclave.airlock.preview import Compared, Opened, Page, Picture
from enclave.airlock.viewing.ask import Ask
from enclave.commands import egress as commands
from enclave.errors import EnclaveError
from enclave.portal.acting import actor_of
from enclave.portal.coverage import Share, rows_of
from enclave.portal.marks import Marks, marks
from enclave.portal.sight import Stored
from enclave.portal.visit import Visit
from enclave.queries.airlock_views import FileView, RequestView
from enclave.roles import Role


@dataclass(frozen=True)
class Look:
    """What can be shown of one file, or the error that says why nothing can."""

    opened: Opened | None = None
    error: AirlockError | EnclaveError | None = None
    share: Share | None = None
    marks: Marks = field(default_factory=Marks)
    changes: tuple[Compared, ...] = ()


def stored(file: FileView) -> Stored:
    """Return where a file of a request lies in quarantine."""
    return Stored(file.sha256, file.kind, file.name)


def look(visit: Visit, request: RequestView, file: FileView, *, first: int = 0, ask: Ask | None = None) -> Look:
    """Open a file, with the page asked for in its place; a file that cannot be drawn is told as such, not raised."""
    try:
        _recorded(visit, request, file)
        opened = visit.portal.sight.open(stored(file), first=first)
        if ask is not None and ask.piece < len(opened.pieces):
            pages = {**opened.pages, ask.piece: visit.portal.sight.page(stored(file), ask)}
            opened = replace(opened, pages=pages)
    except EnclaveError as error:
        return Look(error=error, marks=marks(file.findings, ()))
    share = _counted(visit, file, opened, *opened.pages.values())
    return Look(opened=opened, share=share, marks=marks(file.findings, opened.pieces))


def turn(visit: Visit, request: RequestView, file: FileView, ask: Ask) -> tuple[Look, Page]:
    """Return one page of one piece. Raises `PreviewFailed`, or what keeps this person from looking."""
    _recorded(visit, request, file)
    opened = visit.portal.sight.open(stored(file))
    page = visit.portal.sight.page(stored(file), ask)
    share = _counted(visit, file, opened, page)
    return Look(opened=opened, share=share, marks=marks(file.findings, opened.pieces)), page


def share(visit: Visit, file: FileView) -> Look:
    """Return what was shown of a file by now; this itself shows nothing of it. Raises `PreviewFailed`."""
    opened = visit.portal.sight.open(stored(file))
    return Look(opened=opened, share=_counted(visit, file, opened), marks=Marks())


def picture(visit: Visit, request: RequestView, file: FileView, piece: int) -> Picture:
    """Return a picture of a file, made anew. Raises `PreviewFailed`, or what keeps this person from looking."""
    _recorded(visit, request, file)
    opened = visit.portal.sight.open(stored(file))
    drawn = visit.portal.sight.picture(stored(file), piece)
    _counted(visit, file, opened, Page(ask=Ask(piece=piece), start=0, matching=1, size=1, numbers=(0,)))
    return drawn


def compare(visit: Visit, request: RequestView, old: FileView, new: FileView) -> tuple[Compared, ...]:
    """Return what changed since an earlier round; nothing where that cannot be drawn."""
    try:
        _recorded(visit, request, old)
        return visit.portal.sight.compare(stored(old), stored(new))
    except EnclaveError:
        return ()


def counts(actor: Actor) -> bool:
    """Whether what this person is shown is counted: they may have to vote on it."""
    return Role.OUTPUT_CHECKER in actor.roles


def _recorded(visit: Visit, request: RequestView, file: FileView) -> None:
    actor = actor_of(visit)
    visit.portal.coverage.once(
        actor.account_id,
        file.id,
        f"look {actor.session_id}",
        lambda: commands.view_file(visit.portal.store, actor, request_id=request.id, file_id=file.id, now=visit.now),
    )


def _counted(visit: Visit, file: FileView, opened: Opened, *pages: Page) -> Share | None:
    actor = actor_of(visit)
    if not counts(actor):
        return None
    return visit.portal.coverage.note(actor.account_id, file.id, opened, map(rows_of, pages))
