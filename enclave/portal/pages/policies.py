"""Providers' policies for the airlock: what counts, proposing another, what its replay shows, putting it into force."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from enclave.airlock.report import Verdict
from enclave.commands import provider_policy as commands
from enclave.errors import EnclaveError
from enclave.policy.provider.document import FORMAT, PolicyDocument
from enclave.policy.provider.fields import FIELDS, SECTIONS, Field
from enclave.portal.acting import actor_of, done, proved, tried, typed
from enclave.portal.forms import Form
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import policy_versions as query
from enclave.queries.policy_versions import ProviderView, ReplayView
from enclave.states import RequestState

router = APIRouter()
PREFIX = "p_"


@dataclass(frozen=True)
class Line:
    """One field of a policy, as it is in force."""

    name: str
    field: Field
    value: str


@dataclass(frozen=True)
class Row:
    """One replayed round, as the table shows it."""

    replay: ReplayView
    decision: RequestState
    old: Verdict
    new: Verdict

    @classmethod
    def of(cls, replay: ReplayView) -> Row:
        """Return the row of a replay."""
        told = replay.outcome
        return cls(replay, RequestState(told["decision"]), Verdict(told["old_verdict"]), Verdict(told["new_verdict"]))


@router.get("/policies")
def policies(visit: Here) -> Response:
    """Show the policies of all providers that this person may see."""
    return show(visit)


@router.post("/policies/{provider}")
def propose(visit: Here, form: OwnForm, provider: str) -> Response:
    """Propose a policy: the pasted file, or the fields of the form."""

    def act() -> str:
        made = commands.propose(
            visit.portal.store,
            actor_of(visit),
            provider=provider,
            text=form.text("text") or text_of(form),
            reason=form.text("reason"),
            now=visit.now,
        )
        return f"/policies/version/{made.id}"

    return tried(lambda: done(visit, form, act, "policies.proposed"), lambda error: show(visit, form, error, provider))


@router.get("/policies/version/{policy_id}")
def version(visit: Here, policy_id: str) -> Response:
    """Show one version: what it changes, and what its replay shows."""
    return show_version(visit, policy_id)


@router.get("/policies/version/{policy_id}/file")
def file(visit: Here, policy_id: str) -> Response:
    """Hand out the file in its one spelling: its SHA-256 is the version."""
    found = query.policy(visit.portal.store, actor_of(visit), policy_id)
    name = f"{found.provider}-{found.number}.toml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.text.encode(), media_type="application/toml", headers=headers)


@router.post("/policies/version/{policy_id}/activate")
def activate(visit: Here, form: OwnForm, policy_id: str) -> Response:
    """Put a replayed version into force."""

    def act() -> str:
        actor = proved(visit, form.text("code"))
        commands.activate(visit.portal.store, actor, policy_id=policy_id, sha256=form.text("sha256"), now=visit.now)
        return f"/policies/version/{policy_id}"

    return tried(
        lambda: done(visit, form, act, "policies.activated"), lambda error: show_version(visit, policy_id, error)
    )


@router.post("/policies/version/{policy_id}/withdraw")
def withdraw(visit: Here, form: OwnForm, policy_id: str) -> Response:
    """Take a proposal back."""

    def act() -> str:
        commands.withdraw(visit.portal.store, actor_of(visit), policy_id=policy_id, now=visit.now)
        return f"/policies/version/{policy_id}"

    return tried(
        lambda: done(visit, form, act, "policies.withdrawn"), lambda error: show_version(visit, policy_id, error)
    )


def show(visit: Visit, form: Form | None = None, error: EnclaveError | None = None, provider: str = "") -> Response:
    """Return the page of all providers; `provider`: whose form was sent and refused."""
    found = query.mine(visit.portal.store, actor_of(visit))
    return visit.page(
        "policies.html",
        here="policies",
        status=error.status if error else 200,
        error=error,
        sent_for=provider,
        typed=typed(form),
        providers=[(each, lines_of(each.document)) for each in found],
        starts={each.provider: _start(each) for each in found},
        sections=SECTIONS,
        prefix=PREFIX,
    )


def show_version(visit: Visit, policy_id: str, error: EnclaveError | None = None) -> Response:
    """Return the page of one version."""
    found = query.policy(visit.portal.store, actor_of(visit), policy_id)
    rows = sorted((Row.of(each) for each in found.replays), key=lambda row: not row.replay.flips)
    return visit.page(
        "policy.html",
        here="policies",
        status=error.status if error else 200,
        error=error,
        policy=found,
        rows=rows,
        unknown=sum(each.replay.outcome["unknown"] for each in rows),
        flipped=_counted(rows),
    )


def lines_of(document: PolicyDocument) -> tuple[Line, ...]:
    """Return a policy's fields in the order of the file."""
    return tuple(Line(name, field, _said(getattr(document, name))) for name, field in FIELDS.items())


def text_of(form: Form) -> str:
    """Return the policy file that a form's fields say; what is no number is refused by the format itself."""
    values = form.starting(PREFIX)
    lines = [f'format = "{FORMAT}"']
    for section in SECTIONS:
        lines.append(f"[{section}]")
        lines += [f"{name} = {_toml(name, values.get(name, ''))}" for name in FIELDS if FIELDS[name].section == section]
    return "\n".join(lines) + "\n"


def _toml(name: str, value: str) -> str:
    if FIELDS[name].is_list:
        return json.dumps(value.replace(",", " ").split(), ensure_ascii=False)
    plain = value.replace(",", "")
    return (
        str(int(plain)) if plain.isascii() and plain.isdigit() and len(plain) < len(str(1 << 63)) else json.dumps(value)
    )


def _start(found: ProviderView) -> dict[str, str]:
    values: dict[str, Any] = {name: getattr(found.document, name) for name in FIELDS}
    return {
        PREFIX + name: " ".join(value) if isinstance(value, tuple) else str(value) for name, value in values.items()
    }


def _said(value: object) -> str:
    return (", ".join(value) or "–") if isinstance(value, tuple) else f"{value:,}"


def _counted(rows: list[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        for flip in row.replay.outcome["flips"]:
            counts[flip] = counts.get(flip, 0) + 1
    return counts
