"""The one table of formats that may leave: what the bytes are, the endings that go with it, and who reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from enclave.airlock.document import Document
from enclave.airlock.parsers import code
from enclave.airlock.parsers.delimited import parse_delimited
from enclave.airlock.parsers.html import parse_html
from enclave.airlock.parsers.json_file import parse_json
from enclave.airlock.parsers.notebook import parse_notebook
from enclave.airlock.parsers.office.hwpx import parse_hwpx
from enclave.airlock.parsers.office.word import parse_word
from enclave.airlock.parsers.office.workbook import parse_workbook
from enclave.airlock.parsers.parquet import parse_parquet
from enclave.airlock.parsers.pdf import parse_pdf
from enclave.airlock.parsers.picture import parse_picture
from enclave.airlock.parsers.svg import parse_svg
from enclave.airlock.parsers.text import parse_text
from enclave.airlock.rules import CheckRules

Parser = Callable[[bytes, str, CheckRules], Document]


@dataclass(frozen=True)
class Format:
    """A format: what `sniff` says of its bytes, its endings (lower case, with the dot), its parser.

    The parser takes bytes, name and rules; it raises `ParseRefused` and never leaves anything half parsed. Files inside
    the file it hands on as `Embedded`; they are opened by `enclave.airlock.parse`, which bounds depth and number.
    """

    sniffed: str
    endings: frozenset[str]
    parse: Parser


FORMATS = (
    Format("text", frozenset({".csv", ".tsv"}), parse_delimited),
    Format("text", frozenset({".json"}), parse_json),
    Format("text", frozenset({".txt", ".md", ".log", ".tex", ".rst"}), parse_text),
    Format("text", code.ENDINGS, code.parse_code),
    Format("notebook", frozenset({".ipynb"}), parse_notebook),
    Format("parquet", frozenset({".parquet"}), parse_parquet),
    Format("xlsx", frozenset({".xlsx"}), parse_workbook),
    Format("docx", frozenset({".docx"}), parse_word),
    Format("hwpx", frozenset({".hwpx"}), parse_hwpx),
    Format("html", frozenset({".html", ".htm"}), parse_html),
    Format("pdf", frozenset({".pdf"}), parse_pdf),
    Format("svg", frozenset({".svg"}), parse_svg),
    Format("png", frozenset({".png"}), parse_picture),
    Format("jpeg", frozenset({".jpg", ".jpeg"}), parse_picture),
)
ENDINGS = frozenset[str]().union(*(each.endings for each in FORMATS))
SNIFFED = frozenset(each.sniffed for each in FORMATS)


def find(sniffed: str, name: str) -> Format | None:
    """Return the format of bytes that are ``sniffed`` under a name with this ending; None when there is none."""
    ending = ending_of(name)
    return next((each for each in FORMATS if each.sniffed == sniffed and ending in each.endings), None)


def ending_of(name: str) -> str:
    """Return a name's ending in lower case, with its dot; '' when there is none."""
    return PurePosixPath(name).suffix.lower()
