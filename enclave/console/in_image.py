"""What the workspace image holds, asked of the image itself in a container without network."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from enclave.errors import Unavailable


def python_packages(image_id: str) -> list[dict[str, Any]]:
    """Return pip's description of each Python package (`metadata`). Raises `Unavailable` (`image.not-asked`)."""
    said = _ask(image_id, "/opt/venv/bin/python", "-m", "pip", "inspect", "--local")
    found: list[dict[str, Any]] = json.loads(said)["installed"]
    return found


def debian_packages(image_id: str) -> list[tuple[str, str]]:
    """Return (package, version) of each Debian package. Raises `Unavailable` (`image.not-asked`)."""
    lines = _ask(image_id, "dpkg-query", "-W", "-f", "${Package} ${Version}\\n").splitlines()
    return [(name, version) for name, _, version in (line.partition(" ") for line in lines)]


def _ask(image_id: str, *words: str) -> str:
    engine = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--user=65534",
        "--entrypoint",
    ]
    command = [*engine, words[0], image_id, *words[1:]]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()[-300:]
        raise Unavailable(
            "image.not-asked",
            ko=f"이미지를 살펴보지 못했습니다: {said}",
            en=f"The image could not be asked: {said}",
            remedy_ko="컨테이너 엔진이 도는지, 이미지가 있는지 확인하세요.",
            remedy_en="See that the engine runs and has the image.",
        ) from error
