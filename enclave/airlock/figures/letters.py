"""Reading the letters in a picture, Korean and English (R58), with Tesseract, inside the sealed child.

The recogniser is loaded once by the fork server (`load`) and inherited by every child. It needs no file, no thread and
no network afterwards. What is not read: handwriting, letters under about eight pixels, or letters dressed as none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import tesserocr
from PIL import Image

# Debian puts the letters of all languages in one folder, named by the version of Tesseract.
FOLDERS = Path("/usr/share/tesseract-ocr")
LANGUAGES = ("kor", "eng")
ENOUGH, MOST_PIXELS = 1200, 12_000_000
# Dots of a scatter plot read as letters come out at 30 %, print at 60 to 97 %. A line on its side is read as noise.
SURE, SURER = 40, 60
SHORTEST = 3  # letters in a line; the shortest identifier is a name of three
# Wide print comes out syllable by syllable.
APART = re.compile("(?<![가-힣])(?:[가-힣] )+[가-힣](?![가-힣])")
CALM = 200  # the file's own resolution is somebody's claim; this only steadies the recogniser's guesses


def is_available() -> bool:
    """Whether the letters of both languages are installed (Debian: tesseract-ocr-kor, tesseract-ocr-eng)."""
    return _folder() is not None


@cache
def load() -> tesserocr.PyTessBaseAPI:
    """Load the recogniser. Raises `RuntimeError` when the letters are not installed."""
    recogniser = tesserocr.PyTessBaseAPI(
        path=str(_folder()), lang="+".join(LANGUAGES), psm=tesserocr.PSM.SPARSE_TEXT, oem=tesserocr.OEM.LSTM_ONLY
    )
    recogniser.SetVariable("preserve_interword_spaces", "1")  # else a blank stands between Korean syllables
    return recogniser


def read(picture: Image.Image) -> str:
    """Return the lines that stand in a picture, upright ones and those that run upwards (names of axes).

    See-through parts are taken as white. Raises `RuntimeError` when the letters are not installed.
    """
    grey = _on_white(picture)
    if max(grey.size) < ENOUGH:
        grey = grey.resize((grey.width * 2, grey.height * 2), Image.Resampling.LANCZOS)
    elif grey.width * grey.height > MOST_PIXELS:
        share = (MOST_PIXELS / (grey.width * grey.height)) ** 0.5
        grey = grey.resize((int(grey.width * share), int(grey.height * share)), Image.Resampling.LANCZOS)
    return _both_ways(grey.tobytes(), grey.size)


@lru_cache(maxsize=2)  # a page is read twice: for identifiers, and against its text
def _both_ways(pixels: bytes, size: tuple[int, int]) -> str:
    grey = Image.frombytes("L", size, pixels)
    turned = grey.transpose(Image.Transpose.ROTATE_270)
    return "\n".join([*_recognise(grey, SURE), *_recognise(turned, SURER)])


def _recognise(grey: Image.Image, sure: int) -> Iterator[str]:
    recogniser = load()
    recogniser.SetImageBytes(grey.tobytes(), grey.width, grey.height, 1, grey.width)
    recogniser.SetSourceResolution(CALM)
    recogniser.Recognize()
    level = tesserocr.RIL.TEXTLINE
    # No line at all is a null pointer to the library, and an error only then.
    found = tesserocr.iterate_level(recogniser.GetIterator(), level) if recogniser.MeanTextConf() else ()
    for line in found:
        text = line.GetUTF8Text(level).strip() if not line.Empty(level) else ""
        if sum(map(str.isalnum, text)) >= SHORTEST and line.Confidence(level) >= sure:
            yield APART.sub(lambda run: run.group().replace(" ", ""), text)


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("L")
    drawn = picture.convert("RGBA")
    white = Image.new("RGBA", drawn.size, "white")
    white.alpha_composite(drawn)
    return white.convert("L")


@cache
def _folder() -> Path | None:
    found = sorted(FOLDERS.glob("*/tessdata"), reverse=True)
    return next((one for one in found if all((one / f"{name}.traineddata").is_file() for name in LANGUAGES)), None)
