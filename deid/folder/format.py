"""How a format of images or signals plugs into `ansim deid folder`: it recognises a file by content and rewrites it.

The dispatcher reads each file's first bytes, asks the formats in order, and hands the file to the first that says yes.
A format writes into an empty staging folder of its own; the dispatcher scans what lies there for every identifier that
the format says it removed and only then moves it to its place. So a format holds no state, opens no network, reads no
clock, and may run in another process: everything it learnt goes back in its `Outcome`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # what decodes pixels in a sealed process knows no people, and none of the libraries they need
    from deid.folder.people import People

NOBODY = "0" * 32  # in the place of a pseudonym, for a file that is of all patients
HEAD_BYTES = 8192  # what `recognise` is shown of a file


class Refused(Exception):  # noqa: N818 - the verdict in words
    """A file is not published: by `policy` (a class of files that the recipe refuses) or because it is `unreadable`.

    `code` is stable (`imaging.encapsulated`); both texts name no value of the file.
    """

    def __init__(self, code: str, ko: str, en: str, *, policy: bool = True) -> None:
        super().__init__(en)
        self.code, self.ko, self.en, self.policy = code, ko, en, policy

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes whole: `Exception` would forget what is not in its arguments."""
        return _again, (self.code, self.ko, self.en, self.policy)


def _again(code: str, ko: str, en: str, policy: bool) -> Refused:  # noqa: FBT001 - called by pickle alone
    return Refused(code, ko, en, policy=policy)


@dataclass(frozen=True)
class Pictured:
    """What people may look at in a written file of pictures: how many frames, and what was blanked in each of them.

    `boxes` are places (top, bottom, left, right) in pixels, half open; `doubts` are stable codes. The dispatcher adds
    SHA-256 (hex) of the source file and of the written one where a recipe asks for a sample of frames.
    """

    frames: int
    boxes: tuple[tuple[int, int, int, int], ...] = ()
    doubts: tuple[str, ...] = ()
    source_sha256: str = ""
    file_sha256: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one file that was written.

    `files` are paths below the output folder; `staged` says where they lie until then. `patient` is the pseudonym.
    `removed` are the values that were taken out and must be nowhere in the bytes of `files`: names, numbers, addresses,
    telephones, as text; `removed_once` are those of this file alone (instance UIDs, dates), never searched in others.
    `companions` are further source files that were dealt with in the same breath (a WFDB record's signal file).
    `bulk` are stretches of pixels or samples (file, start, end in bytes), where a very short value may be by chance.
    `notes` go into the report: stable codes with a count (`{"private-elements": 12}`), never a value.
    `people` are the pseudonyms of everybody of whom something is in the file; the dispatcher fills it in.
    `pictured` says what can be looked at in the (one) written file, None for one without pictures.
    `about` goes into the index beside the files: what stands in the written file itself (`{"modality": "CT"}`).
    """

    files: tuple[str, ...]
    patient: str
    removed: frozenset[str] = frozenset()
    removed_once: frozenset[str] = frozenset()
    companions: tuple[Path, ...] = ()
    bulk: tuple[tuple[str, int, int], ...] = ()
    notes: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    about: dict[str, str | int] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    pictured: Pictured | None = None

    def bulk_of(self, file: str) -> tuple[tuple[int, int], ...]:
        """Give the stretches (start, end in bytes) of pixels or samples in one of `files`."""
        return tuple((start, end) for name, start, end in self.bulk if name == file)


def staged(folder: Path, name: str) -> Path:
    """Say where a file of the output lies in a staging folder: flat, for folders cost more than a small file does."""
    return folder / name.replace("/", "+")


@dataclass(frozen=True)
class Context:
    """What a format is handed: whose keys, which rules, and where the file lay.

    `people` gives pseudonyms, UIDs, day offsets and file names; `rules` is the format's own parsed section of the
    recipe (`imaging:` for images, `signal:` for signals), None where the recipe has none; `name` is the file's path
    below the source folder, for telling only: it is an identifier itself and must not appear in any output.
    """

    people: People
    rules: Any
    name: str


class Format(Protocol):
    """One format, or a family of them."""

    @property
    def name(self) -> str:
        """Name it in reports: `dicom`, `edf`."""

    @property
    def section(self) -> str:
        """Name its section of the recipe: `imaging` or `signal`."""

    def recognise(self, head: bytes, name: str) -> bool:
        """Whether these first `HEAD_BYTES` bytes of a file are of this format; `name` decides only between equals."""

    def deidentify(self, source: Path, target_folder: Path, context: Context) -> Outcome:
        """Write what may be published of `source` into the empty `target_folder`. Raises `Refused`."""
