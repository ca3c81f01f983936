"""The very identifiers that reviewers found left in sampled texts: sealed, then handed over once for the next run.

They are identifiers of data subjects: no entry, page of another or message holds one, and once handed over they are
only where the hospital's own files are (`deid/marks.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from deid.marks import Mark, is_mark
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.commands.text_drawing import purpose_of
from enclave.errors import Conflict, Invalid
from enclave.model.publication import TextSample, TextSampleCase
from enclave.policy.dataset import check_may_govern
from enclave.queries.dataset import load_snapshot
from enclave.states import SampleState
from enclave.store import Store
from enclave.vault import Vault


def hand_over(  # noqa: PLR0913 - keyword-only
    store: Store,
    vault: Vault,
    actor: Actor,
    *,
    snapshot_id: str,
    keep: Callable[[Sequence[Mark]], None],
    now: datetime,
) -> int:
    """Give the marked values of a closed review to `keep`, then delete them here; returns how many there were.

    `keep` has them on disk before it returns; if it fails, they stay. The provider's stewards and the console. Raises
    `Denied`, `NotFound`, `Conflict` (`sample.no-marks`: none, handed over before, or the review is open).
    """
    with store.write(intent(Action.SAMPLE_MARKS, actor, ("snapshot", snapshot_id))) as tx:
        found = load_snapshot(tx.session, snapshot_id, lock=True)
        check_may_govern(present(tx.session, actor, now), found.dataset.organisation_id)
        sample = tx.session.get(TextSample, snapshot_id)
        closed = [] if sample is None or sample.state is SampleState.OPEN else sample.cases
        marks = tuple(dict.fromkeys(mark for case in closed for mark in opened_marks(vault, case)))
        if not marks:
            raise _no_marks()
        keep(marks)
        for case in closed:
            case.marks_sealed = None
        tx.session.flush()
        tx.record(object_sha256=snapshot_id, details={"marks": len(marks)})
        return len(marks)


def check_values(vault: Vault, row: TextSampleCase, values: Sequence[Mark]) -> None:
    """Raise `Invalid` (`sample.values`) unless each can be searched for and stands in the original of this text."""
    if not values:
        return
    text = json.loads(vault.open(row.sealed or b"", purpose=purpose_of(row.snapshot_id, row.ref)))["text"]
    for number, (kind, value) in enumerate(values, start=1):
        if not is_mark(kind, value) or value not in text:
            raise Invalid(
                "sample.values",
                ko=f"놓친 값 {number}번째 줄이 원문에 그대로 있지 않거나 종류가 없습니다.",
                en=f"Line {number} of the missed values is not in the original as it stands, or has no type.",
                remedy_ko="‘이름: 홍길동’처럼 종류와 값을 한 줄에 하나씩, 원문 그대로 적으세요.",
                remedy_en="Write type and value, one on a line, exactly as in the original.",
            )


def sealed_marks(vault: Vault, row: TextSampleCase, values: Sequence[Mark]) -> bytes | None:
    """Seal the values for their place; None where there are none."""
    body = json.dumps([list(each) for each in values], ensure_ascii=False).encode()
    return vault.seal(body, purpose=_purpose(row)) if values else None


def opened_marks(vault: Vault, row: TextSampleCase) -> tuple[Mark, ...]:
    """Open them again."""
    if row.marks_sealed is None:
        return ()
    return tuple((kind, value) for kind, value in json.loads(vault.open(row.marks_sealed, purpose=_purpose(row))))


def _purpose(row: TextSampleCase) -> str:
    return f"text-marks:{row.snapshot_id}:{row.ref}"


def _no_marks() -> Conflict:
    return Conflict(
        "sample.no-marks",
        ko="건넬 표시가 없습니다: 표본 검토가 끝나지 않았거나, 표시한 값이 없거나, 이미 건넸습니다.",
        en="There are no marks to hand over: the review is open, none was marked, or they were handed over.",
        remedy_ko="표본 검토를 끝낸 뒤 다시 하세요. 이미 건넸으면 그 파일을 쓰세요.",
        remedy_en="Close the review first; if they were handed over, use that file.",
    )
