"""Builds the workspace image if it has to be built, and writes down what is in the engine."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from images.builder import debs, engine, inputs, rootfs, wheels
from images.builder.archive import Image
from images.builder.engine import Loaded
from images.builder.errors import BuildError
from images.builder.places import Places

TAG = "ansim-workspace:latest"
RECIPE_LABEL, DEBS_LABEL = "ansim.recipe", "ansim.debs"


def current(places: Places) -> Loaded | None:
    """Return the image of this very recipe if the engine has it."""
    found = engine.find(places.tag)
    return found if found and found.labels.get(RECIPE_LABEL) == inputs.digest(places) else None


def ensure(places: Places, *, force: bool = False, refresh: bool = False) -> Loaded:
    """Return the workspace image, building it unless the engine has it. One build at a time on a machine.

    `refresh` takes Debian's updates in; `force` builds although nothing changed. Raises: BuildError.
    """
    if not places.client.joinpath("__init__.py").exists():
        raise BuildError(f"the notebook client is not at {places.client}", "check out the whole repository")
    anew = force or refresh
    loaded = None if anew else current(places)
    if loaded is None:
        with _lock(places.cache):  # somebody else may have built it meanwhile
            loaded = (None if anew else current(places)) or _build(places, refresh=refresh)
    record(places.record, places.name, loaded)
    return loaded


def foreseen(places: Places) -> str:
    """Say what a build would do, without network, engine or root: the image's name and wheels, and what is missing."""
    wanted, missing = wheels.hashes(places.lock), wheels.missing(places.lock, places.wheels)
    lines = [f"{places.tag}: {len(wanted)} wheels of {places.lock.name}, {len(missing)} to be downloaded"]
    return "\n".join([*lines, *(f"  {name}" for name in missing)])


def rebuild_digest(places: Places) -> str:
    """Build the root file system once more from the same inputs and return the tar's SHA-256 (hex); keep nothing."""
    with _lock(places.cache):
        tar = places.cache / "again.tar"
        try:
            return rootfs.build(places, tar)
        finally:
            tar.unlink(missing_ok=True)


def record(path: Path, name: str, loaded: Loaded) -> None:
    """Write id, layers and origin of one image into the checkout's build/images.json; other entries stay."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known[name] = {
        "image_id": loaded.id,
        "layers": list(loaded.layers),
        "recipe_sha256": loaded.labels.get(RECIPE_LABEL, ""),
        "debs_sha256": loaded.labels.get(DEBS_LABEL, ""),
        "size_bytes": loaded.size_bytes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=2) + "\n")


def _build(places: Places, *, refresh: bool) -> Loaded:
    if refresh or not debs.digest(places.debs):
        debs.fetch(places.recipe, places.debs)
    tar = places.cache / "workspace.tar"
    try:
        digest = rootfs.build(places, tar)
        labels = {RECIPE_LABEL: inputs.digest(places), DEBS_LABEL: debs.digest(places.debs)}
        return engine.load(Image(tar, digest, places.tag, labels))
    finally:
        tar.unlink(missing_ok=True)


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
