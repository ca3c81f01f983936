"""From the labels of a token classifier to our types, and from labelled tokens to spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from deid.detect.found import Found
from deid.detect.model.wordpiece import Piece
from deid.detect.operators.placeholder import PLACEHOLDERS

_PREFIXES = ("B-", "I-", "E-", "S-", "U-", "L-")
# KLUE and NAVER write PS, LC, OG, DT; CoNLL PER, LOC, ORG.
_COMMON = {
    **dict.fromkeys(("PS", "PER", "PERSON", "PERSON_NAME", "PS_NAME"), "NAME"),
    **dict.fromkeys(("LC", "LOC", "LOCATION", "ADDR", "LC_ADDRESS"), "ADDRESS"),
    **dict.fromkeys(("OG", "ORGANIZATION", "ORGANISATION"), "ORG"),
    **dict.fromkeys(("DT", "DAT", "DATE_TIME"), "DATE"),
    **dict.fromkeys(("PHONE_NUMBER", "TEL", "QT_PHONE", "QT_MOBILE"), "PHONE"),
    **dict.fromkeys(("EMAIL_ADDRESS", "TMI_EMAIL"), "EMAIL"),
    **dict.fromkeys(("QT_RESIDENT_NUMBER", "RESIDENT_NUMBER", "KR_RRN"), "RRN"),
    **dict.fromkeys(("QT_CARD_NUMBER", "CREDIT_CARD"), "CARD"),
    **dict.fromkeys(("QT_ACCOUNT_NUMBER", "ACCOUNT"), "BANK_ACCOUNT"),
    **dict.fromkeys(("QT_PASSPORT_NUMBER",), "PASSPORT"),
    **dict.fromkeys(("QT_PLATE_NUMBER",), "PLATE"),
    **dict.fromkeys(("QT_DRIVER_NUMBER",), "DRIVER_LICENSE"),
}


def types_of(labels: Mapping[int, str]) -> dict[int, tuple[str, bool]]:
    """Give, by number of label, our type and whether it begins a span; labels that mean nothing to us are left out."""
    found = {}
    for number, label in labels.items():
        bare = label[2:] if label.startswith(_PREFIXES) else label
        kind = bare if bare in PLACEHOLDERS else _COMMON.get(bare.upper())
        if kind:
            found[number] = (kind, label.startswith(("B-", "S-", "U-")))
    return found


def mapping_for_presidio(labels: Iterable[str]) -> dict[str, str]:
    """Label without prefix to our type, for `HuggingFaceNerRecognizer`."""
    by_number = types_of(dict(enumerate(labels)))
    bare = {number: label[2:] if label.startswith(_PREFIXES) else label for number, label in enumerate(labels)}
    return {bare[number]: kind for number, (kind, _) in by_number.items()}


def spans_of(pieces: Iterable[tuple[Piece, int, float]], types: Mapping[int, tuple[str, bool]]) -> Iterator[Found]:
    """Join neighbouring tokens (token, label, probability) of one type; a span is as sure as its surest token."""
    open_span: Found | None = None
    for piece, label, probability in pieces:
        kind, begins = types.get(label, ("", True))
        if open_span and kind == open_span.type and not begins:
            score = max(open_span.score, probability)
            open_span = Found(open_span.start, piece.end, kind, score)
            continue
        if open_span:
            yield open_span
        open_span = Found(piece.start, piece.end, kind, probability) if kind else None
    if open_span:
        yield open_span
