"""Plotly, Bokeh and HTML: honest ones pass, every value in them is counted and tabled, nothing in a page acts."""

from __future__ import annotations

import base64
import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from bokeh.embed import file_html, json_item
from bokeh.models import CustomJS
from bokeh.plotting import figure
from bokeh.resources import CDN

from enclave.airlock.report import FileReport, Severity, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect
from tests.enclave.airlock.drawn import REGIONS, bars, saved

RULES = CheckRules()
COUNTS = [121, 343, 217, 191, 153, 333, 409, 99]
NOISE = np.random.default_rng(0).random((2, 200))


def look(text: str, name: str = "figure.json") -> FileReport:
    return inspect(text.encode(), name, RULES)


def stopped(text: str, name: str = "figure.json") -> set[str]:
    return {one.rule for one in look(text, name).findings if one.severity is Severity.BLOCK}


def plotly(*traces: go.Figure, **layout: object) -> str:
    text = go.Figure(list(traces), layout=layout).to_json()
    assert text is not None
    return text


def bokeh(draw: str, *values: object, title: str = "결과", **options: object) -> str:
    plot = figure(title=title)
    getattr(plot, draw)(*values, **options)
    return json.dumps(json_item(plot))


HONEST = {
    "Plotly bars": plotly(go.Bar(x=REGIONS, y=COUNTS, text=[f"{n}명" for n in COUNTS])),
    "Plotly bars packed": plotly(go.Bar(x=REGIONS, y=np.array(COUNTS))),
    "Plotly line": plotly(go.Scatter(x=list(range(12)), y=np.linspace(5, 6, 12), mode="lines")),
    "Plotly heat map": plotly(go.Heatmap(z=np.array(COUNTS).reshape(2, 4))),
    "Bokeh bars": bokeh("vbar", x=list(range(8)), top=COUNTS, width=0.9),
    "Bokeh line": bokeh("line", np.arange(12.0), np.linspace(5, 6, 12)),
}
EACH_PERSON = {
    "Plotly dots": plotly(go.Scatter(x=NOISE[0], y=NOISE[1], mode="markers")),
    "Plotly dots not said": plotly(go.Scatter(x=list(range(15)), y=list(NOISE[1][:15]))),
    "Plotly dots in lists": plotly(go.Scattergl(x=list(NOISE[0]), y=list(NOISE[1]), mode="lines+markers")),
    "Plotly box": plotly(go.Box(y=NOISE[0])),
    "Plotly histogram": plotly(go.Histogram(x=NOISE[0])),
    "Plotly violin": plotly(go.Violin(y=list(NOISE[0]))),
    "Bokeh dots": bokeh("scatter", NOISE[0], NOISE[1]),
    "Bokeh dots in lists": bokeh("scatter", list(NOISE[0]), list(NOISE[1])),
}
TOO_MANY = {
    "Plotly line": plotly(go.Scatter(x=NOISE[0], y=NOISE[1], mode="lines")),
    "Plotly under the pointer": plotly(go.Bar(x=["a"], y=[100], customdata=[list(NOISE[0])])),
    "Plotly in its layout": plotly(go.Bar(x=["a"], y=[100]), meta={"kept": list(NOISE[0])}),
    "Bokeh line": bokeh("line", NOISE[0], NOISE[1]),
}


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST.keys())
def test_an_honest_interactive_figure_passes(text: str) -> None:
    report = look(text)
    assert report.verdict is not Verdict.BLOCK, report.findings
    assert report.kind == "figure"


@pytest.mark.parametrize("text", EACH_PERSON.values(), ids=EACH_PERSON.keys())
def test_the_values_of_single_persons_are_stopped(text: str) -> None:
    assert "figure.points" in stopped(text)


@pytest.mark.parametrize("text", TOO_MANY.values(), ids=TOO_MANY.keys())
def test_more_exact_values_than_allowed_are_stopped_wherever_they_are_kept(text: str) -> None:
    assert "figure.values" in stopped(text)


def test_a_small_count_in_a_figure_is_found_as_in_a_table() -> None:
    small = plotly(go.Bar(x=REGIONS, y=np.array([*COUNTS[:7], 3])), yaxis={"title": {"text": "환자 수"}})
    assert {one.rule: one.place for one in look(small).findings} == {"cell.small": "trace 1 R9 C2 (환자 수)"}


@pytest.mark.parametrize(
    "text",
    [
        plotly(go.Bar(x=["900101-1234568"], y=[120])),
        plotly(go.Bar(x=["a"], y=[120], hovertext=["900101-1234568"])),
        plotly(go.Bar(x=["a"], y=[120]), title={"text": "900101-1234568"}),
        bokeh("vbar", x=[1], top=[120], title="900101-1234568"),
    ],
)
def test_an_identifier_is_found_wherever_it_stands(text: str) -> None:
    assert "id.rrn" in stopped(text)


