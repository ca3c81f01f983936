"""ONNX models, read by the library's own parser and checker; weights in other files and foreign operators are said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from enclave.airlock.incoming.models.model import Model, damaged

STANDARD = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"}
MOST_NODES = 1_000_000
# The one field of bytes that holds a tensor's numbers.
NUMBERS = "raw_data"


def read_onnx(content: bytes) -> Model:
    """Parse and check a model. Raises `ParseRefused` (`import.model`)."""
    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        raise damaged("ONNX", "the library's checker refuses it") from error
    parts = list(_parts(model))
    if any(isinstance(part, onnx.TensorProto) and part.data_location == onnx.TensorProto.EXTERNAL for part in parts):
        raise damaged("ONNX", "its weights lie in another file; save them into it")
    if any(_unknown(part) for part in parts):
        raise damaged("ONNX", "it holds fields that the format does not know")
    tensors = [part for part in parts if isinstance(part, onnx.TensorProto)]
    foreign = {part.domain for part in parts if isinstance(part, onnx.NodeProto)} - STANDARD
    foreign -= {function.domain for function in model.functions}
    return Model("onnx", len(tensors), tuple(_texts(parts)), tuple(sorted(foreign)))


def _parts(message: Message) -> Iterator[Any]:
    """Yield a message and all messages in it."""
    waiting: list[Any] = [message]
    seen = 0
    while waiting:
        here = waiting.pop()
        seen += 1
        if seen > MOST_NODES:
            raise damaged("ONNX", "it has too many parts")
        yield here
        for field, value in here.ListFields():
            if field.message_type is not None:
                waiting.extend(value if field.is_repeated else [value])


def _unknown(part: Any) -> bool:
    # Of a tensor or a graph: bytes that no reader shows.
    return len(UnknownFieldSet(part)) > 0


def _texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        for field, value in part.ListFields():
            if field.message_type is None and field.name != NUMBERS:
                yield from _plain(value)


def _plain(value: Any) -> Iterator[str]:
    if isinstance(value, (str, bytes)):
        # An attribute's text is bytes to the format.
        yield value if isinstance(value, str) else value.decode("utf-8", "replace")
    elif not isinstance(value, (int, float, bool)):
        for each in value:
            yield from _plain(each)
