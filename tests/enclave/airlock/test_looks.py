"""What only describes looks is in no view: whatever else stands there is read as text."""

from __future__ import annotations

import pytest

from enclave.airlock.report import FileReport
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect

PERSON = "900101-1234567"
PAGE = "<!doctype html><html><body>{}</body></html>"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300" viewBox="0 0 400 300">{}</svg>'


def look(content: str, name: str) -> FileReport:
    return inspect(content.encode(), name, CheckRules())


IN_A_PAGE = {
    "a class": f'<p class="{PERSON}">a</p>',
    "a style": f'<p style="x:{PERSON}">a</p>',
    "a style sheet": f'<style>p::after{{content:"{PERSON}"}}</style><p>a</p>',
    "a remark in a style sheet": f"<style>/* {PERSON} */</style><p>a</p>",
    "a width": f'<table width="{PERSON}"><tr><td>a</td></tr></table>',
    "an attribute of a cell": f'<table><tr><td data-x="{PERSON}">a</td></tr></table>',
    "the title of a cell": f'<table><tr><td title="{PERSON}">a</td></tr></table>',
    "the name of a tag": f"<x-{PERSON}>a</x-{PERSON}>",
    "the name of an attribute": f"<p x{PERSON}=1>a</p>",
    "an end tag": f"<p>a</p {PERSON}>",
    "a template": f"<template>{PERSON}</template>",
    "tags between all letters": "<p>" + "<b></b>".join(PERSON) + "</p>",
}
IN_A_DRAWING = {
    "a style": f'<rect width="9" height="9" style="x:{PERSON}"/>',
    "a colour": f'<rect width="9" height="9" fill="{PERSON}"/>',
    "a remark in a style sheet": f'<style>/* {PERSON} */</style><rect width="9" height="9"/>',
    "a width": f'<rect width="{PERSON}" height="9"/>',
    "a version": f'<g version="{PERSON}"/>',
    "an offset": f'<stop offset="{PERSON}"/>',
    "a namespace": f'<g xmlns:q="{PERSON}"/>',
    "the name of an element": f"<x{PERSON}/>",
    "letters for themselves": "".join(f"<text>{letter}</text>" for letter in PERSON),
}


@pytest.mark.parametrize("case", IN_A_PAGE)
def test_an_identifier_where_a_page_describes_looks_is_found(case: str) -> None:
    report = look(PAGE.format(IN_A_PAGE[case]), "a.html")
    assert "id.rrn" in {finding.rule for finding in report.findings}
    assert PERSON not in report.to_json()


@pytest.mark.parametrize("case", IN_A_DRAWING)
def test_an_identifier_where_a_drawing_describes_looks_is_found(case: str) -> None:
    report = look(DRAWING.format(IN_A_DRAWING[case]), "a.svg")
    assert "id.rrn" in {finding.rule for finding in report.findings}
    assert PERSON not in report.to_json()


@pytest.mark.parametrize("markup", ["<bdo dir=rtl>7654321-101009</bdo>", "<p dir=rtl>a</p>"])
def test_text_that_is_turned_around_is_pointed_at(markup: str) -> None:
    assert "figure.hidden" in {finding.rule for finding in look(PAGE.format(markup), "a.html").findings}


def test_the_looks_of_an_ordinary_page_are_no_text() -> None:
    page = (
        '<style type="text/css">#T_a0 td {color: #123456; font-family: "Malgun Gothic", sans-serif}</style>'
        '<table id="T_a0" class="dataframe" border="1" style="width: 612.345678px"><tr><th class="col0">region</th>'
        '<th>n</th></tr><tr><td id="T_a0_row0_col0" class="data row0 col0">A</td><td>120</td></tr></table>'
    )
    assert look(PAGE.format(page), "a.html").findings == ()
