"""Check the log against the checkpoints that were seen outside: by witnesses, time stamps, and when a key changed.

Each kept checkpoint must be the beginning of the log as it is now, and signed by those whose policy says so.
Standard library and `cryptography` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

from audit.anchors import NOTE_SUFFIX, STAMP_SUFFIX, Anchors
from audit.cosignature import NOTE, SigningKey
from audit.errors import AuditError, NoteError, StampError
from audit.note import Checkpoint
from audit.policy import NOBODY, Endorsed, Policy
from audit.reader import LogReader
from audit.report import Claim, fails, holds, lacks
from audit.stamps import Stamping, check_stamp

# The last second of the calendar in Korea, which is ahead.
_LAST_SECOND = 253_402_300_799 - 9 * 3600


@dataclass(frozen=True, slots=True)
class Seen:
    """The kept checkpoints that hold, by size; those signed by no key of the policy are only counted."""

    opened: Mapping[int, Endorsed]
    unknown: int
    broken: tuple[Claim, ...]

    @property
    def witnessed(self) -> Endorsed | None:
        """The largest checkpoint with a quorum of witnesses."""
        return max(
            (each for each in self.opened.values() if each.quorum), key=lambda each: each.checkpoint.size, default=None
        )

    def handovers(self, policy: Policy) -> list[tuple[int, SigningKey, SigningKey]]:
        """Return (size, old key, new key) for each checkpoint that two keys of the log signed.

        Which is the new one says the policy, whose `log` lines stand newest first. The order of the signatures says
        nothing: nobody signs it, and who holds an old key could turn it round.
        """
        found = []
        for size, each in sorted(self.opened.items()):
            keys = [key for key in reversed(policy.logs) if key.kind == NOTE and key in each.log_keys]
            found += [(size, old, new) for old, new in pairwise(keys)]
        return found


def look(anchors: Anchors, policy: Policy, reader: LogReader, *, sizes: Sequence[int] | None = None) -> Seen:
    """Open every kept checkpoint (or those of `sizes`) and hold it against the log. Nothing is raised."""
    opened: dict[int, Endorsed] = {}
    unknown, broken = 0, []
    for size in anchors.sizes() if sizes is None else sizes:
        place = f"{size}{NOTE_SUFFIX}"
        try:
            each = policy.open(anchors.note(size))
            claim = _against(each.checkpoint, size, reader, place)
        except NoteError as error:
            if error.code == "audit.untrusted-key":
                unknown += 1
                continue
            claim = fails(error.code, f"{place}: {error.ko}", f"{place}: {error.en}", place)
        except (AuditError, OSError):
            ko, en = "읽을 수 없거나 로그의 해시 타일이 없습니다", "unreadable, or the log lacks its hash tiles"
            claim = fails("anchor.unreadable", f"{place}: {ko}", f"{place}: {en}", place)
        if claim is None:
            opened[size] = each
        else:
            broken.append(claim)
    return Seen(opened, unknown, tuple(broken))


def _against(kept: Checkpoint, size: int, reader: LogReader, place: str) -> Claim | None:
    if kept.size != size or kept.origin != reader.checkpoint.origin:
        ko, en = f"{place}: 다른 확인점입니다", f"{place}: another checkpoint"
        return fails("anchor.other", ko, en, place)
    if size > reader.size:
        return fails(
            "anchor.log-shorter",
            f"밖에서 본 확인점은 {size:,}건인데 로그는 {reader.size:,}건뿐입니다: 끝이 잘렸습니다",
            f"A checkpoint of {size:,} entries was seen outside, the log has {reader.size:,}: its end was cut off",
            place,
        )
    if reader.root(size) != kept.root:
        return fails(
            "anchor.rewritten",
            f"처음 {size:,}건이 밖에서 본 확인점과 다릅니다: 그 뒤에 다시 쓰였습니다",
            f"The first {size:,} entries are not those of the checkpoint seen outside: they were rewritten since",
            place,
        )
    return None


def check_anchors(
    anchors: Anchors, policy: Policy, reader: LogReader, *, sizes: Sequence[int], stamping: Stamping | None = None
) -> list[Claim]:
    """Return the claims about the kept checkpoints of `sizes`, their time stamps, the quorum and the log's keys.

    `stamping` holds the certificates of time-stamping authorities to trust.
    """
    seen = look(anchors, policy, reader, sizes=sizes)
    claims = list(seen.broken)
    count = len(seen.opened)
    if count and not claims:
        ko = f"밖에서 본 확인점 {count:,}개가 모두 이 로그의 앞부분입니다"
        claims.append(holds("anchor.kept", ko, f"All {count:,} checkpoints seen outside are beginnings of this log"))
    if seen.unknown:
        ko = f"확인점 {seen.unknown:,}개는 이 키로 확인할 수 없습니다. 로그의 모든 키가 든 정책 파일을 주세요"
        en = f"{seen.unknown:,} checkpoints are of another key; give the policy file with all keys of the log"
        claims.append(lacks("anchor.other-key", ko, en))
    claims += _key_claims(seen, policy, reader)
    claims += _stamp_claims(anchors, seen, stamping)
    claims.append(quorum_claim(best(seen, policy, reader), policy, reader.size))
    return claims


def _key_claims(seen: Seen, policy: Policy, reader: LogReader) -> list[Claim]:
    """Say when the log's key was handed over, and that no old key signed anything after that."""
    claims: list[Claim] = []
    retired: dict[SigningKey, int] = {}
    for size, old, new in seen.handovers(policy):
        retired[old] = size
        claims.append(
            holds(
                "log.key-handed-over",
                f"로그 키가 {size:,}건에서 {old.key_id.hex()}에서 {new.key_id.hex()}(으)로 넘어갔습니다",
                f"The log's key was handed over at {size:,} entries, from {old.key_id.hex()} to {new.key_id.hex()}",
            )
        )
    now = policy.open(reader.note)
    for each in [*seen.opened.values(), now]:
        size = each.checkpoint.size
        if all(retired.get(key, size) < size for key in each.log_keys):
            ko = f"{size:,}건의 확인점이 이미 넘겨준 옛 키로만 서명되었습니다"
            en = f"The checkpoint of {size:,} entries is signed only by a key that was handed over before"
            claims.append(fails("log.retired-key", ko, en, f"{size}{NOTE_SUFFIX}"))
    keys = sum(key.kind == NOTE and key.name == now.checkpoint.origin for key in policy.logs)
    if keys > 1 + len(retired):
        ko, en = "로그 키가 여럿인데 넘겨준 확인점이 없습니다", "The log has several keys and no checkpoint hands over"
        claims.append(lacks("log.no-handover", ko, en))
    return claims


