"""A package index as pip knows it: a page for each package on this machine, as HTML (PEP 503) and as JSON (PEP 691,
700), the latter only if it is said when things were uploaded; remembers what was fetched.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename


class SimpleIndex(http.server.ThreadingHTTPServer):
    """The wheels of a folder; `files` are the names of those that somebody asked for, `uploaded` moments by file."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder, self.files, self.uploaded = folder, list[str](), dict[str, str]()
        super().__init__(("127.0.0.1", 0), _Pages)

    def environment(self) -> dict[str, str]:
        """What makes pip ask here and nowhere else, whatever this machine's configuration says."""
        return {
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": f"http://127.0.0.1:{self.server_port}/simple/",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_NO_INDEX": "0",
            "PIP_NO_CACHE_DIR": "1",
        }

    def page(self, name: str) -> str:
        """Return the page of a package: each wheel with its hash; empty if there is none."""
        hashes = self._hashes(name)
        return "".join(f'<a href="/files/{file}#sha256={sha256}">{file}</a>\n' for file, sha256 in hashes.items())

    def data(self, name: str) -> str:
        """Return the same page as data, with the moment of the upload of each file."""
        files = [
            {
                "filename": file,
                "url": f"/files/{file}",
                "hashes": {"sha256": sha256},
                "size": (self.folder / file).stat().st_size,
                "upload-time": self.uploaded.get(file),
            }
            for file, sha256 in self._hashes(name).items()
        ]
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}) if files else ""

    def _hashes(self, name: str) -> dict[str, str]:
        found = [each for each in self.folder.glob("*.whl") if parse_wheel_filename(each.name)[0] == name]
        return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in sorted(found)}


class _Pages(http.server.BaseHTTPRequestHandler):
    server: SimpleIndex

    def do_GET(self) -> None:
        what, _, name = self.path.strip("/").partition("/")
        if what == "files":
            self.server.files.append(name)
            return self._answer((self.server.folder / Path(name).name).read_bytes(), "application/octet-stream")
        kind = "application/vnd.pypi.simple.v1+json"
        if self.server.uploaded and kind in self.headers.get("Accept", ""):
            return self._answer(self.server.data(canonicalize_name(name)).encode(), kind)
        return self._answer(self.server.page(canonicalize_name(name)).encode(), "text/html")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[SimpleIndex]:
    """Serve a folder's wheels until the end of the block."""
    index = SimpleIndex(folder)
    thread = threading.Thread(target=index.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        index.shutdown()
        index.server_close()
        thread.join()
