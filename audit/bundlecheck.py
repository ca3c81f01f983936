"""Check an evidence bundle: a few entries of the log with all that is needed to prove that they are in it.

manifest.json names every file by SHA-256; entries.jsonl holds the entries' exact bytes, one a line; proofs/ holds
one proof per entry, or tile/ the hash tiles that prove them together; policy names the keys that signed checkpoint and
its witnesses; checkpoint.tsr, if there, is its time stamp, tsa.pem the certificates of the authority.
Standard library and `cryptography` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from audit.anchorcheck import quorum_claim
from audit.canonical import decode
from audit.cosignature import NOTE
from audit.errors import AuditError, EntryError, NoteError, StampError, Text
from audit.folder import read_tile
from audit.merkle import inclusion_proof, leaf_hash, root_from_inclusion
from audit.note import Checkpoint, VerifierKey
from audit.policy import Endorsed, Policy
from audit.proof import Proof
from audit.report import Claim, holds, lacks
from audit.selectcheck import unfit
from audit.stamps import Stamping, certificates, check_stamp
from audit.tiles import CHECKPOINT, WIDTH, node_reader, split, tile_of

MANIFEST, LINES, POLICY, PROOFS = "manifest.json", "entries.jsonl", "policy", "proofs"
STAMP, CERTIFICATES = "checkpoint.tsr", "tsa.pem"
BUNDLE_VERSION = 1
# What `json` gives for the manifest's list of [first, last] ranges.
Ranges = tuple[tuple[int, int], ...]


class BundleError(AuditError):
    """A bundle that cannot be read on, or a part of it that proves nothing; `place` names the file."""

    def __init__(self, code: str, text: Text, place: str = "") -> None:
        super().__init__(code, text)
        self.place = place


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the bundle says it holds: leaf index ranges (both ends included), files by SHA-256, a free description."""

    ranges: Ranges
    files: Mapping[str, str]
    selection: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many entries."""
        return sum(last - first + 1 for first, last in self.ranges)

    def indexes(self) -> Iterator[int]:
        """Yield the leaf indexes in order."""
        for first, last in self.ranges:
            yield from range(first, last + 1)


def read_manifest(folder: Path) -> Manifest:
    """Read manifest.json; raise `BundleError` (`bundle.manifest`) unless it is canonical and well formed."""
    _check_plain(folder / MANIFEST, MANIFEST)
    try:
        value = decode(_bytes(folder, MANIFEST).rstrip(b"\n"))
    except EntryError as error:
        raise _broken("manifest", f"{MANIFEST}: {error.ko}", f"{MANIFEST}: {error.en}", MANIFEST) from error
    if value.get("v") != BUNDLE_VERSION:
        raise _malformed(f"v={value.get('v')}")
    return Manifest(_ranges(value.get("ranges")), _files(value.get("files")), _texts(value.get("selection")))


def _malformed(what: str) -> BundleError:
    return _broken("manifest", f"{MANIFEST}의 형식이 틀립니다: {what}", f"{MANIFEST} is malformed: {what}", MANIFEST)


def _ranges(value: object) -> Ranges:
    if not isinstance(value, list) or not value:
        raise _malformed("ranges")
    pairs: list[tuple[int, int]] = []
    for pair in value:
        if not isinstance(pair, list) or [type(item) for item in pair] != [int, int]:
            raise _malformed(f"ranges, {pair}")
        if not (pairs[-1][1] if pairs else -1) < pair[0] <= pair[1]:
            raise _malformed(f"ranges, {pairs[-1] if pairs else '-'} → {pair}")
        pairs.append((pair[0], pair[1]))
    return tuple(pairs)


def _files(value: object) -> dict[str, str]:
    if not isinstance(value, list):
        raise _malformed("files")
    files: dict[str, str] = {}
    for pair in value:
        if not isinstance(pair, list) or [type(item) for item in pair] != [str, str]:
            raise _malformed(f"files, {pair}")
        if pair[0] in files:
            raise _malformed(f"files, 2 × {pair[0]}")
        files[pair[0]] = pair[1]
    return files


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _malformed("selection")
    for name, item in value.items():
        if not isinstance(item, str):
            raise _malformed(f"selection, {name}")
    return value


def check_bundle_files(folder: Path, manifest: Manifest) -> Claim:
    """Return the claim that exactly the listed files are there with the listed content; raise `BundleError`."""
    here = {item.relative_to(folder).as_posix(): item for item in folder.rglob("*") if not _is_plain_folder(item)}
    here.pop(MANIFEST, None)
    for name in sorted(manifest.files):
        path = here.pop(name, None)
        if path is None:
            raise _broken("file-missing", f"파일이 없습니다: {name}", f"File missing: {name}", name)
        _check_plain(path, name)
        if sha256(path.read_bytes()).hexdigest() != manifest.files[name]:
            raise _broken("file-changed", f"파일 내용이 바뀌었습니다: {name}", f"File changed: {name}", name)
    for name in sorted(here):
        raise _broken("file-extra", f"목록에 없는 파일입니다: {name}", f"File not listed: {name}", name)
    count = len(manifest.files)
    return holds("bundle.files", f"파일 {count}개가 목록과 같습니다", f"{count} files are as listed")


def _check_plain(path: Path, name: str) -> None:
    """Raise unless a name is a file: a link leads out of the bundle, and reading a pipe or device never ends."""
    if path.is_symlink():
        raise _broken("file-link", f"파일이 아니라 링크입니다: {name}", f"A link and no file: {name}", name)
    if path.exists() and not path.is_file():
        raise _broken("file-odd", f"보통의 파일이 아닙니다: {name}", f"No ordinary file: {name}", name)


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def read_policy(folder: Path, trusted: VerifierKey | Policy | None) -> tuple[Policy, Claim]:
    """Return the policy to check the bundle by; raise `BundleError` when its log key is not the trusted one.

    A trusted policy stands in place of the bundle's own (C2SP tlog-policy). A trusted key stands in place of the
    bundle's log keys; its witnesses are then still the bundle's own.
    """
    try:
        policy = Policy.parse(_bytes(folder, POLICY).decode("utf-8", "replace"))
    except NoteError as error:
        raise _broken("policy", f"policy: {error.ko}", f"policy: {error.en}", POLICY) from error
    if isinstance(trusted, Policy):
        return trusted, holds("bundle.key", "믿는 정책으로 확인합니다", "Checked by the trusted policy")
    lines = ", ".join(str(key) for key in policy.logs if key.kind == NOTE)
    if not lines:
        raise _broken("policy", "policy에 로그 키가 없습니다", "The policy names no log key", POLICY)
    if trusted is None:
        ko = f"검증 키는 자료에 든 것입니다. 게시된 키와 같은지 눈으로 확인하세요: {lines}"
        return policy, lacks("bundle.key", ko, f"The key is the bundle's own; compare it with the published: {lines}")
    logs = Policy.of_key(trusted).logs
    if logs[0] not in policy.logs:
        ko, en = f"자료의 검증 키가 믿는 키와 다릅니다: {lines}", f"The bundle's key is not the trusted one: {lines}"
        raise _broken("key", ko, en, POLICY)
    return replace(policy, logs=logs), holds("bundle.key", "검증 키가 믿는 키와 같습니다", "The key is the trusted one")


def open_bundle(folder: Path, policy: Policy) -> Endorsed:
    """Return the bundle's checkpoint; raise `NoteError` or `BundleError` when the policy's log did not sign it."""
    return policy.open(_bytes(folder, CHECKPOINT))


def stamp_claim(folder: Path, checkpoint: Checkpoint, trusted: Stamping | None) -> Claim:
    """Return the claim about the checkpoint's time stamp: amber where there is none, or nothing to check it with.

    Without `trusted` certificates the bundle's own are used, and named for comparison. Raises `StampError`.
    """
    if not (folder / STAMP).exists():
        return lacks("bundle.no-stamp", "확인점에 시점확인 토큰이 없습니다", "The checkpoint has no time stamp")
    own = (folder / CERTIFICATES).exists() and trusted is None
    if own:
        trusted = certificates(_bytes(folder, CERTIFICATES))
    if not trusted:
        ko = "시점확인 토큰은 확인하지 않았습니다: 기관의 인증서를 주세요(--tsa)"
        return lacks("bundle.stamp-unchecked", ko, "Time stamp unchecked: give the authority's certificate (--tsa)")
    try:
        stamp = check_stamp(_bytes(folder, STAMP), str(checkpoint).encode(), trusted)
    except StampError as error:
        if error.code != "audit.no-stamp-tool":
            raise BundleError(error.code, Text(error.ko, error.en, error.remedy_ko, error.remedy_en), STAMP) from error
        return lacks(error.code, error.ko, error.en, STAMP)
    when = f"{stamp.at:%Y-%m-%d %H:%M:%S} UTC"
    ko, en = f"이 확인점은 {when}에 있었습니다({stamp.checked_by})", f"It existed at {when} ({stamp.checked_by})"
    if own:
        prints = ", ".join(sha256(each.public_bytes(Encoding.DER)).hexdigest()[:32] for each in trusted)
        ko += f". 인증서는 자료에 든 것입니다. 기관이 게시한 것과 비교하세요: SHA-256 {prints}…"
        en += f". The certificate is the bundle's own; compare it with the authority's: SHA-256 {prints}…"
    return (lacks if own else holds)("bundle.stamped", ko, en)


def signers_claims(endorsed: Endorsed, policy: Policy, *, published: bool) -> list[Claim]:
    """Return the claims about who stands behind the checkpoint besides the log's newest key.

    Witnesses that the bundle names itself (not `published`) are whoever made it, and an old key of the log, which was
    handed over since, is whoever kept a copy of it: both are amber. A quorum of published witnesses stands for it.
    """
    claim = quorum_claim(endorsed if endorsed.quorum else None, policy, endorsed.checkpoint.size)
    if not claim.amber and not published:
        ko = f"{claim.ko}. 증인의 키는 자료에 든 것입니다: 게시된 정책 파일로 확인하세요(--policy)"
        en = f"{claim.en}. The witnesses are the bundle's own: check them by the published policy (--policy)"
        claim = lacks("bundle.own-witness", ko, en)
    newest = next(key for key in policy.logs if key.kind == NOTE and key.name == endorsed.checkpoint.origin)
    if newest in endorsed.log_keys or not claim.amber:
        return [claim]
    ko = "이미 넘겨준 옛 로그 키로만 서명되었습니다: 새 키가 서명한 확인점의 자료를 요청하세요"
    en = "Signed only by a key of the log that was handed over since: ask for a bundle under a newer checkpoint"
    return [lacks("bundle.old-key", ko, en), claim]


def read_lines(folder: Path, manifest: Manifest, size: int) -> tuple[list[bytes], Claim]:
    """Return the entries' bytes in order; raise `BundleError` when count, form or ids are wrong."""
    data = _bytes(folder, LINES)
    if not data.endswith(b"\n"):
        raise _broken("cut", f"{LINES}의 마지막 줄이 잘렸습니다", f"The last line of {LINES} is cut off", LINES)
    lines = data.split(b"\n")
    lines.pop()
    if len(lines) != manifest.count:
        ko = f"{LINES}의 줄 수 {len(lines)}가 목록의 {manifest.count}건과 다릅니다"
        raise _broken("count", ko, f"{LINES} has {len(lines)} lines, the manifest says {manifest.count}", LINES)
    if manifest.ranges and manifest.ranges[-1][1] >= size:
        ko, en = f"목록이 서명된 {size:,}건 밖을 가리킵니다", f"The manifest reaches beyond the signed {size:,} entries"
        raise _broken("range", ko, en, MANIFEST)
    seen: dict[object, int] = {}
    for index, line in zip(manifest.indexes(), lines, strict=True):
        try:
            record = decode(line)
        except EntryError as error:
            raise _broken("entry-form", f"{index}번 기록: {error.ko}", f"Entry {index}: {error.en}", LINES) from error
        if other := unfit(manifest.selection, record):
            ko, en = f"{index}번 기록이 적힌 조건과 다릅니다: {other}", f"Entry {index} does not meet: {other}"
            raise _broken("selection", ko, en, MANIFEST)
        entry_id = record.get("id")
        if entry_id in seen:
            ko, en = f"{index}번 기록의 id가 {seen[entry_id]}번과 같습니다", f"Entry {index} repeats {seen[entry_id]}"
            raise _broken("entry-twice", ko, en, LINES)
        seen[entry_id] = index
    count = len(lines)
    return lines, holds("bundle.entries", f"기록 {count:,}건의 형식이 맞습니다", f"{count:,} entries, well formed")


