"""The words a text of a signal file may keep: what a channel, a sensor, a filter or an event is called, and no more.

Annex E's "clean descriptors" by a controlled vocabulary (`vocabulary.txt`) instead of a search for names: a word that
is not listed goes, whatever it is.
"""

from __future__ import annotations

import re
from importlib import resources

VOCABULARY = (resources.files("deid.signal") / "vocabulary.txt").read_text("utf-8")
ALL = frozenset(word for line in VOCABULARY.splitlines() for word in line.partition("#")[0].split())

SEPARATORS = re.compile(r"[\s\-_/:+.,()\[\]#'\"=&;|^~*?!@<>{}\\]+")
NUMBER = re.compile(r"\d{1,3}", re.ASCII)
WORD_AND_NUMBER = re.compile(r"(\D+)\d{1,2}", re.ASCII)
MOST_NUMBERS = 1  # two numbers beside each other may be a day
PLAIN = re.compile(r"[\w \-/:+.,()#%]*")


def tokens(text: str) -> list[str]:
    """Cut a text into words and numbers."""
    return [word for word in SEPARATORS.split(text) if word]


def known(word: str) -> bool:
    """Whether a word is of the vocabulary, also with a number of up to two digits behind it."""
    lower = word.lower()
    numbered = WORD_AND_NUMBER.fullmatch(lower)
    return lower in ALL or bool(numbered and numbered[1] in ALL)


def is_technical(text: str) -> bool:
    """Whether a text says nothing but technical words, with one number of up to three digits at most."""
    words = tokens(text)
    numbers = [word for word in words if NUMBER.fullmatch(word)]
    rest = [word for word in words if not NUMBER.fullmatch(word)]
    return bool(rest) and all(map(known, rest)) and len(numbers) <= MOST_NUMBERS and bool(PLAIN.fullmatch(text))


def technical(text: str, otherwise: str) -> str:
    """Keep a text that is technical; of another, the technical words it begins with, or `otherwise`."""
    text = text.strip(" \0")
    if not text or is_technical(text):
        return text
    kept: list[str] = []
    for word in tokens(text):
        # A single letter before what is not known may be an initial.
        if not known(word) or len(word) == 1:
            break
        kept.append(word)
    return " ".join(kept) or otherwise


UNITS = {
    *("uV", "µV", "μV", "mV", "V", "nV", "kV", "%", "mmHg", "cmH2O", "kPa", "Pa", "hPa", "bpm", "BPM", "/min", "1/min"),
    *(
        "degC",
        "°C",
        "C",
        "deg",
        "deg/s",
        "rad",
        "rad/s",
        "Hz",
        "kHz",
        "s",
        "ms",
        "us",
        "min",
        "h",
        "m",
        "mm",
        "cm",
        "km",
    ),
    *(
        "m/s",
        "m/s2",
        "m/s^2",
        "m/s²",
        "g",
        "mg",
        "kg",
        "N",
        "Nm",
        "N.m",
        "N/kg",
        "Nm/kg",
        "Nmm",
        "W",
        "W/kg",
        "L",
        "mL",
    ),
    *("L/s", "L/min", "mL/min", "ml", "ml/min", "l/min", "A", "mA", "uA", "ohm", "kOhm", "Ohm", "uS", "T", "uT", "lux"),
    *(
        "dB",
        "Boolean",
        "NU",
        "a.u.",
        "au",
        "counts",
        "count",
        "bit",
        "adu",
        "steps",
        "mmol/L",
        "mg/dL",
        "kcal",
        "UV",
        "MV",
    ),
}


def unit(text: str) -> str:
    """Keep a unit that is one; anything else is nothing."""
    text = text.strip(" \0")
    return text if text in UNITS else ""


FILTER = re.compile(
    r"\b(?:HPF?|LPF?|BPF?|N|Notch|BW)\s*[:=]?\s*(?:\d{1,4}(?:\.\d{1,4})?(?:\s*-\s*\d{1,4}(?:\.\d{1,4})?)?\s*(?:[km]?Hz|m?s)|DC)"
    r"(?![\w])",
    re.IGNORECASE | re.ASCII,
)


def filters(text: str) -> str:
    """Keep what says how a signal was filtered (`HP:0.1Hz LP:75Hz N:50Hz`), and nothing of the rest."""
    return " ".join(re.sub(r"\s+", "", found) for found in FILTER.findall(text))
