"""What a reader of model files gives back, and how it says no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from enclave.airlock.parsers.refused import ParseRefused


@dataclass(frozen=True)
class Model:
    """A model: its format, how many tensors or trees it holds, and every text in it that is no number."""

    format: str
    parts: int
    texts: tuple[str, ...] = ()
    # Operators of domains that the format does not define: they need code that is not in the file.
    foreign: tuple[str, ...] = ()


def damaged(kind: str, why: str) -> ParseRefused:
    """Return the refusal of a file that is not a whole, plain model."""
    return ParseRefused(
        "import.model",
        f"온전한 {kind} 파일이 아닙니다({why}). 라이브러리의 저장 기능으로 다시 만들어 올리세요(R38).",
        f"This is not a whole {kind} file ({why}). Save it again with the library itself (R38).",
    )


def strict(content: bytes, kind: str) -> dict[str, Any]:
    """Read one JSON object in which no name stands twice. Raises `ParseRefused`."""
    try:
        found = json.loads(content, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise damaged(kind, "its JSON cannot be read") from error
    if not isinstance(found, dict):
        raise damaged(kind, "it is no JSON object")
    return found


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)