def check_inclusion(folder: Path, manifest: Manifest, checkpoint: Checkpoint, lines: list[bytes]) -> Claim:
    """Return the claim that every entry is in the signed log; raise `BundleError` naming the first that is not."""
    pairs = zip(manifest.indexes(), lines, strict=True)
    if (folder / PROOFS).is_dir():
        _check_by_proofs(folder, pairs, checkpoint)
    else:
        _check_by_tiles(folder, pairs, checkpoint)
    count = len(lines)
    ko = f"기록 {count:,}건이 서명된 로그에 들어 있습니다"
    return holds("bundle.inclusion", ko, f"{count:,} entries are in the signed log")


def _check_by_proofs(folder: Path, pairs: Iterator[tuple[int, bytes]], checkpoint: Checkpoint) -> None:
    note = _bytes(folder, CHECKPOINT).decode()
    for index, entry in pairs:
        name = f"{PROOFS}/{index}.tlog-proof"
        if not (folder / name).exists():
            raise _broken("proof-missing", f"{index}번 기록의 증명이 없습니다", f"Entry {index} has no proof", name)
        try:
            proof = Proof.parse(_bytes(folder, name).decode("utf-8", "replace"))
        except NoteError as error:
            ko, en = f"{index}번 기록의 증명 형식이 틀립니다", f"The proof of entry {index} is malformed"
            raise _broken("proof-form", ko, en, name) from error
        if proof.index != index:
            ko, en = f"{name}은(는) {proof.index}번 기록의 증명입니다", f"{name} is the proof of entry {proof.index}"
            raise _broken("proof-other", ko, en, name)
        if proof.checkpoint != note:
            ko, en = f"{name}은(는) 다른 확인점의 증명입니다", f"{name} is a proof under another checkpoint"
            raise _broken("proof-checkpoint", ko, en, name)
        if root_from_inclusion(index, checkpoint.size, leaf_hash(entry), proof.hashes) != checkpoint.root:
            raise _not_in_log(index, LINES)


