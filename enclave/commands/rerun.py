"""Running a request's code again: asked for with the round, begun and concluded by the service (docs/adr/0025).

Three runs at most: on the same data; if that did not reproduce the files, once more with another seed, to tell code
that never gives the same twice; if it did, on half of the data, to tell code that does not look at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.rerun.same import Same
from enclave.airlock.rerun.wording import Seen, told
from enclave.commands.acting import check_system, intent
from enclave.commands.meanwhile import add
from enclave.commands.workspace import Means
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.data import Snapshot
from enclave.model.egress import AirlockRequest
from enclave.model.rerun import Rerun, RerunState, RerunStep
from enclave.policy.provider.combining import stopped_findings
from enclave.policy.provider.document import default
from enclave.queries import rerun as queries
from enclave.queries.airlock_facts import load_request, present_files, present_round
from enclave.queries.incoming import brought
from enclave.queries.provider_policy import of_round
from enclave.states import ColumnState, FileRole
from enclave.store import Store, Tx
from enclave.workspace.mounts import Roots, plan_mounts
from enclave.workspace.plan import Mount, WorkspacePlan
from enclave.workspace.rerun import CODE_NAME, PREFIX, RerunOrder
from enclave.workspace.views import View, half_view, project_view

MOST_TRIES = 3
SEEDS = {RerunStep.SAME: "0", RerunStep.SEED: "1", RerunStep.HALF: "0"}


@dataclass(frozen=True)
class Begun:
    """What the gate is handed: the signed order, and which stored file each name of code is (name, SHA-256)."""

    run_id: str
    order: bytes
    signature: bytes
    code: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Wrote:
    """What a run wrote under one name: the hash of it, and how it compares with what was submitted."""

    sha256: str
    same: Same


@dataclass(frozen=True)
class Ran:
    """How a run ended: what the gate said of it, and what it wrote by name."""

    exit_code: int | None
    why: str
    wrote: Mapping[str, Wrote]


def ask(session: Session, request: AirlockRequest, now: datetime) -> None:
    """Have the code that files without a recipe name be run again; part of the transaction that submits."""
    files = [file for file in request.files if file.round == request.round]
    named = {file.code for file in files if file.role is FileRole.OUTPUT and file.code and not file.recipe}
    for name in sorted(named):
        if CODE_NAME.fullmatch(name):
            session.add(
                Rerun(
                    id=new_id("n"),
                    request_id=request.id,
                    round=request.round,
                    code_name=name,
                    state=RerunState.WAITING,
                    step=RerunStep.SAME,
                    tries=0,
                    seen={},
                    asked_at=now,
                )
            )
    session.flush()


def begin(store: Store, means: Means, actor: Actor, *, rerun_id: str, now: datetime) -> Begun:
    """Sign the order for its next run. The service (system); raises `Denied`, `NotFound`, `Conflict`, `Unavailable`."""
    event = intent(Action.EGRESS_RERUN, actor, ("rerun", rerun_id), outcome="allowed")
    with store.prepare(event), store.read() as session:
        waiting = queries.load(session, rerun_id, lock=False)
        views = _views(session, means, load_request(session, waiting.request_id), waiting.step)
    with store.write(event) as tx:
        check_system(actor)
        row = queries.load(tx.session, rerun_id)
        request = load_request(tx.session, row.request_id, lock=True)
        if row.state is not RerunState.WAITING or not queries.is_present(row, request):
            raise _not_waiting()
        row.state, row.began_at, row.tries = RerunState.RUNNING, now, row.tries + 1
        row.run_id = f"{PREFIX}{row.id.removeprefix('n-')}-{row.step.value}{row.tries}"
        mounts = plan_mounts(Roots.under(means.settings.home), row.run_id, views, brought(tx.session, request.project))
        order = _order(means, row, request, mounts, now)
        tx.record(
            project=request.project_id,
            object_sha256=order.sha256,
            details={"request": request.id, "step": row.step.value, "image": order.plan.image_id},
        )
        return Begun(row.run_id, order.canonical(), order.sign(means.plan_key), order.files)


def put_back(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, rerun_id: str, why: str, blocks: bool, now: datetime
) -> None:
    """Let a run that was lost or could not be begun wait again; after three times it counts as failed (system)."""
    _concluded(store, actor, rerun_id, Ran(None, why, {}), blocks=blocks, again=True, now=now)


def conclude(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, rerun_id: str, ran: Ran, blocks: bool, now: datetime
) -> None:
    """Record how a run ended, and have the next one wait, or tell what came of all of them (system).

    `blocks`: whether what is not reproduced stops a file. Raises `Denied`, `NotFound`, `Conflict`.
    """
    _concluded(store, actor, rerun_id, ran, blocks=blocks, again=False, now=now)


def _concluded(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, rerun_id: str, ran: Ran, *, blocks: bool, again: bool, now: datetime
) -> None:
    with store.write(intent(Action.EGRESS_RERUN_DONE, actor, ("rerun", rerun_id))) as tx:
        check_system(actor)
        row = queries.load(tx.session, rerun_id)
        request = load_request(tx.session, row.request_id, lock=True)
        tx.record(project=request.project_id, details={"request": request.id, "step": row.step.value, "why": ran.why})
        if again and row.tries < MOST_TRIES and queries.is_present(row, request):
            row.state, row.run_id = RerunState.WAITING, None
            tx.record(outcome="failed")
            return
        _note(row, request, ran)
        if (step := _next(row, ran)) is not None and queries.is_present(row, request):
            row.state, row.step, row.tries, row.run_id = RerunState.WAITING, step, 0, None
            return
        row.state, row.ended_at = RerunState.DONE, now
        _tell(tx, row, request, blocks=blocks)


def _note(row: Rerun, request: AirlockRequest, ran: Ran) -> None:
    """Add to the row what this run showed. A new value, not a changed one: the database sees it only so."""
    seen = {**row.seen, "files": {**row.seen.get("files", {})}}
    submitted = dict(queries.outputs_of(request, row))
    for name, sha256 in submitted.items():
        wrote, before = ran.wrote.get(name), dict(seen["files"].get(name, {}))
        if row.step is RerunStep.SAME and wrote is not None:
            before = {"sha256": wrote.sha256, "how": wrote.same.how, "rows": [list(each) for each in wrote.same.rows]}
        elif row.step is RerunStep.SEED and before:
            before["unstable"] = wrote is None or wrote.sha256 != before["sha256"]
        elif row.step is RerunStep.HALF and before:
            before["stored"] = wrote is not None and wrote.sha256 == sha256
        seen["files"][name] = before
    if row.step is RerunStep.SAME:
        seen |= {"exit_code": ran.exit_code, "why": ran.why}
    row.seen = seen


def _next(row: Rerun, ran: Ran) -> RerunStep | None:
    files = [each for each in row.seen["files"].values() if each]
    if row.step is not RerunStep.SAME or ran.why or not files:
        return None
    return RerunStep.HALF if all(each["how"] for each in files) else RerunStep.SEED


def _tell(tx: Tx, row: Rerun, request: AirlockRequest, *, blocks: bool) -> None:
    files = {file.name: file for file in present_files(request)}
    policy = of_round(present_round(request)) or default()
    found: dict[str, int] = {}
    for name, each in row.seen["files"].items():
        same = Same(each["how"], tuple((a, b, c) for a, b, c in each["rows"])) if each else None
        seen = Seen(same, unstable=bool(each.get("unstable")), stored=bool(each.get("stored")))
        exit_code, why = row.seen.get("exit_code"), row.seen.get("why", "")
        said, evidence = told(row.code_name, seen, exit_code=exit_code, why=why, blocks=blocks)
        findings = stopped_findings(said, policy)
        if name in files and queries.is_present(row, request):
            add(files[name], findings, evidence)
        for finding in findings:
            found[finding.rule] = found.get(finding.rule, 0) + 1
    tx.session.flush()
    tx.record(details={"files": len(row.seen["files"]), "findings": sum(found.values())})


def _views(session: Session, means: Means, request: AirlockRequest, step: RerunStep) -> dict[str, View]:
    """Return the project's views by data set, of all of the data or of half of them."""
    approved: dict[str, dict[str, list[str]]] = {}
    for column in request.project.columns:
        if column.state is ColumnState.APPROVED:
            approved.setdefault(column.snapshot_id, {}).setdefault(column.table_name, []).append(column.column_name)
    found = {}
    for snapshot in session.scalars(select(Snapshot).where(Snapshot.id.in_(approved))):
        columns, root = approved[snapshot.id], means.settings.views
        view = project_view(
            Path(snapshot.path), columns, root, public_key=means.snapshot_key, store=means.snapshot_store
        )
        found[snapshot.dataset_id] = half_view(view, root) if step is RerunStep.HALF else view
    return found


def _order(means: Means, row: Rerun, request: AirlockRequest, mounts: tuple[Mount, ...], now: datetime) -> RerunOrder:
    settings = means.settings
    plan = WorkspacePlan(
        workspace_id=row.run_id or "",
        project_id=request.project_id,
        account_id=request.requester_id,
        login=request.requester.login,
        image_id=means.image_id,
        mounts=mounts,
        expires_at=(now + timedelta(minutes=settings.plan_minutes)).replace(microsecond=0),
        memory_bytes=settings.memory_bytes,
        cpus=settings.cpus,
        pids=settings.pids,
        environment={"PYTHONHASHSEED": SEEDS[row.step]},
    )
    code = [file for file in present_files(request) if CODE_NAME.fullmatch(file.name)]
    files = tuple((file.name, file.sha256) for file in code)
    return RerunOrder(plan, row.code_name, files, settings.rerun_seconds)


def _not_waiting() -> Conflict:
    return Conflict(
        "rerun.not-waiting",
        ko="이 재실행은 기다리고 있지 않습니다.",
        en="This re-run does not wait.",
        remedy_ko="할 일이 없습니다.",
        remedy_en="There is nothing to do.",
    )
