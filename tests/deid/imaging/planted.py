"""Made-up DICOM files with identifiers planted in every class of place that a tool has been seen to forget."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian

from tests.deid.imaging.checker import Plant
from tests.deid.imaging.values import Person, code, person, uid

CT, MR, DX, US, SC, OT = (
    "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.77.1.4",
)  # fmt: skip
SR, PDF, PR, ECG = (
    "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.11.1",
    "1.2.840.10008.5.1.4.1.1.9.1.1",
)  # fmt: skip
FONT = "/usr/share/fonts/truetype/nanum/NanumGothicBold.ttf"
# Attributes that PS3.15's table does not name, by what they hold: found as dictionary minus table.
OUTSIDE_LO = [0x00181017, 0x00201020, 0x00281402, 0x00540400, 0x30080066, 0x00720004]


LISTED = (
    "InstitutionName", "StationName", "OperatorsName", "ReferringPhysicianName", "PatientComments", "ImageComments",
    "RequestingPhysician", "DeviceSerialNumber", "OtherPatientIDs", "StudyID", "PerformingPhysicianName",
    "ProtocolName", "SeriesDescription", "MilitaryRank", "EthnicGroup", "Occupation", "Allergies", "SpecialNeeds",
)  # fmt: skip
LETTERS = tuple[int, int, bytes, tuple[int, int]]


@dataclass
class Planted:
    """The folder, what was planted in it, and which files must be there afterwards (by original SOP UID)."""

    folder: Path
    plants: list[Plant] = field(default_factory=list)
    kept: dict[str, Path] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    text_free: set[str] = field(default_factory=set)

    def plant(self, place: str, value: str, file: str, **more: object) -> str:
        """Note a planted value and give it back."""
        self.plants.append(Plant(place, value, file, **more))  # type: ignore[arg-type]
        return value


class Maker:
    """Makes files one by one; `draw` is seeded."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)
        self.planted = Planted(folder)
        self.year = 2006
        self.noise = np.random.default_rng(seed)

    def all(self) -> Planted:
        """Make the whole set."""
        for step in (
            self.series, self.nested, self.private, self.ultrasound, self.cine, self.streams, self.overlays, self.shell,
            self.reports, self.documents, self.presentation, self.waveform, self.charsets, self.syntaxes,
        ):  # fmt: skip
            step(person(self.draw))
        return self.planted

    def base(self, who: Person, sop_class: str, modality: str, *, size: tuple[int, int] = (64, 64)) -> FileDataset:
        """Give a plain image of a person, its header full of what the table names."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = UID(sop_class), ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(self.draw)
        ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(self.draw), uid(self.draw)
        ds.FrameOfReferenceUID = uid(self.draw)
        ds.Modality, ds.ImageType = modality, ["ORIGINAL", "PRIMARY", "AXIAL"]
        # Years far enough apart that no date, moved by a year at most, becomes another one's original.
        self.year += 3
        ds.StudyDate = ds.SeriesDate = f"{self.year}{self.draw.randint(1, 12):02d}{self.draw.randint(10, 28)}"
        ds.StudyTime, ds.Manufacturer, ds.StudyDescription = "101112", "SIEMENS", "CHEST CT"
        ds.PatientSex, ds.PatientAge = "F", "045Y"
        ds.BodyPartExamined, ds.SliceThickness, ds.PixelSpacing = "CHEST", "1.5", ["0.5", "0.5"]
        ds.PatientName, ds.PatientID = f"{who.latin}={who.hangul}", who.number
        ds.PatientBirthDate, ds.AccessionNumber = who.birth, who.accession
        self.pixels(ds, self.noise.integers(0, 1000, size, dtype=np.uint16), stored=12)
        return ds

    def pixels(self, ds: Dataset, array: np.ndarray, *, stored: int) -> None:
        """Set native pixels."""
        colour = array.shape[-1] == 3
        ds.Rows, ds.Columns = array.shape[-3:-1] if colour else array.shape[-2:]
        ds.SamplesPerPixel = 3 if colour else 1
        ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        if colour:
            ds.PlanarConfiguration = 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8 * array.itemsize, stored, stored - 1
        ds.PixelRepresentation = 0
        if array.ndim == (4 if colour else 3):
            ds.NumberOfFrames = len(array)
        ds.PixelData = array.tobytes()
        ds["PixelData"].VR = "OW" if array.itemsize == 2 else "OB"

    def save(
        self, ds: FileDataset, name: str, who: Person, *, kept: bool = True, free: bool = True, **how: object
    ) -> Path:
        """Write a file and note its header's plants."""
        path = self.planted.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        pydicom.dcmwrite(path, ds, **(how or {"enforce_file_format": True}))  # type: ignore[arg-type]
        plant = self.planted.plant
        for value in (who.hangul, who.latin, who.number, who.accession):
            plant("header", value, name)
        plant("dates", who.birth, name)
        plant("dates", str(ds.StudyDate), name)
        for each in (ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID):
            plant("uids", str(each), name)
        if kept:
            self.planted.kept[str(ds.SOPInstanceUID)] = path
            if free and "PixelData" in ds:
                self.planted.text_free.add(str(ds.SOPInstanceUID))
        else:
            self.planted.refused.add(name)
        return path

    def series(self, who: Person) -> None:
        """Three slices of a CT: attributes of the table, and attributes that it does not name; names in file names."""
        study, series, frame = uid(self.draw), uid(self.draw), uid(self.draw)
        for number in range(3):
            ds = self.base(who, CT, "CT")
            ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
            ds.InstanceNumber = number
            name = f"{who.hangul}_{who.number}/{code(self.draw)}{number}.dcm"
            for keyword in LISTED:
                setattr(ds, keyword, self.planted.plant("header", code(self.draw), name))
            ds.PatientAddress = self.planted.plant("header", who.address, name)
            ds.PatientTelephoneNumbers = self.planted.plant("header", who.phone, name)
            ds.InstitutionAddress = self.planted.plant("header", who.hospital[0], name)
            for tag in OUTSIDE_LO:
                ds.add_new(tag, "LO", self.planted.plant("outside", code(self.draw), name))
            ds.add_new(0x00181063 if number else 0x00200100, "IS", plant_number(self.planted, self.draw, name))
            ds.add_new(0x0040A123, "PN", self.planted.plant("outside", code(self.draw), name))
            ds.add_new(0x00189A01, "UT", self.planted.plant("outside", code(self.draw), name))
            ds.add_new(0x00080305, "UI", self.planted.plant("uids", uid(self.draw), name))
            ds.add_new(0x00181078, "DT", self.planted.plant("dates", "21500511083000", name))
            ds.add_new(0x00380030, "DA", self.planted.plant("dates", "21530412", name))
            self.planted.plant("file names", Path(name).stem, name)
            self.save(ds, name, who)

    def nested(self, who: Person) -> None:
        """Sequences in sequences, one of them encoded as UN, and references to the CT of another study."""
        ds = self.base(who, MR, "MR")
        name = "mr/nested.dcm"
        plant = self.planted.plant
        inner, outer, reference = Dataset(), Dataset(), Dataset()
        inner.PatientName, inner.PatientComments = (
            plant("nested", code(self.draw), name),
            plant("nested", who.hangul, name),
        )
        inner.ScheduledProcedureStepStartDate = plant("dates", "21560615", name)
        outer.RequestAttributesSequence = [inner]
        outer.RequestedProcedureDescription = plant("nested", code(self.draw), name)
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CT, plant("uids", uid(self.draw), name)
        ds.ReferencedImageSequence, ds.RequestAttributesSequence = [reference], [outer]
        ds.PerformedProtocolCodeSequence = [Dataset()]
        coded = ds.PerformedProtocolCodeSequence[0]
        coded.CodeValue, coded.CodingSchemeDesignator = plant("nested", code(self.draw), name), "99LOCAL"
        coded.CodeMeaning = plant("nested", code(self.draw), name)
        hidden = Dataset()
        hidden.PatientName = plant("nested", code(self.draw), name)
        item = pydicom.filebase.DicomBytesIO()
        item.is_implicit_VR, item.is_little_endian = True, True
        pydicom.filewriter.write_dataset(item, hidden)
        body = item.getvalue()
        told = pydicom.config.replace_un_with_known_vr
        pydicom.config.replace_un_with_known_vr = False
        try:
            ds.add_new(0x00081115, "UN", b"\xfe\xff\x00\xe0" + len(body).to_bytes(4, "little") + body)
            self.save(ds, name, who)
        finally:
            pydicom.config.replace_un_with_known_vr = told

    def private(self, who: Person) -> None:
        """Private attributes and a private sequence."""
        ds = self.base(who, DX, "DX", size=(256, 256))
        name = "dx/private.dcm"
        block = ds.private_block(0x0009, "HOSPITAL PACS", create=True)
        block.add_new(1, "LO", self.planted.plant("private", code(self.draw), name))
        block.add_new(2, "UN", self.planted.plant("private", who.hangul + code(self.draw), name).encode("cp949"))
        item = Dataset()
        item.PatientName = self.planted.plant("private", code(self.draw), name)
        block.add_new(3, "SQ", [item])
        ds.ImageType = ["ORIGINAL", "PRIMARY"]
        self.save(ds, name, who)

    def burn(self, array: np.ndarray, text: str, place: tuple[int, int], size: int, tone: int) -> LETTERS:
        """Draw a text into a frame in place; gives top, left, ink and its shape."""
        top, left = place
        font = ImageFont.truetype(FONT, size)
        x0, y0, x1, y1 = font.getbbox(text)
        ink = Image.new("L", (x1 - x0, y1 - y0), 0)
        ImageDraw.Draw(ink).text((-x0, -y0), text, fill=255, font=font)
        mask = np.asarray(ink)
        part = array[top : top + mask.shape[0], left : left + mask.shape[1]]
        weight = mask / 255 if array.ndim == 2 else (mask / 255)[..., None]
        part[:] = (part * (1 - weight) + tone * weight).astype(array.dtype)
        return top, left, mask.tobytes(), mask.shape

    def tissue(self, shape: tuple[int, int]) -> np.ndarray:
        """Make a soft grey picture without anything drawn."""
        small = self.noise.integers(20, 110, (shape[0] // 32 + 1, shape[1] // 32 + 1), dtype=np.uint8)
        return np.asarray(Image.fromarray(small).resize(shape[::-1], Image.Resampling.BICUBIC)).copy()

    def burned(self, ds: FileDataset, who: Person, name: str, *, tone: int = 250) -> np.ndarray:
        """Give a frame with three burned-in lines and note them."""
        frame = self.tissue((480, 640))
        for row, (text, size) in enumerate([(f"{who.hangul} {who.number}", 18), (who.latin.replace("^", " "), 16),
                                            (f"생년월일 {who.birth}", 22)]):  # fmt: skip
            top, left, mask, shape = self.burn(frame, text, (12 + 40 * row, 20), size, tone)
            self.planted.plant("burned-in", text, name, sop=str(ds.SOPInstanceUID), ink=(0, top, left, mask, shape))
        return frame

    def ultrasound(self, who: Person) -> None:
        """A colour ultrasound with letters, and one without that must not change."""
        ds = self.base(who, US, "US")
        self.pixels(ds, np.repeat(self.burned(ds, who, "us/1.dcm")[..., None], 3, axis=2), stored=8)
        ds.BurnedInAnnotation = "NO"
        self.save(ds, "us/1.dcm", who, free=False)
        free = self.base(who, US, "US")
        self.pixels(free, self.tissue((480, 640)), stored=8)
        self.save(free, "us/free.dcm", who)

    def cine(self, who: Person) -> None:
        """Several frames of an ultrasound, letters in all of them."""
        ds = self.base(who, "1.2.840.10008.5.1.4.1.1.3.1", "US")
        frame = self.burned(ds, who, "us/cine.dcm")
        self.pixels(ds, np.stack([frame] * 6), stored=8)
        self.save(ds, "us/cine.dcm", who, free=False)

    def streams(self, who: Person) -> None:
        """JPEG with comments and letters, JPEG 2000, JPEG-LS and RLE with something hidden in the stream."""
        import jpeg_ls
        import openjpeg.utils

        ds = self.base(who, SC, "OT")
        frame = self.burned(ds, who, "sc/jpeg.dcm")
        self.pixels(ds, frame, stored=8)
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", quality=92, comment=self.hide("sc/jpeg.dcm", who))
        data = buffer.getvalue()
        exif = b"Exif\0\0" + self.hide("sc/jpeg.dcm", who).encode()
        data = (
            data[:2]
            + b"\xff\xe1"
            + (len(exif) + 2).to_bytes(2, "big")
            + exif
            + data[2:]
            + self.hide("sc/jpeg.dcm", who).encode("cp949")
        )
        self.compress(ds, data, "1.2.840.10008.1.2.4.50", "sc/jpeg.dcm", who, free=False)
        soft = self.tissue((256, 256)).astype(np.uint16) * 4
        for number, name in (("90", "mr/j2k.dcm"), ("80", "mr/jls.dcm")):
            ds = self.base(who, MR, "MR")
            self.pixels(ds, soft, stored=12)
            comment = self.hide(name, who).encode()
            if number == "90":
                stream = openjpeg.utils.encode_array(soft, 12)
                mark = b"\xff\x64" + (len(comment) + 4).to_bytes(2, "big") + b"\0\1" + comment
                place = stream.index(b"\xff\x52")
            else:
                stream = bytes(jpeg_ls.encode_array(soft))
                mark, place = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment, 2
            stream = stream[:place] + mark + stream[place:]
            self.compress(ds, stream, f"1.2.840.10008.1.2.4.{number}", name, who)
        ds = self.base(who, MR, "MR")
        ds.compress("1.2.840.10008.1.2.5")
        (frame,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
        ds.PixelData = encapsulate([frame + self.hide("mr/rle.dcm", who).encode()])
        ds["PixelData"].is_undefined_length = True
        self.save(ds, "mr/rle.dcm", who)

    def hide(self, name: str, who: Person) -> str:
        """Note a value that hides in a stream."""
        return self.planted.plant("streams", code(self.draw) + who.hangul, name)

    def compress(
        self, ds: FileDataset, stream: bytes, syntax: str, name: str, who: Person, *, free: bool = True
    ) -> None:
        """Write an object whose one frame is this stream."""
        ds.file_meta.TransferSyntaxUID = UID(syntax)
        ds.PixelData = encapsulate([stream])
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
        self.save(ds, name, who, free=free)

    def overlays(self, who: Person) -> None:
        """An overlay plane, an overlay in unused bits, an icon, a curve."""
        name = "ct/overlay.dcm"
        ds = self.base(who, CT, "CT")
        picture = np.zeros((64, 64), np.uint8)
        text = np.frombuffer((self.planted.plant("overlay", code(self.draw), name) * 60).encode()[:512], np.uint8)
        ds.add_new(0x60000010, "US", 64)
        ds.add_new(0x60000011, "US", 64)
        ds.add_new(0x60003000, "OW", text.tobytes())
        ds.add_new(0x60004000, "LT", self.planted.plant("overlay", code(self.draw), name))
        ds.add_new(0x50003000, "OW", (self.planted.plant("overlay", code(self.draw), name) + " ").encode())
        icon = Dataset()
        icon.Rows = icon.Columns = 16
        icon.PixelData = (self.planted.plant("overlay", code(self.draw), name) * 40).encode()[:256]
        icon["PixelData"].VR = "OB"
        ds.IconImageSequence = [icon]
        pixels = np.frombuffer(ds.PixelData, np.uint16).reshape(64, 64).copy()
        self.burn(picture, "김", (10, 10), 30, 1)
        pixels |= picture.astype(np.uint16) << 15
        ds.PixelData = pixels.tobytes()
        self.save(ds, name, who, free=False)

    def shell(self, who: Person) -> None:
        """Preamble, file meta, bytes behind the pixels and behind the end, padding."""
        name = "ct/shell.dcm"
        ds = self.base(who, CT, "CT")
        plant = self.planted.plant
        ds.preamble = plant("shell", code(self.draw) + who.latin, name).encode().ljust(128, b"\0")
        ds.file_meta.SourceApplicationEntityTitle = plant("shell", code(self.draw), name)
        ds.file_meta.PrivateInformationCreatorUID = plant("uids", uid(self.draw), name)
        ds.file_meta.PrivateInformation = plant("shell", who.hangul + code(self.draw), name).encode("cp949")
        hidden = plant("shell", code(self.draw) + who.hangul, name).encode()
        ds.PixelData = ds.PixelData + hidden + b" " * (len(hidden) % 2)
        ds.add_new(0xFFFCFFFC, "OB", plant("shell", code(self.draw), name).encode() + b" ")
        path = self.save(ds, name, who)
        with path.open("ab") as file:
            file.write(plant("shell", code(self.draw) + who.hangul, name).encode("cp949"))

    def reports(self, who: Person) -> None:
        """A structured report: a name, texts, a date, a reference, a code of the house."""
        name = "sr/report.dcm"
        plant = self.planted.plant
        ds = self.base(who, SR, "SR")
        for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
                        "SamplesPerPixel", "PhotometricInterpretation"):  # fmt: skip
            delattr(ds, keyword)

        def item(kind: str, concept: tuple[str, str, str], **values: object) -> Dataset:
            found, named = Dataset(), Dataset()
            named.CodeValue, named.CodingSchemeDesignator, named.CodeMeaning = concept
            found.RelationshipType, found.ValueType, found.ConceptNameCodeSequence = "CONTAINS", kind, [named]
            for keyword, value in values.items():
                setattr(found, keyword, value)
            return found

        def house() -> tuple[str, str, str]:
            return "HOUSE1", "99HOUSE", plant("report", code(self.draw), name)

        finding = ("121071", "DCM", "Finding")
        ds.ValueType, ds.ConceptNameCodeSequence = (
            "CONTAINER",
            item("TEXT", ("126000", "DCM", "Imaging Report")).ConceptNameCodeSequence,
        )
        ds.ContentSequence = [
            item(
                "PNAME", ("121008", "DCM", "Observer"), PersonName=plant("report", who.doctor + code(self.draw), name)
            ),
            item("TEXT", finding, TextValue=plant("report", f"{who.hangul} {code(self.draw)}", name)),
            item("TEXT", ("121022", "DCM", "Accession Number"), TextValue=plant("report", code(self.draw), name)),
            item("DATE", ("121024", "DCM", "Date"), Date=plant("dates", "21590807", name)),
            item("UIDREF", ("110180", "DCM", "Study Instance UID"), UID=plant("uids", uid(self.draw), name)),
            item("CODE", house(), ConceptCodeSequence=item("CODE", house()).ConceptNameCodeSequence),
        ]
        self.save(ds, name, who)

    def documents(self, who: Person) -> None:
        """An encapsulated PDF, and a DICOMDIR."""
        ds = self.base(who, PDF, "DOC")
        del ds.PixelData
        text = self.planted.plant("document", code(self.draw) + who.hangul, "doc/report.dcm")
        ds.EncapsulatedDocument, ds.MIMETypeOfEncapsulatedDocument = b"%PDF-1.4 " + text.encode(), "application/pdf"
        self.save(ds, "doc/report.dcm", who, kept=False)
        root = self.base(who, "1.2.840.10008.1.3.10", "CT")
        del root.PixelData
        record = Dataset()
        record.DirectoryRecordType = "PATIENT"
        record.PatientName = self.planted.plant("directory", code(self.draw), "DICOMDIR")
        record.PatientID = self.planted.plant("directory", code(self.draw), "DICOMDIR")
        root.DirectoryRecordSequence = [record]
        self.save(root, "DICOMDIR", who, kept=False)

    def presentation(self, who: Person) -> None:
        """A presentation state with a drawn text."""
        ds = self.base(who, PR, "PR")
        del ds.PixelData
        words, notes = Dataset(), Dataset()
        words.UnformattedTextValue = self.planted.plant("report", who.hangul + code(self.draw), "pr/1.dcm")
        words.BoundingBoxAnnotationUnits = "PIXEL"
        notes.GraphicLayer, notes.TextObjectSequence = "LAYER", [words]
        ds.GraphicAnnotationSequence = [notes]
        ds.ContentLabel = self.planted.plant("report", code(self.draw), "pr/1.dcm")
        ds.ContentCreatorName = self.planted.plant("report", code(self.draw), "pr/1.dcm")
        self.save(ds, "pr/1.dcm", who)

    def waveform(self, who: Person) -> None:
        """An electrocardiogram with an annotation and something behind its samples."""
        ds = self.base(who, ECG, "ECG")
        del ds.PixelData
        group, note = Dataset(), Dataset()
        group.NumberOfWaveformChannels, group.NumberOfWaveformSamples, group.WaveformBitsAllocated = 2, 500, 16
        group.WaveformSampleInterpretation, group.SamplingFrequency = "SS", "500"
        hidden = self.planted.plant("shell", who.hangul + code(self.draw), "ecg/1.dcm").encode()
        group.WaveformData = (
            self.noise.integers(-500, 500, (500, 2), dtype=np.int16).tobytes() + hidden + b" " * (len(hidden) % 2)
        )
        group["WaveformData"].VR = "OW"
        note.UnformattedTextValue = self.planted.plant("report", who.latin + code(self.draw), "ecg/1.dcm")
        ds.WaveformSequence, ds.WaveformAnnotationSequence = [group], [note]
        self.save(ds, "ecg/1.dcm", who)

    def charsets(self, who: Person) -> None:
        """Hangul that is declared, declared in a way pydicom does not know, and not declared at all."""
        for number, charset in enumerate((["", "ISO 2022 IR 149"], "ISO_IR 149", None)):
            name = f"ct/charset{number}.dcm"
            ds = self.base(who, CT, "CT")
            text = self.planted.plant("charsets", f"{who.hangul}{code(self.draw)}", name)
            if charset is None:
                del ds.SpecificCharacterSet
            else:
                ds.SpecificCharacterSet = charset
            escape = b"\x1b$)C" if isinstance(charset, list) else b""
            ds[0x00100010] = pydicom.DataElement(0x00100010, "LO", "x")
            for tag in (0x00081040, 0x00104000, 0x00324000, 0x00081030):
                ds[tag] = pydicom.dataelem.RawDataElement(
                    pydicom.tag.Tag(tag),
                    "LO",
                    len(escape) + len(text.encode("cp949")),
                    escape + text.encode("cp949"),
                    0,
                    False,
                    True,
                )
            self.save(ds, name, who)

    def syntaxes(self, who: Person) -> None:
        """The header in every other encoding: implicit, big endian, deflated, without preamble."""
        for number, syntax in enumerate(("1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")):
            ds = self.base(who, CT, "CT")
            name = f"ct/syntax{number}.dcm"
            ds.PatientComments = self.planted.plant("header", code(self.draw), name)
            if number == 1:
                ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
            ds.file_meta.TransferSyntaxUID = UID(syntax)
            self.save(ds, name, who, force_encoding=True, implicit_vr=number == 0, little_endian=number != 1)
        ds = self.base(who, CT, "CT")
        path = self.save(ds, "ct/bare.dcm", who)
        data = path.read_bytes()
        path.write_bytes(data[132 + 12 + int.from_bytes(data[140:144], "little") :])


def plant_number(planted: Planted, draw: random.Random, name: str) -> str:
    """Plant a number as long as a patient's."""
    return planted.plant("outside", str(draw.randint(10**8, 2 * 10**9)), name)


def make(folder: Path, seed: int) -> Planted:
    """Make the planted set of a seed."""
    return Maker(folder, seed).all()
