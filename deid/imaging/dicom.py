"""DICOM as a format of `ansim deid folder`: read, refuse, clean, treat the pixels, mark, write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deid.folder.format import Context, Outcome, Pictured, Refused, staged
from deid.imaging import faces, pixels
from deid.imaging.about import about
from deid.imaging.clean import Cleaner
from deid.imaging.defacing.masks import Mask
from deid.imaging.defacing.taken import take_out
from deid.imaging.dictionary import vrs
from deid.imaging.directory import linked
from deid.imaging.elements import DataSet, Element, Items, Letters, ascii_text, find, walk
from deid.imaging.gone import Gone
from deid.imaging.leaves import Leaves
from deid.imaging.letters.route import NO_PICTURES
from deid.imaging.marks import PROVENANCE, Seen, marks
from deid.imaging.picture import describe
from deid.imaging.read import is_dicom, read
from deid.imaging.recipe import ImagingRules
from deid.imaging.refusals import check, is_image
from deid.imaging.tables import cut_tables
from deid.imaging.treat import treat
from deid.imaging.waveforms import cut_samples
from deid.imaging.write import write

SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
PATIENT_ID, PATIENT_NAME, CHARACTER_SET = 0x00100020, 0x00100010, 0x00080005
ROWS, BURNED_IN, MODALITY = 0x00280010, 0x00280301, 0x00080060
PERSON_IDS = frozenset({PATIENT_ID, 0x00101000, 0x00080050, 0x00102154, 0x00101040})


@dataclass(frozen=True)
class Dicom:
    """DICOM files of any kind (PS3.10), with or without preamble."""

    name: str = "dicom"
    section: str = "imaging"

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - content alone decides
        """See `Format.recognise`."""
        return is_dicom(head)

    def deidentify(self, source: Path, target_folder: Path, context: Context) -> Outcome:
        """See `Format.deidentify`."""
        data = read(source.read_bytes())
        sop_class = ascii_text(data.find(SOP_CLASS)) or ascii_text(find(data.meta, 0x00020002))
        check(data, sop_class)
        return _Job(data, context, sop_class).done(target_folder)


class _Job:
    """One file's way from what was read to what is written."""

    def __init__(self, data: DataSet, context: Context, sop_class: str) -> None:
        rules = context.rules
        assert isinstance(rules, ImagingRules)  # noqa: S101 - the registry's own pairing
        self.data, self.context, self.rules, self.sop_class = data, context, rules, sop_class
        self.letters = Letters(tuple(ascii_text(data.find(CHARACTER_SET)).split("\\")))
        patient = self._patient()
        people = context.people
        self.pseudonym = people.pseudonym(patient)
        gone = Gone(self.letters)
        self._identify(gone)
        days = people.days(patient) if rules.profile.shifts else None
        self.leaves = Leaves(people, days, self.letters, gone, rules.age_top, gone.known_words())
        self.notes: Counter[str] = Counter()
        self.pictured: Pictured | None = None

    def _patient(self) -> str:
        """Name the patient: by the number, else by the study, so that nobody without a number is joined to another."""
        number = self.data.find(PATIENT_ID)
        text = self.letters.read(number.value) if number is not None and number.items is None else ""
        return (
            text or f"study {ascii_text(self.data.find(STUDY))}"
            if text or self.data.find(STUDY)
            else (f"file {self.context.name}")
        )

    def _identify(self, gone: Gone) -> None:
        """Learn who is meant before anything is decided: names at any depth, numbers."""
        for each in walk(self.data.elements):
            if each.items is None and (each.vr == "PN" or vrs(each.tag)[:1] == ("PN",)):
                gone.add(Element(each.tag, "PN", each.value), lasting=True)
            elif each.tag in PERSON_IDS and each.items is None:
                gone.add(Element(each.tag, "LO", each.value), lasting=True)

    def done(self, folder: Path) -> Outcome:
        """Clean, treat the pixels, mark and write."""
        data, people = self.data, self.context.people
        original = {each: ascii_text(data.find(each)) for each in (STUDY, SERIES, SOP_INSTANCE)}
        is_head = faces.is_head(data)
        face = self._face() if is_head and self.rules.faces != faces.WARN else None
        picture_elements, looked_at = self._pixels(face)
        seen = Seen(looked_at=looked_at, faceless=face is not None)
        burned = [] if looked_at else self._said_burned()
        cleaner = Cleaner(self.rules.profile, self.leaves, self.rules.safe_private, self.pseudonym)
        cut_samples(data.elements, data.syntax.order)
        cut_tables(data.elements, data.syntax.order)
        cleaned = cleaner.clean([each for each in data.elements if each.tag not in PROVENANCE])
        rest = [each for each in cleaned if each.group != 0x7FE0]  # noqa: PLR2004 - the pixels' group
        instance = people.uid(original[SOP_INSTANCE] or f"file {self.context.name}")
        data.elements = _with(rest, [*picture_elements, *burned, *marks(self.rules.profile, seen),
                                     Element(SOP_CLASS, "UI", self.sop_class.encode("ascii")),
                                     Element(SOP_INSTANCE, "UI", instance.encode("ascii"))])  # fmt: skip
        name = self._name(original, instance)
        start, end = write(staged(folder, name), data, self.sop_class, instance)
        self._learn_from_shell()
        lasting, once = self.leaves.gone.searched(self.leaves.kept)
        notes = {f"imaging.{each}": count for each, count in sorted((cleaner.notes + self.notes).items())}
        return Outcome(
            (name,), self.pseudonym, lasting, once, bulk=((name, start, end),), notes=notes,
            warnings=(faces.CODE,) if is_head and face is None else (),
            about=about(data.elements, data.syntax.order), pictured=self.pictured,
        )  # fmt: skip

    def _name(self, original: Mapping[int, str], instance: str) -> str:
        uids = [self.context.people.uid(original[each]) for each in (STUDY, SERIES) if original[each]]
        name = "/".join([self.pseudonym, *uids, f"{instance}.dcm"])
        return linked(name) if self.rules.file_ids else name

    def _face(self) -> Mask:
        """Give the place of a head's face. Raises `Refused` where the rules refuse heads, or it was not found."""
        if self.rules.masks is None or pixels.pixel_element(self.data) is None:
            raise faces.refused()
        picture = describe(self.data)
        found = self.rules.masks.of(self.context.name, (picture.rows, picture.columns))
        if found is None:
            raise faces.refused()
        return found

    def _pixels(self, face: Mask | None) -> tuple[Items, bool]:
        element = pixels.pixel_element(self.data)
        if element is None:
            if self.data.find(ROWS) is not None and is_image(self.sop_class):
                raise Refused("imaging.short", "화소가 없습니다.", "describes pixels and has none.", policy=False)
            return [], False
        treated = treat(self.data, self.rules.letters, self.sop_class, self._lot())
        self.notes.update(treated.notes)
        if treated.frames and ascii_text(self.data.find(MODALITY)) not in NO_PICTURES:
            boxes = tuple((box.top, box.bottom, box.left, box.right) for box in treated.found.boxes)
            self.pictured = Pictured(treated.frames, boxes, treated.found.doubts)
        made, self.data.transfer_syntax = treated.element, treated.syntax
        if face is not None:
            made, self.data.transfer_syntax = take_out(self.data, made, treated.syntax, face)
            self.notes["face"] += 1
        return [made], treated.looked_at

    def _said_burned(self) -> Items:
        """Keep what the object says of letters where nobody looked: some classes must say it."""
        said = ascii_text(self.data.find(BURNED_IN))
        return [Element(BURNED_IN, "CS", said.encode("ascii"))] if said in {"YES", "NO"} else []

    def _lot(self) -> int:
        """Draw a number by key from the object's UID: which spared picture is looked at all the same."""
        return int(self.context.people.uid(ascii_text(self.data.find(SOP_INSTANCE))).rpartition(".")[2])

    def _learn_from_shell(self) -> None:
        for each in self.data.meta:
            self.leaves.gone.add(each, lasting=False)
        self.notes["tail"] += bool(self.data.tail)


def _with(elements: Items, more: Items) -> Items:
    new = {each.tag for each in more}
    return [*(each for each in elements if each.tag not in new), *more]
