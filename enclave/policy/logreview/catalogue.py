"""All rules of the review, in the order of the handbook; one call runs them over a window. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from enclave.policy.logreview.hit import Hit, Rule
from enclave.policy.logreview.rules import (
    bulk_read,
    denied_run,
    dormant,
    download_reason,
    export_burst,
    log_health,
    new_place,
    off_hours,
    privilege,
    probing,
    two_person,
)
from enclave.policy.logreview.window import Window

RULES: Mapping[Rule, Callable[[Window], Iterator[Hit]]] = {
    Rule.OFF_HOURS: off_hours.find,
    Rule.BULK_READ: bulk_read.find,
    Rule.EXPORT_BURST: export_burst.find,
    Rule.PROBING: probing.find,
    Rule.DORMANT: dormant.find,
    Rule.NEW_PLACE: new_place.find,
    Rule.DENIED_RUN: denied_run.find,
    Rule.PRIVILEGE: privilege.find,
    Rule.TWO_PERSON: two_person.find,
    Rule.LOG_HEALTH: log_health.find,
    Rule.DOWNLOAD_REASON: download_reason.find,
}


def run(window: Window) -> tuple[Hit, ...]:
    """Return everything the rules find, by rule and then in the order of the log."""
    return tuple(
        found for rule in RULES.values() for found in sorted(rule(window), key=lambda each: (each.first, each.key))
    )
