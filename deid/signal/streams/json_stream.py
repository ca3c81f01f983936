"""JSON and JSON Lines from wearables and vehicles: known names only, at any depth, numbers as they were spelled.

A name that is not known goes with everything under it. FHIR is for the tables' recipes and is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from deid.folder.format import Context, Refused
from deid.signal.cursor import unreadable
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, person
from deid.signal.streams.cells import Cells
from deid.signal.streams.csv_stream import MEASURED, number_by_profile
from deid.signal.streams.moments import Moment, moment
from deid.signal.streams.places import is_coordinate, is_place
from deid.signal.streams.schema import OWN_NUMBER, PEOPLE, Column, Rules, Stream, column, plain, shown
from deid.signal.streams.table_text import decoded

ENDINGS = (".json", ".jsonl", ".ndjson", ".geojson")
DEEPEST = 40
MOST_OF_A_PLACE = 3  # longitude, latitude, height


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


class Pairs(list[tuple[str, object]]):
    """An object's members in order; a name may come twice."""

    __slots__ = ()


class Json(OneFile):
    """Streams as JSON (see `Format`)."""

    name = "json"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        return name.lower().endswith(ENDINGS) and (text[:1] in {b"{", b"["} or head[:2] in {b"\xff\xfe", b"\xfe\xff"})

    def suffix(self, name: str) -> str:
        """See `OneFile.suffix`."""
        return ".jsonl" if name.lower().endswith((".jsonl", ".ndjson")) else ".json"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        rules = context.rules if isinstance(context.rules, Rules) else Rules()
        documents = parsed(decoded(data), lines=self.suffix(context.name) == ".jsonl")
        names = {name for document in documents for name in _names(document)}
        if "resourceType" in names:
            words = ("FHIR은 표의 계획으로 처리합니다.", "FHIR is for the recipes of tables.")
            raise Refused("signal.fhir", *words)
        taken = Taken()
        walk = _Walk(rules, rules.stream(names), Cells(context, taken), number_by_profile(rules, (context.name,)))
        walk.number = next(filter(None, (walk.find(document) for document in documents)), walk.number)
        for document in documents:
            walk.note(document)
            walk.hear(document, walk.find(document) or walk.number)
        out = [walk.document(document) for document in documents]
        if not walk.measured:
            raise Refused("signal.unknown-columns", "아는 측정 항목이 없습니다.", "no measurement's name is known.")
        notes = {"names-dropped": walk.dropped, "cells-emptied": walk.cells.emptied}
        return Cleaned(
            ("".join(f"{each}\n" for each in out).encode("utf-8"),), walk.who(walk.number), taken, notes, samples=0
        )


