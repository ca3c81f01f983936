"""What a hospital sends: an entry before the first object is taken, and one with what came when it is over.

The log gets counts, the sender's title and address, never what was sent: a path or a UID could name a person.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from audit.event import Outcome
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent, name_in_log
from enclave.policy.reception import Caller, Senders, check_may_send
from enclave.store import Store


@dataclass(frozen=True)
class Came:
    """What came over one connection: objects kept, such as were there already, put apart, and not taken at all."""

    kept: int = 0
    known: int = 0
    apart: int = 0
    refused: int = 0


def begin(  # noqa: PLR0913 - keyword-only: who asks, and from where
    store: Store,
    actor: Actor,
    *,
    reception_id: str,
    source: str,
    caller: Caller,
    senders: Senders,
    ip: str,
    unheard: int = 0,
) -> None:
    """Let a sender send into the sealed store `source`; by the reception's id its end is recorded.

    `unheard`: how many like it were refused since the last entry said so. Raises `Denied` (`reception.…`).
    """
    thing = ("reception", reception_id)
    event = intent(Action.SOURCE_RECEIVE_REQUESTED, replace(actor, ip=ip), thing, outcome="allowed")
    with store.write(event) as tx:
        about: dict[str, str | int | bool] = {"source": name_in_log(source), "sender": name_in_log(caller.title)}
        tx.record(details={**about, "tls": bool(caller.certificate), **({"unheard": unheard} if unheard else {})})
        check_system(actor)
        check_may_send(caller, senders)


def end(store: Store, actor: Actor, *, reception_id: str, came: Came, known: bool = True) -> None:
    """Record that a reception is over and what came; `known` is false for one that a killed receiver left open.

    Raises `Denied` (`workspace.system-only`).
    """
    outcome: Outcome = "done" if known else "unknown"
    event = intent(Action.SOURCE_RECEIVE_DONE, actor, ("reception", reception_id), outcome=outcome)
    with store.write(event) as tx:
        check_system(actor)
        tx.record(details=asdict(came) if known else {})
