"""What a log says of entries that gave up their bytes: only what a published entry ordered may be gone. Pure.

The order (`ORDER`, outcome `allowed`, `details.end`) stands in the log itself, under the same signed root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.canonical import decode
from audit.errors import EntryError
from audit.report import Claim, fails, holds
from audit.tiles import WIDTH

ORDER = "log.purge-requested"
# No entry is given up before (개인정보의 안전성 확보조치 기준 §8; korea.md R77): years, whatever is configured.
LEAST_YEARS = 2
_STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
# How an order is spelled in an entry's canonical bytes.
SPELLED = f'"action":"{ORDER}"'.encode()


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """The entry at leaf `index` ordered, at the time `at` that it says, that all before leaf `end` lose their bytes."""

    index: int
    end: int
    at: str


def years_before(now: datetime, years: int) -> datetime:
    """Return the same day and hour some years ago; of February 29, the last of February."""
    try:
        return now.replace(year=now.year - years)
    except ValueError:
        return now.replace(year=now.year - years, day=28)


def time_of(entry: bytes) -> str:
    """Return the time that an entry says (`2026-11-29T01:02:03.123456Z`); empty where it says none."""
    try:
        at = str(decode(entry).get("at"))
        return at if datetime.strptime(at, _STAMP).replace(tzinfo=UTC).year > LEAST_YEARS else ""
    except (EntryError, ValueError):
        return ""


def purge_orders(entries: Sequence[bytes], first: int) -> Iterable[PurgeOrder]:
    """Yield the orders among the entries of a bundle, the first of which is leaf `first`."""
    for at, data in enumerate(entries):
        if SPELLED not in data:
            continue
        try:
            record = decode(data)
        except EntryError:
            continue
        details = record.get("details")
        end = details.get("end") if isinstance(details, dict) else None
        if record.get("action") == ORDER and record.get("outcome") == "allowed" and isinstance(end, int):
            yield PurgeOrder(first + at, end, time_of(data))


def covering(orders: Iterable[PurgeOrder], bundles: Sequence[int]) -> PurgeOrder | None:
    """Return the order under which these bundles may be gone; None if there is none.

    They must be the first ones of the log: the order is itself still there, and nothing before them is.
    """
    if not bundles or list(bundles) != list(range(len(bundles))):
        return None
    end = len(bundles) * WIDTH
    return next((order for order in orders if order.index >= order.end >= end), None)


def purged_claim(order: PurgeOrder, bundles: int, left: bytes, newest: bytes) -> Claim:
    """Return the claim about `bundles` purged bundles; `left`: the first entry that is left, `newest`: the last one.

    Whoever may insert entries can write an order, so it is held to the two years that an honest one waits: the first
    entry behind what went must have been that old. An order cannot say it is later than the log's newest entry.
    """
    count = bundles * WIDTH
    oldest, ordered = time_of(left), min(order.at, time_of(newest) or order.at)
    if not oldest or not ordered or oldest > _least_before(ordered):
        return fails(
            "log.purged-young",
            f"기록 {count:,}건이 {order.index}번 기록의 지시({ordered})로 사라졌지만 {LEAST_YEARS}년이 안 되었습니다:"
            f" 바로 뒤의 기록이 {oldest or '시각 없음'}의 것입니다",
            f"{count:,} entries are gone by order of entry {order.index} ({ordered}) before {LEAST_YEARS} years:"
            f" the one behind them is of {oldest or 'no time'}",
            f"{order.index}",
        )
    return holds(
        "log.purged",
        f"기록 {count:,}건(0~{count - 1}번)은 {order.index}번 기록의 지시({ordered})로 파기되었습니다: 해시만 남음",
        f"{count:,} entries (0-{count - 1}) were purged by order of entry {order.index} ({ordered}): hashes remain",
    )


def _least_before(ordered: str) -> str:
    return years_before(datetime.strptime(ordered, _STAMP).replace(tzinfo=UTC), LEAST_YEARS).strftime(_STAMP)
