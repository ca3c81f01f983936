"""Merkle hashing of the log (RFC 6962 §2.1; proofs checked as in RFC 9162 §2.1.3.2 and §2.1.4.2).

Pure: no I/O, no clock, no configuration. Not a hash chain: a chain verifies clean after its tail is cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

# The hash of the complete subtree at (level, index): entries index * 2^level up to (index + 1) * 2^level.
NodeReader = Callable[[int, int], bytes]
EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry, any length, into 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into their parent."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over neighbouring subtree hashes of one size; only the last may be smaller."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        paired = [sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]
        # An odd one out goes up as it is: RFC 6962 splits at the largest power of two.
        row = paired + row[len(paired) * 2 :]
    return row[0]


def root_at(size: int, node: NodeReader) -> bytes:
    """Return the root over the first `size` entries."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Return the path from leaf `index` to the root of the first `size` entries, the leaf's sibling first."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    return [_range_hash(start, end, node) for start, end in _inclusion_ranges(index, size)]


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Return the proof that the first `old` entries are a prefix of the first `new` ones (RFC 6962 §2.1.2)."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is no prefix of one of {new}")
    if old in {0, new}:
        return []
    ranges, start, end, whole = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return [_range_hash(start, end, node) for start, end in reversed(ranges)]


def _split(size: int) -> int:
    """Return the largest power of two below `size` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def _range_hash(start: int, end: int, node: NodeReader) -> bytes:
    """Return the hash over entries [start, end), where start is a multiple of the range's complete subtrees."""
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(node(level, start >> level))
        start += 1 << level
    result = hashes.pop()
    while hashes:
        result = node_hash(hashes.pop(), result)
    return result


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Return the root that an inclusion proof leads to; None when the proof has the wrong length."""
    if not 0 <= index < size:
        return None
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    return result if last == 0 else None


def consistent(sizes: tuple[int, int], roots: tuple[bytes, bytes], proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows that the tree (sizes[0], roots[0]) is a prefix of (sizes[1], roots[1])."""
    old, new = sizes
    if old in {0, new} or not 0 <= old <= new or not proof:
        return _trivially_consistent(sizes, roots, proof)
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, roots[0])
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and (first, second) == roots


def _trivially_consistent(sizes: tuple[int, int], roots: tuple[bytes, bytes], proof: Sequence[bytes]) -> bool:
    old, new = sizes
    if proof:
        return False
    if old == new:
        return roots[0] == roots[1]
    return old == 0 < new and roots[0] == EMPTY_ROOT
