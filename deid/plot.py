"""Small bar charts as SVG text, for the report: no fonts, no scripts, the same bytes for the same figures.

Drawn by hand rather than by a plotting library so that Korean labels use the reader's own fonts and the page can style
them in both languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, LEFT, BAR = 640, 150, 18
TOP, HEIGHT, FOOT = 30, 180, 44
SERIES = ("before", "middle", "after")


def grouped_bars(labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], *, title: str) -> str:
    """Draw vertical bars: for each label one bar per series (name, shares from 0 to 1, as long as `labels`)."""
    step = (WIDTH - 40) / len(labels)
    bar = step * 0.8 / len(series)
    parts = [_open(TOP + HEIGHT + FOOT, title)]
    for index, (name, shares) in enumerate(series):
        style = SERIES[index % len(SERIES)]
        x = 40 + index * 190
        parts.append(f'<rect class="{style}" x="{x}" y="4" width="12" height="12"/>')
        parts.append(f'<text x="{x + 18}" y="14">{escape(name)}</text>')
        parts.extend(_bar(40 + at * step + index * bar, bar, share, style=style) for at, share in enumerate(shares))
    parts.extend(
        f'<text class="middle-text" x="{40 + (at + 0.4) * step:.1f}" y="{TOP + HEIGHT + 16}">{escape(label)}</text>'
        for at, label in enumerate(labels)
    )
    parts.append(f'<line x1="36" x2="{WIDTH}" y1="{TOP + HEIGHT}" y2="{TOP + HEIGHT}"/></svg>')
    return "".join(parts)


def share_bars(rows: Sequence[tuple[str, float, str]], *, title: str) -> str:
    """Draw horizontal bars: (label, share from 0 to 1, text at the end) per row."""
    parts = [_open(len(rows) * (BAR + 8) + 8, title)]
    room = WIDTH - LEFT - 110
    for index, (label, share, text) in enumerate(rows):
        y = 4 + index * (BAR + 8)
        length = max(0.0, min(1.0, share)) * room
        parts.extend(
            (
                f'<text class="end-text" x="{LEFT - 8}" y="{y + 14}">{escape(label)}</text>',
                f'<rect class="ground" x="{LEFT}" y="{y}" width="{room}" height="{BAR}"/>',
                f'<rect class="after" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}"/>',
                f'<text x="{LEFT + room + 8}" y="{y + 14}">{escape(text)}</text>',
            )
        )
    return "".join((*parts, "</svg>"))


def _open(height: float, title: str) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {height:.0f}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>"
    )


def _bar(x: float, width: float, share: float, *, style: str) -> str:
    height = share * (HEIGHT - 14)
    y = TOP + HEIGHT - height
    text = (
        f'<text class="middle-text small" x="{x + width / 2:.1f}" y="{y - 3:.1f}">{share:.0%}</text>' if share else ""
    )
    return f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{height:.1f}"/>{text}'
