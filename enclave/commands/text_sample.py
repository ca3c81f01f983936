"""Going through the sample of a snapshot's texts: looking at an original, judging it, closing the review.

Every look at an original is an entry of its own. What a reviewer marks is a number per type; the note is sealed, as it
may quote a text. When the review is closed, originals and notes are deleted in the same transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from deid.marks import Mark
from deid.sampling import Estimate, Reviewed, estimate
from deid.text_types import LABELS
from deid.texts import TextCase, TextSpan
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.commands.text_drawing import purpose_of
from enclave.commands.text_marks import check_values, opened_marks, sealed_marks
from enclave.errors import Conflict, Invalid, NotFound
from enclave.model.data import Snapshot
from enclave.model.publication import TextSample, TextSampleCase
from enclave.policy.publication import check_governs, check_under_review
from enclave.queries.dataset import load_snapshot
from enclave.queries.publication import dossier_facts
from enclave.states import SAMPLE, SNAPSHOT, SampleState, SnapshotState, check_transition
from enclave.store import Store
from enclave.vault import Vault

MOST = 1000


@dataclass(frozen=True)
class OpenedCase:
    """One sampled text with its original: for the screen of the one who asked, and for nothing else."""

    number: int
    of: int
    stratum: str
    case: TextCase
    missed: Mapping[str, int] | None
    note: str
    values: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """How a review ended: passed or not, what it showed, and why not (a code, empty when it passed)."""

    passed: bool
    estimate: Estimate
    why: str


def look(  # noqa: PLR0913 - keyword-only: which text, and when
    store: Store, vault: Vault, actor: Actor, *, snapshot_id: str, number: int, now: datetime
) -> OpenedCase:
    """Open one sampled text beside its masked form. Stewards and asset owners of the provider; each look is recorded.

    Raises `Denied`, `NotFound` (`sample.unknown`), `Conflict` (`snapshot.not-under-review`, `sample.closed`).
    """
    with store.write(intent(Action.SAMPLE_VIEW, actor, ("snapshot", snapshot_id))) as tx:
        sample, row = _open_case(tx.session, actor, snapshot_id, number, now)
        tx.record(object_sha256=snapshot_id, details={"case": row.ref})
        body = json.loads(vault.open(row.sealed or b"", purpose=purpose_of(snapshot_id, row.ref)))
        spans = tuple(TextSpan(**span) for span in body.pop("spans"))
        note = vault.open(row.note_sealed, purpose=_note(snapshot_id, row.ref)).decode() if row.note_sealed else ""
        values = opened_marks(vault, row)
        return OpenedCase(number, sample.size, row.stratum, TextCase(spans=spans, **body), row.missed, note, values)


def judge(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    vault: Vault,
    actor: Actor,
    *,
    snapshot_id: str,
    number: int,
    missed: Mapping[str, int],
    note: str,
    now: datetime,
    values: Sequence[Mark] = (),
) -> None:
    """Say of one sampled text how many identifiers of which type are left in it; none is a judgement too.

    `values` are those identifiers as they stand in the text, (type, value): sealed, for the next run (`text_marks`).
    May be said again until the review is closed. Raises as `look`, and `Invalid` (`sample.marks`, `sample.values`).
    """
    with store.write(intent(Action.SAMPLE_JUDGE, actor, ("snapshot", snapshot_id))) as tx:
        _, row = _open_case(tx.session, actor, snapshot_id, number, now)
        check_values(vault, row, values)
        listed = Counter(kind for kind, _ in values)
        marks = {**missed, **{kind: max(missed.get(kind, 0), count) for kind, count in listed.items()}}
        marks = {kind: count for kind, count in sorted(marks.items()) if count}
        if not set(marks) <= set(LABELS) or any(not 0 < count <= MOST for count in marks.values()):
            raise _bad_marks()
        row.missed, row.judged_by, row.judged_at = marks, actor.account_id, now
        row.note_sealed = vault.seal(note.encode(), purpose=_note(snapshot_id, row.ref)) if note.strip() else None
        row.marks_sealed = sealed_marks(vault, row, values)
        tx.session.flush()
        tx.record(object_sha256=snapshot_id, details={"case": row.ref, "missed": sum(marks.values())})


def close(store: Store, actor: Actor, *, snapshot_id: str, now: datetime) -> Verdict:
    """Close the review once every text is judged: it passes if nothing was missed and the lower bound is held.

    Otherwise the snapshot is sent back: what somebody saw to be identifying is never offered as it is. Originals and
    notes are deleted either way. Raises `Denied`, `NotFound`, `Conflict` (`sample.unfinished` …).
    """
    with store.write(intent(Action.SAMPLE_CLOSE, actor, ("snapshot", snapshot_id))) as tx:
        found, sample = _open_sample(tx.session, actor, snapshot_id, now)
        left = sum(case.missed is None for case in sample.cases)
        if left:
            raise _unfinished(left)
        verdict = _verdict(sample)
        after = SampleState.PASSED if verdict.passed else SampleState.FAILED
        check_transition(SAMPLE, sample.state, after, f"표본 {snapshot_id[:12]}")
        sample.state, sample.closed_by, sample.closed_at = after, actor.account_id, now
        sample.estimate = {**asdict(verdict.estimate), "why": verdict.why, "missed_by_type": _by_type(sample)}
        forget_texts(tx.session, snapshot_id)
        if not verdict.passed:
            check_transition(SNAPSHOT, found.state, SnapshotState.RETURNED, f"스냅샷 {snapshot_id[:12]}")
            found.state, found.withdrawn_at, found.withdraw_reason = SnapshotState.RETURNED, now, WORDS[verdict.why]
        tx.session.flush()
        counts = {"cases": verdict.estimate.cases, "found": verdict.estimate.found, "missed": verdict.estimate.missed}
        tx.record(object_sha256=snapshot_id, details={**counts, "passed": verdict.passed, "why": verdict.why})
        return verdict


WORDS = {
    "missed": "표본 검토: 가려지지 않은 식별정보가 있습니다 (sample review: identifiers were left unmasked).",
    "bound": "표본 검토: 재현율의 하한이 기준보다 낮습니다 (sample review: the lower bound of recall is too low).",
}


def forget_texts(session: Session, snapshot_id: str, *, marks_too: bool = False) -> None:
    """Delete the originals and notes of a snapshot's sample, if it has one; the judgements stay.

    So do marked values, which the next run needs, but where `marks_too` says otherwise.
    """
    sample = session.get(TextSample, snapshot_id)
    for case in [] if sample is None else sample.cases:
        case.sealed = case.note_sealed = None
        case.marks_sealed = None if marks_too else case.marks_sealed
    session.flush()


def _verdict(sample: TextSample) -> Verdict:
    reviewed = [Reviewed(case.stratum, case.found, sum((case.missed or {}).values())) for case in sample.cases]
    made = estimate(reviewed, sample.population, sample.confidence)
    if made.missed:
        return Verdict(passed=False, estimate=made, why="missed")
    held = made.recall is not None and made.recall.low >= sample.min_recall
    # A snapshot without a single text has nothing that could leak.
    return Verdict(passed=held or not sample.cases, estimate=made, why="" if held or not sample.cases else "bound")


def _by_type(sample: TextSample) -> dict[str, int]:
    totals: dict[str, int] = {}
    for case in sample.cases:
        for kind, count in (case.missed or {}).items():
            totals[kind] = totals.get(kind, 0) + count
    return totals


def _open_sample(session: Session, actor: Actor, snapshot_id: str, now: datetime) -> tuple[Snapshot, TextSample]:
    found = load_snapshot(session, snapshot_id, lock=True)
    facts = dossier_facts(session, found)
    check_governs(present(session, actor, now), facts.provider_id)
    check_under_review(facts)
    sample = session.get(TextSample, snapshot_id)
    if sample is None:
        raise _unknown()
    if sample.state is not SampleState.OPEN:
        raise _closed()
    return found, sample


def _open_case(
    session: Session, actor: Actor, snapshot_id: str, number: int, now: datetime
) -> tuple[TextSample, TextSampleCase]:
    _, sample = _open_sample(session, actor, snapshot_id, now)
    row = session.get(TextSampleCase, (snapshot_id, number))
    if row is None:
        raise _unknown()
    return sample, row


def _note(snapshot_id: str, ref: str) -> str:
    return f"text-note:{snapshot_id}:{ref}"


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
        ko="이미 끝난 표본 검토입니다. 원문은 지워졌습니다.",
        en="This sample review is closed; its originals are deleted.",
        remedy_ko="결과는 스냅샷 화면에 있습니다.",
        remedy_en="Its result is on the snapshot's page.",
    )


def _unfinished(left: int) -> Conflict:
    return Conflict(
        "sample.unfinished",
        ko=f"아직 보지 않은 글이 {left}건 있습니다.",
        en=f"{left} texts have not been judged yet.",
        remedy_ko="남은 글을 모두 판정하세요.",
        remedy_en="Judge the rest of them.",
    )


def _bad_marks() -> Invalid:
    return Invalid(
        "sample.marks",
        ko="표시한 종류나 개수가 올바르지 않습니다.",
        en="A marked type or number is not possible.",
        remedy_ko="목록에 있는 종류와 1 이상의 개수를 적으세요.",
        remedy_en="Use the listed types and numbers from 1.",
    )
