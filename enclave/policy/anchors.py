"""Who carries the log's checkpoints outside and takes in what comes back. Pure."""

from __future__ import annotations

from enclave.actor import Actor
from enclave.errors import Denied


def check_may_anchor(actor: Actor) -> None:
    """Raise `Denied` (`log.machine-only`) unless it is whoever holds the machine, or the service itself.

    Nothing is decided here: a checkpoint is public, and a cosignature counts by its signature alone.
    """
    if not (actor.is_console or actor.is_system):
        raise Denied(
            "log.machine-only",
            ko="확인점은 서버에서만 내보내고 받습니다.",
            en="Checkpoints are handed out and taken in at the machine only.",
            remedy_ko="운영자에게 서버에서 ansim anchor 명령을 실행해 달라고 하세요.",
            remedy_en="Ask an operator to run `ansim anchor` on the machine.",
        )


def check_may_appoint(actor: Actor) -> None:
    """Raise `Denied` (`log.console-only`) unless it is whoever holds the machine: no service appoints witnesses."""
    if not actor.is_console:
        raise Denied(
            "log.console-only",
            ko="증인은 서버를 가진 사람만 정합니다.",
            en="Only whoever holds the machine appoints witnesses.",
            remedy_ko="서버에서 ansim anchor policy 를 실행하세요.",
            remedy_en="Run `ansim anchor policy` on the machine.",
        )
