"""How far witnesses outside have seen a checkpoint, as reports print it."""

from __future__ import annotations

from audit.errors import AuditError
from audit.keyline import key_from
from audit.standing import standing
from enclave.settings import Settings

# Marks that Korean fonts have.
MARKS = {"ok": "○", "warn": "△", "stop": "×"}


def printed(settings: Settings, size: int) -> str:
    """Return a mark and a Korean sentence about the first `size` entries; amber where it cannot be told."""
    try:
        found = standing(settings.log, settings.anchors, key_from(str(settings.keys / "log.pub")), size=size)
    except (AuditError, OSError) as error:
        code = getattr(error, "code", type(error).__name__)
        return f"{MARKS['warn']} 밖의 증인이 어디까지 확인했는지 알 수 없습니다. ({code})"
    return f"{MARKS[found.look]} {found.ko}"
