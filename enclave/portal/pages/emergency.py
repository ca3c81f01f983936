"""The page that works when nothing can be recorded: stop, freeze, revoke, by what was last known of who asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from enclave.commands.log_watch import canary
from enclave.errors import Conflict, EnclaveError, Unavailable
from enclave.policy.allows import allows
from enclave.policy.emergency import Act, check_known, check_may_act
from enclave.policy.log_health import Canary
from enclave.portal import refusals
from enclave.portal.acting import actor_of, one_of
from enclave.portal.ending import log_out
from enclave.portal.forms import Form
from enclave.portal.visit import Anyone, Visit, address, at_the_door, check_token, find_session, form_of
from enclave.roles import LABELS, Role

router = APIRouter()


def last_known(request: Request, visit: Anyone) -> Visit:
    """Return the visit of whoever has a live session here; read from the database, or as it was last read.

    Raises: SignInNeeded without a session, Denied where nobody knows any more who it is.
    """
    try:
        return at_the_door(request)
    except Unavailable:
        session = find_session(request, visit)
        if session is None or session.address != address(request):
            raise refusals.sign_in_needed() from None
        return replace(visit, session=session, actor=check_known(session.known))


def known_form(visit: Annotated[Visit, Depends(last_known)], form: Annotated[Form, Depends(form_of)]) -> Form:
    """Return the form if it was opened in this session. Raises: Denied otherwise."""
    check_token(visit, form.text("csrf"))
    return form


Known = Annotated[Visit, Depends(last_known)]
KnownForm = Annotated[Form, Depends(known_form)]


@router.get("/emergency")
def show(visit: Known) -> Response:
    """Show what may be closed by this person."""
    return page(visit)


@router.post("/emergency/{act}")
def act(visit: Known, form: KnownForm, act: str) -> Response:
    """Close something now; it is recorded first thing when that is possible again."""
    try:
        wanted = one_of(Act, act)
        check_needed(visit)
        on, role = form.text("on").strip(), form.text("role")
        left = visit.portal.emergency.act(actor_of(visit), wanted, on, reason=form.text("reason"), role=role)
    except EnclaveError as error:
        return page(visit, error)
    if wanted in {Act.END_ACCOUNT, Act.REVOKE_ROLE}:
        visit.portal.sessions.close_of(on)
    return visit.go(
        "/emergency", "emergency.left" if left else "emergency.done", act=visit.say(f"emergency.act_{wanted}")
    )


@router.post("/logout")
def logout(visit: Known, _form: KnownForm) -> Response:
    """End the session here and offer to end the hub's.

    A page and not a redirect: our own policy forbids a form to end up on another origin.
    """
    portal = visit.portal
    log_out(visit)
    answer = replace(visit, session=None, actor=None).page("signed_out.html", hub_logout=f"{portal.hub.public}logout")
    answer.delete_cookie(portal.cookie, path=portal.cookie_path)
    return answer


def page(visit: Visit, error: EnclaveError | None = None) -> Response:
    """Return the page with its forms, and with a refusal if there was one."""
    actor, running = actor_of(visit), visit.portal.emergency.running
    mine = [each for each in running.values() if allows(check_may_act, actor, Act.STOP, each.workspace_id, running)]
    return visit.page(
        "emergency.html",
        here="emergency",
        status=error.status if error else 200,
        error=error,
        running=sorted(mine, key=lambda each: (each.project_id, each.login)),
        may_freeze=allows(check_may_act, actor, Act.FREEZE, next((x.project_id for x in mine), ""), running),
        may_revoke=allows(check_may_act, actor, Act.END_ACCOUNT, "", running),
        roles=[(role.value, LABELS[role][visit.language == "en"]) for role in Role],
        waiting=visit.portal.emergency.waiting(),
    )


def check_needed(visit: Visit) -> None:
    """Raise `Conflict` while entries can be written: then the ordinary pages do it, with all their rules."""
    try:
        canary(visit.portal.store, before=Canary(), now=visit.now)
    except Unavailable:
        return
    raise Conflict(
        "emergency.not-needed",
        ko="지금은 기록이 됩니다.",
        en="Entries can be written now.",
        remedy_ko="과제나 계정 화면에서 하세요.",
        remedy_en="Use the project's or the account's page.",
    )
