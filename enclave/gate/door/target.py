"""One spelling for each address: it is read once, and what could be read in two ways is refused.

The decision is made on the decoded path, and what goes on to the notebook server is written anew from it: what the
gate judged and what the server sees cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

# What is left unescaped in the canonical spelling of one segment: RFC 3986 §3.3 without `;`.
PLAIN = "!$&'()*+,=:@~-._"
RAW = re.compile(rb"/[A-Za-z0-9!$&'()*+,=:@~\-._%/]*")
RAW_QUERY = re.compile(rb"[A-Za-z0-9!$&'()*+,=:@~\-._%/?]*")
ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
LONGEST, MOST_PARAMETERS = 4096, 32


class Odd(ValueError):  # noqa: N818 - says what the address is
    """This address is not for this workspace, or has more than one reading; the text is a slug."""


@dataclass(frozen=True)
class Target:
    """A path below the workspace's own prefix, decoded, without slashes at its ends, and the query's parameters."""

    login: str
    path: str
    folder: bool
    query: tuple[tuple[str, str], ...]

    @property
    def canonical(self) -> str:
        """The only spelling in which this address goes on."""
        path = "/".join(quote(part, safe=PLAIN) for part in self.path.split("/"))
        end = "/" if self.folder and path else ""
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query)
        return f"/user/{self.login}/{path}{end}" + (f"?{pairs}" if pairs else "")


def read_target(login: str, raw: bytes) -> Target:
    """Read a request target as sent; raises `Odd`."""
    path, mark, query = raw.partition(b"?")
    if len(raw) > LONGEST or not RAW.fullmatch(path) or not RAW_QUERY.fullmatch(query) or BROKEN_ESCAPE.search(raw):
        raise Odd("spelling")
    prefix = f"/user/{login}/".encode()
    if path == prefix[:-1]:
        path = prefix
    if not path.startswith(prefix):
        raise Odd("not-this-workspace")
    rest = path[len(prefix) :]
    folder = rest.endswith(b"/")
    parts = [_segment(part) for part in (rest[:-1] if folder else rest).split(b"/")] if rest else []
    return Target(login, "/".join(parts), folder, _query(query) if mark else ())


def _segment(raw: bytes) -> str:
    text = _decoded(raw)
    if not text or text in {".", ".."} or any(sign in text for sign in "/\\;") or ESCAPE.search(text):
        raise Odd("path")
    return text


def _query(raw: bytes) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition(b"=") for part in raw.split(b"&") if part]
    if len(pairs) > MOST_PARAMETERS:
        raise Odd("query")
    return tuple((_decoded(name.replace(b"+", b" ")), _decoded(value.replace(b"+", b" "))) for name, _, value in pairs)


def _decoded(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise Odd("spelling") from error
    if not text.isprintable():
        raise Odd("spelling")
    return text
