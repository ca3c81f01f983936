"""What the rules look at: the entries of a period, the history before it, and what only the database knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from enclave.policy.logreview.limits import Limits
from enclave.policy.logreview.line import Line


@dataclass(frozen=True)
class Leaver:
    """An account that is still enabled although the last project it was made for is over."""

    account: str
    project: str
    since: datetime


@dataclass(frozen=True)
class Facts:
    """What the window's own lines cannot tell.

    `places`: (account, address) pairs seen before the window; `logins`: each account's last sign-in before it;
    `authors`: who asked for a request (by id); `checkers`: how many people may judge a project's requests.
    """

    places: frozenset[tuple[str, str]] = frozenset()
    logins: Mapping[str, datetime] = field(default_factory=dict)
    authors: Mapping[str, str] = field(default_factory=dict)
    checkers: Mapping[str, int] = field(default_factory=dict)
    leavers: tuple[Leaver, ...] = ()


@dataclass(frozen=True)
class Window:
    """`lines` in the order of the log; those before leaf `start` are history and never findings themselves.

    `limits`: by project; the house's, under "", count for every other.
    """

    lines: Sequence[Line]
    start: int
    limits: Mapping[str, Limits]
    facts: Facts = Facts()

    def limits_of(self, project: str) -> Limits:
        """Return what counts for a project."""
        return self.limits.get(project) or self.limits[""]

    def now(self, actions: Iterable[str] | None = None) -> Iterator[Line]:
        """Yield the lines of the period itself, of some actions only if they are named."""
        wanted = None if actions is None else frozenset(actions)
        return (each for each in self.lines if each.index >= self.start and (wanted is None or each.action in wanted))

    def all(self, actions: Iterable[str]) -> Iterator[Line]:
        """Yield history and period, of these actions."""
        wanted = frozenset(actions)
        return (each for each in self.lines if each.action in wanted)
