"""Run in the peers' own environment: `python text_peer.py texts.json`; prints JSON, peer -> spans by text and speed.

Each peer is used as its page says, with what it brings: no model is downloaded and nothing is asked of the network.
Speed is measured beside plain Presidio's five Korean recognisers, in turns, in this process: characters per second as a
share of theirs. ko-pii's labels for height, weight, profession, nationality and drug codes are none of the
benchmark's and are dropped, its ages below 90 too.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

Spans = list[dict[str, object]]
ROUNDS = 3
KOREAN = (
    "KrRrnRecognizer",
    "KrFrnRecognizer",
    "KrBrnRecognizer",
    "KrDriverLicenseRecognizer",
    "KrPassportRecognizer",
)
COMMON = ("EmailRecognizer", "CreditCardRecognizer", "IpRecognizer", "UrlRecognizer", "DateRecognizer")
# What ko-pii reports beside identifiers.
BESIDE = frozenset({"WEIGHT", "HEIGHT", "POSITION", "NATIONALITY", "MAJOR", "EDI_DRUG", "EDUCATION", "POSTAL_CODE"})
OLD = re.compile(r"(?<!\d)(?:9\d|1[01]\d)(?!\d)")


def main(texts: list[str]) -> None:
    plain = _presidio_kr()
    answer = {}
    for name, make in PEERS.items():
        detect = plain if name == "presidio-kr" else make()
        spans = [detect(text) for text in texts]
        best = {"peer": float("inf"), "plain": float("inf")}
        for _ in range(ROUNDS):
            for side, one in (("plain", plain), ("peer", detect)):
                start = time.process_time()
                for text in texts:
                    one(text)
                best[side] = min(best[side], time.process_time() - start)
        answer[name] = {"spans": spans, "speed": best["plain"] / best["peer"]}
    print(json.dumps(answer))


def _span(start: int, end: int, kind: object) -> dict[str, object]:
    return {"start": start, "end": end, "type": str(kind)}


def _presidio(names: tuple[str, ...], *, phone: bool) -> Callable[[str], Spans]:
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    # The recogniser of e-mail asks the network for the list of suffixes; the one in the package does.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    recognisers = [getattr(predefined_recognizers, name)(supported_language="ko") for name in names]
    if phone:
        recognisers.append(predefined_recognizers.PhoneRecognizer(supported_language="ko", supported_regions=["KR"]))
    engine = AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognisers, supported_languages=["ko"]),
        nlp_engine=NoOpNlpEngine([{"lang_code": "ko", "model_name": "none"}]),
        supported_languages=["ko"],
    )
    return lambda text: [_span(one.start, one.end, one.entity_type) for one in engine.analyze(text, "ko")]


def _presidio_kr() -> Callable[[str], Spans]:
    return _presidio(KOREAN, phone=False)


def _presidio_all() -> Callable[[str], Spans]:
    return _presidio((*KOREAN, *COMMON), phone=True)


def _presidio_en() -> Callable[[str], Spans]:
    """Presidio as it comes for English, but for the spaCy model, which is on no package index."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    registry = RecognizerRegistry(supported_languages=["en"])
    engine = NoOpNlpEngine([{"lang_code": "en", "model_name": "none"}])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    made = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    return lambda text: [_span(one.start, one.end, one.entity_type) for one in made.analyze(text, "en")]


def _ko_pii_guard() -> Callable[[str], Spans]:
    from ko_pii_guard import KoreanPIIGuard

    guard = KoreanPIIGuard()
    return lambda text: [_span(one.start, one.end, one.entity) for one in guard.analyze(text)]


def _ko_pii() -> Callable[[str], Spans]:
    from ko_pii import detect_all

    return lambda text: [
        _span(one.start, one.end, one.label)
        for one in detect_all(text)
        if one.label not in BESIDE and (one.label != "AGE" or OLD.search(one.text))
    ]


def _maskingtape() -> Callable[[str], Spans]:
    from maskingtape import Pipeline

    pipeline = Pipeline()
    return lambda text: [_span(one.start, one.end, one.kind) for one in pipeline.scan(text)]


def _rust() -> Callable[[str], Spans]:
    from rust_pii_transformer import detect

    def found(text: str) -> Spans:
        return [_span(one.source.char_start, one.source.char_end, one.entity) for one in detect(text).findings]

    return found


def _privyscope() -> Callable[[str], Spans]:
    import privyscope_ko
    from privyscope._core.regex_filter import RegexFilter

    rules = RegexFilter.from_yaml(Path(privyscope_ko.__file__).parent / "regex_rules.yaml")
    return lambda text: [_span(one.start, one.end, one.label) for one in rules.find(text)]


def _leakgate(*engines: str) -> Callable[[str], Spans]:
    from leakgate.config import Config
    from leakgate.scanner import Scanner

    scanner = Scanner(Config(categories=["pii"], engines=list(engines)))
    if scanner.unavailable:
        raise RuntimeError(str(scanner.unavailable))

    def found(text: str) -> Spans:
        starts, position = [], 0
        for line in text.splitlines(keepends=True):
            starts.append(position)
            position += len(line)
        return [
            _span(starts[one.line - 1] + one.start, starts[one.line - 1] + one.end, one.rule)
            for one in scanner.scan_text(text)
        ]

    return found


def _korean_pii() -> Callable[[str], Spans]:
    from korean_pii import detect

    return lambda text: [_span(one.start, one.end, one.type) for one in detect(text)]


def _kpii() -> Callable[[str], Spans]:
    from kpii import KoreanPIIDetector

    detector = KoreanPIIDetector()
    return lambda text: [
        _span(one["start"], one["end"], kind) for kind, some in detector.detect(text).items() for one in some
    ]


def _mecab() -> Callable[[str], Spans]:
    from mecab import MeCab

    tagger = MeCab()
    kinds = {"인명": "NAME", "지명": "ADDRESS"}

    def found(text: str) -> Spans:
        return [
            _span(one.span.start, one.span.end, kinds[one.feature.semantic])
            for one in tagger.parse(text)
            if one.feature.semantic in kinds
        ]

    return found


PEERS: dict[str, Callable[[], Callable[[str], Spans]]] = {
    "presidio-kr": _presidio_kr,
    "presidio-all": _presidio_all,
    "presidio-en": _presidio_en,
    "ko-pii-guard": _ko_pii_guard,
    "ko-pii": _ko_pii,
    "maskingtape": _maskingtape,
    "rust-pii-transformer": _rust,
    "privyscope-rules": _privyscope,
    "leakgate": _leakgate,
    "leakgate+maskingtape+ko-pii": lambda: _leakgate("maskingtape", "ko-pii"),
    "korean-pii": _korean_pii,
    "kpii": _kpii,
    "mecab-ko": _mecab,
}


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
