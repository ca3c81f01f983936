"""Free text as the log's search understands it: words, what is stored of them, and what finds them. Pure.

A typed term finds an entry that contains it, whatever the case. A term that begins with a letter or digit must begin
where a word begins, so that an index of whole words can lead to it; Hangul, Han and Kana are written without spaces
between what one searches for (조사, 합성어), so there a term may begin at any syllable. Databases' own trigram indexes
need three characters, and most Korean words that people search for have two: hence our own words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from audit.errors import EntryError, Text

# Scripts in which a word is found from any of its syllables: Hangul and its letters, Kana, Han.
_UNSPACED = "\u1100-\u11ff\u3040-\u30ff\u3131-\u318e\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_FIRST_UNSPACED = re.compile(f"[{_UNSPACED}]")
# Longer words are indexed by their beginning: a SHA-256 is certain long before its end.
_LONGEST, _LONGEST_UNSPACED = 32, 8
MAX_TERMS = 8
# What is searched of one entry, in characters; an entry of ours has a few hundred.
MAX_SEARCHED = 4_000


@dataclass(frozen=True, slots=True)
class Term:
    """One typed term: `stored` is contained in the stored words of an entry that has it.

    `words` are whole words and `begins` the beginning of one, of which a group of entries that has it has all.
    """

    stored: str
    words: frozenset[str]
    begins: str | None


def stored_words(text: str) -> str:
    """Return what is kept of an entry's searched texts: lower case, NFC, a space before each spaced word."""
    return _marked(_plain(text)[:MAX_SEARCHED])


def words_of(stored: str) -> set[str]:
    """Return the words by which a group of entries is found, given what is stored of them."""
    return {word for run in _RUN.findall(stored) for word in _indexed(run)}


def terms(text: str) -> tuple[Term, ...]:
    """Return the terms of a typed text, all of which must be found; at most eight.

    Raises `EntryError` (`audit.search-text`) if no term has anything to look for: punctuation, a single letter.
    """
    typed = _plain(text).split()
    if len(typed) > MAX_TERMS:
        raise EntryError("audit.search-text", _TOO_MANY)
    found = tuple(_term(each) for each in typed)
    if typed and not any(term.words or term.begins for term in found):
        raise EntryError("audit.search-text", _nothing(text))
    return found


def _term(typed: str) -> Term:
    runs = _RUN.findall(typed)
    last_is_whole = bool(runs) and not typed.endswith(runs[-1])
    whole = runs if last_is_whole else runs[:-1]
    begins = None if last_is_whole or not runs else _cut(runs[-1])
    if begins is not None and len(begins) == 1 and not _is_unspaced(begins):
        begins = None
    return Term(_marked(typed), frozenset(_cut(run) for run in whole), begins)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _marked(plain: str) -> str:
    return _RUN.sub(lambda run: run[0] if _is_unspaced(run[0]) else f" {run[0]}", plain)


def _indexed(run: str) -> Iterator[str]:
    if _is_unspaced(run):
        yield from (_cut(run[at:]) for at in range(len(run)))
    else:
        yield _cut(run)


def _cut(run: str) -> str:
    return run[: _LONGEST_UNSPACED if _is_unspaced(run) else _LONGEST]


def _is_unspaced(run: str) -> bool:
    return bool(_FIRST_UNSPACED.match(run))


_TOO_MANY = Text(
    f"한 번에 {MAX_TERMS}개 낱말까지 찾을 수 있습니다.",
    f"A search takes at most {MAX_TERMS} words.",
    "낱말을 줄이고 다른 조건으로 좁히세요.",
    "Use fewer words and narrow it down with other conditions.",
)


def _nothing(typed: str) -> Text:
    return Text(
        f"찾을 낱말이 없습니다: {typed[:40]!r}",
        f"There is nothing to look for in {typed[:40]!r}.",
        "한글 한 자 이상이나 영문·숫자 두 자 이상을 쓰세요.",
        "Type at least one Korean syllable, or two letters or digits.",
    )
