"""Processes killed with -9, no engine, a folder that takes nothing: what is left, and what a retry does."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from demo import daemon, services
from demo.kernel import Kernel
from demo.services import VENV
from enclave.errors import EnclaveError
from enclave.gate.client import Gate
from tests.e2e.acts import ansim, cell, entries, kernel_of, logged, new_request, printed, until, vote

pytestmark = pytest.mark.crash


def _kill(world, name: str) -> None:
    running = daemon.find(world.settings.process, name)
    assert running
    os.kill(running.pid, signal.SIGKILL)
    until(f"{name} is dead", lambda: daemon.find(world.settings.process, name) is None)


@contextmanager
def _dead(world, name: str) -> Iterator[None]:
    """Kill one process; start it again at the end, and nothing else."""
    _kill(world, name)
    try:
        yield
    finally:
        started = services.start_all(world.settings)
    assert started == [name]


def _container(world, login: str) -> str:
    """The running container of this person's workspace, or nothing."""
    asked = ["docker", "ps", "--quiet", "--no-trunc", "--filter", "label=ansim.workspace"]
    ids = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    found = (
        json.loads(subprocess.run(["docker", "inspect", *ids], check=True, capture_output=True).stdout) if ids else []
    )
    home = f"{world.settings.home}/"
    return next(
        (
            each["Id"]
            for each in found
            if f"JUPYTERHUB_USER={login}" in each["Config"]["Env"]
            and any(m["Source"].startswith(home) for m in each["Mounts"])
        ),
        "",
    )


def test_a_hub_killed_and_started_again_cuts_nobody_off(world):
    mina, before = world.session("mina"), _container(world, "mina")
    assert before
    with kernel_of(mina) as kernel:
        cell(kernel, "kept = 40")
        with _dead(world, "hub"):
            assert cell(kernel, "kept += 1; print(kept)") == "41"
            assert mina.http.get(f"{mina.workspace}/api/status").status_code == 200
        assert cell(kernel, "kept += 1; print(kept)") == "42"
        mina.start_workspace()
    assert _container(world, "mina") == before


def test_a_gate_killed_and_started_again_takes_the_workspace_up(world):
    mina, before = world.session("mina"), _container(world, "mina")
    kernel = Kernel(mina)
    with kernel:
        cell(kernel, "kept = 41")
        with _dead(world, "gate"):
            assert mina.http.get(f"{mina.workspace}/api/status").is_server_error
    with kernel:
        assert cell(kernel, "print(kept + 1)") == "42"
        # Both ways: the notebook asks the portal through the gate, too.
        assert (
            printed(kernel, "import ansim, json; print(json.dumps(ansim.egress.preflight(['table.csv']).ok))") is True
        )
    assert _container(world, "mina") == before


def test_a_sequencer_killed_and_started_again_loses_no_entry(world):
    with kernel_of(world.session("mina")) as kernel:
        request = new_request(kernel)  # nobody looked at it yet: a second look in one session is no second entry
    with _dead(world, "sequencer"):
        before = len(entries(world))
        world.session("woojin")._get(f"{world.session('woojin').portal}/review/{request}")
        assert len(entries(world)) == before
    until("the look is published", lambda: [e for e in entries(world)[before:] if _is_look(e, request)])
    settings = world.settings
    done = ansim(world, "audit", "verify", str(settings.log), "--key", str(settings.keys / "log.pub"))
    assert done.returncode == 0, done.stdout + done.stderr


def _is_look(entry: dict, request: str) -> bool:
    return (entry["action"], entry["object"].get("id")) == ("egress.view", request)


@contextmanager
def _releases_that_wait(world) -> Iterator[str]:
    """Releases on a file system of their own, which can be frozen: a write to it then waits, as on a stuck disk."""
    image, place = world.settings.home / "releases.img", str(world.settings.releases)
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        subprocess.run(["chown", "ansim-app:ansim-app", place], check=True)
        world.settings.releases.chmod(0o700)
        yield place
    finally:
        subprocess.run(["umount", place], check=True)
        image.unlink()


def _release(world, request_id: str) -> dict:
    return world.ask("mina", "GET", f"/requests/{request_id}")["release"] or {}


def test_a_portal_killed_between_decision_and_release_finishes_it_at_the_next_start(world):
    with kernel_of(world.session("mina")) as kernel:
        request = new_request(kernel)
    assert vote(world, "dahye", request).is_success
    with _releases_that_wait(world) as place:
        subprocess.run(["fsfreeze", "--freeze", place], check=True)
        second = threading.Thread(target=_vote_into_the_void, args=(world, request))
        try:
            second.start()
            until("decided, not released", lambda: _release(world, request).get("state") == "requested")
            running = daemon.find(world.settings.process, "portal")
            assert running
            os.kill(running.pid, signal.SIGKILL)
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", place], check=True)
        second.join()
        until("the portal is dead", lambda: not running.alive)
        assert "portal" in services.start_all(world.settings)
        made = _release(world, request)
        assert made["state"] == "done"
        assert logged(world, "release.done", made["id"])
        assert logged(world, "release.reap", "all")
        jiwoo = world.session("jiwoo")
        got = jiwoo.api("POST", f"/releases/{made['id']}/hand-over", {"code": jiwoo.code()})
        assert got.is_success, got.text
    reviewed = world.ask("mina", "GET", f"/requests/{request}")["files"][0]
    with zipfile.ZipFile(io.BytesIO(got.content)) as file:
        assert hashlib.sha256(file.read(reviewed["name"])).hexdigest() == reviewed["sha256"]


