"""What is in the workspace image, as a CycloneDX 1.6 bill of materials (korea.md R41). Pure: lists in, JSON out.

https://cyclonedx.org/docs/1.6/json: one component for each Debian and Python package, named by its package URL.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from packaging.utils import canonicalize_name

IMAGE_ID = re.compile(r"sha256:([0-9a-f]{64})")
# Of our own making: one serial number for each image.
NAMESPACE = uuid.UUID("6f0b7d0e-2f55-5b0e-9b53-0d8c2a1c4c11")


def bill(image_id: str, debian: Iterable[tuple[str, str]], python: Iterable[Mapping[str, Any]], now: datetime) -> str:
    """Return the bill of an image (`sha256:…`) as JSON.

    `debian`: (package, version); `python`: pip's own description of each distribution (`pip inspect`: `metadata`).
    Raises `ValueError` for what is no image id.
    """
    found = IMAGE_ID.fullmatch(image_id)
    if found is None:
        raise ValueError(f"no image id: {image_id!r}")
    components = [*map(_debian, sorted(debian)), *(_python(one["metadata"]) for one in python)]
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, image_id)}",
        "version": 1,
        "metadata": {
            "timestamp": now.isoformat(timespec="seconds"),
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": "ansim-workspace",
                "hashes": [{"alg": "SHA-256", "content": found[1]}],
            },
        },
        "components": components,
        "dependencies": [{"ref": "image", "dependsOn": [one["bom-ref"] for one in components]}],
    }
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def _debian(package: tuple[str, str]) -> dict[str, Any]:
    name, version = package
    url = f"pkg:deb/debian/{name}@{version}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def _python(about: Mapping[str, Any]) -> dict[str, Any]:
    name, version = canonicalize_name(about["name"]), str(about["version"])
    url = f"pkg:pypi/{name}@{version}"
    component: dict[str, Any] = {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}
    if licence := str(about.get("license_expression") or about.get("license") or "").strip():
        component["licenses"] = [{"license": {"name": licence.splitlines()[0][:200]}}]
    return component
