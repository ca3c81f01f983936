"""Tables too large for memory: their rows laid out once, in parts by patient, and worked on part by part.

A part holds every row of the patients whose pseudonyms begin alike, of all tables of their domain. What is done to a
row needs only its own patient; distinct patients per class add up over parts: so the parts need no exchange, whether
one machine takes them one after the other or many take them at once (deid-tabular.md §3.4). Parts go up with the
pseudonyms, as the buckets of a snapshot do: rows come out in the same order as from memory.

What lies on the disk is the hospital's text, so each file is encrypted (Parquet, AES-GCM) under a key that is forgotten
with the run; the folder is the unfinished snapshot's own and goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from deid.keys import Keys
from deid.many.codes import numbered
from deid.many.pour import pour
from deid.readers.source import Source
from deid.recipe import Recipe, subject_domain
from deid.transform.pseudonyms import pseudonym
from deid.versions.buckets import leading
from deid.versions.tables import decryption, encryption

MOST_PARTS = 256
# Rows held before they are laid out: each time makes one file for each part.
FLUSH_BYTES = 96 << 20
BATCH_ROWS = 1 << 17
VIEW_BYTES = 16
PART, SUBJECT, COUNT, TAG = " part", " subject", " count", " tag"


@dataclass(frozen=True)
class Spool:
    """Where the parts of one table lie, how many there are (a power of two), and the key of the files."""

    folder: Path
    parts: int
    key: bytes = field(repr=False)

    def filled(self) -> list[int]:
        """Numbers of the parts that have rows, going up; at least one."""
        return sorted(int(path.name) for path in self.folder.iterdir())

    def read(self, part: int, columns: list[str] | None = None) -> pl.DataFrame:
        """Return the rows of a part as text (all columns, or these), in no order that matters."""
        files = sorted((self.folder / str(part)).glob("*.parquet"))
        key = decryption(self.key)
        frames = [pl.read_parquet(file, columns=columns, decryption=key, memory_map=False) for file in files]
        return pl.concat(frames, rechunk=True)


def how_many_parts(size: int, part_bytes: int) -> int:
    """Into how many parts tables of so many bytes go: a power of two up to 256."""
    wanted = max(1, -(-size // part_bytes))
    return min(MOST_PARTS, 1 << (wanted - 1).bit_length())


def spooled(source: Source, recipe: Recipe, keys: Keys, spool: Spool, flush_bytes: int) -> pl.DataFrame:
    """Lay out a table; returns rows per patient (`SUBJECT`, `COUNT`), null for rows without one. Raises `DeidError`."""
    subject, domain = source.rule.subject, subject_domain(source.rule)
    spool.folder.mkdir(parents=True)
    # Row by row: the rows of one patient lie far apart, and few of those held at a time share one.
    tag = pseudonym(subject, keys, recipe.dataset, domain).alias(TAG)
    # A row without a patient stops the run; until then it lies somewhere.
    part = (leading(TAG) * spool.parts // 256).fill_null(0).alias(PART)
    piles = _Piles(spool, [tag, part], flush_bytes)
    pour(source, BATCH_ROWS, piles.add)
    piles.flush()
    return pl.concat([_counts(spool, number, subject) for number in spool.filled()])


@dataclass
class _Piles:
    """Rows held until there are enough to be laid out; `tag` and `part` are computed one from the other.

    Whoever reads waits for `add`.
    """

    spool: Spool
    steps: list[pl.Expr]
    flush_bytes: int
    held: list[pl.DataFrame] = field(default_factory=list)
    size: int = 0
    turn: int = 0

    def add(self, batch: pl.DataFrame) -> None:
        self.held.append(batch)
        # Polars tells the bytes of the texts; each value takes a view of sixteen besides.
        self.size += int(batch.estimated_size()) + VIEW_BYTES * batch.height * batch.width
        if self.size >= self.flush_bytes:
            self.flush()

    def flush(self) -> None:
        if not self.held:
            return
        frame = pl.concat(self.held)
        self.held, self.size = [], 0
        tag, part = self.steps
        parts = frame.select(tag).select(part).to_series()
        for (number,), rows in frame.with_columns(parts).partition_by(PART, as_dict=True).items():
            folder = self.spool.folder / str(number)
            folder.mkdir(exist_ok=True)
            rows.drop(PART).write_parquet(
                folder / f"{self.turn:06d}.parquet", compression="lz4", statistics=False,
                encryption=encryption(self.spool.key),
            )  # fmt: skip
        self.turn += 1


def _counts(spool: Spool, part: int, subject: str) -> pl.DataFrame:
    column = numbered(spool.read(part, [subject])[subject])
    return pl.DataFrame({SUBJECT: column.values, COUNT: column.counts()})