def _stamp_claims(anchors: Anchors, seen: Seen, stamping: Stamping | None) -> list[Claim]:
    tokens = [(each.checkpoint, token) for size, each in seen.opened.items() if (token := anchors.stamp(size))]
    if not tokens:
        return []
    count = len(tokens)
    if stamping is None:
        ko = f"시점확인 토큰 {count:,}개는 확인하지 않았습니다: 기관의 인증서를 주세요(--tsa)"
        return [lacks("anchor.stamp-unchecked", ko, f"{count:,} time stamps unchecked: give the certificate (--tsa)")]
    found = []
    for checkpoint, token in tokens:
        place = f"{checkpoint.size}{STAMP_SUFFIX}"
        try:
            found.append((checkpoint.size, check_stamp(token, str(checkpoint).encode(), stamping)))
        except StampError as error:
            say = lacks if error.code == "audit.no-stamp-tool" else fails
            return [say(error.code, f"{place}: {error.ko}", f"{place}: {error.en}", place)]
    size, stamp = max(found, key=lambda each: each[0])
    when = f"{stamp.at:%Y-%m-%d %H:%M:%S} UTC"
    ko = f"시점확인 {count:,}개가 맞습니다. {size:,}건의 확인점은 {when}에 있었습니다({stamp.checked_by})"
    en = f"{count:,} time stamps hold; the checkpoint of {size:,} entries existed at {when} ({stamp.checked_by})"
    return [holds("anchor.stamped", ko, en)]


def best(seen: Seen, policy: Policy, reader: LogReader) -> Endorsed | None:
    """Return the largest checkpoint with a quorum, among the kept ones and the newest; None where there is none."""
    now = policy.open(reader.note)
    return now if now.quorum else seen.witnessed


def quorum_claim(witnessed: Endorsed | None, policy: Policy, size: int) -> Claim:
    """Return the claim about the witnesses of a log of `size`: amber where they have not seen all of it."""
    if policy.quorum == NOBODY:
        ko = "증인이 정해져 있지 않습니다: 확인에 쓴 정책에 이 서버 밖의 증인이 없습니다"
        en = "No witness is appointed: the policy used here names nobody outside this server"
        return lacks("anchor.no-witness", ko, en)
    if witnessed is None:
        ko = "필요한 수의 증인(정족수)이 확인한 확인점이 아직 없습니다"
        en = "No checkpoint has a quorum of witnesses yet"
        return lacks("anchor.no-quorum", ko, en)
    names, last = ", ".join(witnessed.cosigned), max(witnessed.cosigned.values())
    when, korean = _day(last), _korean(last)
    covered = witnessed.checkpoint.size
    if covered < size:
        return lacks(
            "anchor.short",
            f"증인({names})이 {korean}에 {covered:,}건까지 확인했습니다. 그 뒤 {size - covered:,}건은 아직입니다",
            f"Witnessed up to {covered:,} entries ({names}, {when}); the {size - covered:,} after them are not yet",
        )
    ko = f"증인({names})이 {korean}에 {covered:,}건 전부를 확인했습니다"
    return holds("anchor.quorum", ko, f"Witnessed: all {covered:,} entries ({names}, {when})")


def _korean(time: int) -> str:
    # No zone database on a verifier's machine: Korea is nine hours ahead, all year.
    return datetime.fromtimestamp(min(time, _LAST_SECOND), timezone(timedelta(hours=9))).strftime(
        "%Y-%m-%d %H:%M (KST)"
    )


def _day(time: int) -> str:
    # A witness may state any 63 bits; the calendar ends before them.
    return datetime.fromtimestamp(min(time, _LAST_SECOND), UTC).strftime("%Y-%m-%d %H:%M UTC")
