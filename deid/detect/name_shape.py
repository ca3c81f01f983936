"""How much of a Hangul run behind a cue is a Korean name."""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and scores: they are the rules themselves

from __future__ import annotations

import re
from dataclasses import dataclass

from deid.detect.cues import PARTICLES, TITLES
from deid.detect.dictionary import is_word_of_dictionary
from deid.detect.stopwords import is_common_word, is_compound, is_derived, is_listed, is_surely_inflected
from deid.detect.syllables import COMMON_SURNAMES, SECOND, USUAL_SURNAMES, given_score, split_name

_PARTICLE = re.compile(rf"(?:(?:{TITLES})(?:님|분)?)?(?:{PARTICLES})?$")
_USUAL_LAST = 2
# How somebody who is asked says a name.
_ANSWERED = frozenset(["요", "고요"])
# What is said of persons only: with one of these glued to it even an unusual given name is believed.
_SAID_OF = re.compile(r"(?:입니다|인데|이라고|이고|이며|에게|님|씨|쌤)")


@dataclass(frozen=True, slots=True)
class Cue:
    """What stands around a run: a label that asks for names, a colon before it, an end right behind it."""

    asked: bool = False
    strong: bool = False
    edge: bool = False
    # How usual the given name must be (see `given_score`).
    least: int = 0


def leading_name(word: str, cue: Cue) -> int:
    """How many syllables at the start of a Hangul run are a name (cue already seen); 0 for none.

    Behind a label a sentence may go on with 고; behind a label or a colon, or before an end, a common surname makes a
    name of any three syllables that follow it.
    """
    if is_listed(word):
        return 0
    best, best_score = 0, 0
    for size in (5, 4, 3, 2):
        candidate, rest = word[:size], word[size:]
        if len(candidate) < size or not (
            _PARTICLE.match(rest) or (cue.asked and rest == "고") or (cue.strong and rest in _ANSWERED)
        ):
            continue
        parts = split_name(candidate)
        if parts is None or is_common_word(candidate) or _is_rather_a_word(candidate, word, cue):
            continue
        quality = given_score(parts[1])
        unsaid = rest and not (_SAID_OF.match(rest) and parts[0] in USUAL_SURNAMES)
        if quality < cue.least or (quality == 0 and (unsaid or not _may_be_unusual(parts, cue))):
            continue
        usual = parts[0] in USUAL_SURNAMES or len(parts[0]) > 1
        score = 1 + 2 * quality + usual + (0 if rest else 2)
        if score > best_score:
            best, best_score = size, score
    return best


def _may_be_unusual(parts: tuple[str, str], cue: Cue) -> bool:
    """Behind a cue even an unusual given name of two syllables is believed, of three beside a colon or an end."""
    surname, given = parts
    sure = (cue.strong or cue.edge) and (surname in COMMON_SURNAMES or len(surname) == 2)
    return len(given) == 2 or (len(given) == 3 and sure)


def _is_rather_a_word(candidate: str, word: str, cue: Cue) -> bool:
    """Whether a candidate is a listed word with something glued to it, where no form asks for a name."""
    if cue.asked:
        return not cue.edge and is_surely_inflected(candidate)
    if len(candidate) == 4 and is_word_of_dictionary(candidate[:2]) and given_score(candidate[1:]) == 0:
        return True
    if is_surely_inflected(candidate):
        return True
    derived = is_derived(candidate) and SECOND.get(candidate[-1]) != _USUAL_LAST
    return not cue.strong and (derived or is_compound(word))
