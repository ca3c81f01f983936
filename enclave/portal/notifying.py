"""What the portal tells outside by itself: that a review is overdue, by mail to a relay of the closed network."""

from __future__ import annotations

from functools import partial

from enclave import clock, mail
from enclave.actor import Actor
from enclave.commands import notices
from enclave.portal.parts import Portal
from enclave.queries import logreview


def tell_overdue(portal: Portal) -> None:
    """Send today's mail about overdue reviews, if a relay is set and there are any."""
    relay, now = mail.Relay.of(portal.settings), clock.now()
    if relay is not None and notices.wanted(logreview.overdue(portal.store, now=now), now):
        notices.tell_overdue(portal.store, Actor.system(), send=partial(mail.send, relay), now=now)
