"""Recording that all of a file was on a checker's screen, without which they cannot approve it."""

from __future__ import annotations

from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.commands.moving import begin
from enclave.errors import NotFound
from enclave.model.sighting import FileShown
from enclave.policy.airlock import who
from enclave.queries.airlock_facts import present_files
from enclave.states import Direction
from enclave.store import Store

SHOWN = {Direction.EGRESS: Action.EGRESS_SHOWN, Direction.IMPORT: Action.IMPORT_SHOWN}


def record_shown(  # noqa: PLR0913 - keyword-only facts of one look
    store: Store, actor: Actor, *, request_id: str, file_id: str, units: int, now: datetime
) -> None:
    """Record that the actor was shown all `units` (rows, lines, pictures) of a file of the present round.

    Called by the door that drew them, never by the one who looks. Disinterested checkers; a second time changes
    nothing. Raises `Denied`, `NotFound` (`egress.unknown`, `egress.no-file`).
    """
    with store.write(intent(Action.EGRESS_SHOWN, actor, ("egress_request", request_id))) as tx:
        begun = begin(tx, actor, request_id, now)
        tx.record(action=SHOWN[begun.found.direction].value)
        who.check_is_checker(begun.acting, begun.about)
        file = next((each for each in present_files(begun.found) if each.id == file_id), None)
        if file is None:
            raise NotFound(
                "egress.no-file",
                ko="이번 회차에 그런 파일이 없습니다.",
                en="This round has no such file.",
                remedy_ko="화면을 새로 고치세요.",
                remedy_en="Reload the page.",
            )
        if tx.session.get(FileShown, (file_id, begun.acting.account_id)) is None:
            row = FileShown(file_id=file_id, account_id=begun.acting.account_id, units=units, shown_at=now)
            tx.session.add(row)
        tx.record(object_sha256=file.sha256, details={"file": file.id, "round": file.round, "units": units})
