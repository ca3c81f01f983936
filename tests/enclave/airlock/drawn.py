"""Figures as people make them, drawn with matplotlib: honest ones, and scatter plots of persons."""

from __future__ import annotations

import io
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure

FONT = "/usr/share/fonts/truetype/nanum/NanumGothic.ttf"
font_manager.fontManager.addfont(FONT)
mpl.rcParams.update({"font.family": ["NanumGothic"], "axes.unicode_minus": False})
REGIONS = ["서울", "부산", "대구", "인천", "광주", "대전", "울산", "세종"]


def _axes() -> tuple[Figure, mpl.axes.Axes]:
    figure = Figure()
    return figure, figure.add_subplot()


def bars() -> Figure:
    figure, axes = _axes()
    axes.bar(REGIONS, [120, 340, 220, 190, 150, 333, 410, 99])
    axes.set_title("지역별 환자 수")
    axes.set_ylabel("환자 수(명)")
    return figure


def line() -> Figure:
    figure, axes = _axes()
    axes.plot(range(2010, 2022), [5.1, 5.2, 5.4, 5.3, 5.6, 5.9, 6.0, 6.2, 6.1, 6.4, 6.3, 6.6])
    axes.set_title("Incidence per 100,000 person-years, 2010–2021")
    axes.grid(visible=True)
    return figure


def steps() -> Figure:
    figure, axes = _axes()
    times = np.linspace(0, 60, 13)
    axes.step(times, np.exp(-times / 40))
    axes.set_xlabel("추적 기간(개월)")
    axes.legend(["시험군 (n=320)"])
    return figure


def forest() -> Figure:
    figure, axes = _axes()
    axes.errorbar([1.2, 0.9, 1.5, 1.1, 0.8, 1.3], range(6), xerr=0.2, fmt="s")
    axes.set_yticks(range(6), ["나이 65세 이상", "남성", "흡연", "고혈압", "당뇨병", "BMI ≥ 25"])
    axes.set_xlabel("Odds ratio (95% CI)")
    return figure


def histogram() -> Figure:
    figure, axes = _axes()
    axes.hist(np.random.default_rng(0).normal(50, 10, 5000), bins=20)
    axes.set_title("Age distribution")
    return figure


def scatter(*, many: int = 80, size: float | None = None, marker: str = "o") -> Figure:
    figure, axes = _axes()
    places = np.random.default_rng(1).random((2, many))
    axes.scatter(*places, s=size, marker=marker)
    return figure


def strip() -> Figure:
    """One variable, all dots on one line: they stand as ticks do, but not at even distances."""
    figure, axes = _axes()
    axes.scatter(np.zeros(40), np.random.default_rng(2).random(40))
    return figure


def long_line() -> Figure:
    figure, axes = _axes()
    axes.plot(np.random.default_rng(3).random(200).cumsum(), np.random.default_rng(4).random(200))
    return figure


HONEST: dict[str, Callable[[], Figure]] = {
    "bars": bars,
    "a line": line,
    "steps": steps,
    "a forest plot": forest,
    "a histogram": histogram,
}


def saved(figure: Figure, ending: str, **options: object) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=ending, **options)
    return out.getvalue()
