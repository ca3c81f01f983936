"""A DICOMDIR over files that were written (PS3.3 Annex F, PS3.10 §8): what it says stands in these files, nothing else.

Where a source folder had one, objects are named as File IDs have to be, and it is made anew. Nothing of the old one is
read: it holds names.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath

from deid.folder.format import Refused
from deid.imaging.elements import DataSet, Element, Items, Syntax, ascii_text
from deid.imaging.read import EXPLICIT, header_of
from deid.imaging.refusals import DIRECTORY, STORAGE
from deid.imaging.write import encoded, file_meta

NAME, CODE = "DICOMDIR", "imaging.directory"
LETTERS, LONGEST, DEEPEST = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 8, 8
FILE_ID = re.compile(rf"[A-Z0-9_]{{1,{LONGEST}}}(/[A-Z0-9_]{{1,{LONGEST}}}){{0,{DEEPEST - 1}}}")
SEQUENCE, ITEM = struct.Struct("<HH2sHI"), struct.Struct("<HHI")
WRITTEN = re.compile(r"[0-9a-f]{32}(/2\.25\.[0-9]+){1,3}(-[0-9]+)?\.dcm")
LITTLE = Syntax(explicit=True, little=True)
SOP_CLASS, SOP_INSTANCE, CHARACTER_SET = 0x00080016, 0x00080018, 0x00080005
PATIENT_ID, STUDY, SERIES = 0x00100020, 0x0020000D, 0x0020000E
STUDY_ID, SERIES_NUMBER, INSTANCE_NUMBER = 0x00200010, 0x00200011, 0x00200013
# What each kind of record says (PS3.3 F.5), by tag and VR; those that may not be empty are numbered where they are.
KEYS = {
    "PATIENT": {0x00100010: "PN", PATIENT_ID: "LO"},
    "STUDY": {0x00080020: "DA", 0x00080030: "TM", 0x00080050: "SH", 0x00081030: "LO", STUDY: "UI", STUDY_ID: "SH"},
    "SERIES": {0x00080060: "CS", SERIES: "UI", SERIES_NUMBER: "IS"},
    "": {INSTANCE_NUMBER: "IS"},
}
NUMBERED = frozenset({STUDY_ID, SERIES_NUMBER, INSTANCE_NUMBER})
# What records of objects that are no images say besides, where the object does: dates, labels, titles, references.
MORE = frozenset(
    {0x00080023, 0x00080033, 0x00081115, 0x0040A043, 0x0040A030, 0x0040A491, 0x0040A493, 0x00700080, 0x00700081}
    | {0x00700082, 0x00700083, 0x3004000A, 0x30060002, 0x30060008, 0x30060009, 0x300A0002, 0x300A0006, 0x300A0007}
)
KINDS = (
    (r"481\.2", "RT DOSE"), (r"481\.3", "RT STRUCTURE SET"), (r"481\.[58]", "RT PLAN"), (r"481\.[4679]",
    "RT TREAT RECORD"), (r"11\..*", "PRESENTATION"), (r"9\..*", "WAVEFORM"), (r"88\.59", "KEY OBJECT DOC"),
    (r"88\..*", "SR DOCUMENT"), (r"66\.[13]", "REGISTRATION"), (r"66\.2", "FIDUCIAL"), (r"66\.5", "SURFACE"),
    (r"66\.6", "TRACT"), (r"67", "VALUE MAP"), (r"4\.2", "SPECTROSCOPY"), (r"78\..*", "MEASUREMENT"),
    (r"68\..*", "SURFACE SCAN"), (r"77\.1\.5\.3", "STEREOMETRIC"),
)  # fmt: skip


@dataclass
class Record:
    """One record of the directory, with those below it by what they are told apart by."""

    kind: str
    elements: Items
    below: dict[str, Record] = field(default_factory=dict)
    place: int = 0

    def all(self) -> Iterator[Record]:
        """Yield the record and everything below it, in the order of the file."""
        yield self
        for each in self.below.values():
            yield from each.all()


@dataclass(frozen=True)
class Directory:
    """The file's bytes, and in which of them [start, end) each patient's records are."""

    data: bytes
    patients: dict[str, tuple[int, int]]


def is_directory(name: str) -> bool:
    """Whether a source file is named as directories are; discs add dots and versions to names."""
    return PurePosixPath(name).name.upper().split(".")[0] == NAME


def file_id(number: int) -> str:
    """Give eight capitals and digits for a number drawn by key: of a million objects hardly two have the same."""
    found = ""
    for _ in range(LONGEST):
        number, letter = divmod(number, len(LETTERS))
        found += LETTERS[letter]
    return found


def linked(name: str) -> str:
    """Give the File ID of an object by its name (`pseudonym/study UID/series UID/instance UID.dcm`); "" for others."""
    path = PurePosixPath(name)
    found = WRITTEN.fullmatch(name)
    if found is None:
        return ""
    folders = path.parts[:-1]
    numbers = [int(folders[0], 16), *(int(each.rpartition(".")[2]) for each in folders[1:])]
    number, _, again = path.stem.rpartition(".")[2].partition("-")
    ids = "/".join(file_id(each) for each in [*numbers, int(number)])
    return numbered(ids, int(again)) if again else ids


def numbered(name: str, number: int) -> str:
    """Give another File ID for an object whose own is another's; "" for a name that is no File ID."""
    end, last = f"_{number}", PurePosixPath(name).name
    return f"{name[: -len(end)]}{end}" if FILE_ID.fullmatch(name) and len(last) == LONGEST else ""


