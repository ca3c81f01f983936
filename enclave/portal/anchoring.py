"""What the portal does by itself for the log's anchors: a time stamp a day, and the copy of what is new."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from enclave import clock, tsa
from enclave.actor import Actor
from enclave.commands import copying, stamping
from enclave.portal.parts import Portal
from enclave.queries.anchors import last_stamp
from enclave.settings import Settings


def stamp(portal: Portal) -> None:
    """Have the newest checkpoint stamped if today's stamp is due; a refusal is recorded and tried again."""
    settings, now = portal.settings, clock.now()
    if stamp_is_due(settings, now):
        fetch = partial(tsa.fetch, settings.tsa_url, wait_s=settings.tsa_wait_s)
        stamping.stamp_newest(portal.store, settings, Actor.system(), fetch=fetch, now=now)


def stamp_is_due(settings: Settings, now: datetime) -> bool:
    """Say whether an authority is configured, its hour has come and no stamp states this day (in Seoul)."""
    if not settings.tsa_url or now.astimezone(clock.KST).hour < settings.tsa_hour:
        return False
    last = last_stamp(settings)
    return last is None or clock.korean_date(last) < clock.korean_date(now)


def copy(portal: Portal) -> None:
    """Bring what is new into the locked store, if one is configured."""
    settings = portal.settings
    if settings.worm_endpoint:
        copying.copy_log(portal.store, settings, Actor.system(), now=clock.now())
