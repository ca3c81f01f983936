"""Reading JSON (RFC 8259) so that nothing in it stays unseen."""

from __future__ import annotations

import json

from enclave.airlock.parsers.refused import ParseRefused


def read_json(text: str) -> object:
    """Return what the text says. Raises `ParseRefused`: not well formed, too deep, or a key that stands twice."""
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise ParseRefused(
            "parse.json",
            "JSON 형식이 아닙니다. 표는 CSV로 제출하세요.",
            "This is not well-formed JSON. Submit tables as CSV.",
        ) from None


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # The first of two equal keys would be in the bytes and in nobody's sight.
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
