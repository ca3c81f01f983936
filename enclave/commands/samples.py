"""What the reviews of all samples share: keeping what was drawn, opening one case, closing, deleting the originals.

When a review is closed, or the snapshot goes back, originals and notes are deleted in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from deid.sample_gate import AskedSample
from deid.sampling import C, Estimate, Reviewed, Sample, estimate
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.errors import Conflict, Invalid, NotFound
from enclave.model.data import Snapshot
from enclave.model.publication import CaseRow, FrameSampleCase, SampleRow, TextSampleCase
from enclave.policy.publication import check_governs, check_under_review
from enclave.queries.dataset import load_snapshot
from enclave.queries.publication import dossier_facts
from enclave.states import SAMPLE, SNAPSHOT, SampleState, SnapshotState, check_transition
from enclave.store import Store, Tx

MOST = 1000
S = TypeVar("S", bound=SampleRow)
K = TypeVar("K", bound=CaseRow)


@dataclass(frozen=True)
class Verdict:
    """How a review ended: passed or not, what it showed, and why not (a code, empty when it passed)."""

    passed: bool
    estimate: Estimate
    why: str


@dataclass(frozen=True)
class Kind(Generic[S, K]):
    """A kind of sample: its rows, the types that may be marked, when an estimate without a miss is held, what is said.

    `held` gets the sample's lower bound and the estimate; `words` are the reasons written to a snapshot sent back.
    """

    sample: type[S]
    case: type[K]
    types: frozenset[str]
    held: Callable[[float, Estimate], bool]
    words: Mapping[str, str]


@dataclass(frozen=True)
class DrawnSample(Generic[C]):
    """A sample ready to be kept: what was asked, the seed, the cases, and each case sealed, in order.

    `columns` are what the rows of this kind have beside those of all kinds, in the same order; empty for none.
    """

    asked: AskedSample
    seed: str
    sample: Sample[C]
    sealed: tuple[bytes, ...]
    columns: tuple[Mapping[str, object], ...] = ()


def cases_of(session: Session, kind: Kind[S, K], snapshot_id: str) -> Sequence[K]:
    """Return the cases of a snapshot's sample by number."""
    query = select(kind.case).where(kind.case.snapshot_id == snapshot_id).order_by(kind.case.number)
    return session.scalars(query).all()


def open_sample(
    session: Session, kind: Kind[S, K], actor: Actor, snapshot_id: str, now: datetime
) -> tuple[Snapshot, S]:
    """Return the snapshot, locked, and its sample, for who governs it. Raises `Denied`, `NotFound`, `Conflict`."""
    found = load_snapshot(session, snapshot_id, lock=True)
    facts = dossier_facts(session, found)
    check_governs(present(session, actor, now), facts.provider_id)
    check_under_review(facts)
    sample = session.get(kind.sample, snapshot_id)
    if sample is None:
        raise _unknown()
    if sample.state is not SampleState.OPEN:
        raise _closed()
    return found, sample


def open_case(session: Session, kind: Kind[S, K], actor: Actor, place: tuple[str, int], now: datetime) -> tuple[S, K]:
    """Return one case of an open sample; `place` is the snapshot's id and its number. Raises as `open_sample`."""
    _, sample = open_sample(session, kind, actor, place[0], now)
    row = session.get(kind.case, place)
    if row is None:
        raise _unknown()
    return sample, row


def checked_marks(kind: Kind[S, K], missed: Mapping[str, int], listed: Mapping[str, int]) -> dict[str, int]:
    """Return how many are left of each type: as counted, or as listed where those are more. Raises `Invalid`."""
    marks = {**missed, **{name: max(missed.get(name, 0), count) for name, count in listed.items()}}
    marks = {name: count for name, count in sorted(marks.items()) if count}
    if not set(marks) <= kind.types or any(not 0 < count <= MOST for count in marks.values()):
        raise bad_marks()
    return marks


def close_sample(store: Store, kind: Kind[S, K], actor: Actor, *, snapshot_id: str, now: datetime) -> Verdict:
    """Close a review once every case is judged: it passes if nothing was missed and the lower bound is held.

    Otherwise the snapshot is sent back: what somebody saw to be identifying is never offered as it is. Originals and
    notes are deleted either way. Raises `Denied`, `NotFound`, `Conflict` (`sample.unfinished` …).
    """
    with store.write(intent(Action.SAMPLE_CLOSE, actor, ("snapshot", snapshot_id))) as tx:
        found, sample = open_sample(tx.session, kind, actor, snapshot_id, now)
        cases = cases_of(tx.session, kind, snapshot_id)
        left = sum(case.missed is None for case in cases)
        if left:
            raise _unfinished(left)
        verdict = _verdict(kind, sample, cases)
        after = SampleState.PASSED if verdict.passed else SampleState.FAILED
        check_transition(SAMPLE, sample.state, after, f"표본 {snapshot_id[:12]}")
        sample.state, sample.closed_by, sample.closed_at = after, actor.account_id, now
        sample.estimate = {**asdict(verdict.estimate), "why": verdict.why, "missed_by_type": _by_type(cases)}
        _forget(cases)
        if not verdict.passed:
            check_transition(SNAPSHOT, found.state, SnapshotState.RETURNED, f"스냅샷 {snapshot_id[:12]}")
            found.state, found.withdrawn_at = SnapshotState.RETURNED, now
            found.withdraw_reason = kind.words[verdict.why]
            forget_originals(tx.session, snapshot_id)
        tx.session.flush()
        _tell(tx, snapshot_id, verdict)
        return verdict


