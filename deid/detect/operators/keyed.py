"""What the operators share: a key, digits drawn from it, and Presidio's entry points.

Everything is HMAC-SHA256 (RFC 2104) of the type and of the normalised value: equal values get equal stand-ins under one
key, and nobody without the key can try values.
"""

from __future__ import annotations

import hashlib
import hmac
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from presidio_anonymizer.entities import InvalidParamError
from presidio_anonymizer.operators import Operator, OperatorType

from deid.detect.normalise import normalise

SHORTEST_KEY = 16
_CHUNK_BYTES = 8
Choice = TypeVar("Choice")


class Draw:
    """An endless row of numbers that depends on a key and on what is replaced, and on nothing else."""

    def __init__(self, key: bytes, *parts: str) -> None:
        label = "".join(f"{len(part)}:{part}" for part in parts)
        self._seed = hmac.new(key, label.encode(), hashlib.sha256).digest()
        self._count = 0

    def below(self, limit: int) -> int:
        """Return the next number from 0 to `limit` - 1; `limit` is far below 2^64, so the bias is nothing."""
        data = hashlib.sha256(self._seed + self._count.to_bytes(4, "big")).digest()
        self._count += 1
        return int.from_bytes(data[:_CHUNK_BYTES], "big") % limit

    def of(self, choices: Sequence[Choice]) -> Choice:
        """Return one of `choices`."""
        return choices[self.below(len(choices))]


def core_of(value: str) -> str:
    """Letters and digits of the normalised value: spaces, dashes, line breaks and disguises do not matter."""
    return "".join(character for character in normalise(value).text if character.isalnum())


class KoreanOperator(Operator):
    """A Presidio operator of ours: subclasses set `NAME` and write `stand_in`."""

    NAME = ""
    NEEDS_KEY = True

    def operate(self, text: str | None = None, params: dict[str, Any] | None = None) -> str:
        """Presidio's entry: the stand-in of `text`."""
        return self.stand_in(text or "", params or {})

    def validate(self, params: dict[str, Any] | None = None) -> None:
        """Presidio's check of `params`. Raises `InvalidParamError` for a key that is missing or short."""
        key = (params or {}).get("key")
        if self.NEEDS_KEY and not (isinstance(key, bytes) and len(key) >= SHORTEST_KEY):
            raise InvalidParamError(f"{self.NAME}: `key` must be at least {SHORTEST_KEY} bytes")

    def operator_name(self) -> str:
        """Name to be used in an `OperatorConfig`."""
        return self.NAME

    def operator_type(self) -> OperatorType:
        """Presidio's kind of operator."""
        return OperatorType.Anonymize

    @abstractmethod
    def stand_in(self, value: str, params: Mapping[str, Any]) -> str:
        """Return what stands in for `value`; `params` hold what the operator's docstring names, and `entity_type`."""
