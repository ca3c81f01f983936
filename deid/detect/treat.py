"""One text, read once and replaced for each patient whose text it is: recognisers, known values, profile, model.

Everything needed for it is in `Setup` (of a column) and `Person` (of a patient); no file, clock or randomness.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from presidio_anonymizer.entities import RecognizerResult

from deid.detect.anonymizer import SURROGATES, anonymizer, given_names
from deid.detect.examine import examine
from deid.detect.found import Found
from deid.detect.known.marked import Marked
from deid.detect.known.profile import Profile, RecordNumbers
from deid.detect.known.search import Many, Value, of_person
from deid.detect.known.squeezed import Squeezed, squeeze
from deid.detect.model.voice import Voice
from deid.detect.normalise import normalise
from deid.detect.scan import meeting, settle
from deid.detect.style import Style
from deid.texts import NOT_MASKED, TextSpan

NO_KEY = b"\0" * 16


@dataclass(frozen=True)
class Setup:
    """What holds for every text of a column: the style, values of staff (kind, value), the provider's profile.

    `model` is a folder (see `model.voice`), "" for none; `marks` are (type, value) pairs that reviewers
    marked as missed.
    """

    style: Style = field(default_factory=Style)
    staff: tuple[Value, ...] = ()
    profile: Profile = field(default_factory=Profile)
    model: str = ""
    marks: tuple[Value, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Person:
    """A patient: known values (kind, value), key of the stand-ins, own date shift in days (None: dates are masked)."""

    values: tuple[Value, ...] = ()
    key: bytes = field(default=NO_KEY, repr=False)
    days: int | None = None


NOBODY = Person()


@dataclass(frozen=True)
class Task:
    """A distinct text and the patients whose text it is, at least one (`NOBODY` when that does not matter)."""

    text: str
    people: tuple[Person, ...] = (NOBODY,)


@dataclass(frozen=True)
class Treated:
    """A text for one patient: as published, what was seen in the original, and where stand-ins stand in it."""

    text: str
    spans: tuple[TextSpan, ...]
    stand_ins: tuple[tuple[int, int], ...]


class Treater:
    """Treats the texts of one column; holds the search structures of staff and profile."""

    def __init__(self, setup: Setup) -> None:
        self._style = setup.style
        self._many = Many([*setup.staff])
        self._places = Many(setup.profile.values)
        self._records = RecordNumbers(setup.profile.record_numbers)
        self._marked = Marked(setup.marks)
        self._knows = bool(setup.staff or setup.marks or setup.profile != Profile())
        self._voice = Voice(Path(setup.model)) if setup.model else None

    def treat(self, task: Task) -> list[Treated]:
        """Replace the task's text for each of its people, in order."""
        text = task.text
        seen = [TextSpan(*_plain(one.span), "rules", one.doubt) for one in examine(text)]
        if self._voice is not None:
            seen += _spans("model", self._voice.find(normalise(text)))
        squeezed = squeeze(text) if self._knows or any(person.values for person in task.people) else None
        if squeezed is not None and self._knows:
            seen += _spans("known", self._many.find(squeezed))
            seen += _spans("marks", self._marked.find(squeezed))
            seen += _spans("profile", [*self._places.find(squeezed), *self._records.find(squeezed)])
        return [self._for(text, seen, squeezed, person) for person in task.people]

    def _for(self, text: str, seen: Sequence[TextSpan], squeezed: Squeezed | None, person: Person) -> Treated:
        own = _spans("known", of_person(squeezed, person.values)) if squeezed is not None and person.values else []
        spans = merged(text, [*seen, *own])
        found = [span for span in spans if span.doubt != NOT_MASKED]
        if not found:
            return Treated(text, tuple(spans), ())
        operators = self._style.operators({span.type for span in found}, person.key, person.days)
        if "NAME" in operators:
            known = given_names(value for kind, value in person.values if kind in {"name", "relative"})
            operators["NAME"].params["persons"] = known
        results = [RecognizerResult(span.type, span.start, span.end, span.score) for span in found]
        answer = anonymizer().anonymize(text, results, operators)
        stand_ins = tuple((item.start, item.end) for item in answer.items if item.operator in SURROGATES)
        return Treated(str(answer.text), tuple(spans), stand_ins)


def merged(text: str, seen: Iterable[TextSpan]) -> list[TextSpan]:
    """Settle overlaps of all voices; a span says `rules` if they alone cover it, else who added to it, in order."""
    seen = sorted(seen, key=lambda span: (span.start, span.end))
    sure = [span for span in seen if span.doubt != NOT_MASKED]
    settled = settle(Found(s.start, s.end, s.type, s.score) for s in sure)
    spans = [_voiced(text, one, _within(one, sure)) for one in settled]
    below = [span for span in seen if span.doubt == NOT_MASKED and not meeting(settled, span.start, span.end)]
    return sorted([*spans, *below], key=lambda span: (span.start, span.end))


def _within(span: Found, seen: Sequence[TextSpan]) -> Sequence[TextSpan]:
    """Those of `seen` (in order) that were settled to `span`: they lie within it."""
    first = bisect_left(seen, span.start, key=lambda one: one.start)
    return seen[first : bisect_left(seen, span.end, lo=first, key=lambda one: one.start)]


def _voiced(text: str, span: Found, within: Sequence[TextSpan]) -> TextSpan:
    by_rules = [one for one in within if one.by == "rules"]
    others = [one for one in within if one.by != "rules"]
    covered = {index for one in by_rules for index in range(one.start, one.end)}
    missed = any(text[index].isalnum() for index in range(span.start, span.end) if index not in covered)
    doubt = "" if others else next((one.doubt for one in by_rules if one.doubt), "")
    return TextSpan(*_plain(span), others[0].by if missed and others else "rules", doubt)


def _spans(by: str, found: Iterable[Found]) -> list[TextSpan]:
    return [TextSpan(*_plain(one), by, "") for one in found]


def _plain(found: Found) -> tuple[int, int, str, float]:
    return found.start, found.end, found.type, found.score
