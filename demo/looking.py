"""A checker who looks at all of a request's files through REST, page by page: only then may they approve."""

from __future__ import annotations

from typing import Protocol

import httpx


class Caller(Protocol):
    """Whoever calls the portal's REST interface as a person."""

    def api(self, method: str, path: str) -> httpx.Response:
        """Call `path` below `/api/v1`."""


def look(caller: Caller, request_id: str) -> None:
    """Turn through every page of every piece of every file; what cannot be shown stays unseen."""
    for file in caller.api("GET", f"/requests/{request_id}").json().get("files", ()):
        path = f"/requests/{request_id}/files/{file['id']}/view"
        opened = caller.api("GET", path)
        if not opened.is_error:
            for number, piece in enumerate(opened.json()["pieces"]):
                _turn(caller, f"{path}/{number}", piece["kind"])


def _turn(caller: Caller, path: str, kind: str) -> None:
    if kind == "picture":
        caller.api("GET", f"{path}/picture")
        return
    start: int | None = 0
    while start is not None:
        page = caller.api("GET", f"{path}?from={start}")
        start = None if page.is_error else page.json()["next_start"]
