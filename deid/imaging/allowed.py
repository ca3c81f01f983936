"""What may pass of the attributes that PS3.15's table does not name: numbers and terms of technique, by tag number.

The table lists what must go. Everything it has forgotten, or will only list in a later edition, is decided here by what
the attribute can hold: a number or a defined term passes when it has the form of one, a text only from a short list and
only in known words, a date is moved, a UID is mapped, and the rest is gone.
"""

from __future__ import annotations

from deid.imaging.dictionary import BULK, NUMBERS, is_retired, vrs

# Groups that describe orders, people, security, documents, printing or industry: nothing of them passes unlisted.
CLOSED_GROUPS = frozenset({0x0002, 0x0004, 0x0010, 0x0012, 0x0014, 0x0016, 0x0032, 0x0034, 0x0038, 0x0042, 0x0072})
CLOSED_GROUPS |= {0x0074, 0x0076, 0x0400, 0x4000, 0x4008, 0x4010, 0x4FFE}
FIRST_PRINT, LAST_PRINT = 0x2000, 0x22FF
PRESENTATION_SHAPE = 0x20500020  # among the groups of printing, and part of every picture
# Texts of technique. Their words are held to the vocabulary all the same.
TEXTS = frozenset({
    0x00080070, 0x00081090, 0x00181018, 0x00181019, 0x00181016, 0x00180031, 0x00181160, 0x00181401, 0x00185010,
    0x00281055, 0x00283003, 0x00281054, 0x00541101, 0x00541103, 0x00541104, 0x00541105, 0x00541300,
    0x00620005, 0x00620006, 0x00620009, 0x00201040, 0x00209056, 0x00283004, 0x00409210,
    0x00189315, 0x00189316, 0x0018980D, 0x00480001, 0x00480002, 0x00660036, 0x00700081, 0x00082128, 0x00181250,
    0x00181251, 0x00189047, 0x00189050, 0x00189051, 0x00220019, 0x003A0209, 0x30020022, 0x300A00C2, 0x30080022,
    0x00480106, 0x00620020,
})  # fmt: skip
# Names of kernels, sequences, versions: short words of letters and digits.
MARKED_TEXTS = frozenset({0x00181210, 0x00180024, 0x00189005, 0x00181020, 0x0018101A, 0x00189316, 0x00181090})
# Codes are checked against their scheme (`codes.py`), not as text.
CODE_VALUE, CODE_SCHEME, CODE_VERSION, CODE_MEANING = 0x00080100, 0x00080102, 0x00080103, 0x00080104
LONG_CODE, URN_CODE = 0x00080119, 0x00080120
CODES = frozenset({CODE_VALUE, CODE_SCHEME, CODE_VERSION, CODE_MEANING, LONG_CODE, URN_CODE})
# Where a code was taken from (context groups, equivalents): not needed beside it.
CONTEXT = frozenset({0x0008010F, 0x0008010B, 0x0008010D, 0x00080105, 0x00080106, 0x00080107, 0x00080117, 0x00080118,
                     0x00080121, 0x00080122, 0x00080123, 0x00080124})  # fmt: skip
# Bytes that are picture, signal, table of colours or surface.
BULK_TAGS = frozenset({
    0x7FE00008, 0x7FE00009, 0x7FE00010, 0x54001010, 0x54001110, 0x00281101, 0x00283006, 0x00281201,
    0x00281202, 0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223, 0x00281408, 0x00660016,
    0x00660021, 0x00660023, 0x00660024, 0x00660025, 0x00660029, 0x00660040, 0x00660041, 0x00660042,
    0x00660043, 0x5400100A, 0x003A0305, 0x54000110, 0x54000112, 0x00189504, 0x0022155C, 0x006A0010,
    0x006A000D, 0x006A000E, 0x00660129, 0x0066012A, 0x00700023,
})  # fmt: skip
# Terms that are a user's own text in capitals: held to the vocabulary as a text is, a dummy otherwise.
FREE_TERMS = frozenset({0x00700080, 0x00700002, 0x00720002, 0x0040A992})
# Enumerated values without which an object is none: held to their lists, so that no person's name can be in their way.
MODALITIES = (
    "AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT IVUS",
    "KER KO LEN LS MG MR M3D NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE",
    "RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TG US VA XA XAPROTOCOL XC XR",
)
COLOURS = (
    "MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_ICT YBR_RCT XYB YBR_PARTIAL_420 YBR_PARTIAL_422",
    "HSV ARGB CMYK",
)
VALUE_TYPES = (
    "TEXT NUM NUMERIC CODE DATETIME DATE TIME UIDREF PNAME COMPOSITE IMAGE WAVEFORM SCOORD SCOORD3D TCOORD",
    "CONTAINER TABLE",
)
RELATIONS = ("CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES", "HAS ACQ CONTEXT", "INFERRED FROM")
ENUMERATED = {
    0x00080060: frozenset(" ".join(MODALITIES).split()),
    0x00280004: frozenset([*" ".join(COLOURS).split(), "PALETTE COLOR"]),
    0x0040A040: frozenset(" ".join(VALUE_TYPES).split()),
    0x0040A010: frozenset([*RELATIONS, "SELECTED FROM"]),
    0x00100040: frozenset("MFO"),
}
# Numbers that are rightly as long as a patient's: activities in becquerel, frequencies in hertz.
LONG_NUMBERS = frozenset({0x00181074, 0x00181077, 0x00189098, 0x00541321, 0x001811A3})
# What a class or a syntax is called: the standard's own UIDs, never an instance's.
CLASS_TAGS = frozenset({0x00080016, 0x00081150, 0x00080062, 0x0008115A, 0x0008001A, 0x0008001B})
KEEP, CLEAN, DATE, UID, DROP = "keep", "clean", "date", "uid", "drop"


def default(tag: int) -> str:
    """Decide on a standard attribute that the table does not name: one of KEEP, CLEAN, DATE, UID, DROP."""
    kinds = vrs(tag)
    group = tag >> 16
    if tag == PRESENTATION_SHAPE:
        return KEEP
    if not kinds or is_retired(tag) or group in CLOSED_GROUPS or FIRST_PRINT <= group <= LAST_PRINT:
        return DROP
    return _by_kind(tag, kinds[0])


def _by_kind(tag: int, vr: str) -> str:
    if tag in FREE_TERMS:
        return CLEAN
    if vr in {"SQ", "CS", "DS", "IS", *NUMBERS} or (vr in BULK and tag in BULK_TAGS):
        return KEEP
    if vr in {"DA", "DT", "TM"}:
        return DATE
    if vr == "UI":
        return UID
    return CLEAN if tag in TEXTS or tag in MARKED_TEXTS or tag in CODES else DROP
