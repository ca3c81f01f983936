"""Words that begin like a name, made from a dictionary: which entries are in the table, and that the table's are so."""

from __future__ import annotations

import pytest

from deid.detect.words import read_words
from scripts.dictionary_words import HEADER, Entry, entries, table, words

# As the dictionary has them: feature of an entry, and whether the table has its reading.
ENTRIES = {
    "NNG,*,F,가감,*,*,*,*": True,
    "NNG,*,F,하렬,*,*,*,*": True,  # stands there as 下列: its reading counts
    "VA,*,T,가깝,*,*,*,*": True,
    "NNP+JX,*,T,남순,Inflect,NNP,JX,남수/NNP/지명+ᆫ/JX/*": True,
    "NNP,인명,F,가해라,*,*,*,*": False,
    "NNP,인명,T,김민준,*,*,*,*": False,
    "NNP,지명,F,김녕,*,*,*,*": False,
    "XR,*,T,강퍅,*,*,*,*": False,
    "NNP,지명,F,황용리,*,*,*,*": True,  # of three syllables places are there too
    "NNG,*,T,가감법,Compound,*,*,가감/NNG/행위+법/NNG/*": False,  # begins with a word of the table
    "NNG,*,F,강준치,Compound,*,*,강/NNG/*+준치/NNG/*": True,
    "NNG,*,T,최외각,*,*,*,*": False,  # given names began with this syllable only later
    "NNG,*,F,토마토,*,*,*,*": False,  # no surname
    "SF,*,*,*,*,*,*,*": False,
}


def compiled(features: list[str]) -> bytes:
    """Put features into the form of a compiled dictionary: header, trie and entries (which nobody reads), features."""
    block = b"".join(feature.encode() + b"\0" for feature in features)
    return (
        HEADER.pack(0, 102, 0, len(features), 1, 1, 8, 16, len(block), 0)
        + b"UTF-8".ljust(32, b"\0")
        + bytes(24)
        + block
    )


def test_entries_are_read_from_a_compiled_dictionary() -> None:
    found = list(entries(compiled(["NNG,*,F,가감,*,*,*,*", "NNP,지명,F,황용리,*,*,*,*"])))
    assert found == [Entry("가감", "NNG", "*"), Entry("황용리", "NNP", "지명")]


@pytest.mark.parametrize(("feature", "there"), ENTRIES.items())
def test_an_entry_is_in_the_table_or_not(feature: str, *, there: bool) -> None:
    found = words(entries(compiled(["NNG,*,F,가감,*,*,*,*", feature])))
    reading = feature.split(",")[3]
    assert (reading in found, reading in read_words("dictionary_words.txt")) == (there, there)


def test_the_table_of_a_small_dictionary() -> None:
    small = table(entries(compiled(list(ENTRIES))), "# head\n")
    assert small == "# head\n가감 가깝 강준치 남순 하렬 황용리\n"
    assert small == table(entries(compiled(list(reversed(ENTRIES)))), "# head\n")
