"""Presidio's analyzer for Korean text: no model, no download, context inside the recognisers.

`AnalyzerEngine` would read the text as written. Ours reads each normalised view of it (see `normalise.views`) and
reports offsets into the unmodified text, so evasion by form is undone for every recogniser at once.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from presidio_analyzer import AnalyzerEngine, RecognizerResult
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from deid.detect.normalise import View, views
from deid.detect.reading import tabular
from deid.detect.registry import registry
from deid.detect.table import TableRecogniser


class KoreanAnalyzer(AnalyzerEngine):
    """Analyzes every normalised view of a text; results carry offsets into the text as given."""

    def analyze(self, text: str, language: str = "ko", *args: Any, **options: Any) -> list[RecognizerResult]:
        """Presidio's `analyze` over all views of `text`; the same span and type is reported once, best score."""
        best: dict[tuple[int, int, str], RecognizerResult] = {}
        for view in views(text):
            _keep(best, view, super().analyze(view.text, language, *args, **options))
        cells = tabular(text)
        if cells is not None:
            threshold = options.get("score_threshold") or self.default_score_threshold
            found = TableRecogniser().analyze(cells.text, options.get("entities") or list(TableRecogniser.ENTITIES))
            _keep(best, cells, [result for result in found if result.score >= threshold])
        return sorted(best.values(), key=lambda result: (result.start, result.end))


def _keep(best: dict[tuple[int, int, str], RecognizerResult], view: View, results: list[RecognizerResult]) -> None:
    for result in results:
        result.start, result.end = view.original(result.start, result.end)
        key = (result.start, result.end, result.entity_type)
        if key not in best or best[key].score < result.score:
            best[key] = result


@cache
def analyzer() -> AnalyzerEngine:
    """Return the analyzer of this process, language `ko`, types as in `registry.RECOGNISERS`."""
    engine = NoOpNlpEngine([{"lang_code": "ko", "model_name": "none"}])
    return KoreanAnalyzer(registry=registry(), nlp_engine=engine, supported_languages=["ko"])