def _vote_into_the_void(world, request: str) -> None:
    with contextlib.suppress(httpx.HTTPError):  # cut off, or the proxy says that nobody is there
        assert vote(world, "woojin", request).is_server_error


def test_a_release_that_could_not_be_written_says_so_and_can_be_made_later(world):
    with kernel_of(world.session("mina")) as kernel:
        request = new_request(kernel)
    folder = world.settings.releases
    assert vote(world, "dahye", request).is_success
    folder.chmod(0o500)
    try:
        assert vote(world, "woojin", request).is_success
    finally:
        folder.chmod(0o700)
    failed = _release(world, request)
    assert failed["state"] == "failed"
    assert logged(world, "release.failed", failed["id"], "failed")
    jiwoo = world.session("jiwoo")
    page = f"{jiwoo.portal}/releases/{failed['id']}/build"
    assert jiwoo.http.post(page, data={"csrf": jiwoo.portal_headers()["X-CSRF-Token"]}).is_success
    assert _release(world, request)["state"] == "done"


HOLD = """
import sqlite3, sys
link = sqlite3.connect(sys.argv[1], isolation_level=None)
link.execute('begin immediate')
print('held', flush=True)
sys.stdin.read()"""


@contextmanager
def _locked_database(world) -> Iterator[None]:
    """Somebody else holds the database's write lock all the while."""
    holder = subprocess.Popen(
        [VENV / "bin/python", "-c", HOLD, world.settings.db / "ansim.sqlite"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, user="ansim-app", group="ansim-app", extra_groups=["ansim-db"], umask=0o007, cwd="/",
    )  # fmt: skip
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        yield
        assert holder.stdin
        holder.stdin.close()


def test_a_vote_while_the_database_is_locked_is_refused_in_words_and_can_be_cast_again(world):
    with kernel_of(world.session("mina")) as kernel:
        request = new_request(kernel)
    assert vote(world, "dahye", request).is_success
    until("everything is numbered", lambda: logged(world, "egress.approve", request))
    with _locked_database(world):
        refused = vote(world, "woojin", request)
    assert refused.status_code == 503
    assert refused.json()["ko"]
    found = world.ask("mina", "GET", f"/requests/{request}")
    assert (found["state"], found["reviews_in"]) == ("submitted", 1)
    assert vote(world, "woojin", request).json()["state"] == "released"


def test_two_checkers_deciding_at_the_same_moment_make_one_release(world):
    with kernel_of(world.session("mina")) as kernel:
        request = new_request(kernel)
    answers = []
    people = [
        threading.Thread(target=lambda who=who: answers.append(vote(world, who, request)))
        for who in ("dahye", "woojin")
    ]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert all(each.is_success for each in answers), [each.text for each in answers]
    found = world.ask("mina", "GET", f"/requests/{request}")
    assert found["state"] == "released"
    assert len(logged(world, "release.done", found["release"]["id"])) == 1


def test_without_the_engine_a_start_fails_in_words_and_a_retry_works(world):
    settings, jiwoo = world.settings, world.session("jiwoo")
    gate = next(each.daemon for each in services.services(settings) if each.daemon.name == "gate")
    deaf = replace(gate, argv=(*gate.argv, "--docker-socket", str(settings.run_folder / "no-engine.sock")))
    daemon.stop(settings.process, "gate")
    daemon.start(deaf, settings.process, "without an engine")
    try:
        until("the gate answers", lambda: _answers(settings))
        page = _start_and_fail(jiwoo)
        assert page.status_code == 503
        assert "컨테이너 엔진" in page.text
        assert "다시 시작" in page.text
        assert [each["state"] for each in jiwoo.api("GET", "/workspaces").json()["workspaces"]] == ["failed"]
    finally:
        assert services.start_all(settings) == ["gate"]
    assert not _container(world, "jiwoo")
    try:
        jiwoo.start_workspace()
        assert _container(world, "jiwoo")
    finally:
        jiwoo.stop_workspace()
    until("the workspace is gone", lambda: not _container(world, "jiwoo"))
    with kernel_of(world.session("mina")) as kernel:  # who worked all the time still does
        assert cell(kernel, "print(6 * 7)") == "42"


def _start_and_fail(session) -> httpx.Response:
    """The page that says why a start failed; the hub waits one second for it, then shows a page that waits."""
    page = session.http.get(f"{session.hub}/hub/spawn")
    while "spawn-pending" in str(page.url) and page.status_code == httpx.codes.OK:
        time.sleep(0.2)
        page = session.http.get(str(page.url))
    return page


def _answers(settings) -> bool:
    try:
        return bool(Gate(settings.gate_socket).status())
    except EnclaveError:
        return False
