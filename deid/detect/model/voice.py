"""A local model as one more voice: which kind a folder holds, what it needs, and a recogniser made of it.

ONNX (`model.onnx`) is read by our own small recogniser; a Hugging Face folder (`model.safetensors`, or
`pytorch_model.bin`) by Presidio's `HuggingFaceNerRecognizer`, where `transformers` and `torch` are installed. Nothing
is downloaded: a folder is given, never a name, and the hub clients are told that they are offline.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deid.detect.found import Found
from deid.detect.model.labels import mapping_for_presidio
from deid.detect.model.onnx_tokens import OnnxTokenRecogniser
from deid.detect.model.soundness import unsound
from deid.detect.normalise import View

# For the environment of every process that may load a model.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
_ONNX = ("model.onnx", "config.json", "vocab.txt")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_LIBRARIES = ("transformers", "torch")


def problem_of(folder: Path) -> tuple[str, str] | None:
    """Say in Korean and English why a folder cannot be used as a model here; `None` when nothing speaks against it."""
    if not folder.is_dir():
        return f"모델 폴더 {folder.name}이(가) 없습니다.", f"there is no model folder {folder.name}."
    if (folder / _ONNX[0]).is_file():
        missing = [name for name in _ONNX if not (folder / name).is_file()]
        words = ", ".join(missing)
        return (
            (f"모델 폴더에 {words}이(가) 없습니다.", f"the model folder lacks {words}.")
            if missing
            else _unsound(folder)
        )
    if not (folder / "config.json").is_file() or not any((folder / name).is_file() for name in _WEIGHTS):
        both = f"{_ONNX[0]}, {_WEIGHTS[0]}"
        return f"모델 폴더에 {both}이(가) 없습니다.", f"the model folder holds neither of {both}."
    absent = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    words = ", ".join(absent)
    return (f"{words}이(가) 설치되어 있지 않습니다.", f"{words} is not installed.") if absent else None


def _unsound(folder: Path) -> tuple[str, str] | None:
    found = unsound(folder)
    if found is None:
        return None
    name, ko, en = found
    return (
        f"모델 폴더의 {name}을(를) 읽을 수 없습니다. {ko}이어야 합니다. 모델을 다시 내보내 넣으세요.",
        f"{name} of the model folder cannot be read; it must be {en}. Export the model again.",
    )


def fingerprint(folder: Path) -> str:
    """SHA-256 over names and contents of the folder's files, for the lineage."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


class Voice:
    """A model's recogniser over a normalised view. Raises `ValueError` when the folder cannot be used."""

    def __init__(self, folder: Path) -> None:
        problem = problem_of(folder)
        if problem:
            raise ValueError(problem[1])
        self._recogniser: Any = OnnxTokenRecogniser(folder) if (folder / _ONNX[0]).is_file() else _hugging_face(folder)

    def find(self, view: View) -> Iterator[Found]:
        """Spans (offsets into the unmodified text) of what the model labels."""
        if not view.text.strip():
            return
        for result in self._recogniser.analyze(view.text, self._recogniser.supported_entities, None):
            yield Found(*view.original(result.start, result.end), result.entity_type, float(result.score))


def _hugging_face(folder: Path) -> Any:
    ner: Any = importlib.import_module("presidio_analyzer.predefined_recognizers.ner.huggingface_ner_recognizer")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    mapping = mapping_for_presidio(config["id2label"].values())
    return ner.HuggingFaceNerRecognizer(
        model_name=str(folder.resolve()), supported_language="ko", label_mapping=mapping, threshold=0.5, device="cpu"
    )
