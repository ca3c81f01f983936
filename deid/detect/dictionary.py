"""Words that begin with a syllable of a surname and are no names (`lexicon/dictionary_words.txt`, mecab-ko-dic)."""

from __future__ import annotations

from deid.detect.syllables import USUAL_SURNAMES
from deid.detect.words import read_words

_DICTIONARY = read_words("dictionary_words.txt")
# What nouns and verbs of two syllables are prolonged by: behind a dictionary word these say nothing for a name.
PROLONGED = frozenset(
    "은는이가을를의에로와과도만나한된하할해든인임화서표증비료별율률관실용법분장부청력식형성제기금액량권원팀함됨중시후전내외상"
    "일자"
    "적술치위능면고지게니며던려라란염학론사회체계급종류점감각업품층구역선물어문강결여요야아지리사반대무소수유향져령경짐람움림"
)


def is_word_of_dictionary(word: str) -> bool:
    """Whether a word that begins with a surname's syllable is one of the dictionary's."""
    return word in _DICTIONARY


def is_prolonged(word: str) -> bool:
    """Whether a word of a rare surname is the dictionary's, or one of it and an ending ("평가일", "단정한").

    With the usual surnames too many names look so.
    """
    if word[0] in USUAL_SURNAMES:
        return False
    return word in _DICTIONARY or (word[:-1] in _DICTIONARY and word[-1] in PROLONGED)
