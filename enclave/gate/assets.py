"""The image's own files for browsers (JupyterLab's scripts, styles, themes), copied out of the image once.

The gate serves them itself. From the notebook server they would be a way out: it runs as the person's own user, and
whoever takes it over could put anything into an answer that nobody counts because "it is only JavaScript".
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import mimetypes
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enclave.gate.dockerd import Dockerd

LOG = logging.getLogger("ansim.gate.assets")
SHARE = "/opt/venv/share/jupyter"
# Below which address -> which folder of the image. The first that fits counts.
PLACES = {
    "static/lab/": f"{SHARE}/lab/static",
    "lab/extensions/": f"{SHARE}/labextensions",
    "lab/api/themes/": f"{SHARE}/lab/themes",
    "kernelspecs/": f"{SHARE}/kernels",
    "static/": "/opt/venv/lib/python3.11/site-packages/jupyter_server/static",
}
ALIASES = {"favicon.ico": "static/favicon.ico"}
LARGEST = 16 << 20
TEXTS = ("text/", "application/javascript", "application/json")


@dataclass(frozen=True)
class Asset:
    """One file: where the copy lies, its hash (64 hexadecimal digits) and what it is."""

    path: Path
    sha256: str
    content_type: str


class Assets:
    """The copies under `root`, one folder for each image, known by the address below a workspace's prefix."""

    def __init__(self, root: Path, docker: Dockerd) -> None:
        self._root, self._docker = root, docker
        self._known: dict[str, dict[str, Asset]] = {}

    async def ensure(self, image_id: str) -> None:
        """Copy an image's files unless that is done. Raises `Unavailable` without the engine, `OSError` without disk.

        An image that has no such files has none, nor has one that the engine does not know (starting it will say so);
        what a crash left half-copied is made anew.
        """
        folder = self._root / image_id.removeprefix("sha256:")
        if image_id in self._known:
            return
        if not folder.is_dir():
            archives = await self._docker.folders(image_id, list(PLACES.values()))
            if archives is None:
                return
            await asyncio.to_thread(_copy, archives, folder)
        self._known[image_id] = await asyncio.to_thread(lambda: dict(_index(folder)))
        LOG.info("image %s: %d files for browsers", image_id[7:19], len(self._known[image_id]))

    def find(self, image_id: str, path: str) -> Asset | None:
        """Return the file behind an address (`static/lab/main.js`), or None. Addresses never become paths."""
        return self._known.get(image_id, {}).get(ALIASES.get(path, path))


def _copy(archives: list[bytes], folder: Path) -> None:
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    for number, data in enumerate(archives):
        _unpack(data, fresh / str(number))
    fresh.replace(folder)


def _unpack(data: bytes, target: Path) -> None:
    """Write the plain files of a tar archive of one folder, without that folder's own name."""
    target.mkdir(mode=0o700)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            parts = Path(member.name).parts[1:]
            if not member.isreg() or member.size > LARGEST or not parts or ".." in parts:
                continue
            place = target.joinpath(*parts)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = tar.extractfile(member)
            place.write_bytes(file.read() if file else b"")


def _index(folder: Path) -> Iterator[tuple[str, Asset]]:
    # Later places are shorter prefixes: they must not take an address from an earlier one.
    for number, prefix in reversed(list(enumerate(PLACES))):
        top = folder / str(number)
        for path in sorted(top.rglob("*")):
            if path.is_file():
                name = prefix + path.relative_to(top).as_posix()
                yield name, Asset(path, hashlib.sha256(path.read_bytes()).hexdigest(), _type(path))


def _type(path: Path) -> str:
    kind = mimetypes.guess_type(path.name, strict=True)[0] or "application/octet-stream"
    # Nothing of the image is meant to be a document of this origin.
    if kind in {"text/html", "image/svg+xml"} and path.suffix != ".svg":
        kind = "text/plain"
    return f"{kind}; charset=utf-8" if kind.startswith(TEXTS) else kind
