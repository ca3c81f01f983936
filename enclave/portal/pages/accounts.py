"""Accounts, organisations and roles: what an operator sets up, and what reviewers and auditors may look at."""

from __future__ import annotations

import segno
from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import credentials
from enclave.commands import people as commands
from enclave.errors import EnclaveError
from enclave.model.people import OrganisationKind
from enclave.policy.allows import allows
from enclave.policy.people import check_may_administer, check_may_change_rights
from enclave.portal.acting import Typed, actor_of, day_of, done, one_of, tried, typed
from enclave.portal.ending import end_account, revoke_role
from enclave.portal.forms import Form
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import people
from enclave.roles import LABELS, Role

router = APIRouter()


def show(visit: Visit, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the list of accounts with the forms of an operator."""
    actor = actor_of(visit)
    return visit.page(
        "accounts.html",
        here="accounts",
        status=error.status if error else 200,
        error=error,
        errors=Typed(),
        typed=typed(form),
        accounts=people.accounts(visit.portal.store, actor, now=visit.now),
        organisations=[(each.id, each.name) for each in people.organisations(visit.portal.store)],
        kinds=[(kind.value, kind_text(visit, kind)) for kind in OrganisationKind],
        may_administer=allows(check_may_administer, actor),
    )


def show_one(visit: Visit, login: str, *, error: EnclaveError | None = None, **more: object) -> Response:
    """Return one account with its grants; `more` carries a fresh enrolment, shown once."""
    actor = actor_of(visit)
    account = people.account(visit.portal.store, actor, login, now=visit.now)
    values = {"qr": "", "totp_secret": "", "errors": Typed(), "typed": typed()} | more
    return visit.page(
        "account.html",
        here="accounts",
        status=error.status if error else 200,
        error=error,
        account=account,
        roles=[(role.value, LABELS[role][visit.language == "en"]) for role in Role],
        may_change=allows(check_may_change_rights, actor, account.id),
        **values,
    )


def kind_text(visit: Visit, kind: OrganisationKind) -> str:
    """Return what a kind of organisation is called."""
    return visit.say(f"accounts.kind_{kind.value}")


@router.get("/accounts")
def accounts(visit: Here) -> Response:
    """Show all accounts."""
    return show(visit)


@router.post("/accounts")
def create(visit: Here, form: OwnForm) -> Response:
    """Create an account."""

    def act() -> str:
        made = commands.create_account(
            visit.portal.store,
            actor_of(visit),
            login=form.text("login"),
            name=form.text("name"),
            organisation_id=form.text("organisation_id"),
            password=form.text("password"),
            ends_on=day_of(form.text("ends_on"), "사용 종료일", "Last day"),
            now=visit.now,
        )
        return f"/accounts/{made.login}"

    return tried(
        lambda: done(visit, form, act, "accounts.created", login=form.text("login")),
        lambda error: show(visit, form, error),
    )


@router.post("/organisations")
def create_organisation(visit: Here, form: OwnForm) -> Response:
    """Register an organisation."""

    def act() -> str:
        commands.create_organisation(
            visit.portal.store,
            actor_of(visit),
            organisation_id=form.text("organisation"),
            name=form.text("organisation_name"),
            kind=one_of(OrganisationKind, form.text("kind")),
            now=visit.now,
        )
        return "/accounts"

    return tried(
        lambda: done(visit, form, act, "accounts.organisation_created"), lambda error: show(visit, form, error)
    )


@router.get("/accounts/{login}")
def account(visit: Here, login: str) -> Response:
    """Show one account."""
    return show_one(visit, login)


@router.post("/accounts/{login}/grant")
def grant(visit: Here, form: OwnForm, login: str) -> Response:
    """Grant a role."""

    def act() -> str:
        commands.grant_role(
            visit.portal.store,
            actor_of(visit),
            login=login,
            role=one_of(Role, form.text("role")),
            reason=form.text("reason"),
            now=visit.now,
        )
        return f"/accounts/{login}"

    return tried(
        lambda: done(visit, form, act, "accounts.granted"),
        lambda error: show_one(visit, login, error=error, typed=typed(form)),
    )


@router.post("/accounts/{login}/revoke")
def revoke(visit: Here, form: OwnForm, login: str) -> Response:
    """Take a role away."""

    def act() -> str:
        revoke_role(visit, login, one_of(Role, form.text("role")), form.text("reason"))
        return f"/accounts/{login}"

    return tried(lambda: done(visit, form, act, "accounts.revoked"), lambda error: show_one(visit, login, error=error))


@router.post("/accounts/{login}/unlock")
def unlock(visit: Here, form: OwnForm, login: str) -> Response:
    """Unlock an account."""

    def act() -> str:
        commands.unlock_account(
            visit.portal.store, actor_of(visit), login=login, reason=form.text("unlock_reason"), now=visit.now
        )
        return f"/accounts/{login}"

    return tried(lambda: done(visit, form, act, "accounts.unlocked"), lambda error: show_one(visit, login, error=error))


@router.post("/accounts/{login}/end")
def end(visit: Here, form: OwnForm, login: str) -> Response:
    """End an account; its workspaces are frozen by the command and stopped at the gate."""

    def act() -> str:
        end_account(visit, login, form.text("end_reason"))
        return f"/accounts/{login}"

    return tried(lambda: done(visit, form, act, "accounts.end_done"), lambda error: show_one(visit, login, error=error))


@router.post("/accounts/{login}/enrol")
def enrol(visit: Here, _form: OwnForm, login: str) -> Response:
    """Make a new second factor and show it once, as a QR code and as text (RFC 6238, `otpauth:` address)."""
    made = credentials.enrol_totp(visit.portal.store, visit.portal.vault, actor_of(visit), login=login, now=visit.now)
    picture = segno.make(made.uri, error="m").svg_data_uri(scale=5, border=3)
    return show_one(visit, login, qr=picture, totp_secret=made.secret)
