"""Drawing the sample of frames that comes with a snapshot, showing each before and after, and sealing what is shown.

Only the sample is kept, and of it only what a page shows. A source file or a written one that is not the one of the run
is refused; a frame that cannot be shown stays in the sample, unseen, and is marked as such: else a run could be
received again and again until no such frame is drawn.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from io import BufferedReader

from deid.frame_cases import LINEAGE, FrameCase, frames_in
from deid.manifest import Manifest
from deid.sample_gate import asked_by
from deid.sampling import Estimate, draw
from enclave.airlock.sealing.pool import SealedPool
from enclave.commands.samples import DrawnSample, Kind
from enclave.errors import Invalid
from enclave.frames import door
from enclave.frames.door import NotShown, frame_pair, kept_in_memory
from enclave.model.publication import FrameSample, FrameSampleCase
from enclave.vault import Vault

LETTERS, FACE, OTHER, UNSEEN = "LETTERS", "FACE", "OTHER", "UNSEEN"
# What a reviewer can mark; `UNSEEN` is marked by itself.
MARKABLE = {
    LETTERS: ("남은 글자 식별정보", "identifier left in letters"),
    FACE: ("얼굴이 보임", "face visible"),
    OTHER: ("그 밖의 식별정보", "something else that identifies"),
}
LABELS = {**MARKABLE, UNSEEN: ("볼 수 없는 장면", "frame that cannot be shown")}
WORDS = {
    "missed": "영상 표본 검토: 남은 식별정보가 있습니다 (sample review of frames: something identifying was left).",
    "bound": "영상 표본 검토: 본 것이 기준에 모자랍니다 (sample review of frames: the lower bound is too low).",
}


def _held(least: float, made: Estimate) -> bool:
    # A miss fails in any case, so a bound only says whether enough was looked at: of identifiers, or, where letters
    # are rare, of frames.
    return any(each is not None and each.low >= least for each in (made.recall, made.clean))


FRAMES = Kind(FrameSample, FrameSampleCase, frozenset(LABELS), _held, WORDS)


@dataclass(frozen=True)
class SealedFrames:
    """Where a run's cases are, how its source files and written files are read, the vault, and the seed of the sample.

    `cases` opens the private file, None where there is none; `source` opens a source file by its path below the source
    folder; `written` yields a held file's plain bytes by its name. Both raise `OSError` or `KeyError` for what is not
    there. `pool` is where images are decoded, None for one that ends when the sample is drawn.
    """

    cases: Callable[[], BufferedReader | None]
    source: Callable[[str], BufferedReader]
    written: Callable[[str], Iterable[bytes]]
    vault: Vault
    seed: str
    pool: SealedPool | None = None


def purpose_of(snapshot_id: str, ref: str) -> str:
    """Name what a sealed frame is for: it opens in no other place."""
    return f"frame-sample:{snapshot_id}:{ref}"


def drawn_frames(manifest: Manifest, frames: SealedFrames | None) -> DrawnSample[FrameCase] | None:
    """Draw, show and seal the sample that the manifest asks for; None when it asks for none.

    Raises `Invalid` (`sample.no-frames`: it asks, and no cases came; `sample.other-frames`: they, or the files they
    name, are another run's).
    """
    asked = asked_by(LINEAGE, manifest.lineage)
    if asked is None:
        return None
    file = frames.cases() if frames else None
    if frames is None or file is None:
        raise _no_frames()
    with file:
        if hashlib.file_digest(file, "sha256").hexdigest() != asked.cases_sha256:
            raise other_frames("")
        file.seek(0)
        sample = draw(frames_in(file), asked.size, frames.seed)
    with nullcontext(frames.pool) if frames.pool else closing(door.pool()) as pool:
        shown = [_shown(pool, manifest.id, frames, case) for _, case in sample.picked]
    columns = tuple(_columns(case, why) for (_, case), (_, why) in zip(sample.picked, shown, strict=True))
    return DrawnSample(asked, frames.seed, sample, tuple(sealed for sealed, _ in shown), columns)


def _columns(case: FrameCase, why: str) -> dict[str, object]:
    return {"file": case.file, "frame": case.frame, "frames": case.frames, "why": why}


def _shown(pool: SealedPool, snapshot_id: str, frames: SealedFrames, case: FrameCase) -> tuple[bytes, str]:
    """Show one frame; returns it sealed, and why it cannot be shown ("" where it can)."""
    pair, why = b"", ""
    try:
        with _files(frames, case) as (before, after):
            pair = frame_pair(pool, before, after, case.frame).as_bytes()
    except NotShown as refusal:
        why = refusal.why
    head = json.dumps({"boxes": case.boxes, "doubts": case.doubts}).encode()
    sealed = frames.vault.seal(b"".join([head, b"\n", pair]), purpose=purpose_of(snapshot_id, case.ref))
    return sealed, why


@contextmanager
def _files(frames: SealedFrames, case: FrameCase) -> Iterator[tuple[int, int]]:
    """Lay both files of a case into memory, held to their hashes: what is shown is what was hashed."""
    held: list[int] = []
    try:
        for read, digest in ((_source, case.source_sha256), (_written, case.file_sha256)):
            held.append(_held_to(digest, read(frames, case), case))
        yield held[0], held[1]
    finally:
        for descriptor in held:
            os.close(descriptor)


def _source(frames: SealedFrames, case: FrameCase) -> Iterator[bytes]:
    with frames.source(case.source) as file:
        while chunk := file.read(1 << 20):
            yield chunk


def _written(frames: SealedFrames, case: FrameCase) -> Iterator[bytes]:
    yield from frames.written(case.file)


def _held_to(digest: str, chunks: Iterator[bytes], case: FrameCase) -> int:
    found = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for chunk in chunks:
            found.update(chunk)
            yield chunk

    try:
        descriptor = kept_in_memory(hashed())
    except (OSError, KeyError) as error:
        raise other_frames(case.file) from error
    if found.hexdigest() != digest:
        os.close(descriptor)
        raise other_frames(case.file)
    return descriptor


def _no_frames() -> Invalid:
    return Invalid(
        "sample.no-frames",
        ko="이 스냅샷의 계획은 영상의 표본 검토를 요구하는데 장면의 출처와 원본이 함께 오지 않았습니다.",
        en="This snapshot's recipe asks for a sample review of frames, and neither their cases nor the source came.",
        remedy_ko="수행할 때 --private로 준 폴더를 --frames로, 원본 폴더를 --source로 알려 주세요.",
        remedy_en="Name with --frames the folder that the run was given as --private, and with --source its source.",
    )


def other_frames(file: str) -> Invalid:
    """Say that what came is not of the run; `file` is the written file's name, never the source's."""
    where = f" ({file})" if file else ""
    return Invalid(
        "sample.other-frames",
        ko=f"함께 온 장면의 출처나 원본이 이 스냅샷을 만든 수행의 것이 아닙니다{where}.",
        en=f"The cases or the source files that came are not those of the run that made this snapshot{where}.",
        remedy_ko="같은 수행의 비공개 폴더와 그때의 원본을 주거나 스냅샷을 다시 만드세요.",
        remedy_en="Give the private folder of the same run and its source as it was, or build the snapshot again.",
    )
