"""Writes evidence bundles: a folder that proves some entries of the log to somebody who trusts only the key line.

Of the checkpoints that cover the entries the one with most behind it is taken: seen by a quorum of witnesses, with a
time stamp, the newest. The policy and the authority's certificates go along, so that all of it is checked offline.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from importlib import resources
from itertools import groupby
from pathlib import Path

from audit import standalone
from audit.anchors import Anchors
from audit.bundlecheck import BUNDLE_VERSION, CERTIFICATES, LINES, MANIFEST, POLICY, PROOFS, STAMP
from audit.canonical import encode
from audit.errors import AuditError, NoteError, Text
from audit.note import VerifierKey
from audit.policy import Policy
from audit.reader import LogReader
from audit.tiles import CHECKPOINT, WIDTH

# Beyond this many entries the hash tiles are smaller than one proof each.
_PROOFS_UP_TO = 1_000
_README = ("읽어보기.txt", "README.txt")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a bundle's evidence comes from: the log's folder, its key line, and what stands behind its checkpoints.

    `anchors`: folder of the checkpoints seen outside, with their policy and time stamps. `certificates`: PEM file of
    the time-stamping authorities.
    """

    log: Path
    vkey: VerifierKey
    anchors: Path | None = None
    certificates: Path | None = None


def write(target: Path, source: Source, *, indexes: Iterable[int], selection: Mapping[str, str]) -> int:
    """Write a bundle of the entries at `indexes` to the new folder `target`; return how many entries it holds.

    `selection` says in words what was asked for (the verifier shows that it proves nothing about it). The bundle
    holds manifest.json, entries.jsonl, proofs/ or tile/, checkpoint, policy, verify.py, 읽어보기.txt, README.txt; with
    a time stamp also checkpoint.tsr and tsa.pem. Raises `NotInLogError` for an index that is not published,
    `AuditError` (`audit.bundle-exists`, `audit.bundle-empty`); a folder half written is removed.
    """
    chosen = sorted(set(indexes))
    if target.exists():
        raise AuditError("audit.bundle-exists", _exists(target))
    if not chosen:
        raise AuditError("audit.bundle-empty", _EMPTY)
    anchors = Anchors(source.anchors or source.log)
    policy = anchors.policy(source.vkey)
    reader = _best(source.log, anchors, policy, chosen[-1])
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _write_evidence(part, reader, chosen)
        _write_stamp(part, anchors.stamp(reader.size), source.certificates)
        _write_helpers(part, source, anchors)
        manifest = _manifest(part, chosen, selection)
        (part / MANIFEST).write_bytes(encode(manifest) + b"\n")
        part.replace(target)
    except BaseException:  # also when interrupted: no half-written folder stays
        shutil.rmtree(part, ignore_errors=True)
        raise
    return len(chosen)


def _best(log: Path, anchors: Anchors, policy: Policy, last: int) -> LogReader:
    """Return the log under the checkpoint with most behind it, of those that cover leaf `last`."""
    newest = LogReader(log, policy)
    best, most = newest, (False, False, -1)
    for size in anchors.sizes():
        if not last < size <= newest.size:
            continue
        try:
            endorsed = policy.open(anchors.note(size))
        except NoteError:
            continue  # of a key or a witness that the policy does not know: nothing stands behind it
        worth = (endorsed.quorum, anchors.stamp(size) is not None, size)
        # A checkpoint that the log contradicts proves nothing about it; `verify` says so to whoever runs it.
        if worth > most and newest.root(size) == endorsed.checkpoint.root:
            best, most = LogReader(log, policy, note=anchors.note(size)), worth
    return best if most[0] or most[1] or best.size == newest.size else newest


def _write_evidence(part: Path, reader: LogReader, chosen: Sequence[int]) -> None:
    (part / CHECKPOINT).write_bytes(reader.note)
    with (part / LINES).open("wb") as file:
        for entry in _entries(reader, chosen):
            file.write(entry + b"\n")
    if len(chosen) <= _PROOFS_UP_TO:
        (part / PROOFS).mkdir()
        for index in chosen:
            (part / PROOFS / f"{index}.tlog-proof").write_text(str(reader.proof(index)), encoding="utf-8")
        return
    for number in dict.fromkeys(index // WIDTH for index in chosen):
        # One leaf's path goes over all hashes of its tile: it touches every tile that its neighbours need.
        reader.proof(number * WIDTH)
    for tile in reader.read:
        path = part / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(reader.tile(tile))


def _entries(reader: LogReader, chosen: Sequence[int]) -> Iterator[bytes]:
    """Yield the entries' bytes; raise `NotInLogError` for one beyond the published size."""
    reader.check(chosen[-1])
    for number, indexes in groupby(chosen, key=lambda index: index // WIDTH):
        wanted = set(indexes)
        for index, entry in reader.entries(number * WIDTH, number * WIDTH + WIDTH - 1):
            if index in wanted:
                yield entry


def _write_stamp(part: Path, stamp: bytes | None, certificates: Path | None) -> None:
    if stamp is None:
        return
    (part / STAMP).write_bytes(stamp)
    if certificates is not None and certificates.exists():
        (part / CERTIFICATES).write_bytes(certificates.read_bytes())


def _write_helpers(part: Path, source: Source, anchors: Anchors) -> None:
    own = f"log {source.vkey}\nquorum none\n"
    (part / POLICY).write_text(anchors.policy_text() or own, encoding="utf-8")
    (part / "verify.py").write_text(standalone.verifier(), encoding="utf-8")
    for name in _README:
        text = resources.files("audit").joinpath("bundle_text", name).read_text(encoding="utf-8")
        (part / name).write_text(text, encoding="utf-8")


def _manifest(part: Path, chosen: list[int], selection: Mapping[str, str]) -> dict[str, object]:
    files = sorted(path for path in part.rglob("*") if path.is_file())
    ranges: list[list[int]] = []
    for index in chosen:
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    return {
        "v": BUNDLE_VERSION,
        "ranges": ranges,
        "selection": dict(selection),
        "files": [[path.relative_to(part).as_posix(), _sha256(path)] for path in files],
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _exists(target: Path) -> Text:
    return Text(
        f"{target} 이(가) 이미 있습니다.",
        f"{target} is already there.",
        "다른 이름을 고르세요.",
        "Choose another name.",
    )


_EMPTY = Text(
    "조건에 맞는 게시된 기록이 없어 자료를 만들지 않았습니다.",
    "No published entry matches; nothing was written.",
    "기간과 조건을 넓혀 다시 시도하세요.",
    "Widen the period or the conditions.",
)
