"""Small bar charts as SVG text, for report and portal: no fonts, no scripts, the same bytes for the same figures.

Drawn by hand rather than by a plotting library so that Korean labels use the reader's own fonts and the page can style
them in both languages. Colours come from the page's style sheet by class (`ground`, `before`, `middle`, `after`), and
every bar has its number beside it: nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, LEFT, BAR = 640, 170, 18
AXIS, TOP, HEIGHT, FOOT = 44, 34, 180, 28
SERIES = ("before", "middle", "after")
TWO = ("before", "after")
THIN, GAP = 14, 12
LEGEND = 190


def grouped_bars(
    labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], *, title: str, told: str = ""
) -> str:
    """Draw vertical bars: for each label one bar per series (name, shares from 0 to 1, as long as `labels`).

    `title` names the picture to who cannot see it, `told` says what it shows.
    """
    step = (WIDTH - AXIS) / len(labels)
    bar = step * 0.84 / len(series)
    parts = [_open(TOP + HEIGHT + FOOT, title, told), _legend([name for name, _ in series]), *_scale()]
    for index, (_, shares) in enumerate(series):
        style = _styles(len(series))[index]
        parts.extend(_bar(AXIS + at * step + index * bar, bar, share, style=style) for at, share in enumerate(shares))
    parts.extend(
        f'<text class="middle-text" x="{AXIS + (at + 0.42) * step:.1f}" y="{TOP + HEIGHT + 18}">{escape(label)}</text>'
        for at, label in enumerate(labels)
    )
    parts.append(f'<line x1="{AXIS - 4}" x2="{WIDTH}" y1="{TOP + HEIGHT}" y2="{TOP + HEIGHT}"/></svg>')
    return "".join(parts)


def share_bars(rows: Sequence[tuple[str, float, str]], *, title: str, told: str = "") -> str:
    """Draw horizontal bars: (label, share from 0 to 1, text at the end) per row."""
    parts = [_open(len(rows) * (BAR + 8) + 8, title, told)]
    for index, (label, share, text) in enumerate(rows):
        y = 4 + index * (BAR + 8)
        parts.append(_label(label, y + 14))
        parts.append(_lying(y, BAR, share, text, style="after"))
    return "".join((*parts, "</svg>"))


def paired_bars(
    rows: Sequence[tuple[str, Sequence[tuple[float, str]]]], series: Sequence[str], *, title: str, told: str = ""
) -> str:
    """Draw for each row (label) one thin horizontal bar per series: (share from 0 to 1, text at the end)."""
    step = len(series) * THIN + GAP
    parts = [_open(TOP + len(rows) * step, title, told), _legend(series)]
    for index, (label, bars) in enumerate(rows):
        y = TOP - 6 + index * step
        parts.append(_label(label, y + (len(bars) * THIN) / 2 + 4))
        for at, (share, text) in enumerate(bars):
            parts.append(_lying(y + at * THIN, THIN - 2, share, text, style=_styles(len(series))[at]))
    return "".join((*parts, "</svg>"))


def _open(height: float, title: str, told: str) -> str:
    description = f"<desc>{escape(told)}</desc>" if told else ""
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {height:.0f}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{description}"
    )


def _styles(count: int) -> tuple[str, ...]:
    """Name the looks of up to three series."""
    return SERIES if count > len(TWO) else TWO


def _legend(names: Sequence[str]) -> str:
    parts = []
    for index, name in enumerate(names):
        x = AXIS + index * LEGEND
        parts.append(f'<rect class="{_styles(len(names))[index]}" x="{x}" y="4" width="12" height="12" rx="2"/>')
        parts.append(f'<text x="{x + 18}" y="14">{escape(name)}</text>')
    return "".join(parts)


def _scale() -> list[str]:
    """Draw the lines of a vertical axis of shares."""
    lines = []
    for quarter in range(1, 5):
        y = TOP + HEIGHT - quarter / 4 * (HEIGHT - 14)
        lines.append(f'<line class="grid" x1="{AXIS - 4}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="end-text small" x="{AXIS - 8}" y="{y + 3:.1f}">{quarter * 25}%</text>')
    return lines


def _label(label: str, y: float) -> str:
    return f'<text class="end-text" x="{LEFT - 8}" y="{y:.1f}">{escape(label)}</text>'


def _lying(y: float, height: int, share: float, text: str, *, style: str) -> str:
    """Draw a horizontal bar on its ground, with its number at the end."""
    room = WIDTH - LEFT - 110
    length = max(0.0, min(1.0, share)) * room
    return (
        f'<rect class="ground" x="{LEFT}" y="{y}" width="{room}" height="{height}" rx="2"/>'
        f'<rect class="{style}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{height}" rx="2"/>'
        f'<text x="{LEFT + room + 8}" y="{y + height / 2 + 4:.1f}">{escape(text)}</text>'
    )


def _bar(x: float, width: float, share: float, *, style: str) -> str:
    height = share * (HEIGHT - 14)
    y = TOP + HEIGHT - height
    number = f"{share:.0%}" if share >= 0.005 else "<1%"  # noqa: PLR2004 - what would be rounded to 0 %
    text = (
        f'<text class="middle-text small" x="{x + width / 2:.1f}" y="{y - 3:.1f}">{escape(number)}</text>'
        if share
        else ""
    )
    return f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width - 2:.1f}" height="{height:.1f}"/>{text}'
