"""What the formats of one file share: read it whole, rewrite it in memory, write it under a new name.

A signal file is megabytes; holding it and its copy is what makes "refused, and nothing written" simple.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deid.folder.format import Context, Outcome, Pictured
from deid.signal.cursor import unreadable
from deid.signal.person import Person, Taken

LARGEST = 4 << 30  # bytes; a night of 64 channels at 2 kHz is 5.5 GB of BDF: such a file is cut by who sends it


@dataclass(frozen=True)
class Cleaned:
    """A file made anew: its bytes in pieces, whose it is, what went, and how often something was cleaned.

    `pictured` is what people can look at in it, None for what is no picture.

    `samples` is the place from which on there are numbers alone, where five digits may be by chance; -1 for nowhere.
    """

    pieces: Sequence[bytes | bytearray | memoryview]
    person: Person
    taken: Taken = field(default_factory=Taken)
    notes: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    samples: int = -1
    pictured: Pictured | None = None


class OneFile(ABC):
    """A format whose record is one file (see `deid.folder.format.Format`)."""

    name: str
    section = "signal"

    @abstractmethod
    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""

    @abstractmethod
    def clean(self, data: bytes, context: Context) -> Cleaned:
        """Make the file anew from its bytes. Raises `Refused`."""

    @abstractmethod
    def suffix(self, name: str) -> str:
        """Give the ending of the new file's name, for a file that was called `name`."""

    def deidentify(self, source: Path, target_folder: Path, context: Context) -> Outcome:
        """See `Format.deidentify`."""
        cleaned = self.clean(read(source), context)
        name = context.people.file_name(context.name, self.suffix(source.name))
        with (target_folder / name).open("xb") as file:
            file.writelines(cleaned.pieces)
        size = sum(map(len, cleaned.pieces))
        return outcome((name,), cleaned, bulk=((name, cleaned.samples, size),) if cleaned.samples >= 0 else ())


def read(source: Path) -> bytes:
    """Read a file whole. Raises `Refused` if it is too large, empty or cannot be read."""
    try:
        size = source.stat().st_size
        if size > LARGEST:
            raise unreadable("size", "파일이 너무 큽니다.", "The file is too large.")
        data = source.read_bytes()
    except OSError as error:
        raise unreadable("read", "파일을 읽을 수 없습니다.", "The file cannot be read.") from error
    if not data:
        raise unreadable("empty", "빈 파일입니다.", "The file is empty.")
    return data


Bulk = tuple[tuple[str, int, int], ...]


def outcome(files: tuple[str, ...], cleaned: Cleaned, companions: tuple[Path, ...] = (), *, bulk: Bulk = ()) -> Outcome:
    """Say what became of a file."""
    return Outcome(
        files=files,
        patient=cleaned.person.pseudonym,
        removed=frozenset(cleaned.taken.names),
        removed_once=frozenset(cleaned.taken.dates),
        companions=companions,
        bulk=bulk,
        notes={name: count for name, count in cleaned.notes.items() if count},
        warnings=cleaned.warnings,
        pictured=cleaned.pictured,
    )
