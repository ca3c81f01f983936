"""Numbers that interactive figures carry as bytes, Plotly's ``bdata`` and Bokeh's ``ndarray``, within limits."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from itertools import chain

import numpy as np

from enclave.airlock.parsers.grid import too_big
from enclave.airlock.rules import CheckRules

# Plotly's short names, Bokeh's long ones, and numpy's with their byte order.
PLOTLY = {"i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"}
BOKEH = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bool"}
GZIP = 31  # zlib's window size for a gzip header
MAGIC = b"\x1f\x8b"


def is_packed(value: object) -> bool:
    """Whether a JSON value is one of the two forms."""
    return isinstance(value, Mapping) and ("bdata" in value or value.get("type") == "ndarray")


def unpacked(value: object, rules: CheckRules) -> list[object] | None:
    """Return the values of a list, or of a packed array, flat; None for anything else.

    Raises `ParseRefused` for more values than are checked, `ValueError` for bytes that are no array.
    """
    if isinstance(value, list):
        return list(chain.from_iterable(row if isinstance(row, list) else [row] for row in value))
    if not isinstance(value, Mapping) or not is_packed(value):
        return None
    packed = value if "bdata" in value else value.get("array")
    if isinstance(packed, list):
        return packed
    if not isinstance(packed, Mapping):
        raise ValueError("an array without bytes")  # noqa: TRY004 - one error type for a bad document
    content = _bytes(packed.get("bdata", packed.get("data")), rules)
    name = str(value.get("dtype"))
    if name not in PLOTLY | BOKEH or len(content) % np.dtype(name).itemsize:
        raise ValueError("an array of no known kind")
    kind = np.dtype(name)
    order = kind.newbyteorder(">") if value.get("order") == "big" else kind.newbyteorder("<")
    numbers: list[object] = np.frombuffer(content, order).tolist()
    return numbers


def _bytes(text: object, rules: CheckRules) -> bytes:
    if not isinstance(text, str):
        raise ValueError("an array without bytes")  # noqa: TRY004 - one error type for a bad document
    try:
        content = base64.b64decode(text, validate=True)
        if content.startswith(MAGIC):
            opened = zlib.decompressobj(GZIP)
            content = opened.decompress(content, rules.max_cells * 8)
            if opened.unconsumed_tail:
                raise too_big(rules)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("an array that cannot be unpacked") from error
    if len(content) > rules.max_cells * 8:
        raise too_big(rules)
    return content


def numbers_in(value: object, rules: CheckRules, skipped: frozenset[str] = frozenset(), name: str = "") -> int:
    """Count the numbers in all lists and packed arrays of a JSON value but those under the ``skipped`` names.

    Raises as `unpacked` does.
    """
    if name in skipped:
        return 0
    if is_packed(value):
        return len(unpacked(value, rules) or ())
    if isinstance(value, Mapping):
        return sum(numbers_in(inner, rules, skipped, str(key)) for key, inner in value.items())
    if isinstance(value, list):
        plain = sum(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
        return plain + sum(numbers_in(one, rules, skipped) for one in value if isinstance(one, dict | list))
    return 0
