"""What the panel in JupyterLab asks its own server: check files, ask for them, mend them, say how requests stand.

A server extension of four addresses below `ansim-airlock/`. It decides nothing and knows nothing that the functions
of `ansim.egress` do not: each address calls one of them, with files named as the file browser names them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from . import egress
from .failure import AnsimError
from .words import language

PREFIX = "ansim-airlock"
BODY_BYTES, MOST_FILES = 64 << 10, 50
REFUSED, BROKEN = 422, 400


class Asked(APIHandler):  # type: ignore[misc]  # jupyter_server is untyped here
    """One address: reads the body, does the work beside the server's loop, answers with JSON or a refusal in words."""

    auth_resource = "contents"

    def initialize(self, act: Callable[[Path, dict[str, Any]], dict[str, Any]], root: Path) -> None:
        """Take what to do and the folder below which files are named."""
        self.act, self.root = act, root

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer a question."""
        await self._answer({})

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Do what the body asks for."""
        try:
            body = json.loads(self.request.body[:BODY_BYTES])
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise web.HTTPError(BROKEN)
        await self._answer(body)

    async def _answer(self, body: dict[str, Any]) -> None:
        try:
            told = await asyncio.to_thread(self.act, self.root, body)
        except AnsimError as error:
            self.set_status(REFUSED)
            names = ("code", "ko", "en", "remedy_ko", "remedy_en")
            told = {name: getattr(error, name) for name in names}
        await self.finish(json.dumps({"language": language(), **told}, ensure_ascii=False))


def requests(_root: Path, _body: dict[str, Any]) -> dict[str, Any]:
    """Return the person's own requests of this project, newest first."""
    return {"requests": egress.listed()}


def preflight(root: Path, body: dict[str, Any]) -> dict[str, Any]:
    """Check files as they will be checked at submission."""
    found = egress.preflight(_paths(root, body))
    return {"ok": found.ok, "files": [asdict(file) for file in found.files]}


def submit(root: Path, body: dict[str, Any]) -> dict[str, Any]:
    """Ask to take files out; ``again``: anew, though the same was asked before (and, say, withdrawn)."""
    purpose, context, redo = (str(body.get(name, "")) for name in ("purpose", "context", "redo"))
    again = body.get("again") is True
    return asdict(egress.submit(_paths(root, body), purpose=purpose, context=context, redo=redo, again=again))


def repair(root: Path, body: dict[str, Any]) -> dict[str, Any]:
    """Write a mended copy beside the file and return its name as the file browser names it."""
    (path,) = _paths(root, {"paths": [body.get("path")]})
    made = egress.repair(path, how=str(body.get("how", "")), context=str(body.get("context", "")))
    return {"path": made.resolve().relative_to(root.resolve()).as_posix()}


def _paths(root: Path, body: dict[str, Any]) -> list[Path]:
    names = body.get("paths")
    if not isinstance(names, list) or not 0 < len(names) <= MOST_FILES:
        raise AnsimError("client.no-files", ko="고른 파일이 없습니다.", en="No files are selected.")
    return [_path(root, str(name)) for name in names]


def _path(root: Path, name: str) -> Path:
    path = root / name.lstrip("/")
    # The folder of the file must lie below the root; a link in place of the file is refused by the outbox itself.
    if "\x00" in name or not path.parent.resolve().is_relative_to(root.resolve()):
        raise AnsimError(
            "client.outside",
            ko="작업 폴더 밖의 파일입니다.",
            en="This file lies outside the work folder.",
            remedy_ko="파일을 작업 폴더로 복사한 뒤 다시 하세요.",
            remedy_en="Copy it into the work folder first.",
        )
    return path


ADDRESSES: dict[str, Callable[[Path, dict[str, Any]], dict[str, Any]]] = {
    "requests": requests,
    "preflight": preflight,
    "submit": submit,
    "repair": repair,
}


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "ansim.lab"}]


def _load_jupyter_server_extension(server: Any) -> None:
    root = Path(server.root_dir)
    base = server.web_app.settings["base_url"]
    handlers = [
        (url_path_join(base, PREFIX, name), Asked, {"act": act, "root": root}) for name, act in ADDRESSES.items()
    ]
    server.web_app.add_handlers(".*$", handlers)
