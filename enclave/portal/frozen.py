"""The files of a frozen workspace, for its own person: listed, previewed, asked for. The gate reads, nothing runs.

Each look is recorded before the gate is asked, and the volumes are mounted only while it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enclave import clock
from enclave.actor import Actor
from enclave.airlock.errors import AirlockError
from enclave.airlock.preview import open_file
from enclave.commands import egress, volume_key
from enclave.commands.look import look
from enclave.commands.submission import Submission
from enclave.gate.limits import ListedFile
from enclave.portal.looking import Look
from enclave.portal.parts import Portal
from enclave.portal.taking import checked_files, collected, some_refused
from enclave.queries import ends
from enclave.queries.airlock_views import RequestView
from enclave.queries.ends import EndedView

TABLES = (".csv", ".tsv", ".json", ".parquet")
PICTURES = (".png", ".jpg", ".jpeg")
VOLUMES = ("outbox", "home")


@dataclass(frozen=True)
class Files:
    """What lies in a frozen workspace: files by volume, and how many entries are not listed."""

    workspace: EndedView
    files: dict[str, list[ListedFile]]
    left_out: int


@dataclass(frozen=True)
class Wanted:
    """What is asked for: names by volume, why, what it shows, and a key that makes a double click one request."""

    names: dict[str, list[str]]
    purpose: str
    context: str
    key: str


def listing(portal: Portal, actor: Actor, workspace_id: str) -> Files:
    """Return the files of one's own frozen workspace. Raises `Denied`, `NotFound`, `Conflict`, `Unavailable`."""
    seen = look(portal.store, actor, workspace_id=workspace_id, files=0, now=clock.now())
    files, left_out = portal.gate.files(workspace_id, keys=_keys(portal, workspace_id))
    return Files(seen, files, left_out)


def sight(portal: Portal, actor: Actor, workspace_id: str, *, volume: str, name: str) -> Look:
    """Return the safe preview of one file, or the error that says why there is none."""
    look(portal.store, actor, workspace_id=workspace_id, files=1, now=clock.now())
    keys = _keys(portal, workspace_id)
    with collected(portal, workspace_id, [name], volume=volume, keys=keys) as (taken, refused):
        if refused:
            return Look(error=some_refused(refused))
        try:
            return Look(opened=open_file(taken[0].path, None, name=name.rpartition("/")[2]))
        except AirlockError as error:
            return Look(error=error)


def ask(portal: Portal, actor: Actor, workspace_id: str, wanted: Wanted) -> RequestView:
    """Ask for files of one's own frozen workspace to be released: the same checks and the same command as ever."""
    found = ends.askable(portal.store, actor, workspace_id, now=clock.now())
    keys, checked = _keys(portal, workspace_id), []
    for volume, names in wanted.names.items():
        with collected(portal, workspace_id, names, volume=volume, keys=keys) as (taken, refused):
            if refused:
                raise some_refused(refused)
            checked += checked_files(portal, actor, found.project_id, taken, keep=True)
    form = Submission(
        project_id=found.project_id,
        files=checked,
        purpose=wanted.purpose,
        context=wanted.context,
        idempotency_key=wanted.key,
        workspace_id=workspace_id,
    )
    return egress.submit(portal.store, actor, submission=form, now=clock.now())


def by_volume(ticked: Sequence[str]) -> dict[str, list[str]]:
    """Return names by volume from values as `home:folder/name`; what names no volume of ours is left out."""
    found: dict[str, list[str]] = {}
    for value in ticked:
        volume, _, name = value.partition(":")
        if volume in VOLUMES and name:
            found.setdefault(volume, []).append(name)
    return found


def kind_of(name: str) -> str:
    """Return how a file is to be read for its preview; the sealed process decides by the bytes."""
    lowered = name.lower()
    return "table" if lowered.endswith(TABLES) else "picture" if lowered.endswith(PICTURES) else "text"


def shows(name: str) -> bool:
    """Return whether a file has a preview here: tables and texts."""
    return kind_of(name) != "picture"


def _keys(portal: Portal, workspace_id: str) -> dict[str, bytes]:
    system = Actor.system()
    return volume_key.hand_over(portal.store, portal.vault, system, workspace_id=workspace_id, now=clock.now())
