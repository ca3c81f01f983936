"""What the hub saw, in a closed form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.errors import Invalid
from enclave.store import Store

KIND = re.compile(r"[a-z][a-z0-9-]{0,39}")
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_DETAIL = 200
# What the hub calls something it refused.
REFUSED = "-refused"


def hub_event(
    store: Store,
    *,
    login: str,
    kind: str,
    details: Mapping[str, str | int | bool],
    now: datetime,  # noqa: ARG001 - every command takes it
) -> None:
    """Record what the hub saw of a person (a server that stopped by itself); `kind` in `[a-z-]`. Raises `Invalid`."""
    with store.write(intent(Action.HUB_EVENT, Actor.system(), ("account", login))) as tx:
        tx.record(outcome="denied" if kind.endswith(REFUSED) else "done", details=_checked(kind, details))


def _checked(kind: str, details: Mapping[str, str | int | bool]) -> dict[str, str | int | bool]:
    values: dict[str, str | int | bool] = {"kind": kind, **details}
    wrong = [name for name, value in values.items() if not KEY.fullmatch(name) or len(str(value)) > MAX_DETAIL]
    if wrong or not KIND.fullmatch(kind):
        raise Invalid(
            "event.malformed",
            ko=f"기록할 수 없는 사건입니다: {ascii([kind, *wrong])[:200]}",
            en=f"This event cannot be recorded: {ascii([kind, *wrong])[:200]}",
            remedy_ko="사건 이름과 항목의 형식을 확인하세요.",
            remedy_en="Check the form of its name and details.",
        )
    return values
