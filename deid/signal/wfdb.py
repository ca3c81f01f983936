"""WFDB records (PhysioNet, `header(5)`, `signal(5)`): the header written anew, signal files copied to the sample.

A record is a text header and the files it names; annotation files share its name. Everything is renamed together. The
comments, where PhysioNet's own databases keep age, sex, diagnoses and medication, go; so does the time of day.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from deid.folder.format import Context, Outcome, Refused
from deid.signal.cursor import unreadable
from deid.signal.edf import korean
from deid.signal.one_file import Cleaned, outcome, read
from deid.signal.person import Person, Taken, number_in, person
from deid.signal.wfdb_annotations import renewed
from deid.signal.wfdb_samples import copied
from deid.signal.words import technical, unit

NAME = r"[A-Za-z0-9_\-\x80-\xff]{1,80}"  # bytes of Hangul too, as a header of UTF-8 or CP949 has them
REAL = r"\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?"
RECORD = re.compile(
    rf"(?P<name>{NAME})(?:/(?P<segments>\d{{1,6}}))?\s+(?P<signals>\d{{1,4}})"
    rf"(?:\s+(?P<rate>{REAL})(?:/{REAL}(?:\(-?{REAL}\))?)?(?:\s+(?P<samples>\d{{1,15}})"
    r"(?:\s+(?P<time>[\d:.]{1,15})(?:\s+(?P<date>\d{1,2}/\d{1,2}/\d{4}))?)?)?)?\s*",
    re.ASCII,
)
SIGNAL = re.compile(
    r"(?P<file>[A-Za-z0-9_\-.\x80-\xff]{1,120}|~)\s+(?P<format>\d{1,3})(?:x(?P<spf>\d{1,6}))?(?::(?P<skew>\d{1,9}))?"
    rf"(?:\+(?P<offset>\d{{1,9}}))?(?:\s+(?P<gain>-?{REAL})(?:\((?P<baseline>-?\d{{1,12}})\))?(?:/(?P<units>\S+))?"
    r"(?P<numbers>(?:\s+-?\d{1,12}){0,5})(?:\s+(?P<description>\S.*))?)?\s*",
    re.ASCII | re.DOTALL,
)
SEGMENT = re.compile(rf"(?P<name>{NAME}|~)\s+(?P<samples>\d{{1,15}})\s*", re.ASCII)
MOST_LINES = 100_000
ANNOTATOR = re.compile(r"\.[a-z][a-z0-9]{1,9}", re.ASCII)
# Files that lie beside a record under its name and are for other formats.
OTHER_FILES = frozenset(
    (
        *(".hea", ".dat", ".xml", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".edf", ".bdf", ".scp", ".mwf", ".c3d"),
        *(".dcm", ".zip", ".gz", ".pdf", ".png", ".jpg", ".jpeg", ".md"),
    )
)
OWNER = r"(?:patient|subject|mrn|\bid\b|chart|환자|등록|병록|차트)"
NUMBERED = re.compile(OWNER + r"[^\d\n]{0,20}?\b([A-Za-z]{0,4}[-_]?\d[\w\-]*)", re.IGNORECASE)
TOLD = re.compile(OWNER + r"[^:=\d]{0,20}[:=]\s*(\S+)", re.IGNORECASE)
DIGITS_OF_A_NUMBER = 6
MOST_HEADERS = 10_000  # in one folder, of which those are read that name segments


@dataclass(frozen=True)
class Header:
    """A header's lines as their parts; `rows` are signals, or segments where there are any."""

    record: dict[str, str]
    rows: tuple[dict[str, str], ...]
    comments: tuple[str, ...]


