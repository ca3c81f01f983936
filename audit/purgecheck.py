"""What a log says of entries that gave up their bytes: only what a published entry ordered may be gone. Pure.

The order (`ORDER`, outcome `allowed`, `details.end`) stands in the log itself, under the same signed root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.canonical import decode
from audit.errors import EntryError
from audit.report import Claim, holds
from audit.tiles import WIDTH

ORDER = "log.purge-requested"
# How an order is spelled in an entry's canonical bytes.
SPELLED = f'"action":"{ORDER}"'.encode()


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """The entry at leaf `index` ordered that all entries below leaf `end` give up their bytes."""

    index: int
    end: int


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
            yield PurgeOrder(first + at, end)


def covering(orders: Iterable[PurgeOrder], bundles: Sequence[int]) -> PurgeOrder | None:
    """Return the order under which these bundles may be gone; None if there is none.

    They must be the first ones of the log: the order is itself still there, and nothing before them is.
    """
    if not bundles or list(bundles) != list(range(len(bundles))):
        return None
    end = len(bundles) * WIDTH
    return next((order for order in orders if order.index >= order.end >= end), None)


def purged_claim(order: PurgeOrder, bundles: int) -> Claim:
    """Return the claim about `bundles` purged bundles."""
    count = bundles * WIDTH
    return holds(
        "log.purged",
        f"기록 {count:,}건(0~{count - 1}번)은 {order.index}번 기록의 지시로 파기되었습니다: 해시만 남음",
        f"{count:,} entries (0-{count - 1}) were purged by order of entry {order.index}: their hashes alone remain",
    )
