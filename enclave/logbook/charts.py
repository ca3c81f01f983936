"""The timeline and the week of hours as SVG text: no script, no font; every figure is also in a table beside it.

Colours come from the page's style sheet by class. Refused entries are hatched besides being red, an alert is a mark of
its own, and the cells of the week have their numbers: nothing is told by colour alone. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from enclave.actions import Task
from enclave.logbook.activity import Bar, Layout

WIDTH, LEFT, RIGHT = 960, 150, 64
LANE, BAR = 46, 30
CELL_W, CELL_H, HOURS = 33, 28, 24
YEAR = 366
# Steps of shade in the week: shares of its busiest hour.
SHADES = (0.05, 0.15, 0.35, 0.65)

Say = Callable[..., str]


def timeline(layout: Layout, names: Mapping[Task | None, str], say: Say) -> str:
    """Draw a lane of bars for each 수행업무, each scaled to its own highest bar, whose number stands beside it.

    `say` gives the texts of the page `logplot` in its language.
    """
    foot = 30
    height = LANE * len(layout.lanes) + foot
    told = say("timeline_told", entries=f"{layout.entries:,}", refused=f"{layout.refused:,}", lanes=len(layout.lanes))
    parts = [_open(height, say("timeline"), told), _hatch()]
    for number, (task, bars) in enumerate(layout.lanes.items()):
        parts.append(_lane(LANE * number, names[task], bars, say))
    parts.append(_days(layout.total, LANE * len(layout.lanes)))
    return "".join((*parts, "</svg>"))


def week(layout: Layout, days: Sequence[str], say: Say) -> str:
    """Draw the week: seven rows of 24 hours in Korean time, shaded by how much was done in each."""
    most = max(max(row) for row in layout.week) or 1
    parts = [_open(CELL_H * 7 + 26, say("week"), say("week_told", most=f"{most:,}"))]
    for weekday, row in enumerate(layout.week):
        y = CELL_H * weekday
        parts.append(f'<text class="end-text" x="{LEFT - 10}" y="{y + 18}">{escape(days[weekday])}</text>')
        parts.extend(_cell(hour, y, count, most, days[weekday], say) for hour, count in enumerate(row))
    y = CELL_H * 7 + 16
    parts.extend(
        f'<text class="middle-text small" x="{LEFT + (hour + 0.5) * CELL_W:.1f}" y="{y}">{hour}</text>'
        for hour in range(HOURS)
    )
    return "".join((*parts, "</svg>"))


def _open(height: int, title: str, told: str) -> str:
    return (
        f'<svg class="chart plot" role="img" viewBox="0 0 {WIDTH} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title><desc>{escape(told)}</desc>"
    )


def _hatch() -> str:
    return (
        '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="refused" width="5" height="5"/><line class="cut" x1="0" y1="0" x2="0" y2="5"/></pattern></defs>'
    )


def _lane(top: int, name: str, bars: Sequence[Bar], say: Say) -> str:
    most = max(bar.entries for bar in bars) or 1
    total = sum(bar.entries for bar in bars)
    floor = top + LANE - 6
    step = (WIDTH - LEFT - RIGHT) / len(bars)
    parts = [
        f'<text class="end-text" x="{LEFT - 10}" y="{floor - 14}">{escape(name)}</text>',
        f'<text class="end-text small soft" x="{LEFT - 10}" y="{floor - 1}">{total:,}</text>',
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>',
        f'<text class="small soft" x="{WIDTH - RIGHT + 6}" y="{floor - BAR + 8}">{most:,}</text>',
    ]
    for at, bar in enumerate(bars):
        if bar.entries:
            parts.append(_bar(LEFT + at * step, step, floor, bar, bar.entries / most, say))
    return "".join(parts)


def _bar(x: float, step: float, floor: int, bar: Bar, share: float, say: Say) -> str:  # noqa: PLR0913, PLR0917 - a place and a size
    # At least two pixels: one entry in a month of thousands is there to be seen.
    height = max(2.0, share * BAR)
    refused = max(2.0, height * bar.refused / bar.entries) if bar.refused else 0.0
    width = max(1.5, step - 1)
    told = say("bar", day=_span(bar), entries=f"{bar.entries:,}", refused=f"{bar.refused:,}", alerts=f"{bar.alerts:,}")
    parts = [
        f"<g><title>{escape(told)}</title>",
        f'<rect class="done" x="{x:.1f}" y="{floor - height:.1f}" width="{width:.1f}" height="{height:.1f}"/>',
    ]
    if refused:
        parts.append(
            f'<rect fill="url(#hatch)" x="{x:.1f}" y="{floor - refused:.1f}" width="{width:.1f}" '
            f'height="{refused:.1f}"/>'
        )
    if bar.alerts:
        middle, top = x + width / 2, floor - height - 3
        parts.append(f'<path class="alert" d="M{middle:.1f} {top - 5:.1f} l4 5 h-8 z"/>')
    return "".join((*parts, "</g>"))


def _days(bars: Sequence[Bar], top: int) -> str:
    step = (WIDTH - LEFT - RIGHT) / len(bars)
    every = max(1, round(len(bars) / 10))
    form = "%m-%d" if (bars[-1].last - bars[0].first).days <= YEAR else "%y-%m"
    return "".join(
        f'<text class="middle-text small" x="{LEFT + (at + 0.5) * step:.1f}" y="{top + 18}">{bar.first:{form}}</text>'
        for at, bar in enumerate(bars)
        if at % every == 0
    )


def _span(bar: Bar) -> str:
    return f"{bar.first}" if bar.first == bar.last else f"{bar.first} – {bar.last}"


def _cell(hour: int, y: int, count: int, most: int, day: str, say: Say) -> str:  # noqa: PLR0913, PLR0917 - a place and a size
    x = LEFT + hour * CELL_W
    shade = sum(count / most > step for step in SHADES) + 1 if count else 0
    told = say("cell", day=day, hour=f"{hour:02}", entries=f"{count:,}")
    number = f'<text class="middle-text small on-{shade}" x="{x + CELL_W / 2:.1f}" y="{y + 18}">{short(count)}</text>'
    return (
        f'<g><title>{escape(told)}</title><rect class="shade-{shade}" x="{x}" y="{y + 1}" width="{CELL_W - 2}" '
        f'height="{CELL_H - 2}" rx="2"/>{number if count else ""}</g>'
    )


def short(count: int) -> str:
    """Return a count in at most four characters: `873`, `1.2k`, `34k`, `2.1M`."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            value = count / size
            return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"  # noqa: PLR2004 - two digits suffice
    return str(count)
