"""Writes evidence bundles: a folder that proves some entries of the log to somebody who trusts only the key line."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib import resources
from pathlib import Path

from audit import standalone
from audit.bundlecheck import BUNDLE_VERSION, LINES, MANIFEST, POLICY, PROOFS
from audit.canonical import encode
from audit.errors import AuditError, Text
from audit.note import VerifierKey
from audit.reader import LogReader
from audit.tiles import CHECKPOINT

# Beyond this many entries the hash tiles are smaller than one proof each.
_PROOFS_UP_TO = 1_000
_README = ("읽어보기.txt", "README.txt")


def write(
    target: Path,
    *,
    log_folder: Path,
    vkey: VerifierKey,
    indexes: Iterable[int],
    selection: Mapping[str, str],
) -> int:
    """Write a bundle of the entries at `indexes` to the new folder `target`; return how many entries it holds.

    `selection` says in words what was asked for (the verifier shows that it proves nothing about it). The bundle
    holds manifest.json, entries.jsonl, proofs/ or tile/, checkpoint, policy, verify.py, 읽어보기.txt, README.txt.
    Raises `NotInLogError` for an index that is not published, `AuditError` (`audit.bundle-exists`,
    `audit.bundle-empty`); a folder half written is removed.
    """
    chosen = sorted(set(indexes))
    if target.exists():
        raise AuditError("audit.bundle-exists", _exists(target))
    if not chosen:
        raise AuditError("audit.bundle-empty", _EMPTY)
    reader = LogReader(log_folder, vkey)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _write_evidence(part, reader, chosen)
        _write_helpers(part, vkey)
        manifest = _manifest(part, chosen, selection)
        (part / MANIFEST).write_bytes(encode(manifest) + b"\n")
        part.replace(target)
    except BaseException:  # also when interrupted: no half-written folder stays
        shutil.rmtree(part, ignore_errors=True)
        raise
    return len(chosen)


def _write_evidence(part: Path, reader: LogReader, chosen: list[int]) -> None:
    (part / CHECKPOINT).write_bytes(reader.note)
    with (part / LINES).open("wb") as file:
        for index in chosen:
            file.write(reader.entry(index) + b"\n")
    if len(chosen) <= _PROOFS_UP_TO:
        (part / PROOFS).mkdir()
        for index in chosen:
            (part / PROOFS / f"{index}.tlog-proof").write_text(str(reader.proof(index)), encoding="utf-8")
        return
    for index in chosen:
        reader.proof(index)  # touches every hash tile that its path needs
    for tile in reader.read:
        path = part / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(reader.tile(tile))


def _write_helpers(part: Path, vkey: VerifierKey) -> None:
    (part / POLICY).write_text(f"log {vkey}\nquorum none\n", encoding="utf-8")
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
        "files": [[path.relative_to(part).as_posix(), sha256(path.read_bytes()).hexdigest()] for path in files],
    }


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
