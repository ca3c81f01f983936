"""Data sets, their snapshots, and the risk report that was signed with each."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from deid.figures import figures_of
from deid.report_words import DOUBTS, LEARNED
from enclave.commands import dataset as commands
from enclave.errors import EnclaveError
from enclave.policy.publication import LEVELS, QUESTIONS
from enclave.portal.acting import actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.headers import REPORT_POLICY
from enclave.portal.signed_files import REPORT, has_twin, signed_file, signed_risks, twin_answer
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import dataset, holders, lineage

router = APIRouter()


def show(visit: Visit, snapshot_id: str, error: EnclaveError | None = None, form: Form | None = None) -> Response:
    """Return one snapshot; `form` is what was sent and refused."""
    actor, store = actor_of(visit), visit.portal.store
    found = dataset.snapshot(store, actor, snapshot_id)
    return visit.page(
        "snapshot.html",
        here="datasets",
        status=error.status if error else 200,
        error=error,
        snapshot=found,
        twin=has_twin(found),
        dataset=dataset.dataset(store, actor, found.dataset_id),
        holders=holders.holders(store, actor, snapshot_id) if "trace" in found.may else (),
        way=dataset.dossier(store, actor, snapshot_id, now=visit.now),
        questions=QUESTIONS,
        levels=LEVELS,
        typed=typed(form),
    )


@router.get("/datasets")
def datasets(visit: Here) -> Response:
    """Show the catalogue."""
    return visit.page("datasets.html", here="datasets", datasets=dataset.datasets(visit.portal.store, actor_of(visit)))


@router.get("/snapshots/{snapshot_id}")
def one(visit: Here, snapshot_id: str) -> Response:
    """Show one snapshot."""
    return show(visit, snapshot_id)


@router.get("/snapshots/{snapshot_id}/releases")
def releases(visit: Here, snapshot_id: str) -> Response:
    """Show what left that came from this snapshot, and what may have (korea.md R72)."""
    actor, store = actor_of(visit), visit.portal.store
    found = dataset.snapshot(store, actor, snapshot_id)
    return visit.page(
        "lineage.html",
        here="datasets",
        snapshot=found,
        dataset=dataset.dataset(store, actor, found.dataset_id),
        releases=lineage.releases_from(store, actor, snapshot_id, now=visit.now),
    )


@router.get("/snapshots/{snapshot_id}/figures")
def figures(visit: Here, snapshot_id: str) -> Response:
    """Show risk and usefulness before and after, as pictures with their numbers, and why each column is treated so."""
    actor, store = actor_of(visit), visit.portal.store
    found = dataset.snapshot(store, actor, snapshot_id)
    risks = signed_risks(found)
    return visit.page(
        "snapshot_figures.html",
        here="datasets",
        snapshot=found,
        dataset=dataset.dataset(store, actor, found.dataset_id),
        risks=risks,
        figures={table: figures_of(risk) for table, risk in risks.items()},
        learned=LEARNED,
        doubts=DOUBTS,
    )


@router.get("/snapshots/{snapshot_id}/report")
def report(visit: Here, snapshot_id: str) -> Response:
    """Return the risk report in a sandbox of its own: no scripts, no forms, an origin that is nobody's."""
    found = dataset.snapshot(visit.portal.store, actor_of(visit), snapshot_id)
    return Response(
        signed_file(found, REPORT),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": REPORT_POLICY},
    )


@router.get("/snapshots/{snapshot_id}/twin")
def twin(visit: Here, snapshot_id: str) -> Response:
    """Give the synthetic twin to keep."""
    return twin_answer(dataset.snapshot(visit.portal.store, actor_of(visit), snapshot_id))


@router.post("/snapshots/{snapshot_id}/withdraw")
def withdraw(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Withdraw a snapshot from new use."""

    def act() -> str:
        commands.withdraw_snapshot(
            visit.portal.store,
            actor_of(visit),
            snapshot_id=snapshot_id,
            reason=form.text("reason"),
            running_stay=form.text("mounts_end") == "next-start",
            now=visit.now,
        )
        return f"/snapshots/{snapshot_id}"

    return tried(
        lambda: done(visit, form, act, "datasets.withdraw_done"), lambda error: show(visit, snapshot_id, error)
    )


@router.post("/snapshots/{snapshot_id}/end-running")
def end_running(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Stop now what still runs with a withdrawn snapshot."""

    def act() -> str:
        commands.end_running(
            visit.portal.store,
            actor_of(visit),
            snapshot_id=snapshot_id,
            reason=form.text("reason"),
            now=visit.now,
        )
        return f"/snapshots/{snapshot_id}"

    return tried(
        lambda: done(visit, form, act, "datasets.end_running_done"), lambda error: show(visit, snapshot_id, error)
    )
