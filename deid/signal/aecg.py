"""HL7 annotated ECG (ANSI/HL7 V3 ECG R1): an allow-list of elements, attributes and codes; times moved together.

What remains is what a reader needs: series, sequences, leads, samples and measured marks. All times of a file keep
their distances; the first becomes midnight of the patient's shifted day.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from html import escape

from deid.folder.format import Context
from deid.signal.cursor import unreadable
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, person
from deid.signal.words import technical, unit
from deid.signal.xml_tree import Element, parse

HL7 = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ROOT = re.compile(rb"<(?:\w+:)?AnnotatedECG[\s>]|<\0(?:\w\0+)*A\0n\0n\0o\0t\0a\0t\0e\0d\0E\0C\0G\0")
# Elements that are kept; of all others nothing is, with everything in them.
KEPT = frozenset(
    (
        *("AnnotatedECG", "id", "code", "effectiveTime", "low", "high", "center", "value", "component", "componentOf"),
        *("timepointEvent", "subjectAssignment", "subject", "trialSubject", "series", "sequenceSet", "sequence"),
        *("head", "increment", "origin", "scale", "digits", "derivation", "derivedSeries", "subjectOf", "support"),
        *("annotationSet", "annotation", "supportingROI", "boundary", "controlVariable", "relatedObservation"),
    )
)
STRUCTURE = re.compile(r"[A-Z]{2,10}(?:_[A-Z]{1,10})?", re.ASCII)
NUMBER = re.compile(r"[-+]?(?:\d{1,6}(?:\.\d{0,12})?|\.\d{1,12})(?:[eE][-+]?\d{1,3})?", re.ASCII)
CODE = re.compile(r"MDC_[A-Z0-9_]{1,80}", re.ASCII)
CODES = frozenset(("TIME_ABSOLUTE", "TIME_RELATIVE", "RHYTHM", "REPRESENTATIVE_BEAT", "93000", "ROIPS", "ROIFS"))
# MDC, HL7's ActCode, CPT-4: how the three are told apart from numbers of persons.
SYSTEMS = frozenset(("2.16.840.1.113883.6.24", "2.16.840.1.113883.5.4", "2.16.840.1.113883.6.12"))
SYSTEM_NAMES = frozenset(("MDC", "ActCode", "CPT-4"))
SAMPLES = re.compile(r"(?:\s*[-+]?\d{1,9}(?:\.\d{1,9})?(?:[eE][-+]?\d{1,2})?(?:\s+|$))*", re.ASCII)
TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?)?(?:[-+]\d{4})?", re.ASCII)
MIDNIGHT = dt.time()


class Aecg(OneFile):
    """HL7 annotated ECG (see `Format`)."""

    name = "aecg"

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content decides
        """See `Format.recognise`."""
        return ROOT.search(head) is not None

    def suffix(self, name: str) -> str:  # noqa: ARG002 - there is one
        """See `OneFile.suffix`."""
        return ".xml"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        root = parse(data)
        if root.name != "AnnotatedECG" or root.space not in {HL7, ""}:
            raise unreadable("aecg", "HL7 주석 심전도가 아닙니다.", "This is no HL7 annotated ECG.")
        taken = Taken()
        who = _who(root, context, taken)
        writer = _Writer(context, who, _first(root), taken)
        out = "".join(writer.element(root, depth=0))
        return Cleaned(
            (f'<?xml version="1.0" encoding="UTF-8"?>\n{out}\n'.encode(),), who, taken, {"elements": writer.gone}
        )


def _who(root: Element, context: Context, taken: Taken) -> Person:
    subjects = [each for each in root.all() if each.name == "trialSubject"]
    numbers = [one.attributes.get("extension", "") for each in subjects for one in each.find("id")]
    names = [" ".join(one.text for one in name.all()) for each in subjects for name in _below(each, "name")]
    births = [one.attributes.get("value", "") for each in subjects for one in _below(each, "birthTime")]
    for value in (*numbers, *(" ".join(name.split()) for name in names)):
        taken.value(value)
    for value in births:
        taken.date(value)
    for each in root.all():
        if each.name not in KEPT:
            taken.words(each.text)
    return person(context, *numbers[:1], name=" ".join(names[:1]), birth="".join(births[:1]))


def _below(element: Element, name: str) -> Iterator[Element]:
    return (each for each in element.all() if each.name == name)


def _moment(text: str) -> dt.datetime | None:
    found = TIME.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        return dt.datetime(year, month, day, hour, minute, second, int((found[7] or "").ljust(6, "0")))  # noqa: DTZ001
    except ValueError:
        return None


def _first(root: Element) -> dt.datetime | None:
    kept = (each for each in root.all() if each.name in {"low", "high", "center", "head", "effectiveTime"})
    moments = (_moment(each.attributes.get("value", "")) for each in kept)
    return min((each for each in moments if each), default=None)


class _Writer:
    """Writes the elements that may be, and counts those that may not."""

    def __init__(self, context: Context, who: Person, first: dt.datetime | None, taken: Taken) -> None:
        self.context, self.who, self.first, self.taken, self.gone = context, who, first, taken, 0

    def element(self, element: Element, *, depth: int, parent: str = "") -> Iterator[str]:
        """Yield the text of an element that is kept, nothing for another."""
        if element.name not in KEPT or element.space not in {HL7, ""}:
            self.gone += 1
            return
        spaces = f' xmlns="{HL7}" xmlns:xsi="{XSI}"' if not depth else ""
        attributes = "".join(f' {key}="{escape(value)}"' for key, value in self.attributes(element, parent))
        yield f"<{element.name}{spaces}{attributes}>"
        if element.name == "digits":
            if not SAMPLES.fullmatch(element.text):
                raise unreadable("samples", "표본이 수가 아닙니다.", "A sample is not a number.")
            yield element.text
        elif element.attributes.get(f"{{{XSI}}}type") == "ST":
            yield technical(element.text.strip(), "")
        for child in element.children:
            yield from self.element(child, depth=depth + 1, parent=element.name)
        yield f"</{element.name}>"

    def attributes(self, element: Element, parent: str) -> Iterator[tuple[str, str]]:
        """Yield the attributes of an element that may be kept."""
        if element.name == "id":
            yield from self.identity(element, parent)
            return
        for key, value in element.attributes.items():
            new = self.value(value) if key == "value" else value if _is_plain(key, value) else ""
            if new:
                yield ("xsi:type" if key == f"{{{XSI}}}type" else key), new

    def identity(self, element: Element, parent: str) -> Iterator[tuple[str, str]]:
        """Yield a new identity: of the patient the pseudonym, of a record a mapped UID."""
        old = "".join(element.attributes.get(key, "") for key in ("root", "extension"))
        for key in ("root", "extension"):
            self.taken.date(element.attributes.get(key, ""))
        if parent == "trialSubject":
            yield "extension", self.who.pseudonym
        else:
            yield "root", self.context.people.uid(old)

    def value(self, text: str) -> str:
        """Move a time, keep a number, drop anything else."""
        moment = _moment(text)
        if moment and self.first:
            self.taken.date(text)
            start = dt.datetime.combine(self.who.day(self.first.date()), MIDNIGHT)
            moved = start + (moment - self.first)
            # As many decimals as there were: the increment is counted from here.
            return f"{moved:%Y%m%d%H%M%S}.{moved:%f}"[: 15 + len(text.partition(".")[2][:6])].rstrip(".")
        return text if NUMBER.fullmatch(text) else ""


def _is_plain(key: str, value: str) -> bool:
    """Whether an attribute says nothing but structure, a code of a known system, or a unit."""
    if key == "unit":
        return bool(unit(value)) or value in {"1", "ratio"}
    if key == "code":
        return value in CODES or CODE.fullmatch(value) is not None
    if key in {"codeSystem", "codeSystemName"}:
        return value in SYSTEMS | SYSTEM_NAMES
    if key in {"classCode", "moodCode", "typeCode", "nullFlavor", "operator", f"{{{XSI}}}type"}:
        return STRUCTURE.fullmatch(value) is not None
    return key in {"inclusive", "negationInd", "contextControlCode"} and value in {"true", "false", "AP", "ON", "OP"}
