"""How much was shown: sums of one clock hour and one Korean calendar day, against the plan's limits. Pure.

Two ledgers. What is *shown* (outputs, files, terminals) is held against the plan's `Display`. What a page needs to
live (states, short replies, lists of kernels) is *spare*: small, and bounded by a limit of its own. What of it is
*fresh*, not the same as before, is free up to a smaller limit still and then counts as shown: the workspace writes
these answers, too, and they must be no second screen. What would go over a limit is not admitted at all, and nothing
of it is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from enclave.clock import KST
from enclave.workspace.plan import Display

# What the front end of one person needs in an hour is about 6 MB with everything open.
SPARE_BYTES = 24 << 20
FRESH_HOUR, FRESH_DAY = 6 << 20, 24 << 20
# What one person's code comes to in an hour: the record is kept for years, on a disk that everybody shares.
CODES_HOUR, CODE_BYTES_HOUR = 20_000, 64 << 20
KINDS = ("bytes", "rows", "pictures")


@dataclass(frozen=True)
class Amount:
    """How much one message, file or answer shows."""

    bytes: int = 0
    rows: int = 0
    pictures: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.bytes + other.bytes, self.rows + other.rows, self.pictures + other.pictures)


@dataclass(frozen=True)
class Spent:
    """Which limit is reached: `kind` bytes, rows, pictures or message; `window` hour, day or message."""

    kind: str
    window: str
    limit: int


@dataclass
class Sheet:
    """The sums of one window, named by `of` (the hour's or the day's beginning in Korea)."""

    of: str = ""
    shown: Amount = field(default_factory=Amount)
    spare: int = 0
    fresh: int = 0
    codes: int = 0
    code_bytes: int = 0


class Meter:
    """One workspace's sums. `limits` may be replaced at any time; what was counted stays counted."""

    def __init__(self, limits: Display, saved: Mapping[str, Any] | None = None) -> None:
        self.limits = limits
        self._hour, self._day = (_sheet((saved or {}).get(name)) for name in ("hour", "day"))

    def spent(self, amount: Amount, now: datetime) -> Spent | None:
        """Say which limit this amount would go over, or None; counts nothing."""
        if amount.bytes > self.limits.message_bytes:
            return Spent("message", "message", self.limits.message_bytes)
        return self.spent_sums(amount, now)

    def spent_sums(self, amount: Amount, now: datetime) -> Spent | None:
        """Say which sum this amount would go over: for files, which have a limit of their own."""
        self._turn(now)
        for window, sheet in (("hour", self._hour), ("day", self._day)):
            after = sheet.shown + amount
            for kind in KINDS:
                limit = int(getattr(self.limits, f"{window}_{kind}"))
                if getattr(amount, kind) and getattr(after, kind) > limit:
                    return Spent(kind, window, limit)
        return None

    def add(self, amount: Amount, now: datetime) -> None:
        """Count an amount that has been found to be within the limits."""
        self._turn(now)
        for sheet in (self._hour, self._day):
            sheet.shown += amount

    def admit_spare(self, size: int, now: datetime) -> bool:
        """Count bytes that a page needs to live; False if there have been too many in this hour."""
        self._turn(now)
        if self._hour.spare + size > SPARE_BYTES:
            return False
        self._hour.spare += size
        return True

    def admit_fresh(self, size: int, now: datetime) -> bool:
        """Count bytes of a page's life that it had not seen; False if they must be counted as shown."""
        self._turn(now)
        if self._hour.fresh + size > FRESH_HOUR or self._day.fresh + size > FRESH_DAY:
            return False
        self._hour.fresh += size
        self._day.fresh += size
        return True

    def admit_code(self, size: int, now: datetime) -> bool:
        """Count one text for the record of code; False if there have been too many, or too much, in this hour."""
        self._turn(now)
        if self._hour.codes >= CODES_HOUR or self._hour.code_bytes + size > CODE_BYTES_HOUR:
            return False
        self._hour.codes += 1
        self._hour.code_bytes += size
        return True

    def figures(self, now: datetime) -> dict[str, Any]:
        """Return counts and limits, for pages."""
        self._turn(now)
        windows = {"hour": asdict(self._hour), "day": asdict(self._day)}
        return windows | {"limits": asdict(self.limits)}

    def state(self, ahead: Amount) -> dict[str, Any]:
        """Return what a restarted gate needs: the sums, and `ahead` on top for what may be counted until then."""
        sheets = {"hour": self._hour, "day": self._day}
        return {name: {**asdict(sheet), "shown": asdict(sheet.shown + ahead)} for name, sheet in sheets.items()}

    def _turn(self, now: datetime) -> None:
        korean = now.astimezone(KST)
        hour, day = f"{korean:%Y-%m-%dT%H}", f"{korean:%Y-%m-%d}"
        # A clock that goes back must not give a second allowance: windows only follow each other.
        if hour > self._hour.of:
            self._hour = Sheet(hour)
        if day > self._day.of:
            self._day = Sheet(day)


def _sheet(saved: Any) -> Sheet:
    if not saved:
        return Sheet()
    return Sheet(
        str(saved["of"]),
        Amount(**saved["shown"]),
        int(saved["spare"]),
        **{name: int(saved.get(name, 0)) for name in ("fresh", "codes", "code_bytes")},
    )
