"""Copies of one scene: the migrations and the way of two snapshots to being offered take most of a second."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, update

from enclave.ids import new_id
from enclave.model.data import Snapshot
from enclave.store import Store, open_engine, writable
from tests import databases
from tests.enclave.scene import Scene, build, depot_of

# Nothing signs a copy's entries, and after ten minutes no release leaves an enclave whose log waits that long.
FRESH_S = 240


class Original:
    """A scene that is built again every few minutes. Each `copy` is another enclave, with the same keys and ids."""

    def __init__(self, folder: Path, cluster: Path | None = None) -> None:
        """Build it on SQLite below `folder`, or on the server at `cluster`."""
        self._folder, self._cluster = folder, cluster
        self._build()

    def _build(self) -> None:
        self._name, self._built_at = new_name(), time.monotonic()
        folder, cluster = self._folder / self._name, self._cluster
        folder.mkdir()
        self._file, self._home = folder / "ansim.sqlite", folder / "home"
        url = databases.create(cluster, self._name) if cluster else f"sqlite:///{self._file}"
        self._made = build(url, self._home)
        # Nobody may be connected to what PostgreSQL copies, and SQLite has all in one file then.
        self._made.store.close()

    def copy(self, folder: Path) -> Scene:
        """Return a scene of its own, with its files below `folder`."""
        if time.monotonic() - self._built_at > FRESH_S:
            self._build()
        home = Path(shutil.copytree(self._home, folder / "home"))
        url = self._database(folder / "ansim.sqlite")
        _move(url, str(self._home), str(home))
        settings = replace(self._made.means.settings, home=home)
        return replace(
            self._made,
            store=Store(url, observer="test", wait_s=10),
            home=home,
            depot=depot_of(settings, self._made.vault),
            means=replace(self._made.means, settings=settings),
            _shown=set(),
            folders={name: home / each.relative_to(self._home) for name, each in self._made.folders.items()},
        )

    def _database(self, file: Path) -> str:
        if self._cluster:
            return databases.create(self._cluster, new_name(), like=self._name)
        shutil.copy(self._file, file)
        return f"sqlite:///{file}"


def new_name() -> str:
    """Return a name for a database that no other has."""
    return new_id("t").replace("-", "_")


def _move(url: str, before: str, after: str) -> None:
    """Have the rows name the copied folders."""
    engine = open_engine(url)
    with writable(engine).begin() as connection:
        connection.execute(update(Snapshot).values(path=func.replace(Snapshot.path, before, after)))
    engine.dispose()