def _check_by_tiles(folder: Path, pairs: Iterator[tuple[int, bytes]], checkpoint: Checkpoint) -> None:
    rows: dict[tuple[int, int], list[bytes]] = {}

    def hashes_of(level: int, number: int) -> list[bytes]:
        if (level, number) not in rows:
            tile = tile_of(level, number, checkpoint.size)
            rows[level, number] = split(read_tile(folder, tile))
        return rows[level, number]

    proven = -1
    for index, entry in pairs:
        try:
            leaf = hashes_of(0, index // WIDTH)[index % WIDTH]
            if index // WIDTH != proven:
                # The path of one leaf goes over all hashes of its tile: with it, the whole tile is proven.
                path = inclusion_proof(index, checkpoint.size, node_reader(hashes_of))
                proven = index // WIDTH
                if root_from_inclusion(index, checkpoint.size, leaf, path) != checkpoint.root:
                    ko = f"{index}번 기록의 해시 타일이 서명된 루트에 이르지 않습니다"
                    raise _broken("tile-wrong", ko, f"The hash tiles over entry {index} miss the signed root", "tile")
        except (FileNotFoundError, IndexError) as error:
            ko, en = f"{index}번 기록의 해시 타일이 없습니다", f"The hash tiles of entry {index} are missing"
            raise _broken("tile-missing", ko, en, "tile") from error
        if leaf_hash(entry) != leaf:
            raise _not_in_log(index, LINES)


def completeness(manifest: Manifest) -> Claim:
    """Return the claim about what the bundle leaves out; it can only be made for unbroken ranges."""
    ranges = manifest.ranges
    if len(ranges) == 1:
        first, last = ranges[0]
        ko = f"{first}~{last}번 기록이 빠짐없이 들어 있습니다"
        return holds("bundle.complete", ko, f"Entries {first}-{last} are here without a gap")
    asked = ", ".join(f"{name}={value}" for name, value in sorted(manifest.selection.items()))
    ko = f"골라낸 기록입니다({asked}): 빠진 것이 없다는 증명은 아닙니다. log.export-done 기록의 건수와 비교하세요"
    en = f"A selection ({asked}): nothing shows that none was left out; the entry log.export-done says how many it had"
    return lacks("bundle.selection", ko, en)


def _not_in_log(index: int, place: str) -> BundleError:
    ko, en = f"{index}번 기록이 서명된 로그의 것과 다릅니다", f"Entry {index} is not what the signed log holds"
    return _broken("not-in-log", ko, en, place)


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise _broken("file-missing", f"파일이 없습니다: {name}", f"File missing: {name}", name) from error


def _broken(what: str, ko: str, en: str, place: str) -> BundleError:
    remedy = (
        "원본에서 다시 복사하고, 같은 결과면 감사 담당자에게 알리세요.",
        "Copy it again; if it stays so, tell the auditor.",
    )
    return BundleError(f"bundle.{what}", Text(f"{ko.rstrip('.')}.", f"{en.rstrip('.')}.", *remedy), place)
