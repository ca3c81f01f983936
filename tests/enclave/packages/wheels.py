"""Small real wheels, made here."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path


def wheel(
    folder: Path, name: str, version: str, *, tag: str = "py3-none-any", body: str = "", **more: str | list[str]
) -> Path:
    """Write a wheel whose module says its version; `more`: fields of its metadata, `_` for `-`."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
    for key, value in more.items():
        lines += [f"{key.replace('_', '-')}: {each}" for each in ([value] if isinstance(value, str) else value)]
    files = {
        f"{module}/__init__.py": f"__version__ = {version!r}\n{body}",
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    path = folder / f"{module}-{version}-{tag}.whl"
    record = [f"{place},sha256={_digest(text)},{len(text.encode())}" for place, text in files.items()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for place, text in files.items():
            made.writestr(place, text)
        made.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
