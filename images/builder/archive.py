"""One root file system and its settings as an archive for `docker load`, with an image id that repeats too.

`docker import` would put today's date into the image's configuration, and with it into the id that a workspace plan
names. Source of the format: Docker Image Specification v1.2 (combined image JSON and file system changeset).
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from images.builder.rootfs import SOURCE_DATE_EPOCH

SETTINGS = {
    "User": "10001:10001",
    "WorkingDir": "/home/analyst/work",
    "Cmd": ["jupyterhub-singleuser"],
    "Env": [
        "PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME=/home/analyst",
        "USER=analyst",
        "LANG=C.UTF-8",
        "MATPLOTLIBRC=/etc/matplotlibrc",
    ],
}


@dataclass(frozen=True)
class Image:
    """What goes into the engine: a tar (and its SHA-256, hex), a tag and labels."""

    tar: Path
    tar_sha256: str
    tag: str
    labels: dict[str, str]

    @property
    def config(self) -> bytes:
        """The image's configuration; its SHA-256 is the image id."""
        date = datetime.fromtimestamp(SOURCE_DATE_EPOCH, UTC).isoformat().replace("+00:00", "Z")
        document = {
            "architecture": "amd64",
            "os": "linux",
            "created": date,
            "config": {**SETTINGS, "Labels": self.labels},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{self.tar_sha256}"]},
            "history": [{"created": date, "created_by": "images/builder"}],
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

    @property
    def id(self) -> str:
        """`sha256:…` as the engine will call it."""
        return f"sha256:{hashlib.sha256(self.config).hexdigest()}"

    def write(self, stream: IO[bytes]) -> None:
        """Write the archive to `stream` without holding the layer in memory."""
        name = f"{self.id.removeprefix('sha256:')}.json"
        manifest = json.dumps([{"Config": name, "RepoTags": [self.tag], "Layers": ["layer.tar"]}]).encode()
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            for path, content in ((name, self.config), ("manifest.json", manifest)):
                info = tarfile.TarInfo(path)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            archive.add(self.tar, "layer.tar")
