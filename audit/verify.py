"""Offline verification of a log folder or an evidence bundle: what auditors run.

Needs one folder, one public key line and Python with `cryptography`; no database, no network, no clock. Each claim
is one line; the first that fails names the damaged file or entry, and the exit status is 1.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from audit.bundlecheck import (
    MANIFEST,
    BundleError,
    check_bundle_files,
    check_inclusion,
    completeness,
    read_checkpoint,
    read_lines,
    read_manifest,
    read_policy,
)
from audit.errors import AuditError, NoteError, Text
from audit.logcheck import check_files, check_tree
from audit.note import VerifierKey
from audit.report import Claim, Report, fails
from audit.tiles import CHECKPOINT

_POLL_S = 0.2


def verify_log(folder: Path, vkey: VerifierKey | str, *, patience_s: float = 0.0) -> Report:
    """Check a whole log folder against its checkpoint and the key that must have signed it.

    A log that is being written has, for moments, files that its checkpoint does not cover yet: within `patience_s`
    seconds such files may become covered or vanish. Nothing is raised; what fails is in the report.
    """
    claims: list[Claim] = []
    try:
        key = _key(vkey)
        checkpoint, claim = read_checkpoint(folder, key)
        claims.append(claim)
        claims += check_tree(folder, checkpoint)
        files = check_files(folder, checkpoint)
        while not files.ok and patience_s > 0:
            time.sleep(_POLL_S)
            patience_s -= _POLL_S
            files = check_files(folder, read_checkpoint(folder, key)[0])
        claims.append(files)
    except AuditError as error:
        claims.append(_failed(error, CHECKPOINT))
    return Report(tuple(claims))


def verify_bundle(folder: Path, vkey: VerifierKey | str | None = None) -> Report:
    """Check an evidence bundle; without `vkey` its own key is used and shown for comparison with the published one.

    Stops at the first claim that fails. Nothing is raised; what fails is in the report.
    """
    claims: list[Claim] = []
    try:
        manifest = read_manifest(folder)
        claims.append(check_bundle_files(folder, manifest))
        key, claim = read_policy(folder, None if vkey is None else _key(vkey))
        claims.append(claim)
        checkpoint, claim = read_checkpoint(folder, key)
        claims.append(claim)
        lines, claim = read_lines(folder, manifest, checkpoint.size)
        claims += [claim, check_inclusion(folder, manifest, checkpoint, lines), completeness(manifest)]
    except AuditError as error:
        claims.append(_failed(error, CHECKPOINT))
    return Report(tuple(claims))


def _key(vkey: VerifierKey | str) -> VerifierKey:
    return VerifierKey.parse(vkey) if isinstance(vkey, str) else vkey


def _failed(error: AuditError, place: str) -> Claim:
    place = error.place if isinstance(error, BundleError) else place
    return fails(error.code, f"{error.ko} {error.remedy_ko}", f"{error.en} {error.remedy_en}", place)


def key_from(text: str) -> VerifierKey:
    """Read the key line given itself or in a file of that name; raise `NoteError` when there is none."""
    if "+" in text and not Path(text).exists():
        return VerifierKey.parse(text)
    try:
        line = Path(text).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoteError("audit.no-key-file", _no_key_file(text)) from error
    return VerifierKey.parse(line.strip())


def _no_key_file(text: str) -> Text:
    return Text(
        f"검증 키 파일을 읽을 수 없습니다: {text}.",
        f"The key file cannot be read: {text}.",
        "게시된 '이름+해시+base64' 한 줄이나 그 줄이 든 파일을 주세요.",
        "Give the published line `name+hash+base64`, or a file that holds it.",
    )


def main(arguments: list[str] | None = None) -> int:
    """Run as a program: `verify.py [FOLDER] [--key LINE|FILE] [--lang ko|en]`; return the exit status."""
    parser = ArgumentParser(description="Ansim: verify an evidence bundle or a log folder / 증거 자료 또는 로그 검증")
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).parent), help="bundle or log folder / 폴더")
    parser.add_argument("--key", help="the published key line, or a file that holds it / 게시된 검증 키")
    parser.add_argument("--lang", choices=["ko", "en"], default="ko")
    given = parser.parse_args(arguments)
    folder = Path(given.folder)
    try:
        key = key_from(given.key) if given.key else None
    except NoteError as error:
        parser.error(f"{error} / {error.en}")
    if (folder / MANIFEST).exists():
        report = verify_bundle(folder, key)
    elif key is None:
        parser.error("a log folder needs --key / 로그 폴더에는 --key 가 필요합니다")
    else:
        report = verify_log(folder, key, patience_s=3.0)
    sys.stdout.write(report.text(given.lang))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
