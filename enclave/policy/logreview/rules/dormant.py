"""Accounts nobody used for long that come back, and accounts that outlive what they were made for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from enclave.actions import Action
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.window import Window


def find(window: Window) -> Iterator[Hit]:
    """Yield sign-ins after `dormant_days` without one, and accounts still enabled after their last project's end."""
    after = timedelta(days=window.limits_of("").dormant_days)
    last = dict(window.facts.logins)
    for line in window.all({Action.ACCOUNT_LOG_IN.value}):
        if not (line.is_person and line.is_done):
            continue
        before = last.get(line.actor)
        if line.index >= window.start and before is not None and line.at - before > after:
            yield hit(Rule.DORMANT, "back", [line], days=(line.at - before).days)
        last[line.actor] = line.at
    for each in window.facts.leavers:
        since = each.since.date().isoformat()
        yield Hit(
            Rule.DORMANT, "enabled", "", each.project, window.start, window.start, 1,
            values={"account": each.account, "since": since}, about=each.account,
        )  # fmt: skip
