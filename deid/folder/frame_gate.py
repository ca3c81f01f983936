"""The gate `frame_sample` of a folder's recipe: what a sample of frames is drawn from, and what is signed.

Written at the end of a run, from what became of every file: a file that was taken back is not in it, and a run that
was killed and went on writes all of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from deid.errors import OutputError
from deid.folder.format import Pictured
from deid.folder.one import Work
from deid.folder.tally import Tally
from deid.frame_cases import LINEAGE, FrameCase, FrameWriter
from deid.sample_gate import WantedSample, lineage_of

PURPOSE, REF_DIGITS = "frame-reference", 32


def check_private(wanted: WantedSample | None, *, given: bool) -> None:
    """Raise `OutputError` when the recipe asks for a sample of frames and no private folder was named for its cases."""
    if wanted is not None and not given:
        raise OutputError(
            "deid.no-private-folder",
            "이 계획은 영상의 표본 검토를 요구하는데, 어느 원본인지 적어 둘 비공개 폴더가 주어지지 않았습니다.",
            "This recipe asks for a sample review of frames, and no private folder was given to say what came of what.",
            remedy_ko="원본이 있는 쪽에 폴더를 두고 --private로 알려 주세요.",
            remedy_en="Name a folder on the source's side with --private.",
        )


def opened_frames(wanted: WantedSample | None, private: Path | None) -> AbstractContextManager[FrameWriter | None]:
    """Open the file of cases in a private folder; nothing where the recipe asks for no sample."""
    return FrameWriter(private) if wanted is not None and private is not None else nullcontext()


def write_frames(work: Work, tally: Tally, frames: FrameWriter | None) -> dict[str, Any]:
    """Write the cases of a run; returns what the signed lineage says of the gate. Who opened the file keeps it."""
    if frames is None:
        return {}
    for case in _cases(work, tally):
        frames.write(case)
    return lineage_of(LINEAGE, work.recipe.frame_sample, frames)


def _cases(work: Work, tally: Tally) -> Iterator[FrameCase]:
    people = work.people
    key = people.keys.derive(PURPOSE, people.dataset, people.domain)
    # A file that came twice was written once: the first source of it stands for it.
    files = {each.files[0]: (each.source, each.outcome.pictured) for each in (*tally.twice, *tally.written)}
    for name, (source, seen) in sorted(files.items()):
        if seen is None:
            continue
        for number in range(1, 1 + seen.frames):
            ref = hmac.digest(key, f"{name}:{number}".encode(), "sha256").hex()[:REF_DIGITS]
            yield _case(ref, source, name, number, seen)


def _case(ref: str, source: str, name: str, number: int, seen: Pictured) -> FrameCase:
    return FrameCase(
        ref=ref,
        source=source,
        source_sha256=seen.source_sha256,
        file=name,
        file_sha256=seen.file_sha256,
        frame=number,
        frames=seen.frames,
        boxes=seen.boxes,
        doubts=seen.doubts,
    )
