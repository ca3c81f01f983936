"""Bringing things in, through a real workspace: approved code and packages are there, and nothing else gets in."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile

import pytest

from demo.chapters.airlock import JUDGEMENTS
from tests.e2e.acts import ansim, cell, kernel_of, printed, until
from tests.enclave.packages.wheels import wheel


def packed(tree: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, content in tree.items():
            archive.writestr(path, content)
    return made.getvalue()


def page(session, path: str):
    return session.http.get(f"{session.portal}{path}", follow_redirects=True)


def approve(world, request_id: str) -> None:
    """Two checkers look at all of it, and approve."""
    for login in ("dahye", "woojin"):
        session = world.session(login)
        assert page(session, f"/imports/{request_id}").status_code == 200
        facts = session.api("GET", f"/requests/{request_id}").json()
        body = JUDGEMENTS | {"decision": "approve", "reason_code": "output-checked", "code": ""}
        body |= {"round": facts["round"], "content_sha256": facts["content_sha256"]}
        answer = session.api("POST", f"/requests/{request_id}/decide", body)
        if "second-factor" in answer.text:
            answer = session.api("POST", f"/requests/{request_id}/decide", body | {"code": session.code()})
        assert answer.status_code == 200, answer.text


def put(session, project: str, name: str, content: bytes) -> dict[str, object]:
    token = session.api("GET", "/me").json()["csrf_token"]
    address = f"{session.portal}/api/v1/projects/{project}/uploads/{name}"
    answer = session.http.put(address, content=content, headers={"X-CSRF-Token": token}, timeout=120)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def inside(world):
    """Mina's workspace after code and a package were approved and it was opened anew."""
    mina, project = world.session("mina"), world.project_id
    found = put(mina, project, "tools.zip", packed({"rates/plain.py": b"def rate(a, b):\n    return a / b\n"}))
    body = {
        "name": "tools",
        "uploads": [found["id"]],
        "purpose": "비율 계산",
        "context": "우리 코드",
        "key": "import-1",
    }
    made = mina.api("POST", f"/projects/{project}/imports", body)
    assert made.status_code == 201, made.text
    approve(world, made.json()["id"])
    until(
        "the import is laid out",
        lambda: mina.api("GET", f"/requests/{made.json()['id']}").json()["state"] == "released",
    )
    wheel(world.settings.wheels, "survive-kit", "1.0", License_Expression="MIT")
    wheel(world.settings.wheels, "other-kit", "1.0")
    indexed = ansim(world, "packages", "index")
    assert indexed.returncode == 0, indexed.stderr
    begun = time.monotonic()
    answers = mina.api("POST", f"/projects/{project}/packages/resolve", {"text": "survive-kit\nnumpy\nnobody"}).json()
    assert time.monotonic() - begun < 60, "korea.md R40"
    assert [each["status"] for each in answers["answers"]] == ["needs-approval", "image", "impossible"]
    asked = {"text": "survive-kit", "purpose": "생존 분석", "key": "packages-1"}
    wanted = mina.api("POST", f"/projects/{project}/packages", asked)
    assert wanted.status_code == 201, wanted.text
    approve(world, wanted.json()["id"])
    until(
        "the list is approved",
        lambda: mina.api("GET", f"/requests/{wanted.json()['id']}").json()["state"] == "released",
    )
    fetched = ansim(world, "packages", "fetch")
    assert fetched.returncode == 0, fetched.stderr + fetched.stdout
    mina.stop_workspace()
    mina.start_workspace()
    return mina


RUN = """
import json, subprocess, sys
def run(*words):
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60)
    return [done.returncode, (done.stdout + done.stderr)[-600:]]
"""


def test_approved_code_can_be_read_and_imported_and_not_changed(inside):
    with kernel_of(inside) as kernel:
        code = "import sys; sys.path.append('/imports/tools'); from rates.plain import rate; print(rate(1, 4))"
        assert cell(kernel, code) == "0.25"
        for attack in ("open('/imports/tools/rates/plain.py', 'w')", "open('/imports/tools/new.py', 'w')"):
            outcome = kernel.run(attack)
            assert "Read-only file system" in outcome.error + outcome.text


