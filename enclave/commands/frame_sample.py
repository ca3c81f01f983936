"""Going through the sample of a snapshot's frames: looking at one before and after, judging it.

Every look is an entry of its own. What a reviewer marks is a number per kind, and places in the frame; the note is
sealed. When the review is closed (`samples`), pictures and notes are deleted in the same transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.commands.frame_drawing import FRAMES, MARKABLE, UNSEEN, purpose_of
from enclave.commands.samples import MOST, bad_marks, checked_marks, open_case
from enclave.frames.picture import FramePair, pair_from
from enclave.model.publication import FrameSampleCase
from enclave.store import Store
from enclave.vault import Vault

Box = tuple[int, int, int, int]
LARGEST = 1 << 16  # px; DICOM counts rows and columns in 16 bits


@dataclass(frozen=True)
class Place:
    """Where a reviewer saw something, in pixels of the frame as it is stored."""

    kind: str
    row: int
    column: int


@dataclass(frozen=True)
class OpenedFrame:
    """One sampled frame with its pictures: for the screen of the one who asked, and for nothing else.

    `boxes` are the places that were blanked (top, bottom, left, right); `pair` is None where it cannot be shown, and
    `why` then says why.
    """

    number: int
    of: int
    stratum: str
    file: str
    frame: int
    frames: int
    boxes: tuple[Box, ...]
    doubts: tuple[str, ...]
    why: str
    missed: Mapping[str, int] | None
    places: tuple[Place, ...]
    note: str
    pair: FramePair | None = field(repr=False, default=None)


def look(  # noqa: PLR0913 - keyword-only: which frame, and when
    store: Store, vault: Vault, actor: Actor, *, snapshot_id: str, number: int, now: datetime
) -> OpenedFrame:
    """Open one sampled frame before and after. Stewards and asset owners of the provider; each look is recorded.

    Raises `Denied`, `NotFound` (`sample.unknown`), `Conflict` (`snapshot.not-under-review`, `sample.closed`).
    """
    with store.write(intent(Action.SAMPLE_VIEW, actor, ("snapshot", snapshot_id))) as tx:
        sample, row = open_case(tx.session, FRAMES, actor, (snapshot_id, number), now)
        tx.record(object_sha256=snapshot_id, details={"case": row.ref})
        body = vault.open(row.sealed or b"", purpose=purpose_of(snapshot_id, row.ref))
        line, _, pair = body.partition(b"\n")
        head = json.loads(line)
        note = vault.open(row.note_sealed, purpose=_note(row)).decode() if row.note_sealed else ""
        return OpenedFrame(
            number=number,
            of=sample.size,
            stratum=row.stratum,
            file=row.file,
            frame=row.frame,
            frames=row.frames,
            boxes=tuple((top, bottom, left, right) for top, bottom, left, right in head["boxes"]),
            doubts=tuple(head["doubts"]),
            why=row.why,
            missed=row.missed,
            places=tuple(Place(*each) for each in row.places or ()),
            note=note,
            pair=pair_from(pair) if pair else None,
        )


def judge(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    vault: Vault,
    actor: Actor,
    *,
    snapshot_id: str,
    number: int,
    missed: Mapping[str, int],
    places: Sequence[Place],
    note: str,
    now: datetime,
) -> None:
    """Say of one sampled frame how much of which kind is left in it; none is a judgement too.

    `places` say where; a kind counts as often as it has places, if more was not said. A frame that cannot be shown is
    marked as one, whatever else is said. May be said again until the review is closed. Raises as `look`, and `Invalid`
    (`sample.marks`).
    """
    with store.write(intent(Action.SAMPLE_JUDGE, actor, ("snapshot", snapshot_id))) as tx:
        _, row = open_case(tx.session, FRAMES, actor, (snapshot_id, number), now)
        _check_places(missed, places)
        listed = {**Counter(place.kind for place in places), **({UNSEEN: 1} if row.why else {})}
        row.missed = checked_marks(FRAMES, missed, listed)
        row.places = [[place.kind, place.row, place.column] for place in places] or None
        row.judged_by, row.judged_at = actor.account_id, now
        row.note_sealed = vault.seal(note.encode(), purpose=_note(row)) if note.strip() else None
        tx.session.flush()
        tx.record(object_sha256=snapshot_id, details={"case": row.ref, "missed": sum(row.missed.values())})


def _check_places(missed: Mapping[str, int], places: Sequence[Place]) -> None:
    sane = all(0 <= place.row < LARGEST and 0 <= place.column < LARGEST for place in places)
    if not sane or len(places) > MOST or not {*missed, *(place.kind for place in places)} <= set(MARKABLE):
        raise bad_marks()


def _note(row: FrameSampleCase) -> str:
    return f"frame-note:{row.snapshot_id}:{row.ref}"
