"""Models as their own libraries wrote them pass; damaged, padded and stuffed ones do not.

The files in tests/vectors/models were made by XGBoost 3.2, LightGBM 4.7, safetensors and onnx 1.23 from random numbers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from enclave.airlock.incoming.models.lightgbm import read_lightgbm
from enclave.airlock.incoming.models.model import Model
from enclave.airlock.incoming.models.onnx_file import read_onnx
from enclave.airlock.incoming.models.safetensors import read_safetensors
from enclave.airlock.incoming.models.ubjson import UbjsonReader
from enclave.airlock.incoming.models.xgboost import read_json, read_ubj
from enclave.airlock.parsers.refused import ParseRefused

VECTORS = Path(__file__).parents[3] / "vectors" / "models"


def of(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def lightgbm(content: bytes) -> Model:
    return read_lightgbm(content.decode("utf-8", "replace"))


READERS: dict[str, tuple[Callable[[bytes], Model], int]] = {
    "weights.safetensors": (read_safetensors, 3),
    "linear.onnx": (read_onnx, 1),
    "xgboost.json": (read_json, 3),
    "xgboost.ubj": (read_ubj, 3),
    "lightgbm.txt": (lightgbm, 3),
}


@pytest.mark.parametrize("name", READERS)
def test_a_model_as_its_library_saves_it_is_read(name: str) -> None:
    read, parts = READERS[name]
    found = read(of(name))
    assert found.parts == parts
    assert found.foreign == ()


def tensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(start: int, stop: int, shape: list[int], dtype: str = "U8", **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop], **more}


SAFETENSORS: dict[str, bytes] = {
    "nothing": b"",
    "short": b"\1\0\0",
    "a header longer than the file": tensors({}, length=1000),
    "a huge header": tensors({}, length=1 << 62),
    "no object": tensors([]),
    "no JSON": tensors(b"{"),
    "a name twice": tensors(b'{"a": {"dtype":"U8","shape":[1],"data_offsets":[0,1]}, "a": 1}', b"x"),
    "a gap": tensors({"a": tensor(1, 2, [1])}, b"xx"),
    "bytes behind": tensors({"a": tensor(0, 1, [1])}, b"xPK\3\4"),
    "an overlap": tensors({"a": tensor(0, 2, [2]), "b": tensor(1, 3, [2])}, b"xxx"),
    "a wrong size": tensors({"a": tensor(0, 2, [1])}, b"xx"),
    "an unknown type": tensors({"a": tensor(0, 1, [1], "PICKLE")}, b"x"),
    "a negative shape": tensors({"a": tensor(0, 1, [-1, -1])}, b"x"),
    "a shape of truth": tensors({"a": tensor(0, 1, [True])}, b"x"),
    "a field more": tensors({"a": tensor(0, 1, [1], code="import os")}, b"x"),
    "metadata that are no texts": tensors({"__metadata__": {"a": [1]}}),
}


@pytest.mark.parametrize("case", SAFETENSORS)
def test_safetensors_that_hold_anything_else_are_refused(case: str) -> None:
    with pytest.raises(ParseRefused) as refused:
        read_safetensors(SAFETENSORS[case])
    assert refused.value.rule == "import.model"


def graph(**more: Any) -> onnx.ModelProto:
    return onnx.load_model_from_string(of("linear.onnx"))


def external() -> bytes:
    model = graph()
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return bytes(model.SerializeToString())


def hidden_field() -> bytes:
    # A field that the format does not know, with bytes in it: a parser of protobuf passes it by in silence.
    return of("linear.onnx") + bytes([0xFA, 0x7D]) + b"\x08PAYLOADS"


def no_graph() -> bytes:
    model = graph()
    model.ClearField("graph")
    return bytes(model.SerializeToString())


ONNX: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no protobuf": lambda: b"x" * 100,
    "cut": lambda: of("linear.onnx")[:-9],
    "weights in another file": external,
    "a field that is no part of the format": hidden_field,
    "no graph": no_graph,
}


@pytest.mark.parametrize("case", ONNX)
def test_onnx_that_holds_anything_else_is_refused(case: str) -> None:
    with pytest.raises(ParseRefused) as refused:
        read_onnx(ONNX[case]())
    assert refused.value.rule == "import.model"


def labelled(text: str) -> bytes:
    """A model with a text in an attribute, which the format keeps as bytes."""
    node = helper.make_node(
        "LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", keys_strings=["a"], values_strings=["b"], default_string=text
    )
    ends = [helper.make_tensor_value_info(name, TensorProto.STRING, [1]) for name in "xy"]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]), opset_imports=opsets)
    return bytes(made.SerializeToString())


def test_a_text_of_an_operator_is_among_the_texts() -> None:
    assert {"a", "b", "홍길동"} <= set(read_onnx(labelled("홍길동")).texts)


def test_operators_that_need_other_code_are_named() -> None:
    node = helper.make_node("Run", ["x"], ["y"], domain="com.evil")
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    weights = numpy_helper.from_array(np.zeros(1, "float32"), "w")
    made = helper.make_graph([node], "g", shapes[:1], shapes[1:], [weights])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.evil", 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=8)
    assert read_onnx(model.SerializeToString()).foreign == ("com.evil",)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    found = json.loads(of("xgboost.json"))
    change(found)
    return json.dumps(found).encode()


XGBOOST: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no object": lambda: b"[1]",
    "a part more": lambda: changed(lambda found: found.update(code="import os")),
    "a part more inside": lambda: changed(lambda found: found["learner"].update(code="import os")),
    "another booster": lambda: changed(lambda found: found["learner"]["gradient_booster"].update(name="evil")),
    "a long text": lambda: changed(lambda found: found["learner"]["attributes"].update(a="x" * 2000)),
    "a name twice": lambda: b'{"learner": {}, "learner": {}, "version": [1]}',
}


@pytest.mark.parametrize("case", XGBOOST)
def test_an_xgboost_model_that_holds_anything_else_is_refused(case: str) -> None:
    with pytest.raises(ParseRefused) as refused:
        read_json(XGBOOST[case]())
    assert refused.value.rule == "import.model"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[", b"Z1", b"S", b"Si\x05abc", b"Si\xff", b"[#i\x7f", b"[$i", b"[$i#i\x7f", b"{i\x01aZi\x01aZ}",
        b"[" * 100, b"x", b"SZ", b"[#L\x7f\xff\xff\xff\xff\xff\xff\xff", b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff",
    ],
)  # fmt: skip
def test_binary_json_that_is_not_whole_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        UbjsonReader(data).whole()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for head in (b"", b"{", b"["):
        with suppress(ValueError):
            UbjsonReader(head + data).whole()


LIGHTGBM: dict[str, Callable[[str], str]] = {
    "no trees": lambda text: text[: text.index("Tree=0")],
    "a line more in a tree": lambda text: text.replace("num_leaves=4", "num_leaves=4\nimport os", 1),
    "words among numbers": lambda text: text.replace("leaf_value=", "leaf_value=import os ", 1),
    "a line more behind": lambda text: text.replace("end of parameters", "import os\nend of parameters"),
    "a line among importances": lambda text: text.replace("feature_importances:\n", "feature_importances:\nhello\n"),
}


@pytest.mark.parametrize("case", LIGHTGBM)
def test_a_lightgbm_model_that_holds_anything_else_is_refused(case: str) -> None:
    text = of("lightgbm.txt").decode()
    assert LIGHTGBM[case](text) != text
    with pytest.raises(ParseRefused) as refused:
        read_lightgbm(LIGHTGBM[case](text))
    assert refused.value.rule == "import.model"
