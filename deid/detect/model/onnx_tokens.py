"""A token classifier in ONNX, read from a folder: `model.onnx`, `config.json` (id2label), `vocab.txt` (WordPiece).

Such a folder is what `optimum-cli export onnx` writes for a BERT model. It runs in onnxruntime where that is
installed, else in the reference evaluator of `onnx` itself, which is exact and slow. Nothing is downloaded, and no code
of the folder is run: a graph is data.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deid.detect.found import Found
from deid.detect.model.labels import spans_of, types_of
from deid.detect.model.wordpiece import Piece, WordPiece
from deid.detect.recogniser import KoreanRecogniser

_LONGEST_INPUT = 512
_OVERLAP = 64
_LOWEST_SCORE = 0.5
Run = Callable[[Mapping[str, NDArray[np.int64]]], NDArray[np.float64]]


class OnnxTokenRecogniser(KoreanRecogniser):
    """One more voice: what the folder's model labels. Raises `OSError`, `ValueError`, `KeyError` for a bad folder."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._types = types_of({int(number): label for number, label in config["id2label"].items()})
        # Presidio wants to know the types before it is made.
        self.ENTITIES = tuple(sorted({kind for kind, _ in self._types.values()}))  # type: ignore[misc]
        super().__init__()
        self._words = WordPiece(_vocabulary(folder), lower=_lower(folder))
        self._size = min(_LONGEST_INPUT, int(config.get("max_position_embeddings", _LONGEST_INPUT))) - 2
        self._inputs, self._run = _session(folder / "model.onnx")

    def find(self, text: str) -> Iterator[Found]:
        """Spans of normalised `text` that the model labels with one of our types, at least half sure."""
        labelled = self._labelled(self._words.pieces(text))
        return (found for found in spans_of(labelled, self._types) if found.score >= _LOWEST_SCORE)

    def _labelled(self, pieces: Sequence[Piece]) -> Iterator[tuple[Piece, int, float]]:
        step = max(1, self._size - _OVERLAP)
        for start in range(0, len(pieces), step):
            window = pieces[start : start + self._size]
            last = start + self._size >= len(pieces)
            # The overlap is read twice; of it the first half counts from the earlier window, the second from the later.
            first = _OVERLAP // 2 if start and self._size > _OVERLAP else 0
            until = len(window) if last or self._size <= _OVERLAP else step + _OVERLAP // 2
            yield from zip(window[first:until], *self._judge(window, first, until), strict=True)
            if last:
                return

    def _judge(self, window: Sequence[Piece], first: int, until: int) -> tuple[list[int], list[float]]:
        numbers = np.array([[self._words.begin, *(piece.number for piece in window), self._words.end]], np.int64)
        given = {
            "input_ids": numbers,
            "attention_mask": np.ones_like(numbers),
            "token_type_ids": np.zeros_like(numbers),
        }
        logits = self._run({name: given[name] for name in self._inputs})[0, 1:-1][first:until]
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        return shares.argmax(axis=-1).tolist(), shares.max(axis=-1).tolist()


def _vocabulary(folder: Path) -> dict[str, int]:
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return {token: number for number, token in enumerate(lines)}


def _lower(folder: Path) -> bool:
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    lower = bool(config.get("do_lower_case", False))
    if lower and config.get("strip_accents") is not False:
        # It would take Hangul apart; offsets could not be kept.
        raise ValueError("tokenizer_config.json: do_lower_case needs strip_accents: false")
    return lower


def _session(path: Path) -> tuple[list[str], Run]:
    if importlib.util.find_spec("onnxruntime"):
        runtime: Any = importlib.import_module("onnxruntime")
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_inputs()]
        return names, lambda given: np.asarray(session.run(None, dict(given))[0], np.float64)
    reference: Any = importlib.import_module("onnx.reference")
    evaluator = reference.ReferenceEvaluator(str(path))
    return list(evaluator.input_names), lambda given: np.asarray(evaluator.run(None, dict(given))[0], np.float64)
