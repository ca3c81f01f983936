"""Which parameters of C3D are kept, and what markers, channels and events may be called.

Marker names are those of the Plug-in Gait, Helen Hayes and CAST sets, which most laboratories use; a name before a
colon is the subject's and goes. A label of no list becomes `M001` or `A001`, the same wherever it is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from deid.signal.c3d_parameters import Group
from deid.signal.words import is_technical, unit

# Group → parameters that are copied as they are, if they are numbers.
NUMBERS = {
    "POINT": "USED SCALE RATE DATA_START FRAMES",
    "ANALOG": "USED SCALE OFFSET GEN_SCALE RATE BITS GAIN",
    "FORCE_PLATFORM": "USED TYPE CORNERS ORIGIN CHANNEL ZERO CAL_MATRIX TRANSLATION ROTATION",
    "TRIAL": "ACTUAL_START_FIELD ACTUAL_END_FIELD CAMERA_RATE VIDEO_RATE_DIVIDER",
    "EVENT": "USED TIMES GENERIC_FLAGS ICON_IDS",
    "EVENT_CONTEXT": "USED ICON_IDS COLOURS",
    "ROTATION": "USED RATE RATIO DATA_START",
}
SIDES = "L R"
MARKERS = """ASI PSI ASIS PSIS THI THI1 THI2 TH1 TH2 TH3 TH4 KNE KNEE KNM MKNE TIB TIB1 TIB2 TB1 TB2 TB3 TB4 ANK ANKLE
MANK HEE HEEL TOE MT1 MT2 MT5 FMH SMH VMH SHO SHOULDER UPA ELB ELBOW MELB FRM FRA WRA WRB WRI WRIST FIN HAND FHD BHD
HEAD GTR TRO CLO LCO LM MM CAL HIP KJC AJC HJC THIGH SHANK FOOT"""
CENTRAL = """SACR SAC C7 T10 T8 L4 L5 CLAV STRN STER RBAK HEDO HEDA HEDL HEDP PELO PELA PELL PELP TRXO TRXA TRXL TRXP
CENTREOFMASS CENTREOFMASSFLOOR COM COP VSAC NOSE ORIGIN"""
MODEL = """HIP KNEE ANKLE PELVIS SPINE THORAX HEAD NECK SHOULDER ELBOW WRIST FOOTPROGRESS ABSANKLE GROUNDREACTION
NORMALISEDGRF WAIST FEO FEA FEL FEP TIO TIA TIL TIP FOO FOA FOL FOP TOO TOA TOL TOP HJC KJC AJC"""
WHAT = ("ANGLES", "ANGLE", "FORCE", "MOMENT", "POWER", "ANGVEL", "")
KNOWN_LABELS = frozenset(
    (
        *(side + name for side in SIDES.split() for name in MARKERS.split()),
        *CENTRAL.split(),
        *(side + name + what for side in ("L", "R", "") for name in MODEL.split() for what in WHAT),
    )
)
ANALOG = re.compile(
    r"(?:FORCE\.|MOMENT\.|VOLTAGE\.|EMG\.?|ELECTRIC POTENTIAL\.)?(?:[FMP][XYZ]\d{0,2}|EMG\d{1,2}|CH\d{1,3}|\d{1,2})"
)
EVENT_LABELS = frozenset(("FOOT STRIKE", "FOOT OFF", "EVENT", "HEEL STRIKE", "TOE OFF", "START", "STOP", "GENERAL"))
CONTEXTS = frozenset(("LEFT", "RIGHT", "GENERAL"))
TYPE_LISTS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "MODELED_MARKERS", "REACTIONS")
GROUP_OF_TYPE = ("SCALARS", "ANGLES", "FORCES", "MOMENTS", "POWERS", "MODELED MARKERS", "REACTIONS", "N", "DEG", "MM")


def named(label: str) -> str:
    """Give a label without the subject's name before it, "" if it is of no list."""
    bare = label.rpartition(":")[2].strip()
    upper = bare.upper()
    known = upper in KNOWN_LABELS or re.fullmatch(r"(?:[MA*]|UNLABELED|U)\s*\d{1,4}", upper) or ANALOG.fullmatch(upper)
    return bare if known or (bare and is_technical(bare)) else ""


def labels(groups: dict[str, Group]) -> tuple[dict[str, Group], int]:
    """Give the parameters that are kept, and how many labels were replaced."""
    kept: dict[str, Group] = {}
    known: dict[str, str] = {}
    cleaned = 0
    for group, parameters in groups.items():
        mine = {key: one for key, one in parameters.items() if key in NUMBERS.get(group, "").split() and one.is_number}
        # Labels first: the lists of angles and forces name them again.
        for key, one in sorted(parameters.items(), key=lambda item: not item[0].startswith("LABELS")):
            treat = _treatment(group, key)
            if treat is None or not one.texts():
                continue
            new = [treat(text, place, known) for place, text in enumerate(one.texts(), 1)]
            cleaned += sum(old != text for old, text in zip(one.texts(), new, strict=True))
            mine[key] = one.with_texts(new)
        if mine:
            kept[group] = mine
    return kept, cleaned


Treat = Callable[[str, int, dict[str, str]], str]


def _treatment(group: str, key: str) -> Treat | None:
    """Find what becomes of a text parameter; None if it is not kept."""
    base = re.sub(r"[0-9]{1,2}$", "", key)  # LABELS2 goes on where 255 were not enough
    if group not in NUMBERS:
        return None
    if group in {"POINT", "ANALOG"} and base == "LABELS":
        letter = "M" if group == "POINT" else "A"
        first = 255 * (int(key[len(base) :] or "1") - 1)
        return lambda text, place, known: _label(text, f"{letter}{first + place:03}", known)
    if group == "POINT" and base in TYPE_LISTS:
        return lambda text, _, known: known.get(text, named(text))
    if base in {"UNITS", "ANGLE_UNITS", "FORCE_UNITS", "MOMENT_UNITS", "POWER_UNITS", "SCALAR_UNITS"}:
        return lambda text, *_: unit(text)
    words = WORDS.get((group, base))
    return (lambda text, *_: text if text.upper() in words else "") if words else None


WORDS = {
    ("EVENT", "LABELS"): EVENT_LABELS,
    ("EVENT_CONTEXT", "LABELS"): CONTEXTS,
    ("EVENT", "CONTEXTS"): CONTEXTS,
    ("ANALOG", "FORMAT"): frozenset(("SIGNED", "UNSIGNED")),
    ("POINT", "TYPE_GROUPS"): frozenset(GROUP_OF_TYPE),
    ("POINT", "X_SCREEN"): frozenset(("+X", "-X", "+Y", "-Y", "+Z", "-Z")),
    ("POINT", "Y_SCREEN"): frozenset(("+X", "-X", "+Y", "-Y", "+Z", "-Z")),
}


def _label(text: str, otherwise: str, known: dict[str, str]) -> str:
    if not text:
        return text
    known[text] = named(text) or otherwise
    return known[text]
