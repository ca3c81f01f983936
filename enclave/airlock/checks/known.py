"""Known values: the snapshot's own pseudonyms and the project's own people, wherever they stand in a file (R55)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from enclave.airlock.checks.findings import block, cell_place, line_place, mask, warn
from enclave.airlock.checks.numbers import read_number
from enclave.airlock.document import Document
from enclave.airlock.known import CUT_FROM, SHORTEST, Known
from enclave.airlock.report import Finding

SHOWN_EACH = 20
TOKEN = re.compile(r"[^\W_](?:[\w.-]*[^\W_])?")
HANGUL_NAME = re.compile(r"[가-힣]{2,}")
NAME_SYLLABLES = (2, 3, 4)

Placed = tuple[str, str]


def check_known(document: Document, known: Known) -> list[Finding]:
    """Find pseudonyms of the snapshot (they stop a file) and names of the project's people (a person looks)."""
    pseudonyms: dict[str, Finding] = {}
    people: dict[str, Finding] = {}
    for place, text in _texts(document):
        for word in _words(text):
            if len(word) >= SHORTEST and known.has_pseudonym(word):
                pseudonyms.setdefault(place, _pseudonym(place, word))
            elif _is_person(word, known):
                people.setdefault(place, _person(place, word))
    return [*list(pseudonyms.values())[:SHOWN_EACH], *list(people.values())[:SHOWN_EACH]]


def _texts(document: Document) -> Iterator[Placed]:
    for table in document.tables:
        for column, name in enumerate(table.columns):
            yield cell_place(None, column, table=table.label), name
            # A value that stands in many rows is looked at once.
            first = {cell: row for row, cell in reversed(list(enumerate(table.by_column[column])))}
            for cell, row in first.items():
                if len(cell) < CUT_FROM and read_number(cell) is not None:
                    continue  # a plain number is no name, and no pseudonym is compared that could be one
                yield cell_place(row, column, name, table=table.label), cell
    if document.is_prose:
        for number, line in enumerate(document.text.splitlines()):
            yield line_place(number), line


def _words(text: str) -> Iterator[str]:
    words = TOKEN.findall(text)
    yield from words
    # "Kim Minji" and a pseudonym that was cut in two stand in neighbouring words.
    yield from (f"{one}{other}" for one, other in pairwise(words))


def _is_person(word: str, known: Known) -> bool:
    if known.has_person(word):
        return True
    # A particle follows a Korean name without a blank: 김민지가, 박서연의.
    return bool(HANGUL_NAME.match(word)) and any(known.has_person(word[:count]) for count in NAME_SYLLABLES)


def _pseudonym(place: str, word: str) -> Finding:
    return block(
        "id.known-pseudonym",
        "이 과제 스냅샷의 가명이 들어 있습니다. 지우고 집계한 결과만 제출하세요.",
        "This is a pseudonym of the project's snapshot. Remove it and submit aggregated results only.",
        place=place,
        sample=mask(word),
    )


def _person(place: str, word: str) -> Finding:
    return warn(
        "id.known-person",
        "과제 참여자의 이름이나 로그인이 들어 있습니다. 결과에 필요한지 확인하세요.",
        "A name or login of the project's people stands here. Does the result need it?",
        place=place,
        sample=mask(word),
    )


def not_compared() -> Finding:
    """Return the finding for a project whose snapshots' own files cannot be read."""
    return warn(
        "id.known-missing",
        "스냅샷 파일을 읽을 수 없어 실제 가명과 대조하지 못했습니다. 가명이 있는지 눈으로 확인하세요.",
        "The snapshot's files cannot be read, so the file was not compared with its pseudonyms. Look for them.",
    )
