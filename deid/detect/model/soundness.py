"""Whether the files of an ONNX model's folder can be read, told before a run begins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from deid.detect.model.labels import types_of

_SPECIAL = ("[UNK]", "[CLS]", "[SEP]")


def unsound(folder: Path) -> tuple[str, str, str] | None:
    """Name the first file that cannot be used, with what it must hold in Korean and English; `None`: all can."""
    for name, works, ko, en in _CHECKS:
        try:
            sound = works(folder / name)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, DecodeError):
            sound = False
        if not sound:
            return name, ko, en
    return None


def _config(path: Path) -> bool:
    labels = json.loads(path.read_text(encoding="utf-8"))["id2label"]
    return bool(types_of({int(number): label for number, label in labels.items()}))


def _vocabulary(path: Path) -> bool:
    return set(_SPECIAL) <= set(path.read_text(encoding="utf-8").splitlines())


def _graph(path: Path) -> bool:
    graph = onnx.load(str(path), load_external_data=False).graph
    return bool(graph.output) and "input_ids" in {one.name for one in graph.input}


_CHECKS: tuple[tuple[str, Callable[[Path], bool], str, str], ...] = (
    (
        "config.json",
        _config,
        "id2label에 이름·전화번호 등 아는 표지가 있는 JSON",
        "JSON with labels of ours (PER, PHONE, ...) in id2label",
    ),
    (
        "vocab.txt",
        _vocabulary,
        f"{', '.join(_SPECIAL)}가 있는 UTF-8 단어 목록",
        f"a list of words in UTF-8 with {', '.join(_SPECIAL)}",
    ),
    ("model.onnx", _graph, "input_ids를 받는 ONNX 모델", "an ONNX model with the input input_ids"),
)
