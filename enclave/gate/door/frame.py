"""Is it inside our page: a workspace opens in the portal's desk page and nowhere else (korea.md R27).

The desk page lies on the portal's origin and carries the watermark; what a kernel serves lies on another origin and
can neither see nor remove it. So a document at the top of a window is sent there, and only the portal may frame one.
Requests that a page of another origin makes are refused: each workspace talks to itself only.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from enclave.gate.door.refused import explain
from enclave.gate.door.routes import Route, find
from enclave.gate.door.visit import Answer, Visit

# JupyterLab's own pages: the desk opens the same one.
PAGE = re.compile("(lab|doc)/")
FRAMES = {"iframe", "frame"}
OWN = {"same-origin", "none", ""}


async def check_frame(visit: Visit) -> Answer | None:
    """Send documents at the top of a window to the desk page, refuse what another page asks for."""
    destination, site = visit.header(b"sec-fetch-dest"), visit.header(b"sec-fetch-site")
    if destination in FRAMES:
        visit.framed = f"{visit.doorway.addresses.portal_origin} 'self'"
        return None if visit.method == "GET" or site in OWN else _foreign(visit)
    if visit.wants_html and not visit.websocket:
        listed = isinstance(find(visit.method, visit.target, websocket=False), Route)
        return to_desk(visit) if listed else None  # what is not listed gets its explanation from the last check
    return None if site in OWN else _foreign(visit)


def to_desk(visit: Visit) -> Answer:
    """Return the redirect to the desk page of this workspace."""
    address = f"{visit.doorway.addresses.portal}/desk/{visit.doorway.plan.workspace_id}"
    if PAGE.match(visit.target.path):
        address += f"?at={quote(visit.target.path)}"
    return Answer(303, headers=((b"location", address.encode()),))


def _foreign(visit: Visit) -> Answer:
    details = {"why": "foreign-page", "method": visit.method if visit.method in {"GET", "POST"} else "other"}
    return explain(visit, 403, "foreign", event=("route-refused", details | {"route": "other"}))
