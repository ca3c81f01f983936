"""What is known of the log's anchors: when the last time stamp says it was made."""

from __future__ import annotations

from datetime import datetime

from audit.anchors import Anchors
from audit.errors import AuditError
from audit.note import split_note
from audit.stamps import check_stamp, stamping_from
from enclave.settings import Settings


def last_stamp(settings: Settings) -> datetime | None:
    """Return the moment that the newest time stamp states, if it holds; None when there is none."""
    anchors = Anchors(settings.anchors)
    stamped = [(size, token) for size in anchors.sizes() if (token := anchors.stamp(size)) is not None]
    if not stamped or not settings.tsa_certificate.exists():
        return None
    size, token = stamped[-1]
    try:
        text = split_note(anchors.note(size).decode())[0]
        return check_stamp(token, text.encode(), stamping_from(str(settings.tsa_certificate)) or ()).at
    except AuditError:
        return None
