"""Which formats there are, in the order in which they are asked, and who reads their sections of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deid.folder.format import Format
from deid.imaging.dicom import Dicom
from deid.imaging.recipe import parse_imaging
from deid.recipe_yaml import Node
from deid.signal.formats import SIGNAL_FORMATS
from deid.signal.streams.rules import parse_signal

FORMATS: tuple[Format, ...] = (Dicom(), *SIGNAL_FORMATS)
SECTIONS: Mapping[str, Callable[[Node], Any]] = {"imaging": parse_imaging, "signal": parse_signal}


def format_of(head: bytes, name: str) -> Format | None:
    """Find the format of a file from its first bytes; None for none of ours."""
    return next((each for each in FORMATS if each.recognise(head, name)), None)
