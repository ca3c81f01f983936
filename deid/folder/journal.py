"""What a run has done so far, encrypted, so that one that was killed goes on where it was.

A record is written before its files are moved to their place: what is in its place is always told of, and a record
whose files are not all there is done again. Records hold what was taken out of the files (the last scan needs it), so
they are encrypted under a key that only this master, project and data set give, and are gone when a run is over. A
record that was cut off in the middle ends the journal; one under another key, recipe or list of who withdrew is none.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deid.folder.format import Outcome, Pictured
from deid.folder.one import Result, Work

NAME, PURPOSE = ".journal", "folder-journal"
LENGTH, NONCE_BYTES = struct.Struct("<I"), 12


@dataclass(frozen=True)
class Placed:
    """One file of the output: its path below the folder, its bytes, and whether this source file brought it."""

    name: str
    size: int
    new: bool

    def is_there(self, out: Path) -> bool:
        """Whether the file is in its place, whole."""
        path = out / self.name
        return path.is_file() and path.stat().st_size == self.size


@dataclass(frozen=True)
class Done:
    """One source file that was dealt with: what it was (bytes, time of change in ns) and what became of it."""

    size: int
    changed_ns: int
    result: Result
    placed: tuple[Placed, ...] = ()


class Journal:
    """The journal of one output folder, opened for appending; `before` is what an earlier run left in it."""

    def __init__(self, work: Work, out: Path) -> None:
        people = work.people
        self._cipher = AESGCM(people.keys.derive(PURPOSE, people.dataset, people.domain))
        # A person who withdrew since is not in what goes on: another list is another journal.
        self._bound = work.recipe.sha256.encode("ascii") + people.leaving.digest
        self._path = out / NAME
        self.before = self._read(work.source, out)
        # What could be read is written again: a cut record would hide all that follows it.
        fresh = self._path.with_name(f"{NAME}.new")
        self._file: BinaryIO = fresh.open("wb")
        for done in self.before.values():
            self.add(done)
        fresh.replace(self._path)

    def add(self, done: Done) -> None:
        """Tell of a source file before its files are moved; it is in the kernel's hands when this returns."""
        plain = json.dumps(done, default=_plain).encode("ascii")
        nonce = os.urandom(NONCE_BYTES)
        record = nonce + self._cipher.encrypt(nonce, plain, self._bound)
        self._file.write(LENGTH.pack(len(record)) + record)
        self._file.flush()

    def close(self, *, over: bool) -> None:
        """Stop; with `over` nothing is left to go on with, and the journal goes."""
        self._file.close()
        if over:
            self._path.unlink()

    def _read(self, source: Path, out: Path) -> dict[str, Done]:
        found: dict[str, Done] = {}
        with suppress(FileNotFoundError, InvalidTag, struct.error):
            for done in self._records(self._path.read_bytes()):
                if _is_unchanged(done, source) and all(each.is_there(out) for each in done.placed):
                    found[done.result.name] = done
                    continue
                for each in done.placed:
                    if each.new:
                        (out / each.name).unlink(missing_ok=True)
        return found

    def _records(self, data: bytes) -> Iterator[Done]:
        position = 0
        while position < len(data):
            (length,) = LENGTH.unpack_from(data, position)
            record = data[position + LENGTH.size : position + LENGTH.size + length]
            plain = self._cipher.decrypt(record[:NONCE_BYTES], record[NONCE_BYTES:], self._bound)
            yield _done(json.loads(plain))
            position += LENGTH.size + length


def stamp(path: Path) -> tuple[int, int]:
    """Give bytes and time of change (ns) of a source file; (-1, -1) for one that is not there any more."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _is_unchanged(done: Done, source: Path) -> bool:
    return stamp(source / done.result.name) == (done.size, done.changed_ns)


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        return vars(value)
    raise TypeError(type(value).__name__)


def _done(plain: dict[str, Any]) -> Done:
    result = dict(plain["result"])
    outcome = result.pop("outcome")
    if outcome is not None:
        sets = {name: frozenset(outcome[name]) for name in ("removed", "removed_once")}
        rows = {"bulk": tuple(tuple(each) for each in outcome["bulk"])}
        lists = {name: tuple(outcome[name]) for name in ("files", "warnings", "people")}
        companions = tuple(map(Path, outcome["companions"]))
        seen = {"pictured": _pictured(outcome["pictured"])}
        outcome = Outcome(**outcome | sets | rows | lists | seen | {"companions": companions})
    made = replace(Result(**result | {"outcome": outcome, "left": tuple(result["left"])}), staged=None)
    return Done(plain["size"], plain["changed_ns"], made, tuple(Placed(**each) for each in plain["placed"]))


def _pictured(plain: dict[str, Any] | None) -> Pictured | None:
    if plain is None:
        return None
    boxes = tuple((top, bottom, left, right) for top, bottom, left, right in plain["boxes"])
    return Pictured(**plain | {"boxes": boxes, "doubts": tuple(plain["doubts"])})
