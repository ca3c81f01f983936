"""SVG (SVG 2): everything that can be read in it as text, everything drawn as counted shapes, and its looks as pixels.

What acts or fetches (scripts, event handlers, animation, HTML inside, anything from elsewhere) is a finding that stops
it; pictures inside are opened as files. XML is read without entities, so nothing in it can grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, ProcessingInstruction, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from enclave.airlock.checks.figure import active, check_count, elsewhere, undrawn, unseen
from enclave.airlock.document import Document, Embedded
from enclave.airlock.figures.data_uri import embedded_in
from enclave.airlock.figures.rasterise import svg_png
from enclave.airlock.figures.shapes import count
from enclave.airlock.figures.svg_shapes import TooMany, shapes
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.looks import css_texts, odd_looks
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

ACTIVE = frozenset({
    "script", "handler", "foreignobject", "iframe", "embed", "object", "audio", "video", "canvas", "animate",
    "animatemotion", "animatetransform", "animatecolor", "set", "discard",
})  # fmt: skip
# Where a thing lies and how it looks; every other attribute is read as text.
LOOKS = frozenset({
    "d", "points", "transform", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "width",
    "height", "viewbox", "fill", "stroke", "style", "version", "offset", "preserveaspectratio", "gradienttransform",
})  # fmt: skip
# Numbers that are drawn, and counted by what they draw.
DRAWN = frozenset({"d", "points", "transform", "viewbox", "gradienttransform"})
NAMESPACES = re.compile(r"\bxmlns(?::[\w.-]+)?\s*=\s*[\"']([^\"']*)[\"']")
FETCHED = re.compile(r"@import|url\(\s*['\"]?\s*(?!#|['\"]?#|data:)", re.IGNORECASE)
HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden|(?<!-)opacity\s*:\s*0(?:\.0*)?\s*(?:;|$))")


def parse_svg(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read one figure. Raises `ParseRefused` for what is no well-formed SVG."""
    del name
    text = decode(content)
    root = _read(text)
    findings: dict[Finding, None] = {}
    embedded: list[Embedded] = []
    lines: list[str] = []
    for element in root.iter():
        found, inner = _look(element, len(embedded))
        findings.update(dict.fromkeys(found))
        embedded += inner
        lines += _words(element)
    lines += odd_looks(*(found.group() for found in NAMESPACES.finditer(text)))
    picture, about = _draw(root, text, rules)
    return Document(
        "figure",
        text="\n".join(lines),
        picture=picture,
        embedded=tuple(embedded),
        findings=(*findings, *about),
    )


def local(name: object) -> str:
    """Return a tag's or attribute's name without its namespace, in lower case; '' for comments."""
    return name.rsplit("}", 1)[-1].lower() if isinstance(name, str) else ""


def _read(text: str) -> Element:
    parser = DefusedXMLParser(target=TreeBuilder(insert_comments=True, insert_pis=True), forbid_entities=True)
    try:
        parser.feed(text)
        root: Element = parser.close()
    except (ParseError, DefusedXmlException, ValueError, AssertionError):
        raise _refused() from None
    if local(root.tag) != "svg":
        raise _refused()
    return root


def _look(element: Element, number: int) -> tuple[list[Finding], list[Embedded]]:
    tag_or_function: object = element.tag
    if tag_or_function is ProcessingInstruction:
        return [elsewhere("?xml-stylesheet")] if "href" in (element.text or "") else [], []
    tag = local(element.tag)
    found = [active(tag)] if tag in ACTIVE else []
    inner: list[Embedded] = []
    if tag == "style" and FETCHED.search(element.text or ""):
        found.append(elsewhere("style"))
    for full, value in element.attrib.items():
        name = local(full)
        if name in {"href", "src"} and value.strip().lower().startswith("data:"):
            taken = embedded_in(value, f"그림 {number + len(inner) + 1}")
            inner += [taken] if taken is not None else []
            found += [] if taken is not None else [active("data:")]
        else:
            found += _look_at_attribute(tag, name, value.strip())
    return found, inner


def _look_at_attribute(tag: str, name: str, value: str) -> Iterator[Finding]:
    if name.startswith("on") or value.lower().startswith("javascript:"):
        yield active(name)
    elif name in {"href", "src"} and tag != "a" and not value.startswith("#"):
        yield elsewhere(tag)
    elif FETCHED.search(value):
        yield elsewhere(name)
    if (name == "style" and HIDDEN.search(value)) or (name, value) in {("display", "none"), ("visibility", "hidden")}:
        yield unseen()


def _words(element: Element) -> Iterator[str]:
    if not isinstance(element.tag, str):  # a comment or a processing instruction
        yield from _line(element.text)
    elif local(element.tag) == "text":
        yield from _line("".join(element.itertext()))
    elif local(element.tag) == "style":
        yield from css_texts(element.text or "")
    elif local(element.tag) not in {"tspan", "script"}:
        yield from _line(element.text)
    yield from _line(element.tail)
    yield from _said_by_attributes(element)


def _said_by_attributes(element: Element) -> Iterator[str]:
    for full, value in element.attrib.items():
        if value.lower().startswith("data:"):
            continue
        if local(full) not in LOOKS:
            yield from _line(value)
        elif local(full) not in DRAWN:
            yield from odd_looks(value)
    yield from odd_looks(*map(local, (element.tag, *element.attrib)))


def _line(text: str | None) -> Iterator[str]:
    joined = " ".join((text or "").split())
    if joined:
        yield joined


def _draw(root: Element, text: str, rules: CheckRules) -> tuple[bytes, list[Finding]]:
    try:
        counted = check_count(count(shapes(root)), rules)
        return svg_png(text), counted
    except TooMany as many:
        return b"", [*check_count(many.count, rules), undrawn()]
    except ValueError:
        return b"", [*counted, undrawn()]


def _refused() -> ParseRefused:
    return ParseRefused(
        "parse.svg",
        "SVG로 읽을 수 없거나 XML 개체(entity)가 들어 있습니다. PNG로 저장해 제출하세요.",
        "This is no well-formed SVG, or it holds XML entities. Save it as PNG.",
    )
