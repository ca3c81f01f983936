"""What the gate knows of a person's screen: locked or not, when a hand was last there, and at which seat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A clock that was put back must not keep a screen open: a hand in the future is none.
SLACK = timedelta(minutes=1)


@dataclass(frozen=True)
class Screen:
    """One workspace's screen. `seat` is the only address that may use it, "" if any may."""

    locked: bool
    active_at: datetime
    seat: str
    idle_minutes: int

    def open_at(self, now: datetime) -> bool:
        """Say whether it may be used: not locked, and a hand was there within the idle time."""
        idle = now - self.active_at
        return not self.locked and -SLACK <= idle < timedelta(minutes=self.idle_minutes)

    def as_json(self) -> dict[str, str | int | bool]:
        """Return it as it is kept and sent."""
        at = self.active_at.astimezone(UTC).isoformat()
        return {"locked": self.locked, "active_at": at, "seat": self.seat, "idle_minutes": self.idle_minutes}


def screen_of(values: Mapping[str, object]) -> Screen:
    """Read what `as_json` wrote. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    at, idle = datetime.fromisoformat(str(values["active_at"])), values["idle_minutes"]
    if not isinstance(idle, int) or at.tzinfo is None or not isinstance(values["locked"], bool):
        raise TypeError("not a screen")
    return Screen(values["locked"], at, str(values["seat"]), idle)
