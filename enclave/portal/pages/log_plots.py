"""What was done, as plots: a timeline of a project, of a person or of all, and a week of hours (KST)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from enclave.commands import logbook as commands
from enclave.commands.logbook import Activity
from enclave.logbook.activity import Bar, Layout, lay_out
from enclave.logbook.charts import timeline, week
from enclave.logbook.question import Question
from enclave.portal import kst
from enclave.portal.acting import actor_of
from enclave.portal.log_lines import address, lines_of, task_name
from enclave.portal.visit import Here, Visit
from enclave.queries import logbook

router = APIRouter()
USUAL = "30"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@router.get("/log/activity")
def activity(visit: Here) -> Response:
    """Show the plots of a period, of a project or a person if one is named."""
    asked = Question.of(dict(visit.request.query_params))
    if not (asked.recent or asked.begin or asked.end):
        asked = Question.of({**asked.given(), "recent": USUAL})
    with visit.portal.store.read() as session:
        meant = logbook.meaning(session, Question.of(_period_of(asked)), visit.now)
        names = logbook.logins(session)
    account = next((id_ for id_, login in names.items() if login == asked.actor), asked.actor) or None
    since, until = _span(meant.since, meant.until, visit.now)
    found = commands.view_activity(
        visit.portal.store,
        actor_of(visit),
        project=asked.project or None,
        account=account,
        since=since,
        until=until,
        now=visit.now,
    )
    layout = lay_out(found.done, since.astimezone(kst.KST).date(), _last(until))
    return visit.page(
        "log_activity.html",
        here="log",
        asked=asked,
        suggested=logbook.suggestions(visit.portal.store, actor_of(visit)),
        first=layout.total[0].first,
        last=layout.total[-1].last,
        **_plots(visit, layout),
        bars=[(at, bar, _bar_address(asked, bar)) for at, bar in enumerate(layout.total) if bar.entries],
        shares=_shares(asked, found, names),
        notable=[(line, "") for line in lines_of(visit, found.notable)],
        entries=address(asked),
    )


def _plots(visit: Visit, layout: Layout) -> dict[str, Any]:
    lanes = {task: task_name(visit, task) if task else visit.say("logplot.task_other") for task in layout.lanes}
    days = [visit.say(f"logplot.{day}") for day in WEEKDAYS]
    say = _say(visit)
    return {
        "layout": layout,
        "lanes": lanes,
        "days": days,
        "timeline": Markup(timeline(layout, lanes, say)),  # noqa: S704 - every text in it is escaped there
        "week": Markup(week(layout, days, say)),  # noqa: S704 - every text in it is escaped there
    }


def _say(visit: Visit) -> Callable[..., str]:
    return lambda key, **values: visit.say(f"logplot.{key}", **values)


def _period_of(asked: Question) -> dict[str, str]:
    return {name: getattr(asked, name) for name in ("begin", "end", "recent")}


def _span(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return both ends of the period; at most ten years, so that what is drawn has an end.

    Counts are by whole hours: the present one is there as well.
    """
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    end = min(until or hour, hour + timedelta(days=1))
    begin = max(since or end - timedelta(days=365), end - timedelta(days=3_650))
    return min(begin, end - timedelta(hours=1)), end


def _last(until: datetime) -> date:
    return (until - timedelta(microseconds=1)).astimezone(kst.KST).date()


def _bar_address(asked: Question, bar: Bar) -> str:
    given = {name: value for name, value in asked.given().items() if name not in {"recent", "begin", "end"}}
    return address(Question.of({**given, "begin": bar.first.isoformat(), "end": bar.last.isoformat()}))


def _shares(asked: Question, found: Activity, names: dict[str, str]) -> list[tuple[str, int, str]]:
    """Return (name, entries, address of its own plots) of the people of a project, or the projects of a person."""
    by = "project" if asked.actor else "actor"
    period = Question.of(_period_of(asked))
    rows = []
    for value, entries in found.shares:
        name = names.get(value, value) if by == "actor" else value
        query = address(Question.of({**period.given(), by: name})).removeprefix("/log")
        rows.append((name, entries, f"/log/activity{query}"))
    return rows
