"""The bench's opponent: the workspace image as somebody would build it who does not measure.

The same packages, but nothing compiled, and with the package that costs seconds at every start. Made out of the
workspace image, so that nothing else differs.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from images.builder import engine, wheels, workspace
from images.builder.archive import Image
from images.builder.engine import Loaded
from images.builder.errors import BuildError
from images.builder.places import REPO, Places

TAG = "ansim-naive:latest"
SITE = "opt/venv/lib/python3.11/site-packages"
EXTRA = REPO / "images/naive/extra.txt"
LABEL = "ansim.made-from"


def ensure(places: Places) -> Loaded:
    """Return the naive image of today's workspace image, making it unless the engine has it. Raises: BuildError."""
    base = workspace.ensure(places)
    found = engine.find(TAG)
    if found and found.labels.get(LABEL) == base.id:
        return found
    extra = wheels.ensure(EXTRA, places.cache / "naive")
    tar = places.cache / "naive.tar"
    try:
        with _layer_of(base.id) as layer:
            _rewrite(layer, tar, extra)
        with tar.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        loaded = engine.load(Image(tar, digest, TAG, {LABEL: base.id}))
    finally:
        tar.unlink(missing_ok=True)
    workspace.record(places.record, "naive", loaded)
    return loaded


def _rewrite(layer: IO[bytes], tar: Path, extra: list[Path]) -> None:
    with tarfile.open(fileobj=layer, mode="r|") as source, tarfile.open(tar, "w") as target:
        for member in source:
            if not member.name.endswith(".pyc"):
                target.addfile(member, source.extractfile(member) if member.isreg() else None)
        for wheel in extra:
            _unpack(wheel, target)


def _unpack(wheel: Path, target: tarfile.TarFile) -> None:
    """Add a pure wheel's files below site-packages, as an installer would."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            info = tarfile.TarInfo(f"./{SITE}/{name}")
            info.size, info.mode = len(content), 0o644
            target.addfile(info, io.BytesIO(content))


@contextmanager
def _layer_of(image_id: str) -> Iterator[IO[bytes]]:
    """Yield the one layer of an image as a stream, straight out of the engine."""
    command = ["docker", "save", image_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                layer = archive.extractfile(member) if member.name.endswith("/layer.tar") else None
                if layer:
                    yield layer
        if process.wait():
            raise BuildError("the engine did not give the workspace image out", "see what `docker save` says")
