"""The image of one group of cells: enough to rule out nearly every attack without reading the populations.

Holds, for each cell, size, bucket counts and hash; the members of small cells; and, for every `step`-th person, which
cell they are in. What is then still open is settled with the populations themselves.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from enclave.airlock.ledger.cells import Group, Origin, Ranks, ranks
from enclave.airlock.ledger.sketch import BUCKETS, Counts, Hashes, buckets, mixed, total

SAMPLE = 1 << 16
SMALL = 512  # members of cells up to this size travel in the image
MAX_CELLS = 65_000
HEAD = struct.Struct("<6sIIII")
MAGIC = b"image1"
Labels = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Image:
    """`sizes` (n,), `counts` (n, 64), `hashes` (n,); `sample`: label (0: in no cell) of every `step`-th person.

    `small`: members of all small cells behind each other; `owner`: the cell (from 0) of each of them. `load` reads
    one population by its place.
    """

    origin: Origin
    labels: tuple[str, ...]
    sizes: npt.NDArray[np.int64]
    counts: Counts
    hashes: Hashes
    step: int
    sample: Labels
    small: Ranks
    owner: npt.NDArray[np.uint16]
    load: Callable[[int], BitMap] = field(repr=False)
    loose: bool = False

    @property
    def n(self) -> int:
        """How many cells there are."""
        return len(self.sizes)


def step_for(people: int) -> int:
    """Return the smallest power of two that leaves at most 65,536 people in the sample."""
    step = 1
    while people // step > SAMPLE:
        step *= 2
    return step


def full_labels(group: Group, people: int) -> Labels:
    """Return for each person the cell they are in, from 1, or 0; shape (people,)."""
    labels = np.zeros(people, np.uint16)
    for place, cell in enumerate(group.cells, start=1):
        labels[ranks(cell.people)] = place
    return labels


def draw(group: Group, people: int) -> Image:
    """Return the image of a group over a list of `people` persons. Raises `ValueError` for more than 65,000 cells."""
    if len(group.cells) > MAX_CELLS:
        raise ValueError(f"{len(group.cells)} cells in one group; at most {MAX_CELLS}")
    bits, step = mixed(people), step_for(people)
    members = [ranks(cell.people) for cell in group.cells]
    few = [(place, each) for place, each in enumerate(members) if len(each) <= SMALL]
    return Image(
        origin=group.origin,
        labels=tuple(cell.label for cell in group.cells),
        sizes=np.array([len(each) for each in members], np.int64),
        counts=np.array([buckets(each, bits) for each in members], np.int32).reshape(-1, BUCKETS),
        hashes=np.array([total(each, bits) for each in members], np.uint64),
        step=step,
        sample=full_labels(group, people)[::step].copy(),
        small=np.concatenate([each for _, each in few]) if few else np.empty(0, np.uint32),
        owner=np.repeat([place for place, _ in few], [len(each) for _, each in few]).astype(np.uint16),
        load=lambda place: group.cells[place].people,
        loose=group.loose,
    )


def dump(image: Image) -> bytes:
    """Return the arrays of an image, compressed; labels and origin are kept beside it."""
    parts = (image.sizes, image.counts, image.hashes, image.sample, image.small, image.owner)
    head = HEAD.pack(MAGIC, image.n, image.step, len(image.sample), len(image.small))
    return head + zlib.compress(b"".join(part.tobytes() for part in parts), 1)


def parse(data: bytes, origin: Origin, labels: tuple[str, ...], load: Callable[[int], BitMap], *, loose: bool) -> Image:
    """Read what `dump` wrote. Raises `ValueError` for anything else."""
    magic, n, step, sampled, small = HEAD.unpack_from(data)
    if magic != MAGIC or n != len(labels):
        raise ValueError("not an image of these cells")
    body = memoryview(zlib.decompress(data[HEAD.size :]))
    wanted = (("<i8", n), ("<i4", n * BUCKETS), ("<u8", n), ("<u2", sampled), ("<u4", small), ("<u2", small))
    arrays, at = [], 0
    for kind, count in wanted:
        arrays.append(np.frombuffer(body, kind, count, at))
        at += arrays[-1].nbytes
    if at != len(body):
        raise ValueError("an image of another length")
    sizes, counts, hashes, sample, few, owner = arrays
    return Image(origin, labels, sizes, counts.reshape(n, BUCKETS), hashes, step, sample, few, owner, load, loose=loose)
