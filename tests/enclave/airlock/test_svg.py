"""SVG: real figures pass, dots are counted whatever they are called, and nothing in one acts, fetches or hides."""

from __future__ import annotations

import base64
import io

import matplotlib as mpl
import pytest
from PIL import Image

from enclave.airlock.figures.rasterise import rasterise
from enclave.airlock.figures.shapes import Count, count
from enclave.airlock.figures.svg_shapes import TooMany, shapes
from enclave.airlock.parsers.svg import _read
from enclave.airlock.report import FileReport, Severity, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect
from tests.enclave.airlock import drawn

RULES = CheckRules()
PNG = base64.b64encode(drawn.saved(drawn.bars(), "png", metadata={"Software": None})).decode()


def look(content: bytes | str) -> FileReport:
    return inspect(content.encode() if isinstance(content, str) else content, "figure.svg", RULES)


def stopped(content: bytes | str) -> set[str]:
    return {one.rule for one in look(content).findings if one.severity is Severity.BLOCK}


def svg(body: str, head: str = "") -> str:
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'{head}<svg {space} width="400" height="300" viewBox="0 0 400 300">{body}</svg>'


def counted(body: str) -> Count:
    return count(shapes(_read(svg(body))))


PLACES = [((37 * n) % 391, (53 * n) % 287) for n in range(1, 41)]


@pytest.mark.parametrize("fonts", ["path", "none"])
@pytest.mark.parametrize("name", drawn.HONEST)
def test_an_honest_figure_needs_only_a_person(name: str, fonts: str) -> None:
    with mpl.rc_context({"svg.fonttype": fonts}):
        report = look(drawn.saved(drawn.HONEST[name](), "svg"))
    assert report.verdict is Verdict.WARN, report.findings
    assert report.kind == "figure"


@pytest.mark.parametrize(
    "figure",
    [drawn.scatter(), drawn.scatter(many=11), drawn.scatter(size=1), drawn.scatter(marker="s"), drawn.strip()],
    ids=["dots", "eleven dots", "tiny dots", "squares", "dots on one line"],
)
def test_a_scatter_plot_of_persons_is_stopped_and_can_be_made_pixels(figure) -> None:
    report = look(drawn.saved(figure, "svg"))
    finding = next(one for one in report.findings if one.rule == "figure.points")
    assert (finding.severity, finding.repairs) == (Severity.BLOCK, ("rasterise",))


def test_a_line_of_two_hundred_corners_is_stopped() -> None:
    assert stopped(drawn.saved(drawn.long_line(), "svg")) == {"figure.values"}


@pytest.mark.parametrize(
    "marks",
    [
        "".join(f'<circle cx="{x}" cy="{y}" r="2"/>' for x, y in PLACES),
        "".join(f'<ellipse cx="{x}" cy="{y}" rx="2" ry="1"/>' for x, y in PLACES),
        "".join(f'<rect x="{x}" y="{y}" width="3" height="3"/>' for x, y in PLACES),
        "".join(f'<line x1="{x}" y1="{y}" x2="{x + 1}" y2="{y}"/>' for x, y in PLACES),
        "".join(f'<text x="{x}" y="{y}">•</text>' for x, y in PLACES),
        '<path d="' + "".join(f"M{x} {y}h1" for x, y in PLACES) + '"/>',
        '<path d="' + "".join(f"M{x},{y}a1 1 0 102 0a1 1 0 10-2 0z" for x, y in PLACES) + '"/>',
        '<defs><circle id="o" r="2"/></defs>' + "".join(f'<use xlink:href="#o" x="{x}" y="{y}"/>' for x, y in PLACES),
        '<defs><path id="o" d="M0 0h3v3z"/></defs><g id="text_1">'
        + "".join(f'<use href="#o" transform="translate({x} {y})"/>' for x, y in PLACES)
        + "</g>",
        '<defs><g id="o"><circle r="2"/></g></defs>'
        + "".join(f'<use href="#o" transform="matrix(1 0 0 1 {x} {y})"/>' for x, y in PLACES),
        '<g display="none">' + "".join(f'<circle cx="{x}" cy="{y}" r="2"/>' for x, y in PLACES) + "</g>",
        '<g transform="scale(.1)">' + "".join(f'<circle cx="{x}0" cy="{y}0" r="9"/>' for x, y in PLACES) + "</g>",
        "".join(f'<g><g><circle cx="{x}" cy="{y}" r="2"/></g></g>' for x, y in PLACES),
    ],
    ids=[
        "circles", "ellipses", "squares", "short lines", "bullets", "strokes of one path", "arcs of one path", "uses",
        "uses that are called letters", "uses of a group", "hidden", "scaled", "nested",
    ],
)  # fmt: skip
def test_forty_dots_are_forty_dots_however_they_are_drawn(marks: str) -> None:
    assert counted(marks).marks == len(PLACES)
    assert "figure.points" in stopped(svg(marks))


