"""Bringing files in (반입): upload, ask, lay out what was approved, take it back (korea.md R35, R36).

Asking and deciding are the airlock's one machine. What an approval lets in is laid out afterwards, like a package that
leaves: it may fail and be tried again without anybody deciding twice. Nothing of it is readable in a workspace before.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from sqlalchemy import select

from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.errors import AirlockError
from enclave.airlock.incoming import checker
from enclave.airlock.incoming.limits import ImportLimits
from enclave.airlock.incoming.paths import packed_stem, safe_path
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.quarantine import Quarantine, Stored
from enclave.airlock.report import FileReport
from enclave.commands import egress, submission
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.content import Checked, CollectedFile, FileNote, Group
from enclave.commands.moving import move, step
from enclave.commands.submission import Submission
from enclave.errors import Conflict, Invalid, Unavailable
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest
from enclave.model.incoming import Arrival, PackageSet, Upload
from enclave.policy.airlock import votes, who
from enclave.policy.project import check_not_frozen
from enclave.queries.airlock_facts import facts, load_request
from enclave.queries.airlock_views import RequestView
from enclave.queries.ends import is_project_frozen
from enclave.queries.incoming import (
    PACKAGES,
    ApprovedFile,
    ArrivalView,
    UploadView,
    approved_files,
    arrival_view,
    lists_in,
    load_uploads,
    name_of,
    upload_view,
)
from enclave.queries.project import facts as project_facts
from enclave.queries.project import load_project
from enclave.states import Direction, RequestState, Verb
from enclave.store import Store
from enclave.workspace.mounts import IMPORT_NAME
from enclave.workspace.tree import leaves_of, tree_sha256

PIECE = 1 << 20
NO_REPORTS: Mapping[str, FileReport] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class ImportForm:
    """What is asked for: `uploads` by their ids, under /imports/`name`. Keys and rounds as in `Submission`."""

    project_id: str
    name: str
    uploads: Sequence[str]
    purpose: str
    context: str
    idempotency_key: str
    request_id: str | None = None


@dataclass(frozen=True)
class Ground:
    """Where uploads lie, where approved ones are laid out, and the limits they were checked with."""

    quarantine: Quarantine
    imports: Path
    limits: ImportLimits


def upload(  # noqa: PLR0913 - keyword-only: the file and what was said of it
    store: Store, actor: Actor, *, project_id: str, name: str, stored: Stored, report: FileReport, now: datetime
) -> UploadView:
    """Keep what was uploaded and what our checker said of it. Members of an active project.

    Raises `Denied` (`project.frozen`), `NotFound`, `Invalid` (`egress.files`: a report about other bytes).
    """
    with store.write(intent(Action.IMPORT_UPLOAD, actor, ("project", project_id), project=project_id)) as tx:
        project = load_project(tx.session, project_id)
        acting = present(tx.session, actor, now)
        who.check_may_submit(acting, project_facts(project), project.state, now)
        check_not_frozen(frozen=is_project_frozen(project))
        submission.check_files([Checked(CollectedFile(name, stored.sha256, stored.size), report)])
        found = Upload(
            id=new_id("u"),
            project_id=project_id,
            account_id=acting.account_id,
            name=name,
            sha256=stored.sha256,
            size=stored.size,
            kind=report.kind,
            verdict=report.verdict,
            report=report.to_json(),
            uploaded_at=now,
        )
        tx.session.add(found)
        tx.record(object_sha256=stored.sha256, details={"upload": found.id, "verdict": report.verdict.value})
        return upload_view(found)


def submit(
    store: Store, actor: Actor, *, form: ImportForm, now: datetime, reports: Mapping[str, FileReport] = NO_REPORTS
) -> RequestView:
    """Ask for uploads to be let in. Raises `Invalid` (`import.name`), `NotFound`, and what `egress.submit` raises.

    `reports`: by the upload's id, what our checker says now of one that was uploaded long ago.
    """
    event = intent(Action.IMPORT_SUBMIT, actor, ("egress_request", form.request_id or "new"), project=form.project_id)
    with store.prepare(event), store.read() as session:
        check_name(form.name)
        found = load_uploads(session, actor, form.project_id, form.uploads)
        files = [
            Checked(
                CollectedFile(each.name, each.sha256, each.size),
                reports.get(each.id) or FileReport.from_json(each.report),
            )
            for each in found
        ]
    return _ask(store, actor, form, files, now)


def submit_packages(store: Store, actor: Actor, *, form: ImportForm, lock: Checked, now: datetime) -> RequestView:
    """Ask for the packages of a lock (`enclave.packages.asking`). Raises what `egress.submit` raises."""
    return _ask(store, actor, form, [lock], now)


def lay_out(store: Store, ground: Ground, actor: Actor, *, request_id: str, now: datetime) -> ArrivalView:
    """Lay out what was approved, under the hash of its content; from the next start it is mounted. The system.

    Raises `Denied` (`egress.two-person`: the votes do not carry it), `Conflict` (not approved, laid out already),
    `Unavailable` (`import.not-laid-out`: it stays approved and is tried again).
    """
    with store.prepare(intent(Action.IMPORT_FAILED, actor, ("egress_request", request_id))):
        name, files = _order(store, request_id, now)
        tree = "" if name == PACKAGES else _written(ground, files)
    with store.write(intent(Action.IMPORT_DONE, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.RELEASE, now)
        if _carried(begun.found, now) != files:
            raise _decided_anew()
        move(begun.found, Verb.RELEASE, RequestState.RELEASED, now)
        found = Arrival(
            id=new_id("a"),
            request_id=request_id,
            project_id=begun.found.project_id,
            name=name,
            tree_sha256=tree,
            files=len(files),
            arrived_at=now,
        )
        tx.session.add(found)
        tx.record(object_sha256=tree or None, reason_code="approved", details={"files": len(files)})
        return arrival_view(found, current=True)


def take_back(store: Store, actor: Actor, *, request_id: str, reason: str, now: datetime) -> ArrivalView | None:
    """Take an import back: no workspace mounts it from its next start on. Disinterested checkers, providers' stewards.

    Of packages a project has none any more until the operator fetches what is still approved. None for one that was
    approved and not laid out yet: it never is.

    Raises `Denied`, `NotFound`, `Conflict`, `Invalid` (no reason).
    """
    with store.write(intent(Action.IMPORT_RECALL, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.RECALL, now)
        require(("회수 사유", "reason", reason))
        move(begun.found, Verb.RECALL, RequestState.RECALLED, now)
        found = tx.session.scalar(select(Arrival).where(Arrival.request_id == request_id))
        tx.record(details={"reason_sha256": text_sha256(reason), "was_laid_out": found is not None})
        if found is None:
            return None
        found.recalled_at, found.recall_reason = now, reason
        tx.record(object_sha256=found.tree_sha256 or None)
        return arrival_view(found, current=False)


def set_packages(  # noqa: PLR0913 - keyword-only fields of one record
    store: Store, actor: Actor, *, project_id: str, tree: str, lock: str, lists: Sequence[str], now: datetime
) -> None:
    """Let a project's workspaces mount this set of packages from their next start on. The console.

    `lists`: the SHA-256 of the approved lists it was made of. Raises `Denied`, `NotFound`, `Conflict`
    (`packages.taken-back`: one of them is not approved any more; fetching takes its time).
    """
    with store.write(intent(Action.PACKAGES_SET, actor, ("project", project_id), project=project_id)) as tx:
        load_project(tx.session, project_id)
        if not actor.is_console:
            raise Invalid(
                "packages.console-only",
                ko="운영자가 콘솔에서만 할 수 있습니다.",
                en="Only the operator does this, at the console.",
                remedy_ko="‘ansim packages fetch’를 실행하세요.",
                remedy_en="Run ‘ansim packages fetch’.",
            )
        if not set(lists) <= set(lists_in(tx.session, project_id)):
            raise _taken_back()
        tx.session.add(PackageSet(id=new_id("k"), project_id=project_id, tree_sha256=tree, lock=lock, made_at=now))
        tx.record(object_sha256=tree, details={"packages": len(lock.splitlines())})


def check_name(name: str) -> None:
    """Raise `Invalid` (`import.name`) unless the name can be a folder below /imports."""
    if not IMPORT_NAME.fullmatch(name) or name == PACKAGES:
        raise Invalid(
            "import.name",
            ko=f"반입물의 이름 {name[:40]!a}은(는) 쓸 수 없습니다.",
            en=f"The name {name[:40]!a} cannot be used.",
            remedy_ko="영문 소문자, 숫자, -, _ 로 1~63자를 쓰세요(예: survival-tools).",
            remedy_en="Use 1 to 63 lower-case letters, digits, - and _ (survival-tools).",
        )


def _checked(found: Upload) -> Checked:
    return Checked(CollectedFile(found.name, found.sha256, found.size), FileReport.from_json(found.report))


def _ask(store: Store, actor: Actor, form: ImportForm, files: list[Checked], now: datetime) -> RequestView:
    group = Group(form.name, form.context or form.purpose, "import-checks")
    form_of_all = Submission(
        project_id=form.project_id,
        files=files,
        purpose=form.purpose,
        context=form.context,
        idempotency_key=form.idempotency_key,
        request_id=form.request_id,
        direction=Direction.IMPORT,
        groups=(group,),
        notes={one.file.name: FileNote(group=form.name) for one in files},
    )
    return egress.submit(store, actor, submission=form_of_all, now=now)


def _order(store: Store, request_id: str, now: datetime) -> tuple[str, tuple[ApprovedFile, ...]]:
    """Return the name and the files of an approved import whose votes carry it now."""
    with store.read() as session:
        found = load_request(session, request_id)
        return name_of(found), _carried(found, now)


def _carried(found: AirlockRequest, now: datetime) -> tuple[ApprovedFile, ...]:
    """Return what the decision let through. Raises `Denied` unless the votes that count now carry every file of it."""
    about = facts(found, now)
    votes.check_carried(about, [file.id for file in about.files if file.passed])
    return approved_files(found)


def _written(ground: Ground, files: Sequence[ApprovedFile]) -> str:
    """Write the files into a folder of their own and return the hash that names it."""
    ground.imports.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=ground.imports))
    try:
        for file in files:
            # Several archives beside each other: each in a folder of its own name.
            stem = packed_stem(PurePosixPath(file.name).name)
            below = fresh / safe_path(stem) if len(files) > 1 and stem else fresh
            for path, content in _members(ground, file):
                _write(below / path, content)
        _let_in(fresh)
        return _named(fresh, ground.imports)
    except (OSError, AirlockError, ParseRefused) as error:
        raise _not_laid_out(error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _members(ground: Ground, file: ApprovedFile) -> Iterator[tuple[str, Iterator[bytes]]]:
    with ground.quarantine.open(file.sha256) as stored:  # its bytes are hashed again
        if not packed_stem(file.name):
            yield safe_path(PurePosixPath(file.name).name), iter(lambda: stored.read(PIECE), b"")
            return
    for member in checker.unpacked(ground.quarantine.path(file.sha256), file.name, ground.limits):
        yield member.path, iter([member.content])


def _write(target: Path, content: Iterator[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        for piece in content:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    target.chmod(0o444)


def _let_in(fresh: Path) -> None:
    """Let the workspace's user, who is neither owner nor group, go into every folder."""
    # Not by `mkdir`: its mode is less the service's umask, and for folders between it is the umask's alone.
    for folder, _, _ in os.walk(fresh):
        Path(folder).chmod(0o755)


