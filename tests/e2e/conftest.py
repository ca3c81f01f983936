"""One running enclave for every test here: its own home, ports and run folder beside whatever else runs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import services, story
from demo.services import VENV
from demo.world import World
from enclave.settings import Settings
from scripts.setting_up import venvs
from scripts.setting_up.__main__ import alone
from scripts.setting_up.terminal import StepFailedError

# ANSIM_E2E=n (1 to 9): one of several enclaves under test on one machine, each with its own ANSIM_OPT.
# ANSIM_TOPOLOGY=bridge: the same tests on the other topology.
INSTANCE = os.environ.get("ANSIM_E2E", "")
NAME = f"ansim-test{INSTANCE}"
HOME = Path(f"/var/lib/{NAME}")
RUN = Path(f"/run/{NAME}")
PORT = 10_000 + 1_000 * int(INSTANCE) if INSTANCE else 18_000
CONFIG = f"""public_host = "{NAME}.localhost"
public_port = {PORT}
proxy_api_port = {PORT + 1}
hub_port = {PORT + 81}
portal_port = {PORT + 85}
idle_lock_minutes = 30
run_folder = "{RUN}"
topology = "{os.environ.get("ANSIM_TOPOLOGY", "sealed")}"
drill_hour = -1
"""
LOCK = Path(f"/run/lock/{NAME}.lock")
MADE = HOME / "demo/made.json"
# ANSIM_KEEP=1 leaves it running after the tests, and takes it up again at the next run: quick while writing a test.
KEEP = os.environ.get("ANSIM_KEEP") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder is an end-to-end test, needs the engine, and comes last, in the files' own order.

    All share one enclave, in which a working day is a day: what one test leaves, the next one finds.
    """
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.docker)
    others = [item for item in items if here not in item.path.parents]
    items[:] = others + sorted(ours, key=_place)


def _place(item: pytest.Item) -> tuple[str, int, str]:
    function = getattr(item, "function")  # noqa: B009 - not every kind of item has one, all of ours do
    return item.path.name, function.__code__.co_firstlineno, item.name


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The whole main job, played once through the real doors; yields what it made and who is signed in."""
    _require_machine()
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run on this machine ends first
        yield from _running()


def _running() -> Iterator[World]:
    _install_code()
    if HOME.exists() and not (KEEP and MADE.exists()):
        _remove(Settings.load(HOME))
    played: World | None = None
    try:
        played = _again() if MADE.exists() else _first()
        yield played
    finally:
        if played:
            played.close()
        if HOME.exists() and not KEEP:
            _remove(Settings.load(HOME))


def _first() -> World:
    played = story.play(_prepare())
    facts = {name: getattr(played, name) for name in ("snapshots", "project_id", "requests", "release_id")}
    MADE.write_text(json.dumps(facts))
    return played


def _again() -> World:
    settings = Settings.load(HOME)
    services.start_all(settings)
    found = World.of(settings)
    for name, value in json.loads(MADE.read_text()).items():
        setattr(found, name, value)
    found.session("mina").start_workspace()
    return found


def _require_machine() -> None:
    if os.geteuid() != 0:
        pytest.fail("End-to-end tests start services as several users and need root: run `make test` as root.")
    engine = subprocess.run(["docker", "version", "--format", "-"], check=False, capture_output=True, text=True)
    if engine.returncode:
        pytest.fail(f"The Docker engine does not answer ({engine.stderr.strip()}): run `make test`, it starts one.")
    missing = [path for path in ("/usr/bin/chromium", "/opt/ansim/proxy/node_modules") if not Path(path).exists()]
    if missing:
        pytest.fail(f"{', '.join(missing)} is not there: run `make test`, it installs it.")


def _install_code() -> None:
    try:
        with alone():
            venvs.services()
    except StepFailedError as failure:
        pytest.fail(f"The services' environment could not be made: {failure}. Run `make test`.")


def _prepare() -> Settings:
    HOME.mkdir(mode=0o755)
    (HOME / "config.toml").write_text(CONFIG)
    # As set-up does it: by the installed code, which the services' users can read.
    environment = {**os.environ, "ANSIM_HOME": str(HOME)}
    done = subprocess.run(
        [VENV / "bin/python", "-m", "demo.home"], check=False, capture_output=True, text=True, env=environment, cwd="/"
    )
    if done.returncode:
        pytest.fail(f"The home folder could not be prepared: {done.stderr[-800:]}")
    return Settings.load(HOME)


def _remove(settings: Settings) -> None:
    services.stop_all(settings)
    shutil.rmtree(RUN, ignore_errors=True)
    shutil.rmtree(HOME)
