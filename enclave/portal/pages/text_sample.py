"""Going through a sample of texts: original beside masked, marks per type, the next one; closing the review."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import Response

from deid.text_types import LABELS
from deid.texts import TextSpan
from enclave.commands import text_sample as commands
from enclave.commands.text_sample import OpenedCase
from enclave.errors import EnclaveError
from enclave.portal.acting import actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.pages import sample_list
from enclave.portal.pages.sample_list import PREFIX, marks_of, next_of, show
from enclave.portal.visit import Here, OwnForm, Visit

router = APIRouter()


@router.get("/snapshots/{snapshot_id}/sample")
def sample(visit: Here, snapshot_id: str) -> Response:
    """Show the list of the sample, without any text."""
    return show(visit, snapshot_id)


@router.get("/snapshots/{snapshot_id}/sample/{number}")
def one(visit: Here, snapshot_id: str, number: int) -> Response:
    """Show one text beside its masked form; the look is recorded."""
    return show_case(visit, snapshot_id, number)


@router.post("/snapshots/{snapshot_id}/sample/{number}")
def judge(visit: Here, form: OwnForm, snapshot_id: str, number: int) -> Response:
    """Keep what was found in one text and go to the next."""

    def act() -> str:
        commands.judge(
            visit.portal.store,
            visit.portal.vault,
            actor_of(visit),
            snapshot_id=snapshot_id,
            number=number,
            missed=marks_of(form),
            note=form.text("note"),
            values=_values(form.text("values")),
            now=visit.now,
        )
        return next_of(visit, snapshot_id, number)

    return tried(
        lambda: done(visit, form, act, "sample.judged", number=number),
        lambda error: show_case(visit, snapshot_id, number, error, form),
    )


@router.post("/snapshots/{snapshot_id}/sample-close")
def close(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Close the review."""
    return sample_list.close(visit, form, snapshot_id)


def show_case(
    visit: Visit, snapshot_id: str, number: int, error: EnclaveError | None = None, form: Form | None = None
) -> Response:
    """Return one text's page."""
    opened = commands.look(
        visit.portal.store,
        visit.portal.vault,
        actor_of(visit),
        snapshot_id=snapshot_id,
        number=number,
        now=visit.now,
    )
    start: dict[str, object] = {PREFIX + kind: count for kind, count in (opened.missed or {}).items()}
    return visit.page(
        "sample_case.html",
        here="datasets",
        status=error.status if error else 200,
        error=error,
        snapshot_id=snapshot_id,
        opened=opened,
        pieces=list(_pieces(opened)),
        kinds=LABELS,
        prefix=PREFIX,
        typed=typed(form, {"note": opened.note, "values": _lines(opened), **start}),
    )


def _pieces(opened: OpenedCase) -> Iterator[tuple[str, TextSpan | None]]:
    """Cut the original at its spans; where two overlap, the first counts."""
    text, at = opened.case.text, 0
    for span in sorted(opened.case.spans, key=lambda span: (span.start, -span.end)):
        if span.start < at:
            continue
        if span.start > at:
            yield text[at : span.start], None
        yield text[span.start : span.end], span
        at = span.end
    if at < len(text):
        yield text[at:], None


def _lines(opened: OpenedCase) -> str:
    return "\n".join(f"{LABELS[kind][0]}: {value}" for kind, value in opened.values)


def _values(said: str) -> list[tuple[str, str]]:
    """Read `type: value` lines; a type may be written in Korean, in English or by its code. Unknown ones stay so."""
    names = {name.lower(): kind for kind, labels in LABELS.items() for name in (kind, *labels)}
    lines = [line.partition(":") for line in said.splitlines() if line.strip()]
    return [(names.get(kind.strip().lower(), ""), value.strip()) for kind, _, value in lines]