def _named(fresh: Path, root: Path) -> str:
    descriptor = os.open(fresh, os.O_PATH | os.O_DIRECTORY)
    try:
        name = tree_sha256(leaves_of(descriptor))
    finally:
        os.close(descriptor)
    if not (root / name).exists():
        fresh.rename(root / name)
    return name


def _taken_back() -> Conflict:
    return Conflict(
        "packages.taken-back",
        ko="내려받는 사이에 승인이 회수된 패키지가 있어 아무것도 연결하지 않았습니다.",
        en="Some of these packages were taken back while they were fetched; nothing was mounted.",
        remedy_ko="‘ansim packages fetch’를 다시 실행하세요.",
        remedy_en="Run ‘ansim packages fetch’ again.",
    )


def _decided_anew() -> Conflict:
    return Conflict(
        "import.decided-anew",
        ko="펼치는 사이에 반입 결정이 바뀌어 아무것도 들이지 않았습니다.",
        en="It was decided anew while it was laid out; nothing came in.",
        remedy_ko="새 결정에 따라 다시 펼칩니다.",
        remedy_en="What is approved now is laid out at the next turn.",
    )


def _not_laid_out(error: Exception) -> Unavailable:
    why = getattr(error, "code", type(error).__name__)
    return Unavailable(
        "import.not-laid-out",
        ko=f"승인된 반입물을 펼치지 못했습니다({why}). 승인은 그대로이고 다시 시도합니다.",
        en=f"The approved import could not be laid out ({why}). The approval stands; it is tried again.",
        remedy_ko="운영자에게 알리세요. 디스크 공간과 검역 보관소를 확인해야 합니다.",
        remedy_en="Tell the operator to look at the disk and the quarantine.",
    )