def test_an_approved_package_is_there_and_pip_says_so(inside):
    with kernel_of(inside) as kernel:
        assert cell(kernel, "import survive_kit; print(survive_kit.__version__)") == "1.0"
        code, said = printed(kernel, RUN + "print(json.dumps(run('-m', 'pip', 'install', 'survive-kit')))")
        assert code == 0, said
        assert "already satisfied" in said


def test_nothing_else_installs(inside):
    sdist = "[build-system]\\nrequires = []\\nbuild-backend = 'evil'\\nbackend-path = ['.']\\n"
    unapproved = io.BytesIO()
    with zipfile.ZipFile(unapproved, "w") as made:
        made.writestr("evil/__init__.py", "x = 1\n")
        made.writestr("evil-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
        made.writestr("evil-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr("evil-1.0.dist-info/RECORD", "")
    typed = base64.b64encode(unapproved.getvalue()).decode()
    with kernel_of(inside) as kernel:
        cell(
            kernel,
            f"""
import base64, pathlib
pathlib.Path('/tmp/src').mkdir(exist_ok=True)
pathlib.Path('/tmp/src/pyproject.toml').write_text("{sdist}")
pathlib.Path('/tmp/src/evil.py').write_text("def build_wheel(*a, **k): raise SystemExit(0)")
pathlib.Path('/tmp/evil-1.0-py3-none-any.whl').write_bytes(base64.b64decode('{typed}'))
print('ready')""",
        )
        attacks = [
            ["other-kit"],
            ["--index-url", "https://index.example.org/simple", "other-kit"],
            ["--extra-index-url", "http://127.0.0.1:8085/simple", "other-kit"],
            ["git+https://git.example.org/a/b"],
            ["https://files.example.org/other_kit-1.0-py3-none-any.whl"],
            ["/tmp/src"],
            ["--no-build-isolation", "/tmp/src"],
            ["/tmp/evil-1.0-py3-none-any.whl"],
            ["--find-links", "/tmp", "evil"],
            ["--upgrade", "numpy==1.0"],
        ]
        for words in attacks:
            code, said = printed(kernel, f"{RUN}\nprint(json.dumps(run('-m', 'pip', 'install', *{words!r})))")
            assert code != 0, (words, said)
        assert "No module named" in printed(kernel, f"{RUN}\nprint(json.dumps(run('-c', 'import evil')))")[1]


def test_a_file_cannot_be_uploaded_beside_the_lane(inside):
    body = {"type": "file", "format": "base64", "content": base64.b64encode(b"x").decode(), "name": "a.bin"}
    address = f"{inside.workspace}/api/contents/a.bin"
    answer = inside.http.put(address, json=body, headers=inside._xsrf(inside.workspace))
    assert answer.status_code == 403
    assert "반입" in answer.json()["message"]
    assert inside.http.get(address, params={"content": "0"}).status_code == 404
    saved = {"type": "file", "format": "text", "content": "x = 1\n"}
    address = f"{inside.workspace}/api/contents/typed.py"
    assert inside.http.put(address, json=saved, headers=inside._xsrf(inside.workspace)).status_code in {200, 201}
    inside.http.delete(address, headers=inside._xsrf(inside.workspace))


def test_an_import_that_was_taken_back_is_gone_at_the_next_start(world, inside):
    arrivals = inside.api("GET", f"/projects/{world.project_id}/imports").json()["arrivals"]
    (tools,) = [each for each in arrivals if each["name"] == "tools"]
    answer = world.session("dahye").api("POST", f"/imports/{tools['request_id']}/recall", {"reason": "시험"})
    assert answer.status_code == 200, answer.text
    inside.stop_workspace()
    inside.start_workspace()
    with kernel_of(inside) as kernel:
        assert json.loads(cell(kernel, "import json, os; print(json.dumps(os.path.exists('/imports/tools')))")) is False
