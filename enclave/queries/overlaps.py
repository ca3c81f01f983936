"""Earlier releases that overlap with a request, for whoever decides (korea.md R123; docs/adr/0029).

With a recipe: earlier numbers over the same data, whichever project they are of, by the people behind them. Without
one: the same bytes anywhere, and in the same project a file of the same name, description or shape. Those who asked are
told only of their own project's files, and nothing that was found out from the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from enclave.actor import Actor
from enclave.airlock.ledger.image import draw, full_labels
from enclave.airlock.ledger.likeness import Lie, lie, same_cells
from enclave.airlock.ledger.unions import Side
from enclave.airlock.report import FileReport
from enclave.model.egress import AirlockRequest, OutputFile
from enclave.model.ledger import LedgerGroup
from enclave.model.release import Release
from enclave.policy.airlock import visibility, who
from enclave.policy.allows import allows
from enclave.queries import ledger
from enclave.queries.airlock_facts import facts, load_request, present_files
from enclave.queries.overlap_views import How, OverlapView
from enclave.states import FileDecision, ReleaseState
from enclave.store import Store

# The newest groups of cells that are compared; what the ledger's rule found is named whatever its age.
NEWEST = 400
# For what is not decided yet, everything that is out counts.
FOREVER = datetime.max.replace(tzinfo=UTC)
HOW = {
    Lie.EQUAL: How.EQUAL,
    Lie.WITHIN: How.WITHIN,
    Lie.AROUND: How.AROUND,
    Lie.PARTLY: How.PARTLY,
    Lie.APART: How.APART,
}
ORDER = list(How)


@dataclass(frozen=True)
class _Met:
    """A file that asks, and the file of an earlier request that it meets."""

    file: str
    request_id: str
    earlier: str
    how: How
    number: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        return ORDER.index(self.how), self.number if self.how is How.FEW else -self.number


def overlaps(store: Store, actor: Actor, request_id: str, *, now: datetime) -> tuple[OverlapView, ...]:
    """Return what is out and overlaps with the present files, gravest first, one row for each pair of files.

    Raises `NotFound`, or `Denied` if the request is none of the actor's business.
    """
    with store.read() as session:
        found = load_request(session, request_id)
        about = facts(found, now)
        who.check_may_see(actor, about)
        own_only = not visibility.sees_evidence(actor, about)
        until = found.decided_at or FOREVER
        met = list(_alike(session, found, until, own_only=own_only))
        if not own_only:
            met += [*_told(found), *_by_people(session, found, until)]
        return _views(session, found, actor, _gravest(met), now)


def _gravest(met: Iterable[_Met]) -> list[_Met]:
    """Return for each pair of files the gravest that was found, gravest first."""
    best: dict[tuple[str, str, str], _Met] = {}
    for each in sorted(met, key=lambda one: one.rank):
        best.setdefault((each.file, each.request_id, each.earlier), each)
    return list(best.values())


def _told(found: AirlockRequest) -> Iterable[_Met]:
    """Yield what the ledger's rule has found: it stands in the evidence (`enclave.airlock.ledger.wording`)."""
    for file in present_files(found):
        for evidence in FileReport.from_json(file.report).evidence if file.report else ():
            if evidence.kind != "ledger":
                continue
            for _, people, _, request_id, _, earlier, _ in evidence.rows[1:]:
                if request_id not in {"-", found.id}:
                    yield _Met(file.name, request_id, earlier, How.FEW, int(people))


def _by_people(session: Session, found: AirlockRequest, until: datetime) -> Iterable[_Met]:
    mine = session.scalars(
        select(LedgerGroup).where(LedgerGroup.request_id == found.id, LedgerGroup.round == found.round)
    ).all()
    for dataset_id in sorted({each.dataset_id for each in mine}):
        rows = [each for each in mine if each.dataset_id == dataset_id]
        people = ledger.listed(session, dataset_id)
        sides = [_side(row, people) for row in rows]
        for image in ledger.released_before(session, dataset_id, found.id, until, limit=NEWEST):
            for side in sides:
                same = same_cells(side.image, image)
                how = How.CELLS if same else HOW[lie(side, image)]
                yield _Met(side.image.origin.file, image.origin.request, image.origin.file, how, same)


