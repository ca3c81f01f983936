"""`ansim packages …`: the wheel mirror, on the machine that has a package index. Root; the portal never does this."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from hashlib import sha256

import click

from enclave.actor import Actor
from enclave.airlock.quarantine import Quarantine
from enclave.clock import now
from enclave.commands import incoming as commands
from enclave.console.acting import say
from enclave.console.aside import as_owner
from enclave.console.in_image import python_packages
from enclave.packages.index import Index
from enclave.packages.installing import assemble, chosen
from enclave.packages.mirror import fetch as download
from enclave.packages.mirror import look_up, scan
from enclave.queries import incoming
from enclave.settings import Settings
from enclave.store import Store


@click.group()
def packages() -> None:
    """휠 미러와 과제의 패키지를 다룹니다 (wheel mirror and packages)."""


@packages.command("index")
def index() -> None:
    """미러 폴더의 휠을 읽어 목록을 만듭니다 (read the mirror's wheels into its index)."""
    found = _scanned(Settings.load())
    say(
        f"휠 {len(found.wheels)}개, 이미지의 패키지 {len(found.image)}개",
        f"{len(found.wheels)} wheels, {len(found.image)} in the image",
    )


@packages.command("look-up")
@click.argument("requirements", nargs=-1, required=True)
def look(requirements: tuple[str, ...]) -> None:
    """패키지 인덱스에서 찾아 목록에 적습니다. 내려받지 않습니다 (look up on the index; nothing is downloaded)."""
    settings = Settings.load()
    before = _scanned(settings)
    after = look_up([*requirements], before)
    after.save(settings.wheels)
    new = len(after.wheels) - len(before.wheels)
    say(f"새로 적은 휠 {new}개", f"{new} wheels are new in the index")


@packages.command("fetch")
def fetch() -> None:
    """승인된 패키지를 해시로 내려받아 과제에 펼칩니다 (fetch approved packages by hash and lay them out)."""
    settings = Settings.load()
    known, wanted = _scanned(settings), as_owner(settings.db, lambda: _wanted(settings))
    for project_id, locks in wanted.items():
        wheels = chosen(locks, known)
        missing = [wheel.pin for wheel in wheels if not (settings.wheels / wheel.file).exists()]
        if missing:
            download(missing, settings.wheels)
        tree = assemble(wheels, settings.wheels, settings.packages)
        lock = "".join(f"{wheel.pin}\n" for wheel in wheels)
        as_owner(settings.db, partial(_set, settings, project_id, tree, lock, locks))
        say(f"과제 {project_id}: 패키지 {len(wheels)}개", f"project {project_id}: {len(wheels)} packages")
    _scanned(settings)
    if not wanted:
        say("승인되어 기다리는 패키지가 없습니다.", "No approved packages are waiting.")


def _scanned(settings: Settings) -> Index:
    settings.wheels.mkdir(mode=0o750, exist_ok=True)
    known = Index.load(settings.wheels) if (settings.wheels / "index.json").exists() else None
    image = {one["metadata"]["name"]: str(one["metadata"]["version"]) for one in python_packages(settings.image)}
    found = scan(settings.wheels, image, known)
    found.save(settings.wheels)
    os.chown(settings.wheels / "index.json", -1, settings.wheels.stat().st_gid)
    return found


def _wanted(settings: Settings) -> dict[str, list[str]]:
    """Return the approved locks of each project that its present packages are not made of yet."""
    store, quarantine = Store(settings.url, observer="console"), Quarantine(settings.quarantine)
    try:
        found: dict[str, list[str]] = {}
        for project_id, hashes in incoming.wanted_packages(store).items():
            locks = []
            for digest in hashes:
                with quarantine.open(digest) as lock:
                    locks.append(lock.read().decode())
            found[project_id] = locks
        return found
    finally:
        store.close()


def _set(settings: Settings, project_id: str, tree: str, lock: str, locks: Sequence[str]) -> None:
    store = Store(settings.url, observer="console")
    lists = [sha256(each.encode()).hexdigest() for each in locks]
    try:
        if incoming.approved_packages(store, project_id) != lock:
            commands.set_packages(
                store, Actor.console(), project_id=project_id, tree=tree, lock=lock, lists=lists, now=now()
            )
    finally:
        store.close()
