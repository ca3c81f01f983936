"""What is shown on screens: findings for reviewers and auditors, and a steward's word on how much may be shown."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import code as commands
from enclave.commands.display import set_display_policy
from enclave.errors import Invalid
from enclave.portal.acting import actor_of, done, tried
from enclave.portal.forms import Form
from enclave.portal.limits import bring_limits
from enclave.portal.pages import project
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import watch
from enclave.queries.display import FIELDS
from enclave.queries.watch import FindingView
from enclave.workspace.plan import Display

router = APIRouter()
KIB = 1 << 10


@router.get("/findings")
def findings(visit: Here, project: str = "") -> Response:
    """Show the newest findings, in one project or all."""
    found = watch.findings(visit.portal.store, actor_of(visit), project_id=project.strip())
    return visit.page("findings.html", here="findings", project=project, found=found)


@router.get("/findings/{finding_id}")
def one(visit: Here, finding_id: str) -> Response:
    """Show one finding without its samples."""
    return _page(visit, watch.finding(visit.portal.store, actor_of(visit), finding_id))


@router.get("/findings/{finding_id}/samples")
def samples(visit: Here, finding_id: str) -> Response:
    """Show one finding with its masked samples; this look is an entry."""
    portal = visit.portal
    read = commands.view_finding(portal.store, portal.vault, actor_of(visit), finding_id=finding_id, now=visit.now)
    return _page(visit, read.finding, read.samples)


@router.post("/projects/{project_id}/display")
def limits(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Set how much may be shown, for one's own organisation."""

    def act() -> str:
        set_display_policy(
            visit.portal.store,
            visit.portal.settings,
            actor_of(visit),
            project_id=project_id,
            limits=limits_of(form),
            reason=form.text("display_reason"),
            now=visit.now,
        )
        bring_limits(visit.portal, project_id)
        return f"/projects/{project_id}"

    return tried(
        lambda: done(visit, form, act, "display.set_now"), lambda error: project.show(visit, project_id, form, error)
    )


def limits_of(form: Form) -> Display:
    """Return the limits that a form holds, sizes in KiB there. Raises: Invalid for what is no whole number."""
    return Display(**{name: _number(form, name) * (KIB if name.endswith("_bytes") else 1) for name in FIELDS})


def _number(form: Form, name: str) -> int:
    text = form.text(name).replace(",", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004 - more than any limit has
        raise Invalid(
            "portal.number",
            ko=f"‘{form.text(name)[:20]}’은(는) 0 이상의 정수가 아닙니다.",
            en=f"‘{form.text(name)[:20]}’ is not a whole number of at least zero.",
            remedy_ko="숫자만 적으세요.",
            remedy_en="Write digits only.",
        )
    return int(text)


def _page(visit: Visit, found: FindingView, masked: tuple[tuple[str, str], ...] | None = None) -> Response:
    return visit.page("finding.html", here="findings", finding=found, samples=masked)