class Wfdb:
    """WFDB records, by their headers (see `Format`)."""

    name = "wfdb"
    section = "signal"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        first = next(iter(_lines(head)[0]), "")
        return name.lower().endswith(".hea") and RECORD.fullmatch(first) is not None

    def deidentify(self, source: Path, target_folder: Path, context: Context) -> Outcome:
        """See `Format.deidentify`."""
        header = parse(read(source))
        taken = Taken()
        who = _who(header, source, context, taken)
        place = _Place(source, target_folder, context)
        signals = {} if header.record.get("segments") else copied(header.record, header.rows, source.parent)
        annotations = _annotations(source, {path for path, *_ in signals.values()}, taken)
        text = _written(header, who, place, {name: samples for name, (_, _, samples) in signals.items()})
        parts = [(source.name, text.encode("utf-8")), *((path.name, data) for path, data, _ in signals.values())]
        files = place.write([*parts, *((path.name, data) for path, data in annotations.items())])
        notes = {"comments": len(header.comments), "annotation-files": len(annotations)}
        companions = (*(path for path, *_ in signals.values()), *annotations)
        bulk = tuple((place.renamed(path.name), 0, len(data)) for path, data, _ in signals.values())
        return outcome(files, Cleaned((), who, taken, notes), companions, bulk=bulk)


@dataclass(frozen=True)
class _Place:
    """Where a record's files go, all under the one new name that the header's path gives."""

    source: Path
    target: Path
    context: Context

    def stem(self, record: str) -> str:
        """Name a record of this folder anew: this one, or a segment of it."""
        beside = PurePosixPath(self.context.name).parent / f"{record}.hea"
        return self.context.people.file_name(str(beside), "")

    def renamed(self, name: str) -> str:
        """Name a file anew: the record's new name, and of the old one the ending alone."""
        if Path(name).stem == self.source.stem:
            return self.stem(self.source.stem) + Path(name).suffix.lower()
        beside = PurePosixPath(self.context.name).parent / name
        return self.context.people.file_name(str(beside), Path(name).suffix.lower()[:8])

    def write(self, parts: list[tuple[str, bytes | memoryview]]) -> tuple[str, ...]:
        """Write files under their new names, which are returned. Raises `Refused` where two would be one."""
        names = tuple(self.renamed(name) for name, _ in parts)
        if len(set(names)) < len(names):
            raise _broken()
        for new, (_, data) in zip(names, parts, strict=True):
            with (self.target / new).open("xb") as file:
                file.write(data)
        return names


def _lines(data: bytes) -> tuple[list[str], list[str]]:
    text = data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    lines = [
        line.strip(" \t\0") for line in text.split("\n")
    ]  # Hangul in Latin letters may end in what is a blank there
    return [line for line in lines if line and not line.startswith("#")], [one for one in lines if one.startswith("#")]


def parse(data: bytes) -> Header:
    """Read a header. Raises `Refused` (`signal.wfdb-header`) where a line is none of the format's."""
    lines, comments = _lines(data)
    record = RECORD.fullmatch(lines[0]) if lines else None
    if record is None or len(lines) > MOST_LINES:
        raise _broken()
    parts = {key: value for key, value in record.groupdict().items() if value is not None}
    count, pattern = (int(parts["segments"]), SEGMENT) if "segments" in parts else (int(parts["signals"]), SIGNAL)
    rows = [pattern.fullmatch(line) for line in lines[1:]]
    if len(rows) != count or None in rows:
        raise _broken()
    found = tuple({key: value for key, value in row.groupdict().items() if value is not None} for row in rows if row)
    return Header(_named(parts), tuple(map(_named, found)), tuple(comments))


def _named(parts: dict[str, str]) -> dict[str, str]:
    """Read names of records and files in the encoding that fits: so they are called in the folder."""
    return {key: korean(value) if key in {"name", "file"} else value for key, value in parts.items()}


def _broken() -> Exception:
    return unreadable("wfdb-header", "WFDB 머리글을 읽을 수 없습니다.", "The WFDB header cannot be read.")


