"""What a run of a folder says of the frames that people may look at: cases for a private file, never for a snapshot.

A case names the source file, hence perhaps a person: cases are written to `frames.jsonl` in a private folder on the
source's side, as those of texts are (`deid.texts`). It ties a frame to the bytes it was made from and to those that
were written, by their SHA-256; the file's own hash is in the signed manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from deid.cases import CaseFile, forget_cases

FILE, LINEAGE = "frames.jsonl", "frame_sample"
MOST = 1000  # frames in a sample: people look at each, and each is kept sealed in the database until they did
LEAST = 0.95  # of recall or of frames: what 200 frames without a miss show at 95 %, half of them of each stratum
Place = tuple[int, int, int, int]


@dataclass(frozen=True)
class FrameCase:
    """One frame (`frame` of `frames`, from 1) of the written `file`, made from `source`.

    `ref` (32 hex digits, keyed) names it. `boxes` are the places that were blanked: (top, bottom, left, right) in
    pixels, half open. `doubts` says what the finder doubted. `source` is a path below the source folder, `file` one
    below the output.
    """

    ref: str
    source: str
    source_sha256: str
    file: str
    file_sha256: str
    frame: int
    frames: int
    boxes: tuple[Place, ...]
    doubts: tuple[str, ...]

    @property
    def in_doubt(self) -> bool:
        """Whether the finder was in doubt."""
        return bool(self.doubts)

    @property
    def found(self) -> int:
        """How many places were blanked."""
        return len(self.boxes)


class FrameWriter(CaseFile):
    """Writes `frames.jsonl`."""

    ascii = True  # a hospital's file names need not be UTF-8: escaped, they come back as they were

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FILE)

    def write(self, case: FrameCase) -> None:
        """Append one case."""
        self.add(asdict(case))


def frames_in(lines: Iterable[bytes]) -> Iterator[FrameCase]:
    """Read cases from the lines of an open file."""
    for line in lines:
        body = json.loads(line)
        boxes = tuple((top, bottom, left, right) for top, bottom, left, right in body.pop("boxes"))
        yield FrameCase(boxes=boxes, doubts=tuple(body.pop("doubts")), **body)


def forget_frames(folder: Path) -> bool:
    """Destroy the cases in a private folder, as `forget_cases`."""
    return forget_cases(folder, FILE)
