"""The access log as reviewers and auditors read it: a question, stable pages of answers, questions worth keeping.

Every look is an entry of its own (korea.md R85): pages read through `enclave.commands.logbook`, which checks the right
and records the view. An entry is addressed by its number, which never changes.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from audit.query import Page
from enclave.actions import ABOUT, Action, Task
from enclave.commands import logbook as commands
from enclave.commands.logbook import Answer
from enclave.errors import EnclaveError, Invalid
from enclave.logbook.export_words import FORMS, REASONS
from enclave.logbook.question import RECENT, Question
from enclave.portal import reason_words
from enclave.portal.acting import actor_of, done, tried
from enclave.portal.log_lines import OUTCOMES, address, lines_of, page_of, stands_of, state_of, task_name
from enclave.portal.render import label
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import logbook

router = APIRouter()
PAGE = 50
# What fields were called before; addresses that people kept go on working.
FORMER = {"from": "begin", "until": "end"}
TASK = "task:"


@router.get("/log")
def log(visit: Here) -> Response:
    """Show one page of the log, newest first."""
    return show(visit, question_of(dict(visit.request.query_params)))


@router.get("/log/find")
def find(visit: Here, entry: str = "") -> Response:
    """Go to an entry by its number or its id."""
    # Numbers are printed with commas in reports.
    name = entry.strip().replace(",", "")
    return visit.go(f"/log/{quote(name, safe='')}" if name else "/log")


@router.post("/log/filters")
def keep(visit: Here, form: OwnForm) -> Response:
    """Keep a question under a name."""
    question = question_of(dict(form.fields))

    def act() -> str:
        name = form.text("name")
        commands.keep_filter(visit.portal.store, actor_of(visit), name=name, question=question, now=visit.now)
        return address(question)

    return tried(lambda: done(visit, form, act, "log.kept"), lambda error: show(visit, question, error))


@router.post("/log/filters/{filter_id}/drop")
def drop(visit: Here, form: OwnForm, filter_id: str) -> Response:
    """Drop a question that was kept."""

    def act() -> str:
        commands.drop_filter(visit.portal.store, actor_of(visit), filter_id=filter_id, now=visit.now)
        return "/log"

    return done(visit, form, act, "log.dropped")


def show(visit: Visit, question: Question, error: EnclaveError | None = None) -> Response:
    """Return the page that answers a question; a question that means nothing is shown beside its refusal."""
    after = visit.request.query_params.get("after", "")
    answer = Answer(Page((), None), None)
    try:
        answer = commands.ask(
            visit.portal.store,
            actor_of(visit),
            question=question,
            after=int(after) if after.isdecimal() and len(after) < 16 else None,  # noqa: PLR2004 - below 2^53
            limit=PAGE,
            now=visit.now,
        )
    except Invalid as refusal:
        error = error or refusal
    lines = lines_of(visit, answer.page.rows)
    return visit.page(
        "log.html",
        here="log",
        status=error.status if error else 200,
        error=error,
        question=question,
        typed=_typed(question),
        choices=_choices(visit),
        recent=RECENT,
        outcomes=OUTCOMES,
        suggested=logbook.suggestions(visit.portal.store, actor_of(visit)),
        reason_choices=list(reason_words.choices(visit.language, *_reasons(question, answer))),
        lines=[(line, page_of(line.found)) for line in lines],
        count=answer.count,
        older=address(question, after=answer.page.next) if answer.page.next is not None else "",
        newest=address(question) if after else "",
        kept=[(each, address(each.question)) for each in logbook.filters(visit.portal.store, actor_of(visit))],
        forms=FORMS,
        reasons=REASONS,
        plots="/log/activity?" + urlencode({name: getattr(question, name) for name in ("project", "actor")}),
        state=state_of(visit),
        stands=stands_of(visit),
    )


def question_of(given: dict[str, str]) -> Question:
    """Return the question in an address or a form; `action=task:…` asks for a whole 수행업무."""
    fields = {FORMER.get(name, name): value for name, value in given.items()}
    if fields.get("action", "").startswith(TASK):
        fields["task"] = fields.pop("action").removeprefix(TASK)
    return Question.of(fields)


def _reasons(question: Question, answer: Answer) -> list[str]:
    """Return the codes that this page speaks of, to be asked for next."""
    return sorted({each.reason_code for each in answer.page.rows} | {question.reason} - {""})


def _typed(question: Question) -> dict[str, str]:
    values = {name: getattr(question, name) for name in Question.__dataclass_fields__}
    return values | ({"action": TASK + question.task} if question.task else {})


def _choices(visit: Visit) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return (value of the whole group, its name, [(action, words)]) for each 수행업무."""
    groups = []
    for task in Task:
        actions = [(action.value, label(visit.language, action)) for action in Action if ABOUT[action].task is task]
        groups.append((TASK + task.value, task_name(visit, task), actions))
    return groups
