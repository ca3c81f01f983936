"""Check a whole log folder against its signed checkpoint and name the first place that is damaged.

From the entries alone every hash of every tile is computed again; of entries that were purged, and whose order
stands in the log, from the stored hashes. When the root so computed is the signed one, the
entries are right and any tile that differs is wrong at a known hash. When it is not, the lowest level at which
computed and stored hashes part tells which entries were changed. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from audit.folder import read_tile
from audit.merkle import HASH_BYTES, root_of
from audit.note import Checkpoint
from audit.purgecheck import SPELLED, PurgeOrder, covering, purge_orders, purged_claim
from audit.report import Claim, fails, holds
from audit.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile, level_length, pack, split, tile_of, unpack

# Damaged places named in full; the rest is counted.
_SHOWN = 5


@dataclass
class _Findings:
    """What reading the folder brought up: differences per level (hash index), missing files, the computed root."""

    checkpoint: Checkpoint
    differing: dict[int, list[int]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    root: bytes = b""
    # Numbers of whole bundles that are not there, and the orders to purge that are.
    without: list[int] = field(default_factory=list)
    orders: list[PurgeOrder] = field(default_factory=list)
    # The first entry of the first bundle that is there, and the last one of the log.
    left: bytes = b""
    newest: bytes = b""


def checkpoint_claim(checkpoint: Checkpoint) -> Claim:
    """Return the claim about a checkpoint that was opened with its key."""
    name, size = checkpoint.origin, checkpoint.size
    ko = f"확인점: 로그 {name}, 기록 {size:,}건, 서명이 맞습니다"
    return holds("checkpoint", ko, f"Checkpoint: log {name}, {size:,} entries, signature holds")


def check_tree(folder: Path, checkpoint: Checkpoint) -> list[Claim]:
    """Return the claims about entries, tiles and root of a log of `checkpoint.size` entries."""
    findings = _Findings(checkpoint)
    row, tail = _level_from_entries(folder, findings)
    tails, level = [tail], 1
    while length := level_length(level, checkpoint.size):
        _compare_level(folder, findings, level, row)
        whole = length // WIDTH * WIDTH
        tails.append(row[whole:])
        row = [root_of(row[at : at + WIDTH]) for at in range(0, whole, WIDTH)]
        level += 1
    below: list[bytes] = []
    for tail in tails:
        below = [root_of(tail + below)] if tail or below else []
    findings.root = root_of(below)
    return _claims(findings)


def _level_from_entries(folder: Path, findings: _Findings) -> tuple[list[bytes], list[bytes]]:
    """Hash every entry; return the hashes of full tiles (level 1) and the leaf hashes after the last full one."""
    size = findings.checkpoint.size
    folded: list[bytes] = []
    hashes: list[bytes] = []
    for number in range((size + WIDTH - 1) // WIDTH):
        stored = split(_read(folder, findings, tile_of(0, number, size)))
        bundle = _read(folder, findings, tile_of(ENTRIES, number, size))
        # Where a whole bundle is missing its stored hashes stand in, so that the rest can be judged.
        hashes = _leaf_hashes(bundle) if bundle else stored
        findings.orders += purge_orders(unpack(bundle), number * WIDTH) if SPELLED in bundle else ()
        if bundle and (not findings.left or (number + 1) * WIDTH >= size):
            entries = unpack(bundle)
            findings.left, findings.newest = findings.left or entries[0], entries[-1]
        _note_differences(findings, 0, number, (hashes, stored))
        if (number + 1) * WIDTH <= size:
            folded.append(root_of(hashes))
            hashes = []
    return folded, hashes


def _leaf_hashes(bundle: bytes) -> list[bytes]:
    entries = unpack(bundle)
    hashes = [sha256(b"\x00" + entry).digest() for entry in entries]
    if pack(entries) != bundle:
        # What is left of an entry that is cut off: a hash that equals no other.
        hashes.append(sha256(b"cut off" + bundle).digest())
    return hashes


def _compare_level(folder: Path, findings: _Findings, level: int, row: Sequence[bytes]) -> None:
    for number in range((len(row) + WIDTH - 1) // WIDTH):
        stored = split(_read(folder, findings, tile_of(level, number, findings.checkpoint.size)))
        _note_differences(findings, level, number, (row[number * WIDTH : (number + 1) * WIDTH], stored))


def _note_differences(
    findings: _Findings, level: int, number: int, pair: tuple[Sequence[bytes], Sequence[bytes]]
) -> None:
    computed, stored = pair
    if computed == stored or not stored:
        return
    length = max(len(computed), len(stored))
    places = [at for at in range(length) if computed[at : at + 1] != stored[at : at + 1]]
    findings.differing.setdefault(level, []).extend(number * WIDTH + at for at in places)


def _read(folder: Path, findings: _Findings, tile: Tile) -> bytes:
    try:
        data = read_tile(folder, tile)
    except OSError:
        data = b""
    if not data and tile.level == ENTRIES and tile.width == WIDTH:
        findings.without.append(tile.number)
    elif not data:
        findings.missing.append(tile.path)
    return data


def _claims(findings: _Findings) -> list[Claim]:
    size, intact = findings.checkpoint.size, findings.root == findings.checkpoint.root
    order = covering(findings.orders, findings.without)
    if order is None:
        findings.missing += [Tile(ENTRIES, number, WIDTH).path for number in findings.without]
    claims = [_missing_claim(findings.missing)] if findings.missing else []
    places = list(_places(findings, intact=intact))
    claims += places[:_SHOWN]
    if len(places) > _SHOWN:
        rest = len(places) - _SHOWN
        claims.append(fails("log.more", f"그 밖에 {rest:,}곳이 더 다릅니다", f"{rest:,} more places differ"))
    if not claims:
        kept = size - len(findings.without) * WIDTH
        claims.append(
            holds(
                "log.entries",
                f"기록 {kept:,}건과 해시 타일이 서로 맞습니다",
                f"{kept:,} entries and the hash tiles agree with one another",
            )
        )
    if order is not None:
        claims.append(purged_claim(order, len(findings.without), findings.left, findings.newest))
    claims.append(_root_claim(findings, intact=intact))
    return claims


def _missing_claim(missing: Sequence[str]) -> Claim:
    more = f" (+{len(missing) - 1:,})" if missing[1:] else ""
    first = missing[0]
    return fails("log.file-missing", f"파일이 없습니다: {first}{more}", f"File missing: {first}{more}", first)


def _places(findings: _Findings, *, intact: bool) -> Iterator[Claim]:
    if intact:
        for level, indexes in sorted(findings.differing.items()):
            yield from (_damaged_hash(level, index, findings.checkpoint.size) for index in indexes)
    elif findings.differing:
        # Above the lowest level everything differs as a consequence.
        level = min(findings.differing)
        size = findings.checkpoint.size
        for index in findings.differing[level]:
            yield _changed_together(level, index, size) if level else _damaged_entry(index, size)


def _damaged_hash(level: int, index: int, size: int) -> Claim:
    path, at = tile_of(level, index // WIDTH, size).path, index % WIDTH
    return fails(
        "log.tile-damaged",
        f"해시 타일 {path}의 {at}번 해시가 손상되었습니다 (기록 자체는 온전함)",
        f"Hash {at} of {path} is damaged (the entries are intact)",
        path,
    )


def _damaged_entry(index: int, size: int) -> Claim:
    path = tile_of(ENTRIES, min(index, size - 1) // WIDTH, size).path
    return fails(
        "log.entry-damaged",
        f"{index}번 기록이 해시 타일과 맞지 않습니다 ({path})",
        f"Entry {index} does not match its hash tile ({path})",
        path,
    )


def _changed_together(level: int, index: int, size: int) -> Claim:
    first, last = index << 8 * level, ((index + 1) << 8 * level) - 1
    path = tile_of(level, index // WIDTH, size).path
    return fails(
        "log.entries-rewritten",
        f"{first}~{last}번 기록이 아래 해시 타일과 함께 바뀌었습니다 ({path}의 {index % WIDTH}번 해시는 옛 값)",
        f"Entries {first}-{last} were changed together with their hash tiles (hash {index % WIDTH} of {path} is old)",
        path,
    )


def _root_claim(findings: _Findings, *, intact: bool) -> Claim:
    if intact:
        return holds(
            "log.root",
            "기록에서 다시 계산한 루트가 서명된 루트와 같습니다",
            "The root computed from the entries is the signed one",
        )
    if findings.differing or findings.missing:
        return fails(
            "log.root",
            "기록에서 다시 계산한 루트가 서명된 루트와 다릅니다",
            "The root computed from the entries is not the signed one",
            CHECKPOINT,
        )
    return fails(
        "log.rewritten",
        "모든 파일이 서로 맞지만 서명된 루트가 아닙니다: 로그 전체가 다시 쓰였습니다",
        "All files agree with one another but not with the signed root: the whole log was rewritten",
        CHECKPOINT,
    )


def check_plain(folder: Path) -> list[Claim]:
    """Return the claim that fails where something is neither file nor folder, before any of it is read.

    A link leads out of the folder, and reading a pipe or a device never ends.
    """
    for path in sorted(folder.rglob("*")):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:  # a log that is being written
            continue
        if not (S_ISREG(mode) or S_ISDIR(mode)):
            name = path.relative_to(folder).as_posix()
            ko, en = f"로그에 속하지 않는 파일입니다: {name}", f"Not part of the log: {name}"
            return [fails("log.file-extra", ko, en, name)]
    return []


def check_files(folder: Path, checkpoint: Checkpoint) -> Claim:
    """Return the claim that the folder holds the log's files and older partial versions of them, nothing else."""
    for path in sorted(item for item in folder.rglob("*") if item.is_symlink() or not item.is_dir()):
        name = path.relative_to(folder).as_posix()
        tile = Tile.parse(name)
        if name == CHECKPOINT and not path.is_symlink():
            continue
        if tile is None or path.is_symlink():
            return fails(
                "log.file-extra", f"로그에 속하지 않는 파일입니다: {name}", f"Not part of the log: {name}", name
            )
        whole = tile_of(tile.level, tile.number, checkpoint.size)
        if tile.width > whole.width:
            return fails(
                "log.longer",
                f"서명된 {checkpoint.size:,}건보다 로그가 깁니다: {name}",
                f"The log is longer than the signed {checkpoint.size:,} entries: {name}",
                name,
            )
        if tile != whole and not _is_older_version(folder, tile, whole):
            return fails(
                "log.partial-damaged",
                f"이전 부분 타일이 지금 타일의 앞부분과 다릅니다: {name}",
                f"An older partial tile is not the beginning of the present one: {name}",
                name,
            )
    return holds("log.files", "로그 폴더에 다른 파일이 없습니다", "The folder holds nothing but the log")


def _is_older_version(folder: Path, tile: Tile, whole: Tile) -> bool:
    try:
        old, new = (folder / tile.path).read_bytes(), read_tile(folder, whole)
    except OSError:
        return False
    if tile.level != ENTRIES:
        return new.startswith(old) and len(old) == tile.width * HASH_BYTES
    entries = unpack(old)
    return new.startswith(old) and len(entries) == tile.width and pack(entries) == old
