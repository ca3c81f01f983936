"""Looking into the files of a request: recorded first, drawn in the sealed child, and counted.

One entry for each session and file before its first look; one more when nothing of it is left to be seen, without
which this person cannot approve it (`enclave.commands.sighting`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from enclave.airlock.errors import AirlockError
from enclave.airlock.preview import Compared, Opened, Page, Picture
from enclave.airlock.viewing.ask import Ask
from enclave.commands import egress as commands
from enclave.commands import sighting
from enclave.errors import EnclaveError
from enclave.portal.acting import actor_of
from enclave.portal.coverage import Share, rows_of
from enclave.portal.marks import Marks, marks
from enclave.portal.sight import Stored
from enclave.portal.visit import Visit
from enclave.queries.airlock_views import FileView, RequestView
from enclave.states import Verb


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


def look(  # noqa: PLR0913 - where to begin, what is asked for, and what was seen before
    visit: Visit,
    request: RequestView,
    file: FileView,
    *,
    first: int = 0,
    ask: Ask | None = None,
    seen: frozenset[str] = frozenset(),
) -> Look:
    """Open a file, with the page asked for in its place; a file that cannot be drawn is told as such, not raised.

    `seen`: the files that this person has seen whole before.
    """
    try:
        _recorded(visit, request, file)
        opened = visit.portal.sight.open(stored(file), first=first)
        if ask is not None and ask.piece < len(opened.pieces):
            pages = {**opened.pages, ask.piece: visit.portal.sight.page(stored(file), ask)}
            opened = replace(opened, pages=pages)
    except EnclaveError as error:
        return Look(error=error, marks=marks(file.findings, ()))
    share = _counted(visit, request, file, opened, opened.pages.values(), known=file.id in seen)
    return Look(opened=opened, share=share, marks=marks(file.findings, opened.pieces))


def turn(visit: Visit, request: RequestView, file: FileView, ask: Ask) -> tuple[Look, Page]:
    """Return one page of one piece. Raises `PreviewFailed`, or what keeps this person from looking."""
    _recorded(visit, request, file)
    opened = visit.portal.sight.open(stored(file))
    page = visit.portal.sight.page(stored(file), ask)
    share = _counted(visit, request, file, opened, [page])
    return Look(opened=opened, share=share, marks=marks(file.findings, opened.pieces)), page


def share(visit: Visit, request: RequestView, file: FileView) -> Look:
    """Return what was shown of a file by now; this itself shows nothing of it. Raises `PreviewFailed`."""
    opened = visit.portal.sight.open(stored(file))
    return Look(opened=opened, share=_counted(visit, request, file, opened, ()), marks=Marks())


def picture(visit: Visit, request: RequestView, file: FileView, piece: int) -> Picture:
    """Return a picture of a file, made anew. Raises `PreviewFailed`, or what keeps this person from looking."""
    _recorded(visit, request, file)
    opened = visit.portal.sight.open(stored(file))
    drawn = visit.portal.sight.picture(stored(file), piece)
    _counted(visit, request, file, opened, [Page(ask=Ask(piece=piece), start=0, matching=1, size=1, numbers=(0,))])
    return drawn


def compare(visit: Visit, request: RequestView, old: FileView, new: FileView) -> tuple[Compared, ...]:
    """Return what changed since an earlier round; nothing where that cannot be drawn."""
    try:
        _recorded(visit, request, old)
        return visit.portal.sight.compare(stored(old), stored(new))
    except EnclaveError:
        return ()


def _recorded(visit: Visit, request: RequestView, file: FileView) -> None:
    actor = actor_of(visit)
    visit.portal.coverage.once(
        actor.account_id,
        file.id,
        f"look {actor.session_id}",
        lambda: commands.view_file(visit.portal.store, actor, request_id=request.id, file_id=file.id, now=visit.now),
    )


def _counted(  # noqa: PLR0913 - who was shown what of which
    visit: Visit, request: RequestView, file: FileView, opened: Opened, pages: Iterable[Page], *, known: bool = False
) -> Share | None:
    """Count what is about to be shown to whoever may have to judge it; what was seen whole is recorded once."""
    if Verb.DECLARE not in request.may:
        return None
    actor, coverage = actor_of(visit), visit.portal.coverage
    share = coverage.note(actor.account_id, file.id, opened, map(rows_of, pages))
    if known:
        return Share(share.total, share.total)
    if share.is_whole:
        act = partial(
            sighting.record_shown, visit.portal.store, actor, request_id=request.id, file_id=file.id, units=share.total
        )
        coverage.once(actor.account_id, file.id, "whole", lambda: act(now=visit.now))
    return share
