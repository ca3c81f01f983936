"""Taking uploads in, having them looked through, laying out what was approved. Nothing is parsed in this process."""

from __future__ import annotations

import io
import logging
import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from starlette.requests import Request

from deid.errors import DeidError
from deid.versions.keystore import keys_of
from enclave import clock
from enclave.actor import Actor
from enclave.airlock.errors import FileRefused
from enclave.airlock.incoming import checker
from enclave.airlock.incoming.clamav import Scanner
from enclave.airlock.incoming.columns import data_columns
from enclave.airlock.incoming.limits import DataColumn, ImportLimits
from enclave.airlock.quarantine import Quarantine
from enclave.commands import incoming as commands
from enclave.commands.content import Checked, CollectedFile
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, Unavailable
from enclave.packages.advisories import Advisories
from enclave.packages.asked import read
from enclave.packages.asking import NAME, report
from enclave.packages.index import Index
from enclave.packages.locks import pins_of
from enclave.packages.resolve import Resolved, resolve
from enclave.portal.parts import Portal
from enclave.queries import dataset, incoming, project
from enclave.queries.airlock_views import RequestView
from enclave.queries.incoming import UploadView
from enclave.snapshot_keys import store_of

LOG = logging.getLogger("ansim.portal.importing")
MOST_NAME = 200
STALE = timedelta(hours=1)


