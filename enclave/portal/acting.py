"""What several pages do with a form: act once, prove the second factor, show a refusal beside what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from starlette.responses import Response

from enclave.actor import Actor
from enclave.commands import credentials
from enclave.errors import EnclaveError, Invalid
from enclave.portal import refusals
from enclave.portal.forms import Form
from enclave.portal.visit import Visit

E = TypeVar("E", bound=StrEnum)


def actor_of(visit: Visit) -> Actor:
    """Return who is signed in. Raises: SignInNeeded where nobody is."""
    if visit.actor is None:
        raise refusals.sign_in_needed()
    return visit.actor


def proved(visit: Visit, code: str) -> Actor:
    """Return the actor with a second factor proved just now by the code; the session remembers the moment.

    Without a code the session's last proof stands, and the command's policy judges whether it is fresh.
    Raises: Denied for a wrong or used code (the failure is recorded and counted by the command).
    """
    actor = actor_of(visit)
    if not code:
        return actor
    proven = credentials.confirm_second_factor(visit.portal.store, visit.portal.vault, actor, code=code, now=visit.now)
    if visit.session is not None:
        visit.session.second_factor_at = proven.second_factor_at
    return proven


def done(visit: Visit, form: Form, act: Callable[[], str], flash: str, **values: object) -> Response:
    """Do `act` once for this form and go to the path it returns, with one sentence about what happened."""
    return visit.go(visit.once(form.text("once"), act), flash, **values)


def tried(act: Callable[[], Response], again: Callable[[EnclaveError], Response]) -> Response:
    """Do `act`; if it is refused, show the page again with the refusal and everything that was typed."""
    try:
        return act()
    except EnclaveError as error:
        return again(error)


class Typed(dict[str, str]):
    """What fields hold, or what is wrong with them; a name that is not there is empty and stays not there."""

    def __missing__(self, _name: str) -> str:
        return ""


def typed(form: Form | None = None, start: Mapping[str, object] | None = None) -> Typed:
    """Return the values to show in a form's fields: what was sent, else `start`, else nothing."""
    values = Typed({name: str(value) for name, value in (start or {}).items() if value is not None})
    if form is not None:
        values.update({name: value for name, value in form.fields if name != "csrf"})
    return values


def day_of(text: str, name_ko: str, name_en: str) -> date | None:
    """Return the day a date field holds, None for an empty one. Raises: Invalid naming the field."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(
            "portal.date",
            ko=f"{name_ko}: ‘{text[:20]}’은(는) 날짜가 아닙니다.",
            en=f"{name_en}: ‘{text[:20]}’ is not a date.",
            remedy_ko="2026-11-24처럼 적으세요.",
            remedy_en="Write it like 2026-11-24.",
        ) from None


def one_of(kind: type[E], text: str) -> E:
    """Return the member of an enumeration that a field names. Raises: Invalid for anything else."""
    for member in kind:
        if member.value == text:
            return member
    raise Invalid(
        "portal.choice",
        ko="목록에 있는 것을 고르지 않았습니다.",
        en="Nothing from the list was chosen.",
        remedy_ko="목록에서 하나를 고르세요.",
        remedy_en="Choose one from the list.",
    )
