"""Pairs and chains of three over all published cells, whichever groups they are in: complete (docs/adr/0024).

A pair A − B depends on the people in one and not in the other; a chain C − A − B on those whom it counts unevenly. The
images bound both from below: sizes first (a window in a sorted list), then the 64 buckets. What is left is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from enclave.airlock.ledger.image import Image
from enclave.airlock.ledger.sketch import Counts, Hashes

Places = npt.NDArray[np.int64]
CHUNK = 1 << 19
WHOLE = -1


@dataclass(frozen=True)
class Pool:
    """Every population that is known: cells and totals of groups, each once, the new ones first, sorted by nothing.

    `group` (p,) index of the group's image in `images`; `place` (p,) of the cell in it, −1 for its total; `new` (p,).
    """

    images: list[Image]
    group: Places
    place: Places
    sizes: Places
    counts: Counts
    hashes: Hashes
    new: npt.NDArray[np.bool_]

    def people(self, at: int) -> BitMap:
        """Return the population at one place of the pool."""
        image, place = self.images[self.group[at]], int(self.place[at])
        found: BitMap = image.load(place) if place != WHOLE else BitMap.union(*map(image.load, range(image.n)))
        return found

    def cells(self, at: int) -> list[int]:
        """Return the cells of its group that make the population at one place of the pool."""
        place = int(self.place[at])
        return list(range(self.images[self.group[at]].n)) if place == WHOLE else [place]


def pool(new: list[Image], old: list[Image]) -> Pool:
    """Return the pool of these groups. Populations that are the same people are kept once, as a new one if there is."""
    images = [*new, *old]
    parts = [_of(image, at) for at, image in enumerate(images)]
    group, place, sizes, counts, hashes = (np.concatenate([part[each] for part in parts]) for each in range(5))
    _, first = np.unique(hashes, return_index=True)
    keep = np.sort(first)
    return Pool(images, group[keep], place[keep], sizes[keep], counts[keep], hashes[keep], group[keep] < len(new))


def _of(image: Image, at: int) -> tuple[Places, Places, Places, Counts, Hashes]:
    places = np.arange(image.n, dtype=np.int64)
    sizes, counts, hashes = image.sizes, image.counts, image.hashes
    if image.n > 1:
        places = np.append(places, WHOLE)
        sizes = np.append(sizes, sizes.sum())
        counts = np.vstack([counts, counts.sum(0, keepdims=True, dtype=np.int32)])
        hashes = np.append(hashes, hashes.sum(dtype=np.uint64))
    return np.full(len(places), at), places, sizes, counts, hashes


def pairs(found: Pool, k: int) -> Iterator[tuple[int, int, int]]:
    """Yield (a, b, people) for each new a and any b that differ by 1 … k−1 people."""
    order = np.argsort(found.sizes, kind="stable")
    fresh = np.flatnonzero(found.new)
    for a, b in _windows(fresh, order, found.sizes, found.sizes[fresh], k - 1):
        near = np.abs(found.counts[a] - found.counts[b]).sum(1) < k
        for one, two in zip(a[near], b[near], strict=True):
            if one != two and not (found.new[two] and two < one):
                people = found.people(int(one)).symmetric_difference_cardinality(found.people(int(two)))
                if 0 < people < k:
                    yield int(one), int(two), people


def chains(
    found: Pool, inside: dict[int, Places], around: dict[int, Places], k: int
) -> Iterator[tuple[int, int, int, int]]:
    """Yield (c, a, b, people) where C − A − B, at least one of them new, depends on 1 … k−1 people.

    `inside`: for a new c the places of what lies in it but for fewer than k people, as far as is known; `around`: for a
    new a the places of what it lies in. Leaves out two of one group: unions of a group are another module's.
    """
    seen: set[tuple[int, int, int]] = set()
    for c, a, b in _candidates(found, inside, around, 2 * (k - 1)):
        for one in _near(found, (c, a, b), 2 * (k - 1)):
            if one not in seen:
                seen.add(one)
                people = _people(*(found.people(each) for each in one))
                if 0 < people < k:
                    yield (*one, people)


def _candidates(
    found: Pool, inside: dict[int, Places], around: dict[int, Places], slack: int
) -> Iterator[tuple[Places, Places, Places]]:
    for whole, parts in inside.items():
        order = parts[np.argsort(found.sizes[parts], kind="stable")]
        for a, b in _windows(parts, order, found.sizes, found.sizes[whole] - found.sizes[parts], slack):
            yield np.full(len(a), whole), a, b
    every = np.argsort(found.sizes, kind="stable")
    for part, wholes in around.items():
        for c, b in _windows(wholes, every, found.sizes, found.sizes[wholes] - found.sizes[part], slack):
            yield c, np.full(len(c), part), b


def _windows(left: Places, order: Places, sizes: Places, wanted: Places, slack: int) -> Iterator[tuple[Places, Places]]:
    """Yield in pieces all (l, r), l of `left`, r of `order` (by ascending size), r's size within `slack` of wanted."""
    ascending = sizes[order]
    low = np.searchsorted(ascending, wanted - slack, "left")
    high = np.searchsorted(ascending, wanted + slack, "right")
    ends = np.cumsum(high - low)
    start = 0
    while start < len(left):
        stop = max(start + 1, int(np.searchsorted(ends, (ends[start - 1] if start else 0) + CHUNK, "right")))
        lengths = (high - low)[start:stop]
        first = np.repeat(np.arange(start, stop), lengths)
        within = np.arange(len(first)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        if len(first):
            yield left[first], order[low[first] + within]
        start = stop


def _near(found: Pool, triple: tuple[Places, Places, Places], slack: int) -> list[tuple[int, int, int]]:
    """Return those whose images do not rule them out, a before b."""
    c, a, b = triple
    group = found.group
    keep = (group[a] != group[b]) & (group[a] != group[c]) & (group[b] != group[c]) & (found.sizes[a] <= found.sizes[c])
    keep &= found.sizes[b] <= found.sizes[c] + slack
    c, a, b = c[keep], a[keep], b[keep]
    for few in (slice(0, 8), slice(0, None)):  # eight buckets rule out most, at an eighth of the price
        left = np.abs(found.counts[c, few] - found.counts[a, few] - found.counts[b, few]).sum(1) <= slack
        c, a, b = c[left], a[left], b[left]
    low, high = np.minimum(a, b), np.maximum(a, b)
    return [(int(x), int(y), int(z)) for x, y, z in zip(c, low, high, strict=True)]


def _people(c: BitMap, a: BitMap, b: BitMap) -> int:
    """Return how many people C − A − B counts other than zero times."""
    both = a | b
    return len(c ^ both) + len(a & b & c)
