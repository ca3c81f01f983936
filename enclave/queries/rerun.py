"""Which code of which requests is to be run again, runs, or was run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.errors import NotFound
from enclave.model.egress import AirlockRequest
from enclave.model.rerun import Rerun, RerunState, RerunStep
from enclave.states import RequestState
from enclave.store import Store


@dataclass(frozen=True)
class RerunView:
    """One file of code and how far its re-run is. `outputs`: (name, SHA-256) of the files that it should write."""

    id: str
    request_id: str
    code_name: str
    state: RerunState
    step: RerunStep
    tries: int
    run_id: str | None
    outputs: tuple[tuple[str, str], ...]


def of_round(session: Session, request_id: str, round_: int) -> list[Rerun]:
    """Return the re-runs of one round, in the order in which they were asked for."""
    query = select(Rerun).where(Rerun.request_id == request_id, Rerun.round == round_)
    return list(session.scalars(query.order_by(Rerun.asked_at, Rerun.id)))


def due(store: Store) -> tuple[RerunView, ...]:
    """Return what runs and what waits of requests under review, those that run first, then the oldest."""
    with store.read() as session:
        query = (
            select(Rerun, AirlockRequest)
            .join(AirlockRequest, AirlockRequest.id == Rerun.request_id)
            .where(Rerun.state != RerunState.DONE)
            .order_by(Rerun.asked_at, Rerun.id)
        )
        rows = [
            (row, request)
            for row, request in session.execute(query)
            if row.state is RerunState.RUNNING or is_present(row, request)
        ]
        return tuple(_view(row, request) for row, request in sorted(rows, key=lambda each: each[0].state.value))


def of_request(store: Store, request_id: str) -> tuple[RerunView, ...]:
    """Return the re-runs of a request's present round."""
    with store.read() as session:
        request = session.get(AirlockRequest, request_id)
        rows = of_round(session, request_id, request.round) if request is not None else []
        return tuple(_view(row, request) for row in rows if request is not None)


def load(session: Session, rerun_id: str, *, lock: bool = True) -> Rerun:
    """Return one, locked unless told otherwise. Raises `NotFound`."""
    query = select(Rerun).where(Rerun.id == rerun_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "rerun.unknown",
            ko="그런 재실행이 없습니다.",
            en="There is no such re-run.",
            remedy_ko="화면을 새로 고치세요.",
            remedy_en="Reload the page.",
        )
    return found


def is_present(row: Rerun, request: AirlockRequest) -> bool:
    """Say whether its round is the one under review."""
    return request.state is RequestState.SUBMITTED and row.round == request.round


def outputs_of(request: AirlockRequest, row: Rerun) -> tuple[tuple[str, str], ...]:
    """Return the files of its round that name this code and have no recipe."""
    files = (file for file in request.files if file.round == row.round and file.code == row.code_name)
    return tuple((file.name, file.sha256) for file in files if not file.recipe)


def _view(row: Rerun, request: AirlockRequest) -> RerunView:
    outputs = outputs_of(request, row)
    return RerunView(row.id, row.request_id, row.code_name, row.state, row.step, row.tries, row.run_id, outputs)
