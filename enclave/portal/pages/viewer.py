"""Looking into one file of a request: a page of one of its pieces, and its pictures. Drawn in the sealed child."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.portal import looking, refusals
from enclave.portal.acting import actor_of
from enclave.portal.turning import ask_of
from enclave.portal.visit import Here, Visit
from enclave.queries import egress
from enclave.queries.airlock_views import FileView, RequestView

router = APIRouter()


def file_of(visit: Visit, request_id: str, file_id: str) -> tuple[RequestView, FileView]:
    """Return the request and one file of its present round. Raises `NotFound`, `Denied`."""
    request = egress.request(visit.portal.store, actor_of(visit), request_id, now=visit.now)
    file = next((each for each in request.files if each.id == file_id), None)
    if file is None:
        raise refusals.no_such_page()
    return request, file


@router.get("/review/{request_id}/piece")
def piece(visit: Here, request_id: str, f: str = "") -> Response:
    """Return a page of one piece, to take the place of the one that is there; the review page needs no script."""
    ask = ask_of(visit.request.query_params)
    request, file = file_of(visit, request_id, f)
    look, page = looking.turn(visit, request, file, ask)
    return visit.page("viewer_piece.html", request=request, file=file, look=look, page=page)


@router.get("/review/{request_id}/picture/{file_id}")
def picture(visit: Here, request_id: str, file_id: str, p: int = 0) -> Response:
    """Return a picture as the sealed process redrew it, a PNG, whatever came in."""
    request, file = file_of(visit, request_id, file_id)
    return Response(looking.picture(visit, request, file, p).png, media_type="image/png")


@router.get("/review/{request_id}/share")
def share(visit: Here, request_id: str, f: str = "") -> Response:
    """Return what was shown of a file by now: asked for once its pictures have arrived."""
    request, file = file_of(visit, request_id, f)
    return visit.page("viewer_share.html", request=request, file=file, look=looking.share(visit, request, file))
