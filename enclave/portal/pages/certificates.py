"""My visits with their certificates of use, and certificates of destruction with the second person's word."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.certificate_page import page
from enclave.errors import EnclaveError
from enclave.portal import filing, refusals
from enclave.portal.acting import actor_of, done, proved, tried
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import certificates

router = APIRouter()


def show(visit: Visit, error: EnclaveError | None = None) -> Response:
    """Return the list of visits and certificates."""
    actor, store = actor_of(visit), visit.portal.store
    return visit.page(
        "certificates.html",
        here="certificates",
        status=error.status if error else 200,
        error=error,
        visits=certificates.visits(store, actor),
        destructions=certificates.destructions(store, actor, now=visit.now),
    )


@router.get("/certificates")
def every(visit: Here) -> Response:
    """Show visits and certificates."""
    return show(visit)


@router.post("/visits/{visit_id}/certificate")
def issue(visit: Here, form: OwnForm, visit_id: str) -> Response:
    """Issue the certificate of one visit and show it."""

    def act() -> str:
        made = filing.issue(visit.portal, actor_of(visit), visit_id=visit_id, now=visit.now)
        return f"/certificates#{made.id}"

    return tried(lambda: done(visit, form, act, "certificates.issued"), lambda error: show(visit, error))


@router.get("/certificates/{certificate_id}.{kind}")
def download(visit: Here, certificate_id: str, kind: str) -> Response:
    """Hand out a certificate: `json` is what counts, `html` is for paper. Both as files, so that neither runs here."""
    found = certificates.file_of(visit.portal.store, actor_of(visit), certificate_id, now=visit.now)
    if kind not in {"json", "html"}:
        raise refusals.no_such_page()
    data, media = (found.to_json(), "application/json") if kind == "json" else (page(found).encode(), "text/html")
    name = f'attachment; filename="{found.fields["id"]}.{kind}"'
    return Response(data, media_type=media, headers={"Content-Disposition": name})


@router.post("/certificates/{certificate_id}/witness")
def witness(visit: Here, form: OwnForm, certificate_id: str) -> Response:
    """Countersign a certificate of destruction."""

    def act() -> str:
        actor = proved(visit, form.text("code"))
        filing.witness(visit.portal, actor, certificate_id=certificate_id, now=visit.now)
        return "/certificates"

    return tried(lambda: done(visit, form, act, "certificates.witnessed_now"), lambda error: show(visit, error))
