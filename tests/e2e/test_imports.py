"""Bringing things in, through a real workspace: approved code and packages are there, and nothing else gets in."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest

from demo.chapters.airlock import JUDGEMENTS
from tests.e2e.acts import ansim, cell, kernel_of, printed, until
from tests.enclave.packages.simple_index import serving
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


def released(session, request_id: str) -> None:
    until(
        f"{request_id} is laid out",
        lambda: session.api("GET", f"/requests/{request_id}").json()["state"] == "released",
    )


def bring_code(world) -> None:
    """A folder of code, asked for by mina and approved."""
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
    released(mina, made.json()["id"])


def console(world, *words: str) -> str:
    done = ansim(world, *words)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def bring_packages(world) -> None:
    """One package that lies in the mirror, and one that only the machine's package index has until it is approved."""
    mina, project = world.session("mina"), world.project_id
    wheel(world.settings.wheels, "survive-kit", "1.0", License_Expression="MIT")
    wheel(world.settings.wheels, "other-kit", "1.0")
    console(world, "packages", "index")
    listed = {"text": "survive-kit\nnumpy\nfar-kit\nnobody"}
    answers = mina.api("POST", f"/projects/{project}/packages/resolve", listed).json()["answers"]
    assert [each["status"] for each in answers] == ["needs-approval", "image", "impossible", "impossible"]
    assert "휠 2개" in console(world, "packages", "look-up", "far-kit")
    answers = mina.api("POST", f"/projects/{project}/packages/resolve", listed).json()["answers"]
    assert [each["status"] for each in answers] == ["needs-approval", "image", "needs-approval", "impossible"]
    asked = {"text": "survive-kit\nfar-kit", "purpose": "생존 분석", "key": "packages-1"}
    wanted = mina.api("POST", f"/projects/{project}/packages", asked)
    assert wanted.status_code == 201, wanted.text
    approve(world, wanted.json()["id"])
    released(mina, wanted.json()["id"])
    assert not list(world.settings.wheels.glob("far_*")), "fetched before it was approved"
    console(world, "packages", "fetch")


@pytest.fixture(scope="module")
def inside(world, tmp_path_factory):
    """Mina's workspace after code and packages were approved and it was opened anew."""
    bring_code(world)
    folder = tmp_path_factory.mktemp("index")
    wheel(folder, "far-kit", "1.0", Requires_Dist=["far-base"])
    wheel(folder, "far-base", "3.0")
    with serving(folder) as index, pytest.MonkeyPatch.context() as here:
        for name, value in index.environment().items():
            here.setenv(name, value)
        bring_packages(world)
    mina = world.session("mina")
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


def test_a_package_that_was_looked_up_and_fetched_is_there_with_what_it_needs(inside):
    with kernel_of(inside) as kernel:
        assert cell(kernel, "import far_kit, far_base; print(far_kit.__version__, far_base.__version__)") == "1.0 3.0"


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


BESIDE = {
    "a file": ("PUT", "/a.bin", {"type": "file", "format": "base64", "content": "eA==", "name": "a.bin"}),
    "a new file with a text": ("POST", "", {"type": "file", "ext": ".py", "format": "text", "content": "x = 1"}),
    "a new file in another folder": ("POST", "", {"type": "file", "ext": ".d/../../outbox/x.py"}),
    "a folder with a file": ("PUT", "/a", {"type": "directory", "content": [{"type": "file", "content": "x"}]}),
}


@pytest.mark.parametrize("what", BESIDE)
def test_nothing_can_be_uploaded_beside_the_lane(inside, what):
    method, path, body = BESIDE[what]
    place = f"{inside.workspace}/api/contents"
    before = listed(inside)
    answer = inside.http.request(method, f"{place}{path}", json=body, headers=inside._xsrf(inside.workspace))
    assert answer.status_code == 403
    assert "반입" in answer.json()["message"]
    assert listed(inside) == before


def listed(session) -> set[str]:
    """The names in the workspace's own folder."""
    answer = session.http.get(f"{session.workspace}/api/contents", params={"type": "directory", "content": "1"})
    return {each["name"] for each in answer.json()["content"]}


def test_a_text_that_was_written_here_is_saved(inside):
    address = f"{inside.workspace}/api/contents/typed.py"
    saved = {"type": "file", "format": "text", "content": "x = 1\n"}
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
