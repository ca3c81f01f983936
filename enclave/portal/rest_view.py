"""Looking into the files of a request, as JSON: the same pages as on the review page, recorded and counted alike.

What comes is text, numbers and pictures made anew by the sealed checker, never the file.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from enclave.portal import looking
from enclave.portal.looking import Look
from enclave.portal.pages.viewer import file_of
from enclave.portal.rest_json import told
from enclave.portal.turning import ask_of
from enclave.portal.visit import Here

router = APIRouter(tags=["portal"])
Json = Any


@router.get("/requests/{request_id}/files/{file_id}/view")
def view(visit: Here, request_id: str, file_id: str, first: int = 0) -> Json:
    """Return all pieces of a file, with the first page of up to 30 from number `first` on, and what was shown so far.

    Pictures come by their own address.
    """
    request, file = file_of(visit, request_id, file_id)
    look = looking.look(visit, request, file, first=max(0, first))
    if look.error is not None:
        raise look.error
    return told(look.opened) | _share(look)


@router.get("/requests/{request_id}/files/{file_id}/view/{piece}")
def page(visit: Here, request_id: str, file_id: str, piece: int) -> Json:
    """Return one page of a piece: `from`, `sort`, `down=1`, `find`, `in`, `row` as on the review page.

    Rows and columns are counted from 0; `numbers` says where each row stands in the file.
    """
    request, file = file_of(visit, request_id, file_id)
    ask = ask_of({**visit.request.query_params, "p": str(piece)})
    look, turned = looking.turn(visit, request, file, ask)
    return told(turned) | {"next_start": turned.next_start} | _share(look)


@router.get("/requests/{request_id}/files/{file_id}/view/{piece}/picture", response_class=Response)
def picture(visit: Here, request_id: str, file_id: str, piece: int) -> Response:
    """Return a picture as the sealed checker made it anew: a PNG of at most 1600 × 1600 px."""
    request, file = file_of(visit, request_id, file_id)
    return Response(looking.picture(visit, request, file, piece).png, media_type="image/png")


def _share(look: Look) -> dict[str, Json]:
    return {"share": told(look.share), "seen_whole": look.share is not None and look.share.is_whole}
