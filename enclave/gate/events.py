"""What the gate tells the portal: one event, and its form on the wire."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Details = Mapping[str, str | int | bool]


@dataclass(frozen=True)
class GateEvent:
    """Something the gate saw, kept until the portal has recorded it.

    `id` is unique for ever: whoever records an event twice sees it by this. `kind` is a slug, `details` hold hashes,
    counts and codes; what people wrote or saw is in `text` alone.
    """

    id: str
    at: datetime
    workspace_id: str
    kind: str
    details: Details
    text: bytes = b""

    def as_json(self) -> dict[str, Any]:
        """Return the form that travels and is kept: the moment as ISO 8601, the text in base64."""
        values = {**self.__dict__, "at": self.at.isoformat(), "details": dict(self.details)}
        return values | {"text": base64.b64encode(self.text).decode()}


def event_of(values: Mapping[str, Any]) -> GateEvent:
    """Read the form of `as_json`; raises `ValueError`, `KeyError` or `TypeError`."""
    at, text = datetime.fromisoformat(values["at"]), base64.b64decode(values["text"], validate=True)
    return GateEvent(**{**values, "at": at, "text": text})
