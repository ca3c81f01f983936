"""Kernel messages on the wire, in both of Jupyter's websocket protocols: read strictly, passed on as they came.

`v1.kernel.websocket.jupyter.org`: little-endian 64-bit count and offsets, then channel, header, parent header,
metadata, content, buffers. The older one: JSON as text; with buffers a binary frame of big-endian 32-bit count and
offsets, then JSON and buffers. Source: jupyter_server's `serialize_msg_to_ws_v1` and `serialize_binary_message`.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from enclave.gate.door.link import Held

# Of headers together: everything in a message comes from the kernel, so a limit on the content alone is none.
HEADERS, MOST_BUFFERS = 16 << 10, 1024
PARTS = 5
ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
TYPE = re.compile(r"[a-z_]{1,64}")
SKIMMED = re.compile(r', "msg_id": "[^"\\]{0,128}", "msg_type": "([a-z_]{1,64})", "parent_header": ')
CHANNEL_AT_END = re.compile(rb'"channel": "(shell|iopub|stdin|control)"\}$')


class Malformed(ValueError):  # noqa: N818 - says what the message is
    """These bytes are no kernel message, or one that could be read in two ways."""


@dataclass(frozen=True)
class Message:
    """One message. `raw` is the content's JSON (empty if the message was cut), `buffers` the buffers' sizes."""

    channel: str
    header: dict[str, Any]
    parent: dict[str, Any]
    size: int
    raw: bytes = b""
    parsed: Any = None
    buffers: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """The message's type; empty if it has none that can be."""
        kind = self.header.get("msg_type")
        return kind if isinstance(kind, str) and TYPE.fullmatch(kind) else ""

    @property
    def id(self) -> str:
        """The message's id; empty if it has none that can be."""
        return _id(self.header)

    @property
    def parent_id(self) -> str:
        """The id of the request that this message answers; empty if there is none that can be."""
        return _id(self.parent)

    @cached_property
    def content(self) -> Any:
        """The content; raises `Malformed`."""
        return self.parsed if self.parsed is not None else _json(self.raw)


def read(held: Held, *, v1: bool, strict: bool = False) -> Message:
    """Read one message; `strict` refuses objects with a name twice (what a browser sends must have one reading)."""
    if v1:
        return _read_v1(held, strict=strict)
    if held.text:
        return _read_json(held, held.data, strict=strict)
    return _read_binary(held, strict=strict)


def build(channel: str, parts: Sequence[Any], *, v1: bool) -> tuple[bytes, bool]:
    """Write a message of our own from header, parent header, metadata and content; returns data, whether it is text."""
    if not v1:
        header, parent, metadata, content = parts
        head = {"header": header, "msg_id": header["msg_id"], "msg_type": header["msg_type"], "parent_header": parent}
        rest = {"metadata": metadata, "content": content, "buffers": [], "channel": channel}
        return json.dumps({**head, **rest}).encode(), True
    pieces = [channel.encode(), *(json.dumps(part).encode() for part in parts)]
    offsets = [8 * (len(pieces) + 2)]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *pieces]), False


def strict_json(data: bytes) -> Any:
    """Return a JSON value that has one reading; raises `Malformed`, also for an object with a name twice."""
    return _json(data, strict=True)


def _read_v1(held: Held, *, strict: bool) -> Message:
    if held.text:
        raise Malformed("text")
    offsets = _offsets(held, "<", 8, extra=1)
    if len(offsets) <= PARTS or offsets[3] - offsets[0] > HEADERS or offsets[3] > len(held.data):
        raise Malformed("headers")
    channel, header, parent = (held.data[start:end] for start, end in pairwise(offsets[:4]))
    raw = b"" if held.cut else held.data[offsets[4] : offsets[5]]
    if strict:
        _json(held.data[offsets[3] : offsets[4]], strict=True)
        _json(raw, strict=True)
    sizes = tuple(end - start for start, end in pairwise(offsets[5:]))
    return Message(
        _text(channel), _object(header, strict=strict), _object(parent, strict=strict), held.size, raw, None, sizes
    )


def _offsets(held: Held, order: str, width: int, *, extra: int) -> tuple[int, ...]:
    """Return the offsets at the beginning: rising, the first right behind the table, none behind the end.

    `extra` is 1 where the table also names the end.
    """
    sign = {4: "I", 8: "Q"}[width]
    if len(held.data) < width:
        raise Malformed("short")
    (count,) = struct.unpack_from(order + sign, held.data)
    table = width * (count + 1)
    if not 0 < count <= MOST_BUFFERS or len(held.data) < table:
        raise Malformed("offsets")
    offsets = struct.unpack_from(f"{order}{count}{sign}", held.data, width)
    ends = offsets if extra else (*offsets, held.size)
    if ends[0] != table or ends[-1] != held.size or any(a > b for a, b in pairwise(ends)):
        raise Malformed("offsets")
    return ends


def _read_binary(held: Held, *, strict: bool) -> Message:
    ends = _offsets(held, ">", 4, extra=0)
    sizes = tuple(end - start for start, end in pairwise(ends[1:]))
    return _read_json(held, held.data[ends[0] : ends[1]], strict=strict, buffers=sizes)


def _read_json(held: Held, data: bytes, *, strict: bool, buffers: tuple[int, ...] = ()) -> Message:
    if held.cut:
        return _skim(held, data)
    value = _object(data, strict=strict)
    header, parent = value.get("header"), value.get("parent_header") or {}
    if not isinstance(header, dict) or not isinstance(parent, dict):
        raise Malformed("headers")
    content = value.get("content")
    channel = value.get("channel")
    if not isinstance(channel, str):
        raise Malformed("channel")
    return Message(channel, header, parent, held.size, b"", {} if content is None else content, buffers)


def _skim(held: Held, data: bytes) -> Message:
    """Read the headers of a message that was cut: jupyter_server writes them first, and the channel last."""
    text, decoder = data[:HEADERS].decode(errors="replace"), json.JSONDecoder()
    try:
        if not text.startswith('{"header": {'):
            raise Malformed("headers")
        header, end = decoder.raw_decode(text, 11)
        between = SKIMMED.match(text, end)
        parent, _ = decoder.raw_decode(text, between.end()) if between else (None, 0)
    except (ValueError, RecursionError) as error:
        raise Malformed("headers") from error
    if not isinstance(header, dict) or not isinstance(parent, dict):
        raise Malformed("headers")
    said = CHANNEL_AT_END.search(held.tail)
    channel = said.group(1).decode() if said else _usual_channel(header)
    return Message(channel, header, parent, held.size)


def _usual_channel(header: dict[str, Any]) -> str:
    kind = str(header.get("msg_type"))
    return "stdin" if kind == "input_request" else "shell" if kind.endswith("_reply") else "iopub"


def _id(header: dict[str, Any]) -> str:
    name = header.get("msg_id")
    return name if isinstance(name, str) and ID.fullmatch(name) else ""


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed("encoding") from error


def _object(data: bytes, *, strict: bool = False) -> dict[str, Any]:
    value = _json(data, strict=strict)
    if not isinstance(value, dict):
        raise Malformed("object")
    return value


def _json(data: bytes, *, strict: bool = False) -> Any:
    try:
        return json.loads(data.decode(), object_pairs_hook=_once if strict else None)
    except (ValueError, RecursionError) as error:
        raise Malformed("json") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a name twice")
    return found
