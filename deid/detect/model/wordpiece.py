"""WordPiece with offsets, as BERT token classifiers expect their text (Schuster and Nakajima 2012; Devlin et al. 2019).

Written here because the vocabulary file is all there is to it: a tokenizer library would bring a hub client with it.
Words are cut at white space, punctuation and Han characters; the longest piece of the vocabulary is taken from the
left, later pieces begin with `##`; a word that cannot be pieced together is one unknown token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LONGEST_WORD = 100
_NO_LETTERS = ("P", "S")


@dataclass(frozen=True, slots=True)
class Piece:
    """One token: its number in the vocabulary and the characters `start` to `end` it stands for."""

    number: int
    start: int
    end: int


class WordPiece:
    """A vocabulary (token to number) and whether text is put in small letters first."""

    def __init__(self, vocabulary: Mapping[str, int], *, lower: bool) -> None:
        self._vocabulary = vocabulary
        self._lower = lower
        self.unknown, self.begin, self.end = (vocabulary[token] for token in ("[UNK]", "[CLS]", "[SEP]"))

    def pieces(self, text: str) -> list[Piece]:
        """Tokens of a text, in order, without the special ones; characters between words belong to none."""
        return [piece for start, end in _words(text) for piece in self._of_word(text, start, end)]

    def _of_word(self, text: str, start: int, end: int) -> list[Piece]:
        if end - start > _LONGEST_WORD:
            return [Piece(self.unknown, start, end)]
        found, position = [], start
        while position < end:
            piece = self._longest(text, position, end, "" if position == start else "##")
            if piece is None:
                return [Piece(self.unknown, start, end)]
            found.append(piece)
            position = piece.end
        return found

    def _longest(self, text: str, start: int, end: int, prefix: str) -> Piece | None:
        for last in range(end, start, -1):
            part = text[start:last]
            number = self._vocabulary.get(prefix + (part.lower() if self._lower else part))
            if number is not None:
                return Piece(number, start, last)
        return None


def _words(text: str) -> Iterator[tuple[int, int]]:
    start = -1
    for index, character in enumerate(text):
        alone = unicodedata.category(character)[0] in _NO_LETTERS or "\u4e00" <= character <= "\u9fff"
        if start >= 0 and (alone or character.isspace()):
            yield start, index
            start = -1
        if alone:
            yield index, index + 1
        elif start < 0 and not character.isspace():
            start = index
    if start >= 0:
        yield start, len(text)
