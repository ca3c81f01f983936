"""What a replay needs to know of one decided round, as values: for the chore, which is nobody's session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.airlock.report import FileReport
from enclave.model.egress import OutputFile, RequestRound
from enclave.policy.airlock.reviewers import FileFacts
from enclave.policy.provider.document import default
from enclave.policy.provider.flips import Round
from enclave.queries.airlock_facts import KOREA, file_facts, load_request
from enclave.queries.project import ProjectView, load_project, project_view
from enclave.queries.provider_policy import of_round
from enclave.states import Direction
from enclave.store import Store


@dataclass(frozen=True)
class KeptFile:
    """One file of a decided round. `report`: None for one from before reports were kept whole."""

    facts: FileFacts
    name: str
    sha256: str
    recipe: str
    report: FileReport | None
    rules_sha256: str


@dataclass(frozen=True)
class KeptRound:
    """A decided round with its files."""

    about: Round
    files: tuple[KeptFile, ...]


def kept_round(store: Store, request_id: str, number: int) -> KeptRound:
    """Return a decided round. Raises `NotFound` for no request; `ValueError` for a round that nobody decided."""
    with store.read() as session:
        found = load_request(session, request_id)
        row = _row(session, request_id, number)
        if row.ended_as is None:
            raise ValueError(f"{request_id} round {number} is not decided")
        about = Round(
            ended_as=row.ended_as,
            under=of_round(row) or default(),
            overseas=row.details.get("receiver_country", KOREA) != KOREA,
            incoming=found.direction is Direction.IMPORT,
        )
        return KeptRound(about, tuple(_file(each) for each in found.files if each.round == number))


def project_of(store: Store, project_id: str, *, now: datetime) -> ProjectView:
    """Return a project as the service itself sees it. Raises `NotFound`."""
    with store.read() as session:
        return project_view(load_project(session, project_id), Actor.system(), now)


def _row(session: Session, request_id: str, number: int) -> RequestRound:
    return session.get_one(RequestRound, (request_id, number))


def _file(found: OutputFile) -> KeptFile:
    report = FileReport.from_json(found.report) if found.report else None
    return KeptFile(file_facts(found), found.name, found.sha256, found.recipe, report, found.rules_sha256)
