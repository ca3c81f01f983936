"""Going through the sample of a snapshot's texts: looking at an original, judging it.

Every look at an original is an entry of its own. What a reviewer marks is a number per type; the note is sealed, as it
may quote a text. When the review is closed (`samples`), originals and notes are deleted in the same transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from deid.marks import Mark
from deid.texts import TextCase, TextSpan
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.commands.samples import checked_marks, open_case
from enclave.commands.text_drawing import TEXTS, purpose_of
from enclave.commands.text_marks import check_values, opened_marks, sealed_marks
from enclave.store import Store
from enclave.vault import Vault


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


def look(  # noqa: PLR0913 - keyword-only: which text, and when
    store: Store, vault: Vault, actor: Actor, *, snapshot_id: str, number: int, now: datetime
) -> OpenedCase:
    """Open one sampled text beside its masked form. Stewards and asset owners of the provider; each look is recorded.

    Raises `Denied`, `NotFound` (`sample.unknown`), `Conflict` (`snapshot.not-under-review`, `sample.closed`).
    """
    with store.write(intent(Action.SAMPLE_VIEW, actor, ("snapshot", snapshot_id))) as tx:
        sample, row = open_case(tx.session, TEXTS, actor, (snapshot_id, number), now)
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
        _, row = open_case(tx.session, TEXTS, actor, (snapshot_id, number), now)
        check_values(vault, row, values)
        marks = checked_marks(TEXTS, missed, Counter(kind for kind, _ in values))
        row.missed, row.judged_by, row.judged_at = marks, actor.account_id, now
        row.note_sealed = vault.seal(note.encode(), purpose=_note(snapshot_id, row.ref)) if note.strip() else None
        row.marks_sealed = sealed_marks(vault, row, values)
        tx.session.flush()
        tx.record(object_sha256=snapshot_id, details={"case": row.ref, "missed": sum(marks.values())})


def _note(snapshot_id: str, ref: str) -> str:
    return f"text-note:{snapshot_id}:{ref}"
