"""What a browser gets of JupyterLab itself comes from the image, by the gate; the workspace cannot put in a word."""

from __future__ import annotations

import httpx
import pytest

from tests.enclave.gate.world import Workspace

pytestmark = pytest.mark.docker


def get(workspace: Workspace, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{workspace.port}/user/kim/{path}", headers=headers)


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("static/lab/main.js", b"the image's own script", "text/javascript; charset=utf-8"),
        ("lab/extensions/some/static/style.css", b"css", "text/css; charset=utf-8"),
        ("static/favicon.ico", b"icon", "image/vnd.microsoft.icon"),
        ("favicon.ico", b"icon", "image/vnd.microsoft.icon"),
        ("static/lab/page.html", b"<script>a document</script>", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_of_the_image_is_answered_as_it_lies_there(
    workspace: Workspace, path: str, content: bytes, kind: str
) -> None:
    said = get(workspace, path)
    assert (said.status_code, said.content, said.headers["content-type"]) == (200, content, kind)
    assert get(workspace, path, **{"If-None-Match": said.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", ["static/lab/secret.js", "lab/extensions/x", "kernelspecs/python3/data.csv"])
def test_the_workspaces_server_is_never_asked_for_one(workspace: Workspace, path: str) -> None:
    # The agent in the test image answers every address with the address itself: it would be in the body.
    said = get(workspace, path)
    assert said.status_code == 404
    assert "/user/kim/" not in said.text


def test_a_version_in_the_address_lets_browsers_keep_the_file(workspace: Workspace) -> None:
    assert "immutable" in get(workspace, "static/lab/main.js?v=0a1b").headers["cache-control"]
    assert "no-cache" in get(workspace, "static/lab/main.js").headers["cache-control"]
