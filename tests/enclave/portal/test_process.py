"""The process itself: it starts, settles what a killed one left, serves both doors, and stops when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from enclave import clock
from enclave.commands import reviewing
from enclave.commands.ballot import Ballot, Judgements
from enclave.commands.sighting import record_shown
from enclave.portal.parts import build
from enclave.queries import egress
from enclave.settings import Settings
from enclave.states import Decision, ReleaseState, RequestState
from tests.enclave.portal.world import TABLE, World
from tests.ports import free_port


def configure(world: World) -> Settings:
    config = world.home / "config.toml"
    config.write_text(config.read_text() + f"portal_port = {free_port()}\n")
    return Settings.load(world.home)


def start(world: World) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "ANSIM_HOME": str(world.home), "LANG": "C.UTF-8"}
    command = [sys.executable, "-W", "error", "-m", "enclave.portal"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(world: World, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    process = start(world)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{settings.portal_port}/services/portal/health").text == "ok\n":
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_serves_both_doors_and_stops_when_told(world: World) -> None:
    settings = configure(world)
    with running(world, settings) as process:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(settings.core_socket))) as hub:
            answer = hub.post("http://core/workspaces/nobody/plan", json={})
            assert (answer.status_code, answer.json()["code"]) == (404, "account.unknown")
        with httpx.Client() as other:
            path = f"http://127.0.0.1:{settings.portal_port}/workspaces/mina/plan"
            assert other.post(path, json={}).status_code == 404, "the core API is not on the public port"
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in log


@pytest.mark.crash
def test_a_portal_killed_between_decision_and_package_finishes_at_its_next_start(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    for login in ("dahye", "woojin"):
        actor = replace(world.actor(login), second_factor_at=clock.now())
        found = egress.request(world.store, actor, request, now=clock.now())
        judgements = Judgements("맞음", "식별 불가", "충분함")
        for file in found.files:
            at = {"request_id": request, "file_id": file.id, "units": 12, "now": clock.now()}
            record_shown(world.store, actor, **at)
        ballot = Ballot(Decision.APPROVE, found.round, found.content_sha256, "output-checked", judgements)
        # The command alone, as far as a portal gets that is killed before it makes the package.
        reviewing.decide(world.store, actor, request_id=request, vote=ballot, now=clock.now())
    before = egress.request(world.store, world.actor("mina"), request, now=clock.now())
    assert before.release is not None
    assert (before.state, before.release.state) == (RequestState.APPROVED, ReleaseState.REQUESTED)
    half = world.settings.releases / "r-unknown-1234.ansim"
    half.write_bytes(b"half a package")

    settings = configure(world)
    with running(world, settings) as process:
        after = egress.request(world.store, world.actor("mina"), request, now=clock.now())
        process.send_signal(signal.SIGKILL)
    assert after.release is not None
    assert (after.state, after.release.state) == (RequestState.RELEASED, ReleaseState.DONE)
    assert not half.exists()
    with running(world, settings):
        again = egress.request(world.store, world.actor("mina"), request, now=clock.now())
    assert again.release == after.release, "nothing is done twice"


def test_a_missing_key_is_told_in_one_line(world: World) -> None:
    configure(world)
    (world.settings.keys / "vault.key").unlink()
    process = start(world)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "vault.key" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("missing", ["portal.token", "gate.secret"])
def test_every_other_key_is_missed_by_name(world: World, missing: str) -> None:
    (world.settings.keys / missing).unlink()
    with pytest.raises(FileNotFoundError, match=missing):
        build(world.settings, {})


def test_a_secret_that_could_be_guessed_is_none(world: World) -> None:
    world.settings.gate_secret.write_text("short\n")
    with pytest.raises(ValueError, match="too short"):
        build(world.settings, {})