def _who(header: Header, source: Path, context: Context, taken: Taken) -> Person:
    taken.words(_comments(header))
    taken.value(header.record["name"])
    taken.date(header.record.get("date", ""))
    number = _number(header)
    if not number:
        whole = _wholes(source.parent, source.parent.stat().st_mtime_ns).get(header.record["name"])
        number = _number(whole) if whole else ""
    told = TOLD.search(_comments(header))
    return person(context, number or (told[1].rstrip(",;.") if told else _called(header.record["name"])))


def _called(record: str) -> str:
    """Find the patient's number in a record's name, where `ecg_12345678` is the number behind a word; "" for none."""
    long = (part for part in record.split("_") if sum(map(str.isdigit, part)) >= DIGITS_OF_A_NUMBER)
    return next(filter(None, map(number_in, long)), "") or number_in(record)


def _comments(header: Header) -> str:
    return korean("\n".join(header.comments))


def _number(header: Header) -> str:
    """Find the patient's number in a header's comments, "" for none."""
    told = (found[1] for found in NUMBERED.finditer(_comments(header)))
    return next((each for each in told if number_in(each) == each), "")


@lru_cache(maxsize=64)
def _wholes(folder: Path, changed: int) -> dict[str, Header]:  # noqa: ARG001 - another folder when it was written to
    """Find the records of a folder that are made of others: segment to the header that tells whose all of them are."""
    found: dict[str, Header] = {}
    for path in sorted(folder.glob("*.hea"))[:MOST_HEADERS]:
        with suppress(Refused, OSError):
            header = parse(path.read_bytes()) if path.is_file() and not path.is_symlink() else None
            if header is not None and "segments" in header.record:
                found |= {row["name"]: header for row in header.rows}
    return found


def _written(header: Header, who: Person, place: _Place, samples: dict[str, int]) -> str:
    record = header.record
    count = next(iter(samples.values()), int(record.get("samples", "0")))
    segments = f"/{record['segments']}" if "segments" in record else ""
    first = [f"{place.stem(record['name'])}{segments}", record["signals"], record.get("rate", "250"), str(count)]
    day = _day(record.get("date", ""))
    if day:
        first += ["00:00:00", f"{who.day(day):%d/%m/%Y}"]
    rows = (_segment(row, place) if segments else _signal(row, n, place) for n, row in enumerate(header.rows, 1))
    return "".join(f"{line}\n" for line in (" ".join(first), *rows, f"# patient: {who.pseudonym}"))


def _day(text: str) -> dt.date | None:
    try:
        day, month, year = map(int, text.split("/"))
        return dt.date(year, month, day)
    except ValueError:
        return None


def _segment(row: dict[str, str], place: _Place) -> str:
    return f"{row['name'] if row['name'] == '~' else place.stem(row['name'])} {row['samples']}"


def _signal(row: dict[str, str], number: int, place: _Place) -> str:
    file = row["file"] if row["file"] == "~" else place.renamed(row["file"])
    marks = (("x", "spf"), (":", "skew"), ("+", "offset"))
    layout = row["format"] + "".join(mark + row[key] for mark, key in marks if key in row)
    if "gain" not in row:
        return f"{file} {layout}"
    baseline = f"({row['baseline']})" if "baseline" in row else ""
    known = unit(row.get("units", ""))
    gain = row["gain"] + baseline + (f"/{known}" if known else "/NU" if "units" in row else "")
    line = " ".join([file, layout, gain, *row["numbers"].split()])
    if "description" not in row:
        return line
    return f"{line} {technical(korean(row['description']), f'Signal {number}')}"


def _annotations(source: Path, signals: Iterable[Path], taken: Taken) -> dict[Path, bytes]:
    """Find the record's annotation files and write each anew; a file that is none is left for other formats."""
    found = {}
    for path in sorted(source.parent.glob(f"{source.stem}.*")):
        ending = path.suffix.lower()
        if path in signals or path.stem != source.stem or ending in OTHER_FILES or not ANNOTATOR.fullmatch(ending):
            continue
        new = renewed(read(path), taken)
        if new is not None:
            found[path] = new
    return found
