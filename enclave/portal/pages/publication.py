"""The steps before a snapshot is offered: risk review, adequacy, the board's decision, and the record of it all."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from enclave.actor import Actor
from enclave.commands import publication as commands
from enclave.policy.publication import LEVELS, QUESTIONS, Decision
from enclave.portal.acting import actor_of, day_of, done, proved, tried
from enclave.portal.forms import Form
from enclave.portal.pages.datasets import show
from enclave.portal.signed_files import REPORT
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import dataset

router = APIRouter()


@router.post("/snapshots/{snapshot_id}/risk")
def risk(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Write the risk review, or write it anew."""

    def act() -> None:
        answers = form.starting("r_")
        store, actor = visit.portal.store, actor_of(visit)
        commands.write_risk_review(store, actor, snapshot_id=snapshot_id, answers=answers, now=visit.now)

    return _acted(visit, form, snapshot_id, act, "publication.risk_done")


@router.post("/snapshots/{snapshot_id}/adequacy")
def adequacy(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Say whether the snapshot is treated adequately."""

    def act(actor: Actor) -> None:
        commands.judge_adequacy(
            visit.portal.store,
            actor,
            snapshot_id=snapshot_id,
            risk_sha256=form.text("risk"),
            adequate=form.text("adequate") == "yes",
            reason=form.text("judge_reason"),
            now=visit.now,
        )

    return _acted(visit, form, snapshot_id, lambda: act(proved(visit, form.text("code"))), "publication.judge_done")


@router.post("/snapshots/{snapshot_id}/waiver")
def waiver(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Do without the reviewers, with a reason."""

    def act() -> None:
        commands.waive_adequacy(
            visit.portal.store,
            proved(visit, form.text("code")),
            snapshot_id=snapshot_id,
            risk_sha256=form.text("risk"),
            reason=form.text("waive_reason"),
            now=visit.now,
        )

    return _acted(visit, form, snapshot_id, act, "publication.waive_done")


@router.post("/snapshots/{snapshot_id}/offer")
def offer(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Offer the snapshot under the board's decision."""

    def act() -> None:
        decision = Decision(
            drb_number=form.text("drb_number"),
            drb_on=day_of(form.text("drb_on"), "의결일", "Day of the decision"),
            starts_on=day_of(form.text("starts_on"), "제공 시작일", "First day"),
            ends_on=day_of(form.text("ends_on"), "제공 종료일", "Last day"),
        )
        commands.offer(
            visit.portal.store,
            proved(visit, form.text("code")),
            snapshot_id=snapshot_id,
            risk_sha256=form.text("risk"),
            decision=decision,
            now=visit.now,
        )

    return _acted(visit, form, snapshot_id, act, "publication.offer_done")


@router.post("/snapshots/{snapshot_id}/return")
def send_back(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Send the snapshot back to be built again."""

    def act() -> None:
        store, actor = visit.portal.store, actor_of(visit)
        commands.send_back(store, actor, snapshot_id=snapshot_id, reason=form.text("return_reason"), now=visit.now)

    return _acted(visit, form, snapshot_id, act, "publication.return_done")


@router.get("/snapshots/{snapshot_id}/record")
def record(visit: Here, snapshot_id: str) -> Response:
    """Show everything that was said and decided on one page to print and sign."""
    actor, store = actor_of(visit), visit.portal.store
    found = dataset.snapshot(store, actor, snapshot_id)
    report = found.manifest.files.get(REPORT)
    return visit.page(
        "snapshot_record.html",
        here="datasets",
        snapshot=found,
        dataset=dataset.dataset(store, actor, found.dataset_id),
        way=dataset.dossier(store, actor, snapshot_id, now=visit.now),
        questions=QUESTIONS,
        levels=LEVELS,
        report_sha256=report.sha256 if report else "",
    )


def _acted(visit: Visit, form: Form, snapshot_id: str, act: Callable[[], None], flash: str) -> Response:
    def once() -> str:
        act()
        return f"/snapshots/{snapshot_id}"

    return tried(lambda: done(visit, form, once, flash), lambda error: show(visit, snapshot_id, error, form))
