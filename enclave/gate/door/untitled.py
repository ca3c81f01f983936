"""What a browser asks to be made by its kind alone: a folder, an empty file or notebook, a copy. Pure.

JupyterLab's contents manager posts `{"type": …, "path": …, "ext": …}` to the folder's address, or `{"copy_from": …}`;
the server chooses the name (jupyter_server 2.21, `ContentsHandler.post`) and looks at no other field. So nothing else
passes, and no value says more than the address already does.
"""

from __future__ import annotations

import re

from enclave.gate.door.kernel_message import Malformed, strict_json

KINDS = {"directory", "file", "notebook"}
# As `.py`, `.ipynb`, `.tar.gz`: the end of a name, which no address is built from.
EXTENSION = re.compile(r"(\.[A-Za-z0-9_-]{1,16}){0,2}")
CONTENTS = "api/contents"
LONGEST = 4096


def is_untitled(path: str, data: bytes) -> bool:
    """Say whether a request to `path` (below the workspace's prefix, decoded) asks for no more than a kind or a copy.

    `data` is its body: empty, or JSON with one reading.
    """
    if not data.strip():
        return True
    try:
        model = strict_json(data)
    except Malformed:
        return False
    if not isinstance(model, dict) or not all(isinstance(value, str) for value in model.values()):
        return False
    match model:
        case {"copy_from": source, **rest}:
            return not rest and 0 < len(source) <= LONGEST
        case _:
            return set(model) <= {"type", "path", "ext"} and _says_no_more(path, model)


def _says_no_more(path: str, model: dict[str, str]) -> bool:
    here = path.removeprefix(CONTENTS).strip("/")
    return (
        model.get("type", "file") in KINDS
        and model.get("path", here).strip("/") == here
        and bool(EXTENSION.fullmatch(model.get("ext", "")))
    )
