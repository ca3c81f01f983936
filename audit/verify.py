"""Offline verification of a log folder or an evidence bundle: what auditors run.

Needs one folder, one public key line and Python with `cryptography`; no database, no network, no clock. Each claim
is one line; the first that fails names the damaged file or entry, and the exit status is 1.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from audit.anchorcheck import check_anchors
from audit.anchors import Anchors
from audit.bundlecheck import (
    MANIFEST,
    BundleError,
    check_bundle_files,
    check_inclusion,
    completeness,
    open_bundle,
    read_lines,
    read_manifest,
    read_policy,
    signers_claims,
    stamp_claim,
)
from audit.errors import AuditError
from audit.keyline import policy_of, trusted_from
from audit.logcheck import check_files, check_plain, check_tree, checkpoint_claim
from audit.note import VerifierKey
from audit.policy import Policy
from audit.reader import LogReader
from audit.report import Claim, Report, fails
from audit.stamps import Stamping, stamping_from
from audit.tiles import CHECKPOINT

_POLL_S = 0.2


def verify_log(
    folder: Path,
    trusted: VerifierKey | Policy | str,
    *,
    anchors: Path | None = None,
    stamping: Stamping | None = None,
    patience_s: float = 0.0,
) -> Report:
    """Check a whole log folder against its checkpoint and the key, or policy, that is trusted.

    With `anchors`, also against the checkpoints kept there: none may contradict the log, their time stamps must be by
    an authority in `stamping`, and the claim about the witnesses is amber where the newest is short of its quorum.

    A log that is being written has, for moments, files that its checkpoint does not cover yet: within `patience_s`
    seconds such files may become covered or vanish. Nothing is raised; what fails is in the report.
    """
    if odd := check_plain(folder):
        return Report(tuple(odd))
    claims: list[Claim] = []
    try:
        policy = policy_of(trusted)
        # Before the log is read, so that none of them can be newer than it.
        kept = Anchors(anchors).sizes() if anchors is not None else []
        reader = LogReader(folder, policy)
        claims.append(checkpoint_claim(reader.checkpoint))
        claims += check_tree(folder, reader.checkpoint)
        files = check_files(folder, reader.checkpoint)
        while not files.ok and patience_s > 0:
            time.sleep(_POLL_S)
            patience_s -= _POLL_S
            files = check_files(folder, LogReader(folder, policy).checkpoint)
        claims.append(files)
        if all(claim.ok for claim in claims):
            claims += check_anchors(Anchors(anchors or folder), policy, reader, sizes=kept, stamping=stamping)
    except AuditError as error:
        claims.append(_failed(error, CHECKPOINT))
    return Report(tuple(claims))


def verify_bundle(
    folder: Path, trusted: VerifierKey | Policy | str | None = None, *, stamping: Stamping | None = None
) -> Report:
    """Check an evidence bundle; without `trusted` its own keys are used and shown for comparison with the published.

    So it is with `stamping`, the certificates of time-stamping authorities. Amber is what lacks a quorum or a stamp,
    and what is checked by keys of the bundle's own: whoever made it may have made those, too.
    Stops at the first claim that fails. Nothing is raised; what fails is in the report.
    """
    claims: list[Claim] = []
    try:
        manifest = read_manifest(folder)
        claims.append(check_bundle_files(folder, manifest))
        policy, claim = read_policy(folder, VerifierKey.parse(trusted) if isinstance(trusted, str) else trusted)
        claims.append(claim)
        endorsed = open_bundle(folder, policy)
        claims.append(checkpoint_claim(endorsed.checkpoint))
        claims += signers_claims(endorsed, policy, published=isinstance(trusted, Policy))
        claims.append(stamp_claim(folder, endorsed.checkpoint, stamping))
        lines, claim = read_lines(folder, manifest, endorsed.checkpoint.size)
        claims += [claim, check_inclusion(folder, manifest, endorsed.checkpoint, lines), completeness(manifest)]
    except AuditError as error:
        claims.append(_failed(error, CHECKPOINT))
    return Report(tuple(claims))


def _failed(error: AuditError, place: str) -> Claim:
    place = error.place if isinstance(error, BundleError) else place
    return fails(error.code, f"{error.ko} {error.remedy_ko}", f"{error.en} {error.remedy_en}", place)


def main(arguments: list[str] | None = None) -> int:
    """Run as a program: `verify.py [FOLDER] [--key LINE|FILE] [--lang ko|en]`; return the exit status."""
    parser = ArgumentParser(description="Ansim: verify an evidence bundle or a log folder / 증거 자료 또는 로그 검증")
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).parent), help="bundle or log folder / 폴더")
    parser.add_argument("--key", help="the published key line, or a file that holds it / 게시된 검증 키")
    parser.add_argument("--policy", help="the published policy file, with witnesses and quorum / 게시된 정책 파일")
    parser.add_argument("--anchors", help="folder of the checkpoints seen outside / 밖에서 본 확인점의 폴더")
    parser.add_argument("--tsa", help="certificates of time-stamping authorities, PEM / 시점확인기관의 인증서")
    parser.add_argument("--lang", choices=["ko", "en"], default="ko")
    given = parser.parse_args(arguments)
    folder = Path(given.folder)
    try:
        trusted, stamping = trusted_from(given.key, given.policy), stamping_from(given.tsa)
    except AuditError as error:
        parser.error(f"{error} / {error.en}")
    if (folder / MANIFEST).exists():
        report = verify_bundle(folder, trusted, stamping=stamping)
    elif trusted is None:
        parser.error("a log folder needs --key or --policy / 로그 폴더에는 --key 나 --policy 가 필요합니다")
    else:
        anchors = Path(given.anchors) if given.anchors else None
        report = verify_log(folder, trusted, anchors=anchors, stamping=stamping, patience_s=3.0)
    sys.stdout.write(report.text(given.lang))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
