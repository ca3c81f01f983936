"""One published state of a log folder: its signed checkpoint, its tiles, entries and proofs. Reads files only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from audit.errors import NotInLogError, Text
from audit.folder import first_kept, read_tile
from audit.merkle import consistency_proof, inclusion_proof, root_at
from audit.note import Checkpoint, VerifierKey, decode_note, open_checkpoint, split_note
from audit.policy import Policy
from audit.proof import Proof
from audit.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile, node_reader, split, tile_of, unpack

_CACHED_TILES = 256


class LogReader:
    """The log as its checkpoint at the moment of opening states it.

    With `trusted`, a key or a policy, the signature is checked first (`NoteError`). With `note`, an older checkpoint
    of this log, the log is read as it was then. Raises `NotInLogError` (`audit.no-log`) when the folder has none.
    """

    def __init__(self, folder: Path, trusted: VerifierKey | Policy | None = None, *, note: bytes | None = None) -> None:
        try:
            self.note = note if note is not None else (folder / CHECKPOINT).read_bytes()
        except OSError as error:
            raise NotInLogError("audit.no-log", _no_log(folder)) from error
        if trusted is None:
            self.checkpoint = Checkpoint.parse(split_note(decode_note(self.note))[0])
        elif isinstance(trusted, Policy):
            self.checkpoint = trusted.open(self.note).checkpoint
        else:
            self.checkpoint = open_checkpoint(self.note, trusted)
        self.size = self.checkpoint.size
        self._folder = folder
        self.read: set[Tile] = set()
        self._hashes = lru_cache(_CACHED_TILES)(self._read_hashes)

    def entries(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield (leaf index, entry bytes) from `first` to `last`, both included; `last` defaults to the newest.

        Raises `NotInLogError` (`audit.purged`) where entries were purged: see `kept`.
        """
        end = self.size if last is None else min(last + 1, self.size)
        for number in range(first // WIDTH, (end + WIDTH - 1) // WIDTH):
            start = number * WIDTH
            bundle = self._bundle(number)
            yield from ((start + at, data) for at, data in enumerate(bundle) if first <= start + at < end)

    @property
    def kept(self) -> int:
        """The first leaf whose entry was not purged (0 where none was); a multiple of 256."""
        return first_kept(self._folder, self.size) * WIDTH

    def entry(self, index: int) -> bytes:
        """Return one entry's bytes; raise `NotInLogError` beyond the published size, or `audit.purged`."""
        self.check(index)
        return self._bundle(index // WIDTH)[index % WIDTH]

    def proof(self, index: int) -> Proof:
        """Return the proof that leaf `index` is under the checkpoint; raise `NotInLogError` beyond its size."""
        self.check(index)
        path = inclusion_proof(index, self.size, node_reader(self._hashes))
        return Proof(index, tuple(path), self.note.decode())

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` entries, from the hash tiles; raise `NotInLogError` beyond the log."""
        if size > self.size:
            raise NotInLogError("audit.not-in-log", _not_there(size, self.size))
        return root_at(size, node_reader(self._hashes))

    def consistency(self, old: int) -> list[bytes]:
        """Return the proof that the first `old` entries are a prefix of this log; raise `NotInLogError`."""
        if old > self.size:
            raise NotInLogError("audit.not-in-log", _not_there(old, self.size))
        return consistency_proof(old, self.size, node_reader(self._hashes))

    def tile(self, tile: Tile) -> bytes:
        """Return a tile's bytes as of this checkpoint."""
        return read_tile(self._folder, tile)

    def _bundle(self, number: int) -> list[bytes]:
        try:
            return unpack(self.tile(tile_of(ENTRIES, number, self.size)))
        except FileNotFoundError as error:
            if number < first_kept(self._folder, self.size):
                raise NotInLogError("audit.purged", _purged(number)) from error
            raise

    def _read_hashes(self, level: int, number: int) -> list[bytes]:
        tile = tile_of(level, number, self.size)
        self.read.add(tile)
        return split(self.tile(tile))

    def check(self, index: int) -> None:
        """Raise `NotInLogError` unless there is an entry of this leaf index under the checkpoint."""
        if not 0 <= index < self.size:
            raise NotInLogError("audit.not-in-log", _not_there(index, self.size))


def _not_there(index: int, size: int) -> Text:
    return Text(
        f"게시된 기록은 {size:,}건이며 {index}번은 없습니다.",
        f"The published log has {size:,} entries; {index} is not among them.",
        "방금 쓴 기록이면 몇 초 뒤에 다시 시도하세요.",
        "If it was just written, try again in a few seconds.",
    )


def _purged(number: int) -> Text:
    return Text(
        f"{number * WIDTH}~{(number + 1) * WIDTH - 1}번 기록은 보존 기간이 지나 파기되었습니다.",
        f"The entries {number * WIDTH}-{(number + 1) * WIDTH - 1} were purged: their time of keeping is over.",
        "해시는 남아 있어 나머지 기록의 증명에는 영향이 없습니다. 더 뒤의 기록을 고르세요.",
        "Their hashes remain and all other proofs hold. Choose later entries.",
    )


def _no_log(folder: Path) -> Text:
    return Text(
        f"{folder}에 게시된 로그가 없습니다.",
        f"There is no published log in {folder}.",
        "폴더 이름을 확인하고, 시퀀서가 실행 중인지 보세요.",
        "Check the folder's name and whether the sequencer runs.",
    )
