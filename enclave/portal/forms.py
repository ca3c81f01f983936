"""Forms as they arrive: bounded in size, bound to the session by a token, read once.

A form without the session's token is refused before anything is looked at. Values are trimmed; nothing here judges
them, the commands do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from enclave.portal.refusals import unreadable_form

MAX_BODY = 1 << 20
MAX_FIELDS = 5000
MAX_DRAINED = 16 << 20
UPLOAD = re.compile(r"/services/portal/api/v1/projects/[^/]+/uploads/[^/]+")


@dataclass(frozen=True)
class Form:
    """A form's fields in the order they were sent: `(name, value)`."""

    fields: tuple[tuple[str, str], ...]

    def text(self, name: str) -> str:
        """Return the first value of a field without surrounding blanks; empty when it is missing."""
        return next((value.strip() for key, value in self.fields if key == name), "")

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of a field: boxes that were ticked."""
        return tuple(value for key, value in self.fields if key == name)

    def starting(self, prefix: str) -> dict[str, str]:
        """Return the fields whose name begins with the prefix, named without it."""
        return {key.removeprefix(prefix): value.strip() for key, value in self.fields if key.startswith(prefix)}


async def read(request: Request) -> Form:
    """Read a urlencoded body. Raises `Invalid` for any other kind, for bytes that are no UTF-8, for too many fields."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind != "application/x-www-form-urlencoded" and body:
        raise unreadable_form()
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, encoding="utf-8", errors="strict"
        )
    except ValueError:
        raise unreadable_form() from None
    # Browsers send line breaks as CR LF; what is stored and hashed has LF.
    return Form(tuple((name, value.replace("\r\n", "\n")) for name, value in fields))


class BodyLimit:
    """ASGI wrapper: answers 413 to a body announced above `MAX_BODY`, 411 to one that does not announce its length.

    Uploads pass: their route reads them piece by piece and ends at its own limit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope.get("headers", ()))
        announced = headers.get(b"content-length", b"0")
        if scope["type"] == "http" and scope["method"] == "PUT" and UPLOAD.fullmatch(scope["path"]):
            await self.app(scope, receive, send)  # read as it comes, and bounded there (`importing.receive`)
        elif scope["type"] == "http" and b"transfer-encoding" in headers:
            await _drain(receive)
            await _refuse(send, 411, "길이를 알리지 않은 요청은 받지 않습니다. / A request must announce its length.")
        elif scope["type"] == "http" and (not announced.isdigit() or int(announced) > MAX_BODY):
            await _drain(receive)
            await _refuse(send, 413, "보낸 내용이 1 MiB를 넘습니다. / The request is larger than 1 MiB.")
        else:
            await self.app(scope, receive, send)


async def _drain(receive: Receive) -> None:
    """Read and throw away what is still coming, up to a limit: a connection closed early loses our answer."""
    taken = 0
    while taken < MAX_DRAINED:
        message = await receive()
        taken += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


async def _refuse(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