@pytest.mark.parametrize(
    "packed",
    [
        {"dtype": "f8", "bdata": "AAAA"},
        {"dtype": "object", "bdata": "AAAAAAAAAAA="},
        {"dtype": "f8", "bdata": "not base64!"},
        {"dtype": "f8", "bdata": 7},
        {"dtype": "f8", "bdata": base64.b64encode(b"\x1f\x8b broken").decode()},
    ],
)
def test_an_array_that_is_none_is_refused(packed: dict[str, object]) -> None:
    assert stopped(json.dumps({"data": [{"type": "bar", "y": packed}], "layout": {}})) == {"parse.figure"}


def test_code_of_its_author_in_a_bokeh_figure_is_stopped() -> None:
    plot = figure()
    plot.vbar(x=[1], top=[120])
    plot.js_on_event("tap", CustomJS(code="alert(1)"))
    assert "figure.active" in stopped(json.dumps(json_item(plot)))


def page(body: str) -> str:
    return f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body>{body}</body></html>"


TABLE = pd.DataFrame({"지역": REGIONS, "환자수": COUNTS})


def test_a_table_that_pandas_wrote_passes_and_a_small_count_in_it_does_not() -> None:
    assert look(page(TABLE.to_html()), "a.html").verdict is Verdict.PASS
    small = TABLE.assign(환자수=[*COUNTS[:7], 3])
    assert stopped(page(small.to_html()), "a.html") == {"cell.small"}


def test_cells_that_span_columns_keep_the_rest_in_place() -> None:
    head = "<tr><th>region</th><th>x</th><th>n</th></tr>"
    rows = "<tr><td colspan=2>A</td><td>3</td></tr><tr><td>B<td>1<td>40"
    assert stopped(page(f"<table>{head}{rows}</table>"), "a.html") == {"cell.small"}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<script>alert(1)</script>", "figure.active"),
        ("<img src='x.png' onerror='alert(1)'>", "figure.active"),
        ("<a href=' javascript:alert(1)'>x</a>", "figure.active"),
        ("<iframe srcdoc='x'></iframe>", "figure.active"),
        ("<meta http-equiv=refresh content='0;url=https://example.com'>", "figure.active"),
        ("<form action='https://example.com'><input name=a></form>", "figure.active"),
        ("<object data='data:application/pdf;base64,JVBERi0='></object>", "figure.active"),
        ("<img src='https://example.com/x.png'>", "figure.external"),
        ("<link rel=stylesheet href='https://example.com/x.css'>", "figure.external"),
        ("<style>@import 'https://example.com/x.css'</style>", "figure.external"),
        ("<p style='background:url(https://example.com/x)'>x</p>", "figure.external"),
        ("<!-- 900101-1234568 -->", "id.rrn"),
        ("<p hidden>900101-1234568</p>", "id.rrn"),
        ("<p data-person='900101-1234568'>x</p>", "id.rrn"),
        ("<p>900101-<b>1234568</b></p>", "id.rrn"),
        ("<p>&#57;00101-1234568</p>", "id.rrn"),
    ],
)
def test_what_acts_fetches_or_tells_of_a_person_in_a_page_is_stopped(body: str, rule: str) -> None:
    assert rule in stopped(page(body), "a.html")


def test_what_is_hidden_in_a_page_is_pointed_at() -> None:
    assert {one.rule for one in look(page("<p style='display: none'>words</p>"), "a.html").findings} == {
        "figure.hidden"
    }


def test_pictures_and_drawings_in_a_page_are_opened_as_files() -> None:
    png = base64.b64encode(saved(bars(), "png", metadata={"Software": None})).decode()
    dots = "".join(f"<circle cx='{37 * n % 390}' cy='{53 * n % 290}' r='2'/>" for n in range(1, 41))
    body = f"<img src='data:image/png;base64,{png}'><svg width='400' height='300'>{dots}</svg>"
    found = {(one.rule, one.place) for one in look(page(body), "a.html").findings}
    assert ("image.eye", "그림 1") in found
    assert ("figure.points", "그림/drawing 1") in found


def test_a_page_of_plotly_or_bokeh_is_stopped_and_what_it_holds_is_named() -> None:
    whole = go.Figure(go.Scatter(x=NOISE[0], y=NOISE[1], mode="markers")).to_html(include_plotlyjs="cdn")
    assert {"figure.active", "figure.external", "figure.points"} <= stopped(whole, "a.html")
    plot = figure()
    plot.scatter(NOISE[0], NOISE[1])
    assert {"figure.active", "figure.points"} <= stopped(file_html(plot, CDN), "a.html")
