"""The numbers of the queue, from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from enclave.settings import Settings

SHORTEST_MINUTES = 15
# Before a lease is over the person is told, so that a model can be saved: a device cannot be taken from a running
# container, so the whole workspace stops.
WARNING = timedelta(minutes=10)
# A device that stood idle longer than this is erased again before the next person gets it.
CLEAN_FOR = timedelta(hours=1)


def is_fresh(scrubbed_at: datetime | None, now: datetime) -> bool:
    """Return whether a device that is ready may be granted; if not it is erased again, and never both at once."""
    return scrubbed_at is not None and now < scrubbed_at + CLEAN_FOR


@dataclass(frozen=True)
class GpuRules:
    """Longest lease, how long a granted device waits for its person, and over how many days fairness looks back."""

    longest: timedelta = timedelta(hours=8)
    claim: timedelta = timedelta(minutes=30)
    window: timedelta = timedelta(days=7)

    @classmethod
    def of(cls, settings: Settings) -> GpuRules:
        """Return the rules of this installation."""
        return cls(
            timedelta(hours=settings.gpu_lease_hours),
            timedelta(minutes=settings.gpu_claim_minutes),
            timedelta(days=settings.gpu_fair_days),
        )

    @property
    def longest_minutes(self) -> int:
        """The longest lease in minutes."""
        return int(self.longest.total_seconds()) // 60
