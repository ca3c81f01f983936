"""What may stand in any entry that the suite writes: ids, codes, hashes, numbers. No name, no free text, no identifier.

`watch` looks at every entry where it is made, so that the test that wrote a wrong one fails by itself.
"""

from __future__ import annotations

import json
import re
from typing import Any

from audit.event import Event
from enclave.actions import Action

OURS = frozenset(Action)
# No space and nothing beyond ASCII: what people write in any language does not look like this.
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=,*~#-]*|")
GROUPS = {
    "actor": {"id", "role"},
    "from": {"ip", "session"},
    "object": {"id", "kind", "sha256"},
    "reason": {"code"},
    "subjects": {"count", "kind"},
}
PLAIN = {"action", "at", "details", "id", "observer", "outcome", "project", "rule", "v"}
# Where an address or a day is meant to stand.
EXPECTED = {"IP", "DATE"}
# Hashes, ids of ours, of entries, and of the gate's events (a counter and what was drawn).
DRAWN = re.compile(r"[0-9a-f]{16,}|[a-z]+-[a-z2-7]{16}|[0-9A-HJKMNP-TV-Z]{26}|[0-9]{12}-[0-9a-f]{12}")
_judged: dict[str, list[str]] = {}
_made = Event.entry


def watch() -> None:
    """Judge every entry of our vocabulary from now on; the one that must not be raises AssertionError."""

    def entry(self: Event, **given: Any) -> bytes:
        data = _made(self, **given)
        if self.action in OURS:
            found = faults(json.loads(data))
            assert not found, f"{self.action}: {'; '.join(found)}"
        return data

    Event.entry = entry  # type: ignore[method-assign]


def unwatched(event: Event, **given: Any) -> bytes:
    """Make an entry that the product must read safely and never writes itself."""
    return _made(event, **given)


def faults(record: dict[str, Any]) -> list[str]:
    """Return what an entry holds that none may: fields, texts, identifiers."""
    found = [f"field {name}" for name in record.keys() - PLAIN - GROUPS.keys()]
    for name, keys in GROUPS.items():
        found += [f"field {name}.{key}" for key in record.get(name, {}).keys() - keys]
    for name, text in texts(record):
        if not WORD.fullmatch(text):
            found.append(f"{name} is a text: {text!r}")
        else:
            found += [f"{name} holds {kind}: {text!r}" for kind in identifiers(text)]
    return found


def texts(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return every text of an entry with where it stands."""
    flat = [(name, value) for name, value in record.items() if not isinstance(value, dict)]
    flat += [
        (f"{name}.{key}", value)
        for name, group in record.items()
        if isinstance(group, dict)
        for key, value in group.items()
    ]
    return [(name, value) for name, value in flat if isinstance(value, str)]


def identifiers(text: str) -> list[str]:
    """Return the kinds of identifier that our own detectors see in a word; drawn ids and hashes say nothing."""
    if DRAWN.fullmatch(text):
        return []
    if text not in _judged:
        from deid.detect.scan import scan  # its lexicon takes seconds to load, and many tests write no entry

        _judged[text] = [each.type for each in scan(text) if each.type not in EXPECTED]
    return _judged[text]