def _side(row: LedgerGroup, people: int) -> Side:
    [group] = ledger.asked([row])
    return Side(draw(group, people), full_labels(group, people))


def _alike(session: Session, found: AirlockRequest, until: datetime, *, own_only: bool) -> Iterable[_Met]:
    """Yield the same bytes, and what in the same project looks like the same file."""
    files = present_files(found)
    plain = {each.id for each in files if not each.recipe}
    for earlier, project_id in _out(session, found, files, until):
        own = project_id == found.project_id
        if own_only and not own:
            continue
        for file in files:
            if file.sha256 == earlier.sha256:
                yield _Met(file.name, earlier.request_id, earlier.name, How.BYTES)
            elif own and (own_only or file.id in plain) and _looks_like(file, earlier):
                yield _Met(file.name, earlier.request_id, earlier.name, How.LIKE)


def _out(
    session: Session, found: AirlockRequest, files: Sequence[OutputFile], until: datetime
) -> Sequence[tuple[OutputFile, str]]:
    """Return what left before: all of the same project, and the same bytes of any; newest first."""
    query = (
        select(OutputFile, AirlockRequest.project_id)
        .join(AirlockRequest, AirlockRequest.id == OutputFile.request_id)
        .join(Release, Release.request_id == AirlockRequest.id)
        .where(
            OutputFile.round == AirlockRequest.round,
            OutputFile.outcome == FileDecision.APPROVED,
            AirlockRequest.id != found.id,
            AirlockRequest.direction == found.direction,
            Release.requested_at < until,
            or_(
                AirlockRequest.project_id == found.project_id,
                OutputFile.sha256.in_([each.sha256 for each in files]),
            ),
        )
        .order_by(Release.requested_at.desc(), OutputFile.position)
        .limit(NEWEST)
    )
    return [(file, project_id) for file, project_id in session.execute(query)]


def _looks_like(one: OutputFile, other: OutputFile) -> bool:
    if one.name == other.name or (one.description and one.description == other.description):
        return True
    return one.rows is not None and (one.kind, one.rows, one.columns) == (other.kind, other.rows, other.columns)


def _views(
    session: Session, found: AirlockRequest, actor: Actor, met: Sequence[_Met], now: datetime
) -> tuple[OverlapView, ...]:
    ids = {each.request_id for each in met}
    query = select(AirlockRequest).where(AirlockRequest.id.in_(ids))
    earlier = {each.id: each for each in session.scalars(query.options(selectinload(AirlockRequest.files)))}
    opens = {name: allows(who.check_may_see, actor, facts(each, now)) for name, each in earlier.items()}
    return tuple(
        _view(each, found, earlier[each.request_id], opens=opens[each.request_id])
        for each in met
        if each.request_id in earlier
    )


def _view(met: _Met, found: AirlockRequest, earlier: AirlockRequest, *, opens: bool) -> OverlapView:
    release = earlier.release
    made = OverlapView(
        file=met.file,
        how=met.how,
        number=met.number,
        own=earlier.project_id == found.project_id,
        release_id=release.id if release is not None else "",
        request_id=earlier.id,
        title=earlier.project.title,
        file_id=_file_id(earlier, met.earlier),
        file_name=met.earlier,
        released_at=release.requested_at if release is not None else earlier.submitted_at,
        recalled=release is not None and release.state is ReleaseState.RECALLED,
        opens=opens,
    )
    return made if made.own else replace(made, title="", file_id="", file_name="")


def _file_id(earlier: AirlockRequest, name: str) -> str:
    return next((each.id for each in present_files(earlier) if each.name == name), "")


def by_file(found: Iterable[OverlapView]) -> Mapping[str, tuple[OverlapView, ...]]:
    """Return overlaps by the name of the file that asks."""
    grouped: dict[str, list[OverlapView]] = {}
    for each in found:
        grouped.setdefault(each.file, []).append(each)
    return {name: tuple(each) for name, each in grouped.items()}