def parsed(text: str, *, lines: bool) -> list[object]:
    """Read one document, or one a line. Raises `Refused`."""
    text = text.lstrip("\ufeff")
    try:
        if not lines:
            return [_load(text)]
        return [_load(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise unreadable("json", "JSON을 읽을 수 없습니다.", "The JSON cannot be read.") from error


def _load(text: str) -> object:
    found: object = json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=lambda _: None, object_pairs_hook=Pairs
    )
    _bounded(found, 0)
    return found


def _bounded(value: object, depth: int) -> None:
    if depth > DEEPEST:
        _too_deep()
    inner = [each for _, each in value] if isinstance(value, Pairs) else value if isinstance(value, list) else ()
    for each in inner:
        if isinstance(each, list):
            _bounded(each, depth + 1)


def _too_deep() -> NoReturn:
    raise unreadable("json-depth", "JSON이 너무 깊습니다.", "The JSON is too deep.")


def _names(value: object) -> Iterator[str]:
    for name, each in _members(value):
        if name:
            yield name
        yield from _names(each)


@dataclass
class _Walk:
    """Goes through documents and writes what may be."""

    rules: Rules
    stream: Stream
    cells: Cells
    number: str
    measured: int = 0
    dropped: int = 0

    def what(self, name: str) -> Column | None:
        return column(self.stream, self.rules, name)

    def who(self, number: str) -> Person:
        return self.cells.who(number) if number else person(self.cells.context)

    def find(self, value: object) -> str:
        """Find the first patient's number anywhere, also under names that are dropped."""
        for name, each in _members(value):
            what = self.what(name) if name else None
            if what and what.kind == "patient" and isinstance(each, str) and each.strip():
                return each.strip()
            inside = ((plain(one), other) for one, other in _members(each)) if what and what.kind == "patient" else ()
            own = next((other for one, other in inside if one in OWN_NUMBER and isinstance(other, str) and other), "")
            found = own or self.find(each)
            if found:
                return found
        return ""

    def note(self, value: object) -> None:
        """Note the names of people, wherever they are."""
        for name, each in _members(value):
            if isinstance(each, str) and name and plain(name) in PEOPLE:
                self.cells.taken.value(each)
            self.note(each)

    def own(self, value: object, patient: str) -> str:
        """Give the patient an object names itself, or the one around it."""
        told = (each for name, each in _members(value) if name and isinstance(each, str) and self._is(name, "patient"))
        return next((each.strip() for each in told if each.strip()), patient)

    def _is(self, name: str, kind: str) -> bool:
        what = self.what(name)
        return what is not None and what.kind == kind

    def on(self, value: object) -> Moment | None:
        """Give the day beside a time of day."""
        days = (moment(each) for name, each in _members(value) if isinstance(each, str) and self._is(name, "day"))
        return next(filter(None, days), None)

    def hear(self, value: object, patient: str, clock: bool = False) -> None:  # noqa: FBT001, FBT002 - recursion
        """Tell all times that will be written."""
        patient, on = self.own(value, patient), self.on(value)
        for name, each in _members(value):
            what = self.what(name) if name else None
            is_clock = what.kind == "clock" if what else clock and not name
            if isinstance(each, str) and is_clock:
                self.cells.hear(each, patient, on)
            elif isinstance(each, list) and (what or not name):
                self.hear(each, patient, clock=is_clock)

    def document(self, value: object) -> str:
        """Write one document."""
        return self.write(value, Column("text"), self.own(value, self.find(value) or self.number), "")

    def write(self, value: object, what: Column, patient: str, name: str) -> str:
        """Write a value under a name of this kind."""
        if isinstance(value, Pairs):
            return self.object(value, self.own(value, patient))
        if isinstance(value, list):
            if is_place([str(each) for each in value if isinstance(each, Number)][:MOST_OF_A_PLACE]):
                self.dropped += 1
                return "[]"
            return "[" + ",".join(self.write(each, what, patient, name) for each in value) + "]"
        if value is None or isinstance(value, bool):
            return json.dumps(value)
        return self.scalar(str(value), what, patient, name, number=isinstance(value, Number))

    def object(self, value: Pairs, patient: str) -> str:
        """Write an object's known members, and the shifted day beside each time."""
        members, on = [], self.on(value)
        numbers = [str(each) for _, each in value if isinstance(each, Number)]
        located = is_place(numbers)
        for name, each in value:
            what, called = self.what(name), shown(name)
            at = located and isinstance(each, Number) and is_coordinate(each)
            if what is None or (at and what.kind in {"number", "text"}):
                self.dropped += 1
                continue
            if what.kind == "clock" and isinstance(each, str):
                text, since = self.cells.elapsed(each.strip(), patient, name, on)
                members.append((name, text or "null"))
                day = self.cells.day(patient, self.who(patient), since)
                members += [(f"{called}_day", json.dumps(day))] if day else []
                continue
            if what.kind == "day" and on and patient in self.cells.starts:
                continue  # said beside the time, from the start's own midnight
            members.append((called, self.write(each, what, patient, name)))
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{text}" for name, text in members) + "}"

    def scalar(self, text: str, what: Column, patient: str, name: str, *, number: bool) -> str:
        """Write a number as it was spelled, a text by its kind, null for what is emptied."""
        if what.kind == "clock":  # in a list of times
            return self.cells.elapsed(text.strip(), patient, name)[0] or "null"
        new = self.cells.other(what, text, self.who(patient))
        self.measured += what.kind in MEASURED and bool(new)
        if not new:
            return "null"
        return new if number and new == text else json.dumps(new, ensure_ascii=False)


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Pairs):
        yield from value
    elif isinstance(value, list):
        yield from (("", each) for each in value)
