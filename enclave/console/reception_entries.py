"""The process that writes a receiver's entries, as the service: a JSON line asks, one answers, until the input ends."""

from __future__ import annotations

import json
import sys
from typing import Any

from enclave.actor import Actor
from enclave.commands import reception
from enclave.commands.reception import Came
from enclave.console.acting import opened
from enclave.errors import EnclaveError
from enclave.policy.reception import Caller, Senders
from enclave.settings import Settings
from enclave.store import Store


def main(source: str, senders: Senders) -> None:
    """Answer until nobody asks any more."""
    with opened(Settings.load()) as store:
        for line in sys.stdin:
            try:
                _act(store, source, senders, json.loads(line))
                said = {"code": ""}
            except EnclaveError as refused:
                said = {"code": refused.code}
            print(json.dumps(said), flush=True)  # noqa: T201 - the answer itself


def _act(store: Store, source: str, senders: Senders, asked: dict[str, Any]) -> None:
    system, reception_id = Actor.system(), str(asked["id"])
    if asked["ask"] == "begin":
        caller, ip, unheard = Caller(**asked["caller"]), asked["ip"], asked["unheard"]
        reception.begin(
            store,
            system,
            reception_id=reception_id,
            source=source,
            caller=caller,
            senders=senders,
            ip=ip,
            unheard=unheard,
        )
        return
    came, known = Came(**asked.get("came", {})), asked["ask"] == "end"
    reception.end(store, system, reception_id=reception_id, came=came, known=known)


if __name__ == "__main__":
    main(sys.argv[1], Senders(**json.loads(sys.argv[2])))
