"""XML of strangers read safely: no document type, no entities, bounded depth and count, Korean encodings.

Python's expat knows no multi-byte encoding but UTF-8 and UTF-16; Korean devices write EUC-KR. The text is decoded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from deid.signal.cursor import unreadable

DEEPEST, MOST = 64, 2_000_000  # levels and elements: an aECG has 15 and some thousands
DECLARED = re.compile(r"""^\s*<\?xml[^>]*?encoding=["']([\w.\-]{1,40})["']""", re.ASCII)
KOREAN = {"euc-kr": "cp949", "euckr": "cp949", "ks_c_5601-1987": "cp949", "cp949": "cp949", "ms949": "cp949"}
PLAIN = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1"}
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass
class Element:
    """One element: its local name, its namespace, attributes (names as `{namespace}local`), text, children."""

    name: str
    space: str
    attributes: Mapping[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self) -> Iterator[Element]:
        """Yield this element and everything in it, in order."""
        yield self
        for child in self.children:
            yield from child.all()

    def find(self, *path: str) -> Iterator[Element]:
        """Yield the elements at the end of a path of local names below this one."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.find(*path[1:])


class _Builder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self.stack: list[Element] = [Element("", "", {})]
        self.count = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Any:
        self.count += 1
        if len(self.stack) > DEEPEST or self.count > MOST:
            raise unreadable("xml-size", "XML이 너무 깊거나 큽니다.", "The XML is too deep or too large.")
        space, _, name = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
        element = Element(name, space, attrs)
        self.stack[-1].children.append(element)
        self.stack.append(element)

    def end(self, tag: str) -> Any:  # noqa: ARG002 - expat has matched it
        self.stack.pop()

    def data(self, data: str) -> Any:
        self.stack[-1].text += data

    def close(self) -> Any:
        return self.stack[0].children[0]


def decoded(data: bytes) -> str:
    """Decode a document by its mark or its declaration. Raises `Refused` for an encoding that does not fit."""
    marked = next((encoding for mark, encoding in MARKS if data.startswith(mark)), "")
    try:
        told = DECLARED.match(data[:200].decode("latin-1"))
        name = told[1].lower() if told else "utf-8"
        return data.decode(marked or KOREAN.get(name) or PLAIN[name])
    except (KeyError, UnicodeDecodeError) as error:
        raise unreadable(
            "xml-encoding", "XML의 문자 집합을 알 수 없습니다.", "The XML's encoding is unknown."
        ) from error


def parse(data: bytes) -> Element:
    """Read a document. Raises `Refused` if it is none, declares a document type, or is too deep or large."""
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decoded(data))
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(text)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise unreadable("xml-dtd", "XML에 문서 형식 선언이 있습니다.", "The XML declares a document type.") from error
    except (ParseError, ValueError, AssertionError, IndexError) as error:
        raise unreadable("xml", "XML을 읽을 수 없습니다.", "The XML cannot be read.") from error
    return root