def directory(folder: Path, names: Iterable[str], instance: str) -> Directory | None:
    """Make the directory of those files of a folder that are DICOM and named by File IDs; None without any."""
    root = Record("", [])
    for name in names:
        data = _header(folder / name) if FILE_ID.fullmatch(name) and name != NAME else None
        if data is not None:
            _add(root, name, data)
    return _laid_out(root, instance) if root.below else None


def _header(path: Path) -> DataSet | None:
    try:
        return header_of(path)
    except Refused:
        return None


def _add(root: Record, name: str, data: DataSet) -> None:
    at = root
    for kind, tag in (("PATIENT", PATIENT_ID), ("STUDY", STUDY), ("SERIES", SERIES)):
        key = ascii_text(data.find(tag))
        at = at.below.setdefault(key, Record(kind, _said(kind, data, 1 + len(at.below))))
    sop_class = ascii_text(data.find(SOP_CLASS))
    values = (
        (0x00041500, "CS", name.replace("/", "\\")),
        (0x00041510, "UI", sop_class),
        (0x00041511, "UI", ascii_text(data.find(SOP_INSTANCE))),
        (0x00041512, "UI", data.transfer_syntax),
    )
    refers = [Element(tag, vr, value.encode("ascii")) for tag, vr, value in values]
    more = [each for each in data.elements if each.tag in MORE] if _kind(sop_class) != "IMAGE" else []
    at.below[name] = Record(_kind(sop_class), [*refers, *_said("", data, 1 + len(at.below)), *more])


def _kind(sop_class: str) -> str:
    short = sop_class.removeprefix(STORAGE)
    return next((kind for form, kind in KINDS if re.fullmatch(form, short)), "IMAGE")


def _said(kind: str, data: DataSet, number: int) -> Items:
    letters = data.find(CHARACTER_SET)
    said = [letters] if letters is not None else []
    for tag, vr in KEYS[kind].items():
        element = data.find(tag)
        value = element.value if element is not None and element.items is None else b""
        said.append(Element(tag, vr, value or (str(number).encode("ascii") if tag in NUMBERED else b"")))
    return said


def _laid_out(root: Record, instance: str) -> Directory:
    """Give every record its place and write down who follows whom (bytes from the beginning of the file)."""
    meta = file_meta(EXPLICIT, DIRECTORY, instance)
    position = len(meta) + len(encoded(_head(0, 0), LITTLE)) + SEQUENCE.size
    records = list(root.all())[1:]
    for each in records:
        each.place, position = position, position + len(_item(each, 0))
    after = _followers(root)
    items = [_item(each, after.get(id(each), 0)) for each in records]
    patients = list(root.below.items())
    head = encoded(_head(patients[0][1].place, patients[-1][1].place), LITTLE)
    body = b"".join(items)
    sequence = SEQUENCE.pack(0x0004, 0x1220, b"SQ", 0, len(body))
    ends = [each.place for _, each in patients[1:]] + [position]
    spans = {name: (each.place, end) for (name, each), end in zip(patients, ends, strict=True)}
    return Directory(meta + head + sequence + body, spans)


def _followers(root: Record) -> dict[int, int]:
    """Give for each record the place of the next one beside it."""
    found: dict[int, int] = {}
    for each in root.all():
        beside = list(each.below.values())
        found |= {id(one): other.place for one, other in pairwise(beside)}
    return found


def _head(first: int, last: int) -> Items:
    return [Element(0x00041130, "CS"), _offset(0x00041200, first), _offset(0x00041202, last),
            Element(0x00041212, "US", b"\0\0")]  # fmt: skip


def _item(record: Record, following: int) -> bytes:
    lower = next((each.place for each in record.below.values()), 0)
    links = [_offset(0x00041400, following), Element(0x00041410, "US", b"\xff\xff"), _offset(0x00041420, lower),
             Element(0x00041430, "CS", record.kind.encode("ascii"))]  # fmt: skip
    value = encoded([*links, *record.elements], LITTLE)
    return ITEM.pack(0xFFFE, 0xE000, len(value)) + value


def _offset(tag: int, value: int) -> Element:
    return Element(tag, "UL", struct.pack("<I", value))
