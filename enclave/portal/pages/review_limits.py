"""What the review counts as an anomaly, how often it is done, and the reports about rights and years."""

from __future__ import annotations

import json
from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from enclave.clock import korean_date
from enclave.commands import reporting
from enclave.commands import review_limits as commands
from enclave.errors import EnclaveError, Invalid
from enclave.policy.logreview.cycle import Plan
from enclave.policy.logreview.limits import FIELDS, FORMAT, SECTIONS, Limits
from enclave.policy.people import check_is
from enclave.portal.acting import actor_of, day_of, done, proved, tried, typed
from enclave.portal.forms import Form
from enclave.portal.pages.logreview import handed
from enclave.portal.places import WATCHERS
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import review_limits as query
from enclave.roles import Role

router = APIRouter()
PREFIX = "p_"
MOST_DIGITS = 9


@router.get("/limits")
def limits(visit: Here) -> Response:
    """Show plan and limits with all their versions."""
    return show(visit)


@router.post("/limits/plan")
def set_plan(visit: Here, form: OwnForm) -> Response:
    """Say how often the log is reviewed."""

    def act() -> str:
        actor = proved(visit, form.text("code"))
        plan = Plan(form.text("version"), _number(form.text("months")), _number(form.text("sign_days")))
        commands.set_plan(visit.portal.store, actor, plan=plan, reason=form.text("reason"), now=visit.now)
        return "/limits"

    return tried(lambda: done(visit, form, act, "limits.plan_set"), lambda error: show(visit, error, form, "plan"))


@router.post("/limits/propose")
def propose(visit: Here, form: OwnForm) -> Response:
    """Propose limits for the house or a project."""

    def act() -> str:
        commands.propose(
            visit.portal.store,
            actor_of(visit),
            scope=form.text("scope"),
            text=text_of(form),
            reason=form.text("why"),
            now=visit.now,
        )
        return "/limits"

    return tried(lambda: done(visit, form, act, "limits.proposed"), lambda error: show(visit, error, form, "limits"))


@router.post("/limits/{limits_id}/activate")
def activate(visit: Here, form: OwnForm, limits_id: str) -> Response:
    """Put proposed limits into force."""

    def act() -> str:
        actor = proved(visit, form.text("code"))
        commands.activate(visit.portal.store, actor, limits_id=limits_id, sha256=form.text("sha256"), now=visit.now)
        return "/limits"

    return tried(lambda: done(visit, form, act, "limits.activated"), lambda error: show(visit, error))


@router.get("/reports")
def reports(visit: Here) -> Response:
    """Offer the reports about rights and years."""
    return show_reports(visit)


@router.get("/reports/rights")
def rights(visit: Here) -> Response:
    """Hand out who held which right at the end of a day."""

    def act() -> Response:
        asked = visit.request.query_params
        day = day_of(asked.get("day", ""), "기준일", "As of") or korean_date(visit.now) - timedelta(days=1)
        kind, portal, actor = asked.get("kind", "html"), visit.portal, actor_of(visit)
        return handed(reporting.of_rights(portal.store, portal.settings, actor, day=day, kind=kind, now=visit.now))

    return tried(act, lambda error: show_reports(visit, error))


@router.get("/reports/annual")
def annual(visit: Here) -> Response:
    """Hand out a year in numbers."""

    def act() -> Response:
        asked = visit.request.query_params
        year, kind = _number(asked.get("year", "")), asked.get("kind", "html")
        portal, actor = visit.portal, actor_of(visit)
        return handed(reporting.of_year(portal.store, portal.settings, actor, year=year, kind=kind, now=visit.now))

    return tried(act, lambda error: show_reports(visit, error))


def show(visit: Visit, error: EnclaveError | None = None, form: Form | None = None, sent: str = "") -> Response:
    """Return the page of plan and limits; `sent`: which form was refused."""
    actor, store = actor_of(visit), visit.portal.store
    versions = query.versions(store, actor)
    plan, house = query.current(store)
    return visit.page(
        "limits.html",
        here="periods",
        status=error.status if error else 200,
        error=error,
        sent=sent,
        typed=typed(form, {"version": plan.version, "months": plan.months, "sign_days": plan.sign_days}),
        start=_start(house) if sent != "limits" else typed(form),
        plan=plan,
        plans=query.plans(store, actor),
        house=house,
        values=_values(house),
        versions=versions,
        said=_said,
        fields=FIELDS,
        prefix=PREFIX,
        reviews=Role.REVIEWER in actor.roles,
    )


def show_reports(visit: Visit, error: EnclaveError | None = None) -> Response:
    """Return the page that offers reports."""
    check_is(actor_of(visit), *reporting.SEES)
    today = korean_date(visit.now)
    return visit.page(
        "reports.html",
        here="reports",
        status=error.status if error else 200,
        error=error,
        yesterday=today - timedelta(days=1),
        reviews=bool(actor_of(visit).roles & WATCHERS),
        year=today.year,
    )


def text_of(form: Form) -> str:
    """Return the file of limits that a form's fields say; what is no number is refused by the format itself."""
    values = form.starting(PREFIX)
    lines = [f'format = "{FORMAT}"']
    for section in SECTIONS:
        lines.append(f"[{section}]")
        names = (name for name, field in FIELDS.items() if field.section == section)
        lines += [f"{name} = {_toml(name, values.get(name, ''))}" for name in names]
    return "\n".join(lines) + "\n"


def _toml(name: str, value: str) -> str:
    if FIELDS[name].is_list:
        return json.dumps(value.replace(",", " ").split(), ensure_ascii=False)
    plain = value.replace(",", "")
    return str(int(plain)) if plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS else json.dumps(value)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Invalid(
            "portal.number",
            ko=f"‘{text[:20]}’은(는) 숫자가 아닙니다.",
            en=f"‘{text[:20]}’ is no number.",
            remedy_ko="숫자로 적으세요.",
            remedy_en="Write it in digits.",
        )
    return int(text)


def _values(limits: Limits) -> dict[str, str]:
    return {name: _said(getattr(limits, name)) for name in FIELDS}


def _start(limits: Limits) -> dict[str, str]:
    values = {name: getattr(limits, name) for name in FIELDS}
    return {
        PREFIX + name: " ".join(value) if isinstance(value, tuple) else str(value) for name, value in values.items()
    }


def _said(value: object) -> str:
    return (", ".join(value) or "–") if isinstance(value, tuple) else f"{value:,}"
