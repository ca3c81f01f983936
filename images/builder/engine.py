"""What the builder asks of the Docker engine: load an image, look at one."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from images.builder.archive import Image
from images.builder.errors import BuildError
from images.builder.run import run

NO_ENGINE = "start the engine with `make setup`, then try again"


@dataclass(frozen=True)
class Loaded:
    """An image in the engine: its id, the digests of its layers (both `sha256:…`), labels and size in bytes."""

    id: str
    layers: tuple[str, ...]
    labels: dict[str, str]
    size_bytes: int


def find(tag: str) -> Loaded | None:
    """Return the image with this tag, None if the engine has none. Raises: BuildError if the engine is away."""
    if not run(["docker", "image", "ls", "--quiet", tag], NO_ENGINE).strip():
        return None
    (found,) = json.loads(run(["docker", "image", "inspect", tag], NO_ENGINE))
    layers = tuple(found["RootFS"]["Layers"])
    return Loaded(found["Id"], layers, found["Config"]["Labels"] or {}, found["Size"])


def load(image: Image) -> Loaded:
    """Put the image into the engine and return it as the engine sees it; what had the tag before is removed.

    Raises: BuildError if the engine refuses it, or names another id or layer than the bytes we gave it.
    """
    before, command = find(image.tag), ["docker", "load", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        if process.stdin is None or process.stdout is None:
            raise BuildError("no pipe to the engine", NO_ENGINE)
        try:
            image.write(process.stdin)
            process.stdin.close()
        except BrokenPipeError:  # the reason is in the output
            pass
        said = process.stdout.read().decode()
    found = find(image.tag)
    if process.returncode or found is None:
        raise BuildError(f"the engine refused {image.tag}: {said.strip()}", NO_ENGINE)
    if (found.id, found.layers) != (image.id, (f"sha256:{image.tar_sha256}",)):
        raise BuildError(
            f"{image.tag} in the engine is {found.id}, built was {image.id}", "build it again with --force"
        )
    if before and before.id != found.id:
        # Stays where a container still uses it.
        subprocess.run(["docker", "image", "rm", before.id], check=False, capture_output=True)  # noqa: S607 - PATH's docker
    return found
