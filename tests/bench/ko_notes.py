"""The benchmark of Korean clinical notes, its own scorer, and plain Presidio's Korean recognisers.

`ANSIM_KO_NOTES` names the folder of the notes and of `evaluate.py`; without it `shared/bench/ko_notes` is looked for
beside the checkout and above. Where there is none nothing is measured, and the bench says so.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Spans = list[dict[str, Any]]
KOREAN = (
    "KrRrnRecognizer",
    "KrFrnRecognizer",
    "KrBrnRecognizer",
    "KrDriverLicenseRecognizer",
    "KrPassportRecognizer",
)


@cache
def folder() -> Path | None:
    """Return the folder of the notes."""
    named = os.environ.get("ANSIM_KO_NOTES")
    places = [Path(named)] if named else [up / "shared/bench/ko_notes" for up in Path(__file__).resolve().parents]
    found = next((place for place in places if (place / "dev.jsonl").exists()), None)
    if found is None:
        print("ko_notes: no notes, nothing measured; ANSIM_KO_NOTES names their folder")
    return found


@cache
def load_notes() -> list[dict[str, Any]]:
    """Records of dev.jsonl."""
    with (_folder() / "dev.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def score(notes: Sequence[Mapping[str, Any]], spans: Mapping[str, Spans]) -> dict[str, Any]:
    """Score by the benchmark's own program."""
    result: dict[str, Any] = _scorer().score(notes, [{"id": name, "spans": found} for name, found in spans.items()])
    return result


@cache
def presidio(*, phone: bool) -> Any:
    """Presidio's engine with its five Korean recognisers, and the telephone one if asked for; no model."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    recognisers: list[Any] = [getattr(predefined_recognizers, name)(supported_language="ko") for name in KOREAN]
    if phone:
        recognisers.append(predefined_recognizers.PhoneRecognizer(supported_language="ko", supported_regions=["KR"]))
    registry = RecognizerRegistry(recognizers=recognisers, supported_languages=["ko"])
    engine = NoOpNlpEngine([{"lang_code": "ko", "model_name": "none"}])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["ko"])


def _folder() -> Path:
    found = folder()
    if found is None:
        raise RuntimeError("the notes are missing")
    return found


@cache
def _scorer() -> Any:
    spec = importlib.util.spec_from_file_location("ko_notes_evaluate", _folder() / "evaluate.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("evaluate.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
