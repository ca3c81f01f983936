"""How far witnesses outside have seen a checkpoint, for the pages and reports that show it."""

from __future__ import annotations

from dataclasses import dataclass

from audit.errors import AuditError
from audit.keyline import key_from
from audit.standing import standing
from enclave.portal.visit import Visit
from enclave.queries.witnessed import MARKS


@dataclass(frozen=True)
class Seen:
    """`look`: `ok`, `warn` or `stop`; `told`: a sentence in the visitor's language; `printed`: in Korean, marked."""

    look: str
    told: str
    printed: str


def seen_of(visit: Visit, size: int) -> Seen:
    """Return what is to be said of the checkpoint over the first `size` entries; amber where it cannot be told."""
    settings = visit.portal.settings
    try:
        vkey = key_from(str(settings.keys / "log.pub"))
        found = standing(settings.log, settings.anchors, vkey, size=size)
    except (AuditError, OSError) as error:
        told = f"{visit.say('log.no_standing')} ({getattr(error, 'code', type(error).__name__)})"
        return Seen("warn", told, f"{MARKS['warn']} {told}")
    told = found.en if visit.language == "en" else found.ko
    return Seen(found.look, told, f"{MARKS[found.look]} {found.ko}")
