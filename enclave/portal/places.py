"""The menu: which pages are worth offering to whom. What a page lets a person do, its commands decide."""

from __future__ import annotations

from dataclasses import dataclass

from enclave.actor import Actor
from enclave.policy.drill import SEES_DRILLS
from enclave.policy.provider.who import SEES
from enclave.queries.metrics import SEES_METRICS
from enclave.roles import Role


@dataclass(frozen=True)
class Place:
    """One entry of the menu: `name` is also its text's key, `path` begins below the portal's root."""

    name: str
    path: str
    roles: frozenset[Role] | None = None


USERS = frozenset({Role.SCIENTIST, Role.PROJECT_LEAD})
GOVERNORS = frozenset({Role.DATA_STEWARD, Role.ASSET_OWNER})
WATCHERS = frozenset({Role.AUDITOR, Role.REVIEWER})
# The same page: to whoever works in no project it is a list of what waits.
HOME, TASKS = Place("home", "/"), Place("tasks", "/")
PLACES = (
    Place("apply", "/apply", frozenset({Role.PROJECT_LEAD})),
    Place("columns", "/columns", GOVERNORS),
    Place("review", "/review", frozenset({Role.OUTPUT_CHECKER})),
    Place("policies", "/policies", frozenset(SEES)),
    Place("metrics", "/metrics", frozenset(SEES_METRICS)),
    Place("releases", "/releases", USERS | {Role.OUTPUT_CHECKER}),
    Place("certificates", "/certificates"),
    Place("datasets", "/datasets"),
    Place("gpu", "/gpu", USERS | {Role.OPERATOR, Role.REVIEWER, Role.AUDITOR}),
    Place("log", "/log", WATCHERS),
    Place("periods", "/periods", WATCHERS),
    Place("reports", "/reports", WATCHERS | {Role.OPERATOR}),
    Place("executed", "/code", WATCHERS),
    Place("findings", "/findings", WATCHERS),
    Place("incidents", "/incidents"),
    Place("drills", "/drills", SEES_DRILLS),
    Place("accounts", "/accounts", frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR})),
)


def of(actor: Actor | None) -> list[Place]:
    """Return the menu of a person, in order; empty for nobody."""
    if actor is None:
        return []
    first = HOME if actor.roles & USERS else TASKS
    return [first, *(place for place in PLACES if place.roles is None or place.roles & actor.roles)]