async def receive(request: Request, portal: Portal) -> Path:
    """Write a request's body into a file beside the quarantine, as it comes. Raises `FileRefused` above the limit.

    The caller removes the file.
    """
    descriptor, name = tempfile.mkstemp(dir=portal.quarantine.root, prefix="upload-")
    size, limit = 0, portal.settings.max_import_bytes
    with os.fdopen(descriptor, "wb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                break
            file.write(piece)
    if size > limit:
        os.unlink(name)  # noqa: PTH108 - as short as the writes before it
        raise _too_large(limit)
    return Path(name)


def take(portal: Portal, actor: Actor, project_id: str, name: str, path: Path) -> UploadView:
    """Put a received file into quarantine, have it looked through, and keep what was found.

    Raises `Denied`, `NotFound`, `Invalid` (`import.file-name`), `FileRefused`.
    """
    limits = limits_of(portal, actor, project_id)
    _check_name(name)
    stored = Quarantine(portal.settings.quarantine, limit=limits.max_bytes).put(path)
    found = checker.check(portal.quarantine.path(stored.sha256), name, limits, scanner=scanner_of(portal))
    now = clock.now()
    return commands.upload(portal.store, actor, project_id=project_id, name=name, stored=stored, report=found, now=now)


def ask(portal: Portal, actor: Actor, form: commands.ImportForm) -> RequestView:
    """Ask for uploads to be let in; what was looked through some time ago is looked through again first.

    Meanwhile the project may have got other data, the scanner other signatures, the checker other rules. Raises what
    `commands.submit` raises.
    """
    now = clock.now()
    incoming.check_may_upload(portal.store, actor, form.project_id, now=now)
    named = incoming.uploads_of(portal.store, actor, form.project_id, form.uploads)
    old = [each for each in named if now - each.uploaded_at >= STALE]
    limits = limits_of(portal, actor, form.project_id) if old else ImportLimits()
    reports = {
        each.id: checker.check(portal.quarantine.path(each.sha256), each.name, limits, scanner=scanner_of(portal))
        for each in old
    }
    return commands.submit(portal.store, actor, form=form, reports=reports, now=clock.now())


def limits_of(portal: Portal, actor: Actor, project_id: str) -> ImportLimits:
    """Return what uploads of this project are looked through with: sizes, and the keys of its data."""
    about = project.project(portal.store, actor, project_id, now=clock.now())
    wanted: dict[str, dict[str, list[str]]] = {}
    for each in about.columns:
        wanted.setdefault(each.snapshot_id, {}).setdefault(each.table, []).append(each.column)
    columns: list[DataColumn] = []
    for snapshot_id, tables in sorted(wanted.items()):
        snapshot = dataset.snapshot(portal.store, actor, snapshot_id)
        # The snapshot is gone from the disk, or its keys are: names are compared all the same.
        with suppress(OSError, DeidError, Unavailable):
            keys = keys_of(snapshot.manifest, store_of(portal.settings))
            columns += data_columns(snapshot.dataset_id, snapshot.path, snapshot.manifest, keys, tables)
    return ImportLimits(max_bytes=portal.settings.max_import_bytes, columns=tuple(columns))


def scanner_of(portal: Portal) -> Scanner:
    """Return the malware scanner as this installation has it."""
    return Scanner(portal.settings.clamd_socket, required=bool(portal.settings.scan_required))


def lay_out_waiting(portal: Portal) -> None:
    """Lay out every import that was approved; one that fails says why in the log and is tried at the next turn."""
    for request_id in incoming.to_lay_out(portal.store):
        ground = commands.Ground(portal.quarantine, portal.settings.imports, ImportLimits())
        try:
            commands.lay_out(portal.store, ground, Actor.system(), request_id=request_id, now=clock.now())
        except (Conflict, Denied):
            continue  # decided otherwise meanwhile
        except EnclaveError as error:
            LOG.warning("import %s is approved and not laid out yet: %s", request_id, error.code)


def answer(portal: Portal, actor: Actor, project_id: str, text: str) -> Resolved:
    """Return what a list of requirements comes to for this project, with known advisories.

    Raises `Denied`, `NotFound`, `Unavailable`.
    """
    incoming.check_may_upload(portal.store, actor, project_id, now=clock.now())
    approved = pins_of(incoming.approved_packages(portal.store, project_id))
    found = resolve(read(text), Index.load(portal.settings.wheels), approved)
    wheels = [wheel for each in found.answers for wheel in each.needs]
    return replace(found, advisories=Advisories.load(portal.settings.wheels).of_all(wheels))


def lock_of(portal: Portal, resolved: Resolved) -> Checked:
    """Put the lock of a resolved list into quarantine, with its report. Raises `Invalid` if there is nothing to ask."""
    if not resolved.wheels:
        raise Invalid(
            "packages.nothing",
            ko="승인을 받을 패키지가 없습니다(이미 있거나 함께 설치할 수 없음).",
            en="There is nothing to ask for: it is there already, or cannot be installed together.",
            remedy_ko="목록의 답을 확인해 고친 뒤 다시 확인하세요.",
            remedy_en="See the answers, mend the list and look again.",
        )
    stored = portal.quarantine.put(io.BytesIO(resolved.lock.encode()))
    found = report(resolved, Advisories.load(portal.settings.wheels), clock.now().astimezone(clock.KST).date())
    return Checked(CollectedFile(NAME, stored.sha256, stored.size), found)


def ask_packages(  # noqa: PLR0913, PLR0917 - the fields of one form
    portal: Portal, actor: Actor, project_id: str, text: str, purpose: str, key: str
) -> RequestView:
    """Resolve a list once more and ask for what it needs. Raises what `answer` and `egress.submit` raise, `Invalid`."""
    lock = lock_of(portal, answer(portal, actor, project_id, text))
    form = commands.ImportForm(
        project_id=project_id,
        name=incoming.PACKAGES,
        uploads=(),
        purpose=purpose,
        context=text.strip(),
        idempotency_key=key,
    )
    return commands.submit_packages(portal.store, actor, form=form, lock=lock, now=clock.now())


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MOST_NAME or "/" in name or not name.isprintable():
        raise Invalid(
            "import.file-name",
            ko=f"파일 이름 {name[:40]!a}은(는) 쓸 수 없습니다.",
            en=f"The file name {name[:40]!a} cannot be used.",
            remedy_ko="폴더 없이 200자 이내의 보이는 글자로 된 이름을 쓰세요.",
            remedy_en="Use a name of at most 200 visible characters, without a folder.",
        )


def _too_large(limit: int) -> FileRefused:
    return FileRefused(
        "airlock.too-large",
        ko=f"파일이 허용 크기 {limit >> 20} MiB를 넘습니다.",
        en=f"The file is larger than the allowed {limit >> 20} MiB.",
        remedy_ko="나누어 올리세요.",
        remedy_en="Split it.",
    )