def forget_originals(session: Session, snapshot_id: str, *, marks_too: bool = False) -> None:
    """Delete the originals and notes of a snapshot's samples, if it has any; the judgements stay.

    So do marked values, which the next run needs, but where `marks_too` says otherwise.
    """
    texts = session.scalars(select(TextSampleCase).where(TextSampleCase.snapshot_id == snapshot_id)).all()
    _forget(texts)
    # Without reading what is deleted: pictures are megabytes.
    gone = update(FrameSampleCase).where(FrameSampleCase.snapshot_id == snapshot_id)
    session.execute(gone.values(sealed=None, note_sealed=None))
    for case in texts if marks_too else ():
        case.marks_sealed = None
    session.flush()


def keep_sample(session: Session, kind: Kind[S, K], snapshot_id: str, made: DrawnSample[C], now: datetime) -> None:
    """Keep a drawn sample with its snapshot."""
    row, asked = kind.sample(), made.asked
    row.snapshot_id, row.state, row.drawn_at = snapshot_id, SampleState.OPEN, now
    row.seed, row.size, row.population = made.seed, len(made.sample.picked), dict(made.sample.population)
    row.min_recall, row.confidence = asked.min_recall, asked.confidence
    session.add(row)
    session.flush()
    for number, ((stratum, case), sealed) in enumerate(zip(made.sample.picked, made.sealed, strict=True), 1):
        each = kind.case()
        each.snapshot_id, each.number, each.ref, each.stratum = snapshot_id, number, case.ref, stratum
        each.found, each.sealed = case.found, sealed
        for name, value in made.columns[number - 1].items() if made.columns else ():
            setattr(each, name, value)
        session.add(each)
    session.flush()


def _forget(cases: Iterable[CaseRow]) -> None:
    for case in cases:
        case.sealed = case.note_sealed = None


def _tell(tx: Tx, snapshot_id: str, verdict: Verdict) -> None:
    made = verdict.estimate
    counts = {"cases": made.cases, "found": made.found, "missed": made.missed}
    tx.record(object_sha256=snapshot_id, details={**counts, "passed": verdict.passed, "why": verdict.why})


def _verdict(kind: Kind[S, K], sample: S, cases: Sequence[K]) -> Verdict:
    reviewed = [Reviewed(case.stratum, case.found, sum((case.missed or {}).values())) for case in cases]
    made = estimate(reviewed, sample.population, sample.confidence)
    if made.missed:
        return Verdict(passed=False, estimate=made, why="missed")
    # A snapshot without a single case has nothing that could leak.
    passed = not cases or kind.held(sample.min_recall, made)
    return Verdict(passed=passed, estimate=made, why="" if passed else "bound")


def _by_type(cases: Iterable[CaseRow]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for case in cases:
        for name, count in (case.missed or {}).items():
            totals[name] = totals.get(name, 0) + count
    return totals


def _unknown() -> NotFound:
    return NotFound(
        "sample.unknown",
        ko="그런 표본이 없습니다.",
        en="There is no such sample.",
        remedy_ko="스냅샷 화면에서 표본을 확인하세요.",
        remedy_en="See the sample on the snapshot's page.",
    )


def _closed() -> Conflict:
    return Conflict(
        "sample.closed",
        ko="이미 끝난 표본 검토입니다. 원본은 지워졌습니다.",
        en="This sample review is closed; its originals are deleted.",
        remedy_ko="결과는 스냅샷 화면에 있습니다.",
        remedy_en="Its result is on the snapshot's page.",
    )


def _unfinished(left: int) -> Conflict:
    return Conflict(
        "sample.unfinished",
        ko=f"아직 판정하지 않은 것이 {left}건 있습니다.",
        en=f"{left} of the sample have not been judged yet.",
        remedy_ko="남은 것을 모두 판정하세요.",
        remedy_en="Judge the rest of them.",
    )


def bad_marks() -> Invalid:
    """Say that a mark makes no sense."""
    return Invalid(
        "sample.marks",
        ko="표시한 종류나 개수가 올바르지 않습니다.",
        en="A marked type or number is not possible.",
        remedy_ko="목록에 있는 종류와 1 이상의 개수를 적으세요.",
        remedy_en="Use the listed types and numbers from 1.",
    )
