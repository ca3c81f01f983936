"""Hold a bundle's entries against the conditions under which it says they were chosen. Pure; standard library only.

Nobody signs what a bundle says of itself, so a label can be changed: entries that do not fit it give that away. Entries
that fit it and were left out do not; the log's own entry about the export says how many there were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

_KST = timezone(timedelta(hours=9))
# The conditions of the log's page and of `ansim audit bundle` that an entry shows by itself: where its value stands.
_PLACES: Mapping[str, tuple[str, ...]] = {
    "project": ("project",),
    "outcome": ("outcome",),
    "action": ("action",),
    "session": ("from", "session"),
    "thing": ("object", "id"),
    "object_id": ("object", "id"),
    "object_kind": ("object", "kind"),
    "reason": ("reason", "code"),
}


def unfit(selection: Mapping[str, str], record: Mapping[str, object]) -> str:
    """Return the first condition of a selection, `name=value`, that an entry does not meet; empty if it meets all."""
    for name, wanted in selection.items():
        if name in _PLACES and not _meets(wanted, _value(record, _PLACES[name])):
            return f"{name}={wanted}"
        if name in _TIMES and not _TIMES[name](wanted, record.get("at")):
            return f"{name}={wanted}"
    return ""


def _value(record: Mapping[str, object], place: tuple[str, ...]) -> object:
    found: object = record
    for name in place:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _meets(wanted: str, found: object) -> bool:
    if wanted.endswith(".") and isinstance(found, str):  # every action that begins so
        return found.startswith(wanted)
    return wanted == found


def _moment(text: object, zone: timezone) -> datetime | None:
    """Return a moment, aware; None for what is none, about which nothing can be said."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    if not 1 < found.year < 9999:  # noqa: PLR2004 - where adding a day or a zone leaves the calendar
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _begins(wanted: str, at: object) -> bool:
    return _not_before(at, _moment(wanted, _KST))


def _ends(wanted: str, at: object) -> bool:
    end = _moment(wanted, _KST)
    day = len(wanted) == len("2026-11-24")
    return _before(at, end + timedelta(days=1) if end and day else end)


def _since(wanted: str, at: object) -> bool:
    return _not_before(at, _moment(wanted, timezone.utc))  # noqa: UP017 - one spelling for both zones


def _until(wanted: str, at: object) -> bool:
    return _before(at, _moment(wanted, timezone.utc))  # noqa: UP017 - as above


def _not_before(at: object, begin: datetime | None) -> bool:
    moment = _moment(at, _KST)
    return begin is None or moment is None or begin <= moment


def _before(at: object, end: datetime | None) -> bool:
    moment = _moment(at, _KST)
    return end is None or moment is None or moment < end


_TIMES: Mapping[str, Callable[[str, object], bool]] = {
    "begin": _begins,
    "end": _ends,
    "since": _since,
    "until": _until,
}
