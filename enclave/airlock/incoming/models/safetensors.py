"""The safetensors format: eight bytes of length, a JSON header, tensors one behind the other and nothing else.

After the format's own description: offsets cover the rest of the file without gap or overlap, so no byte is left for
anything that is no tensor. The library would copy every tensor to say less.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

from enclave.airlock.incoming.models.model import Model, damaged, strict

MAX_HEADER = 16 << 20
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip


def read_safetensors(content: bytes) -> Model:
    """Read the header and hold it against the file. Raises `ParseRefused` (`import.model`)."""
    if len(content) < 8:  # noqa: PLR2004 - the length field
        raise damaged("safetensors", "too short")
    (length,) = struct.unpack_from("<Q", content)
    if length > min(MAX_HEADER, len(content) - 8):
        raise damaged("safetensors", "its header is longer than the file")
    header = strict(content[8 : 8 + length], "safetensors")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(each, str) for each in metadata.values()):
        raise damaged("safetensors", "its metadata are no texts")
    spans = sorted(_span(name, tensor) for name, tensor in header.items())
    end = 0
    for start, stop in spans:
        if start != end:
            raise damaged("safetensors", "tensors overlap or leave a gap")
        end = stop
    if end != len(content) - 8 - length:
        raise damaged("safetensors", "bytes are left over")
    texts = (json.dumps(metadata, ensure_ascii=False), *header)
    return Model("safetensors", len(spans), texts)


def _span(name: str, tensor: Any) -> tuple[int, int]:
    try:
        start, stop = tensor["data_offsets"]
        shape, bits = tensor["shape"], BITS[tensor["dtype"]]
        whole = set(tensor) == {"dtype", "shape", "data_offsets"} and all(type(each) is int for each in shape)
        right = whole and min(shape, default=0) >= 0 and start >= 0 and (stop - start) * 8 == math.prod(shape) * bits
    except (KeyError, TypeError, ValueError):
        right = False
    if not right:
        raise damaged("safetensors", f"the tensor {name[:60]!a} does not fit its place")
    return start, stop
