"""Things end mid-session on the living enclave: within a minute, with their reason in the log, files still there."""

from __future__ import annotations

import subprocess
import time

from tests.e2e.acts import ansim, cell, kernel_of, logged, until

MINUTE = 60
MARK = "PLAINTEXT-THAT-NOBODY-MAY-FIND-ON-THE-DISK"


def is_running(workspace_id: str) -> bool:
    asked = ["docker", "inspect", "--format", "{{.State.Running}}", f"ansim-{workspace_id}"]
    return subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip() == "true"


def own(world, login: str = "mina") -> dict:
    """This person's workspace in the story's project."""
    found = world.session(login).api("GET", "/workspaces").json()["workspaces"]
    return next(each for each in found if each["project_id"] == world.project_id)


def refusal(world) -> str:
    options = world.session("mina").api("GET", "/workspaces").json()["options"]
    found = next(each for each in options if each["project_id"] == world.project_id)
    return (found["refusal"] or {}).get("code", "")


def seconds_until_stopped(workspace_id: str) -> float:
    began = time.monotonic()
    until("the workspace is stopped", lambda: not is_running(workspace_id), MINUTE)
    return time.monotonic() - began


def check_frozen(world, mina, name: str) -> None:
    """Stopped, said so everywhere, its files unreadable on the disk and readable for their owner."""
    volumes = world.settings.volumes / name
    assert seconds_until_stopped(name) < MINUTE
    assert logged(world, "project.freeze", world.project_id)[-1]["details"]["workspaces_frozen"] >= 1
    assert own(world)["state"] == "frozen"
    assert refusal(world) == "project.frozen"
    until("the volumes are put away", lambda: not (volumes / "home").is_mount(), MINUTE)
    assert MARK.encode() not in (volumes / "home.img").read_bytes()
    assert b"kept-file" not in (volumes / "home.img").read_bytes()
    files = mina.api("GET", f"/frozen/{name}/files").json()["files"]
    assert "kept-file.txt" in [each["name"] for each in files["home"]]


def test_a_frozen_project_stops_within_a_minute_keeps_its_files_unreadable_and_opens_again(world):
    mina, name = world.session("mina"), own(world)["id"]
    with kernel_of(mina) as kernel:
        cell(kernel, f"import os; open('/home/analyst/work/kept-file.txt','w').write({MARK!r} * 5000); os.sync()")
    assert is_running(name)
    # From the machine's own console, which cannot speak to the gate: the sweep has to stop it.
    frozen = ansim(world, "project", "freeze", world.project_id, "--reason", "훈련: 의심스러운 반출")
    assert frozen.returncode == 0, frozen.stderr
    try:
        check_frozen(world, mina, name)
    finally:  # the tests that follow live in the same project
        steward = world.session("suyeon")
        thawed = steward.api("POST", f"/projects/{world.project_id}/thaw", {"reason": "훈련 종료"})
    assert thawed.status_code == 200
    mina.start_workspace()
    with kernel_of(mina) as kernel:
        read = cell(kernel, "import os; print(open('kept-file.txt').read(10)); os.remove('kept-file.txt')")
    assert read == MARK[:10]


def test_a_role_taken_away_ends_the_session_within_a_minute(world):
    mina, name = world.session("mina"), own(world)["id"]
    assert is_running(name)
    assert ansim(world, "account", "revoke", "mina", "scientist", "--reason", "훈련").returncode == 0
    try:
        assert seconds_until_stopped(name) < MINUTE
        entry = logged(world, "workspace.enforce", name)[-1]
        assert entry["reason"]["code"] == "role.missing"
    finally:
        assert ansim(world, "account", "grant", "mina", "scientist", "--reason", "훈련 종료").returncode == 0
    mina.start_workspace()
    assert is_running(name)
    visits = mina.api("GET", "/visits").json()["visits"]
    assert next(each["ended_at"] is None for each in visits if each["workspace_id"] == name)
    assert all(each["ended_at"] for each in visits[1:] if each["workspace_id"] == name)


def test_a_visit_is_certified_and_the_file_verified_offline(world, tmp_path):
    mina = world.session("mina")
    visit = next(each for each in mina.api("GET", "/visits").json()["visits"] if each["ended_at"])
    made = mina.api("POST", f"/visits/{visit['id']}/certificate").json()
    path = tmp_path / "certificate.json"
    path.write_bytes(mina.api("GET", f"/certificates/{made['id']}").content)
    key = world.settings.certificate_key.with_suffix(".pub")
    done = ansim(world, "certificate", "verify", str(path), "--key", str(key))
    assert done.returncode == 0, done.stderr
    assert "서명이 맞습니다." in done.stdout
    path.write_bytes(path.read_bytes().replace(b"mina", b"mona"))
    assert ansim(world, "certificate", "verify", str(path), "--key", str(key)).returncode == 2
    assert (world.settings.certificates / f"{made['id']}.html").exists()