def test_ticks_grid_lines_frames_and_letters_are_no_values() -> None:
    ticks = "".join(f'<path d="M{20 + 30 * n} 280v4"/>' for n in range(12))
    grid = "".join(f'<line x1="20" x2="390" y1="{30 * n}" y2="{30 * n}"/>' for n in range(1, 9))
    frame = '<rect x="0" y="0" width="400" height="300"/><path d="M20 10H390V280H20z"/>'
    letters = '<defs><path id="a" d="M0 0h5v7h-5z"/></defs><g transform="translate(100 20)">' + "".join(
        f'<use href="#a" x="{6 * n}"/>' for n in range(30)
    )
    assert counted(ticks + grid + frame + letters + "</g>") == Count()


ACTS = {
    "a script": "<script>alert(1)</script>",
    "a handler": '<rect onclick="alert(1)" width="9" height="9"/>',
    "a link with a script": '<a href="javascript:alert(1)"><text>here</text></a>',
    "HTML inside": "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject>",
    "an animation": '<rect width="9" height="9"><animate attributeName="x" values="0;1;2"/></rect>',
    "a program in a data address": '<image href="data:application/pdf;base64,JVBERi0="/>',
}
FETCHES = {
    "a picture": '<image href="https://example.com/x.png" width="9" height="9"/>',
    "a file of the machine": '<image href="/etc/passwd" width="9" height="9"/>',
    "another file's shape": '<use href="other.svg#a"/>',
    "a style": "<style>@import url(https://example.com/x.css);</style>",
    "a fill": '<rect fill="url(https://example.com/x.svg#a)" width="9" height="9"/>',
}


@pytest.mark.parametrize("body", ACTS.values(), ids=ACTS.keys())
def test_what_acts_is_stopped(body: str) -> None:
    assert "figure.active" in stopped(svg(body))


@pytest.mark.parametrize("body", FETCHES.values(), ids=FETCHES.keys())
def test_what_comes_from_elsewhere_is_stopped(body: str) -> None:
    assert "figure.external" in stopped(svg(body))


@pytest.mark.parametrize(
    "body",
    [
        "<text>900101-1234568</text>",
        "<text><tspan>900101-</tspan><tspan>1234568</tspan></text>",
        '<text display="none">900101-1234568</text>',
        "<title>900101-1234568</title>",
        "<desc>900101-1234568</desc>",
        "<metadata>900101-1234568</metadata>",
        "<!-- 900101-1234568 -->",
        '<g data-patient="900101-1234568"/>',
        '<g id="900101-1234568"/>',
        '<rect width="9" height="9" aria-label="900101-1234568"/>',
    ],
)
def test_an_identifier_is_found_wherever_it_stands(body: str) -> None:
    assert "id.rrn" in stopped(svg(body))


def test_letters_drawn_as_shapes_are_read_from_the_picture() -> None:
    figure, axes = drawn._axes()
    axes.text(0.1, 0.5, "주민등록번호 900101-1234568")
    found = look(drawn.saved(figure, "svg")).findings
    assert any(one.rule == "id.rrn" and one.place.startswith("글자/letters") for one in found)


def test_a_picture_inside_is_opened_as_a_file() -> None:
    inside = look(svg(f'<image href="data:image/png;base64,{PNG}" width="90" height="90"/>'))
    assert inside.verdict is Verdict.WARN
    assert {one.place for one in inside.findings if one.rule == "image.eye"} == {"", "그림 1"}
    broken = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
    assert "image.damaged" in stopped(svg(f'<image href="data:image/png;base64,{broken}" width="9" height="9"/>'))


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
        '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><g></svg>',
    ],
    ids=["entities", "an entity of the machine", "broken"],
)
def test_what_is_no_plain_svg_is_refused(content: str) -> None:
    assert stopped(content) == {"parse.svg"}


def test_uses_of_uses_of_uses_are_not_drawn_without_end() -> None:
    body = '<defs><g id="l0"><circle r="1"/></g>' + "".join(
        f'<g id="l{n}">' + f'<use href="#l{n - 1}" x="{n}"/>' * 10 + "</g>" for n in range(1, 8)
    )
    with pytest.raises(TooMany):
        counted(body + '</defs><use href="#l7"/>')
    assert stopped(svg(body + '</defs><use href="#l7"/>')) == {"figure.points", "figure.undrawn"}


@pytest.mark.parametrize("inner", ['<use href="#l0"/>', ""], ids=["in a circle", "in a long row"])
def test_shapes_nested_too_deeply_to_be_counted_are_stopped(inner: str) -> None:
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2"/>' for x, y in PLACES)
    rows = "".join(f'<g id="l{n}"><use href="#l{n - 1}"/></g>' for n in range(1, 20))
    assert "figure.points" in stopped(svg(f'<defs><g id="l0">{dots}{inner}</g>{rows}</defs><use href="#l19"/>'))


def test_a_figure_made_pixels_is_a_picture_that_passes() -> None:
    png = rasterise(drawn.saved(drawn.scatter(), "svg"))
    assert Image.open(io.BytesIO(png)).width == 1600
    report = inspect(png, "figure.png", RULES)
    assert {one.rule for one in report.findings} == {"image.eye"}


@pytest.mark.parametrize(
    "content", [b"<svg>", b"", b"<svg xmlns='http://www.w3.org/2000/svg' width='0'/>", b"%PDF-1.7"]
)
def test_what_cannot_be_drawn_is_not_made_pixels(content: bytes) -> None:
    with pytest.raises(ValueError):
        rasterise(content)
