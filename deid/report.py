"""The risk report of a snapshot: one self-contained HTML page, Korean first, English at a click, no script.

Everything on it is a count, a share or a rule; no value of a patient appears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from deid.manifest import Manifest
from deid.plot import grouped_bars, share_bars
from deid.risk.measures import BINS

SIZE_LABELS = [f"{low}" if low == high else f"{low}+" if high is None else f"{low}-{high}" for low, high in BINS]
STATES = (("source", "원본 값", "source values"), ("generalised", "일반화 뒤", "generalised"))
PUBLISHED = ("published", "공개본", "published")

Risks = Mapping[str, Mapping[str, Any]]


def render(manifest: Manifest, risks: Risks, *, recipe_file: str) -> str:
    """Render the page from the manifest (without files) and the figures of `risk.json`, by table."""
    environment = Environment(
        loader=PackageLoader("deid"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = lambda share: f"{share:.2%}"
    environment.filters["thousands"] = lambda number: f"{number:,}"
    page = environment.get_template("report.html.jinja")
    plots = {name: _plots(risk) for name, risk in risks.items()}
    return page.render(manifest=manifest, risks=risks, plots=plots, recipe_file=recipe_file, size_labels=SIZE_LABELS)


def _plots(risk: Mapping[str, Any]) -> Mapping[str, Markup]:
    """Draw one table's plots, by name and language; escaped by `plot`, hence safe to insert."""
    drawn = {}
    for language, position in (("ko", 1), ("en", 2)):
        if risk["published"]:
            drawn[f"sizes_{language}"] = grouped_bars(
                SIZE_LABELS,
                [(state[position], _shares(risk[state[0]])) for state in (*STATES, PUBLISHED)],
                title=("집단 크기별 환자 비율", "Share of patients by class size")[position - 1],
            )
        drawn[f"rows_{language}"] = share_bars(
            _row_bars(risk, position - 1), title=("남은 행과 제외된 행", "Rows kept and removed")[position - 1]
        )
        drawn[f"utility_{language}"] = share_bars(
            [(entry["column"], entry["kept"], f"{entry['kept']:.0%}") for entry in risk["utility"]],
            title=("열별 남은 정보량", "Information kept by column")[position - 1],
        )
    # The plots escape every label themselves.
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - labels are escaped in plot.py


def _shares(state: Mapping[str, Any]) -> Sequence[float]:
    total = state["records"] or 1
    return [count / total for count in state["patients_by_size"]]


def _row_bars(risk: Mapping[str, Any], language: int) -> list[tuple[str, float, str]]:
    total = risk["rows_before"] or 1
    removed = risk["rows_before"] - risk["rows_after"]
    words = (("남은 행", "제외된 행"), ("rows kept", "rows removed"))[language]
    return [
        (words[0], risk["rows_after"] / total, f"{risk['rows_after']:,}"),
        (words[1], removed / total, f"{removed:,}"),
    ]
