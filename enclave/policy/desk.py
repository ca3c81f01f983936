"""Whether somebody is where their account is, and whether a screen may be locked or opened again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from enclave.errors import Conflict, Denied
from enclave.forwarded import NOBODY
from enclave.states import WorkspaceState


@dataclass(frozen=True)
class Place:
    """An address, a browser there (its hub session, hashed; empty: not known), and since when the account is there."""

    address: str
    browser: str = ""
    since: datetime | None = None


def check_known(address: str) -> None:
    """Raise `Denied` (`seat.unknown`) unless there is an address to bind anything to."""
    if address == NOBODY:
        raise Denied(
            "seat.unknown",
            ko="접속한 단말의 주소를 알 수 없습니다.",
            en="The address of your terminal cannot be told.",
            remedy_ko="운영자에게 앞단 프록시 설정(trusted_proxies)을 확인해 달라고 하세요.",
            remedy_en="Ask the operator to check the proxies in front (setting trusted_proxies).",
        )


def check_address(seat: Place | None, address: str) -> None:
    """Raise `Denied` unless the account is at this address; an account that is nowhere yet may begin anywhere."""
    check_known(address)
    if seat is not None and seat.address != address:
        raise elsewhere()


def check_place(seat: Place, here: Place) -> None:
    """Raise `Denied` (`seat.elsewhere`) unless the account is at this address, in this browser."""
    check_address(seat, here.address)
    if seat.browser not in {"", here.browser}:
        raise elsewhere()


def check_running(state: WorkspaceState) -> None:
    """Raise `Conflict` (`workspace.not-running`) unless there is a screen to lock or to open."""
    if state is not WorkspaceState.RUNNING:
        raise Conflict(
            "workspace.not-running",
            ko="열려 있는 작업공간이 아닙니다.",
            en="The workspace is not running.",
            remedy_ko="‘내 과제’에서 작업공간을 여세요.",
            remedy_en="Open it from ‘My projects’.",
        )


def is_fresh(seat: Place | None, now: datetime, idle_minutes: int) -> bool:
    """Say whether the account proved itself within the time after which an idle screen locks."""
    return seat is not None and seat.since is not None and now - seat.since < timedelta(minutes=idle_minutes)


def elsewhere() -> Denied:
    """Return the refusal of whoever is not where the account is."""
    return Denied(
        "seat.elsewhere",
        ko="이 계정은 지금 다른 자리(단말이나 브라우저)에서 쓰이고 있습니다.",
        en="This account is in use at another seat: another terminal, or another browser.",
        remedy_ko="이 자리에서 계속하려면 2차 인증으로 자리를 옮기세요. 그러면 저쪽 자리는 끝납니다.",
        remedy_en="To go on here, move your seat with a second factor; the other one then ends.",
    )
