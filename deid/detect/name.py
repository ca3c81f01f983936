"""Names of persons: Korean (Hangul, Hanja, romanised), foreign names in Hangul or Latin letters beside a cue.

There is no format. Two kinds of evidence are combined: cues (labels and roles before, titles after, age, sex or a
telephone number behind) and form (surname x syllable statistics of given names x a boundary or particle x no veto by a
common word). A name seen once is then found everywhere in the text. 가족관계의 등록 등에 관한 규칙 제37조 lists the
letters
a given name may be written with; the list is too long to limit anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deid.detect.foreign_name import foreign_names, repeated_foreign
from deid.detect.found import Found
from deid.detect.latin_name import latin_names
from deid.detect.name_before_title import before_titles, given_names, surnames_called
from deid.detect.name_behind_cue import behind_any_word, behind_codes, behind_cues
from deid.detect.name_by_context import called_by_given_name, glued, neighbours, senders
from deid.detect.name_by_form import by_form, repeated, signatures, spaced
from deid.detect.name_in_parallel import parallel
from deid.detect.name_in_rows import identified, in_rows, numbered
from deid.detect.rare_name import rare_names
from deid.detect.recogniser import KoreanRecogniser

# Names as sure as this one say what stands in the parts of a line beside theirs.
_SURE = 0.5

_FINDERS: tuple[Callable[[str], Iterator[Found]], ...] = (
    behind_cues,
    behind_any_word,
    behind_codes,
    before_titles,
    by_form,
    spaced,
    in_rows,
    identified,
    numbered,
    signatures,
    glued,
    senders,
    rare_names,
    foreign_names,
)


class NameRecogniser(KoreanRecogniser):
    """Names by cue, by form, and by being repeated."""

    ENTITIES = ("NAME",)

    def find(self, text: str) -> Iterator[Found]:
        """Every name with its evidence; then the same names wherever else they stand."""
        whole = [found for finder in _FINDERS for found in finder(text)]
        whole.extend(neighbours(text, whole))
        whole.extend(parallel(text, [found for found in whole if found.score >= _SURE]))
        known: dict[str, float] = {}
        for found in whole:
            yield found
            known[text[found.start : found.end]] = max(known.get(text[found.start : found.end], 0.0), found.score)
        yield from given_names(text)
        yield from surnames_called(text)
        yield from latin_names(text)
        yield from repeated(text, known)
        yield from repeated_foreign(text, known)
        yield from called_by_given_name(text, known)
