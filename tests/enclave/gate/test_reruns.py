"""Submitted code is run again by the gate alone, in a container that can do no more than its order says."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from enclave.errors import Denied, Invalid, NotFound, Unavailable
from enclave.gate.limits import Collected, CollectLimits
from enclave.workspace.plan import PlanDamaged, sign_plan
from enclave.workspace.rerun import FAILED, TOO_LONG, RerunOrder, rerun_body, verify_order
from tests.enclave.gate.world import World, make_world, until

pytestmark = [pytest.mark.docker]
COUNTER = itertools.count(1)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with make_world() as made:
        yield made


def order_of(world: World, code: dict[str, str], *, seconds: int = 20, **changes: Any) -> RerunOrder:
    plan = world.plan(workspace_id=f"rerun-t{os.getpid()}-{next(COUNTER)}", **changes)
    files = tuple((name, hashlib.sha256(text.encode()).hexdigest()) for name, text in code.items())
    return RerunOrder(plan, next(iter(code)), files, seconds)


def begin(world: World, order: RerunOrder, code: dict[str, str]) -> str:
    sent = {name: text.encode() for name, text in code.items()}
    world.gate.begin_rerun(order.canonical(), order.sign(world.key), sent)
    return order.plan.workspace_id


class Ran:
    """One run from beginning to end, and what it wrote."""

    def __init__(self, world: World, code: str, *names: str, **changes: Any) -> None:
        order = order_of(world, {"run.py": code}, **changes)
        rerun_id = begin(world, order, {"run.py": code})
        self.said = until(lambda: ended(world, rerun_id), seconds=60)
        found = world.gate.collect_rerun(rerun_id, names or ("out.txt",), limits=CollectLimits())
        self.files = {each.name: each.path.read_bytes() for each in found if isinstance(each, Collected)}
        for each in found:
            if isinstance(each, Collected):
                each.path.unlink()
        world.gate.end_rerun(rerun_id)
        self.left = subprocess.run(
            ["docker", "ps", "-aq", "--filter", f"name=ansim-{rerun_id}"], capture_output=True, check=True
        ).stdout
        self.folders = list(world.home.glob(f"*/{rerun_id}*"))

    @property
    def text(self) -> str:
        return self.files["out.txt"].decode()


def ended(world: World, rerun_id: str) -> dict[str, Any] | None:
    said = world.gate.look_rerun(rerun_id)
    return said if said["state"] == "ended" else None


def test_what_the_code_writes_is_what_comes_back_and_nothing_stays(world: World):
    code = "data = open('/data/nafld/labs.parquet', 'rb').read()\nopen('out.txt', 'wb').write(data[:4])\n"
    ran = Ran(world, code)
    assert (ran.said["exit_code"], ran.text) == (0, "PAR1")
    assert (ran.left, ran.folders) == (b"", [])


def test_files_are_found_in_the_outbox_and_in_folders_too(world: World):
    code = (
        "import os\nos.mkdir('results')\nopen('results/a.csv', 'w').write('a')\nos.mkdir('/outbox/x')\n"
        "open('/outbox/x/b.csv', 'w').write('b')\nos.symlink('/data/nafld/labs.parquet', 'c.csv')\n"
    )
    assert Ran(world, code, "a.csv", "b.csv", "c.csv", "d.csv").files == {"a.csv": b"a", "b.csv": b"b"}


def test_code_that_breaks_says_so_and_what_it_wrote_before_is_kept(world: World):
    ran = Ran(world, "open('out.txt', 'w').write('half')\nraise SystemExit(7)\n")
    assert (ran.said["exit_code"], ran.text) == (FAILED, "half")


def test_code_that_never_ends_is_ended(world: World):
    ran = Ran(world, "while True: pass\n", seconds=5)
    assert (ran.said["exit_code"], ran.said["why"]) == (TOO_LONG, "time")
    stopped = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nwhile True: pass\n"
    assert Ran(world, stopped, seconds=5).said["why"] == "time"


ATTACKS = {
    "network": "import socket\nsocket.create_connection(('1.1.1.1', 53), 2)",
    "hub": "import socket\nsocket.create_connection(('127.0.0.1', 8081), 2)",
    "portal": "import socket\nsocket.create_connection(('127.0.0.1', 8085), 2)",
    "write data": "open('/data/nafld/x', 'w')",
    "write root": "open('/usr/x', 'w')",
    "other homes": "import os\nassert len(os.listdir('/data')) > 1",
    "raw device": "open('/dev/sda', 'rb').read(1)",
    "token": "import os\nassert any('TOKEN' in name or 'API' in name for name in os.environ)",
    "setuid": "import os\nos.setuid(0)",
    "mount": "import ctypes\nassert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0",
    "engine": "import socket\nsocket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    "quota": "open('big', 'wb').write(bytes(64 << 20))",
}


def test_it_can_reach_and_change_nothing_but_its_own_folders(world: World):
    lines = ["out = open('/outbox/out.txt', 'w')"]
    for name, attack in ATTACKS.items():
        body = "\n".join(f"    {line}" for line in attack.splitlines())
        lines += ["try:", body, f"    print({name!r}, 'REACHED', file=out, flush=True)"]
        lines += ["except BaseException as error:", f"    print({name!r}, type(error).__name__, file=out, flush=True)"]
    text = Ran(world, "\n".join(lines)).text
    assert len(text.splitlines()) == len(ATTACKS)
    assert "REACHED" not in text, text


def test_a_fork_bomb_ends_with_its_container(world: World):
    code = (
        "import os, time\nopen('out.txt', 'w').write('begun')\n"
        "while True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.1)\n"
    )
    ran = Ran(world, code, seconds=5)
    assert ran.said["state"] == "ended"
    assert ran.left == b""


def test_it_gets_the_memory_of_its_order_and_no_more(world: World):
    ran = Ran(world, "x = bytearray(b'1' * (1 << 30))\n", memory_bytes=128 << 20)
    assert ran.said["exit_code"] != 0


def test_only_an_order_signed_as_one_is_followed(world: World):
    code = {"run.py": "pass"}
    order = order_of(world, code)
    sent = {"run.py": b"pass"}
    with pytest.raises(Denied, match="rerun-damaged"):
        world.gate.begin_rerun(order.canonical(), sign_plan(order.plan, world.key), sent)
    with pytest.raises(Denied, match="rerun-damaged"):
        world.gate.begin_rerun(order.canonical().replace(b'"seconds":20', b'"seconds":21'), order.sign(world.key), sent)
    with pytest.raises(Invalid, match="지시서의 것과 다릅니다"):
        world.gate.begin_rerun(order.canonical(), order.sign(world.key), {"run.py": b"other"})
    with pytest.raises(Denied):  # an order's plan is no plan of a workspace
        world.gate.register_plan(order.plan.canonical(), order.sign(world.key), keys={})
    old = replace(order, plan=replace(order.plan, expires_at=order.plan.expires_at.replace(year=2020)))
    with pytest.raises(Denied, match="plan-expired"):
        world.gate.begin_rerun(old.canonical(), old.sign(world.key), sent)
    assert list(world.home.glob(f"*/{order.plan.workspace_id}*")) == []


def test_an_order_names_code_that_it_holds_an_own_id_and_no_network(world: World):
    order = order_of(world, {"run.py": "pass"})
    for changes in (
        {"main": "other.py"},
        {"files": (("../run.py", "0" * 64),), "main": "../run.py"},
        {"files": (("run.sh", "0" * 64),), "main": "run.sh"},
        {"seconds": 1},
        {"plan": replace(order.plan, workspace_id="w1")},
        {"plan": replace(order.plan, network="ansim-p")},
    ):
        with pytest.raises(PlanDamaged):
            replace(order, **changes)
    body = rerun_body(order)
    assert body["HostConfig"]["NetworkMode"] == "none"
    assert "ansim.workspace" not in body["Labels"]
    assert verify_order(order.canonical(), order.sign(world.key), world.key.public_key()) == order


def test_a_third_run_waits_for_its_turn(world: World):
    code = {"run.py": "import time\ntime.sleep(30)\n"}
    running = [begin(world, order_of(world, code), code) for _ in range(2)]
    with pytest.raises(Unavailable, match="2건까지만"):
        begin(world, order_of(world, code), code)
    for each in running:
        world.gate.end_rerun(each)
    with pytest.raises(NotFound):
        world.gate.look_rerun(running[0])


@pytest.mark.crash
def test_a_gate_that_was_killed_leaves_nothing_behind(world: World):
    code = {"run.py": "import time\ntime.sleep(300)\n"}
    rerun_id = begin(world, order_of(world, code, seconds=600), code)
    world.stop_gate(signal.SIGKILL)
    shown = ["docker", "ps", "-q", "--filter", f"name=ansim-{rerun_id}"]
    assert subprocess.run(shown, capture_output=True, check=True).stdout
    world.start_gate()
    assert subprocess.run(shown, capture_output=True, check=True).stdout == b""
    assert list(world.home.glob(f"*/{rerun_id}*")) == []
    with pytest.raises(NotFound):
        world.gate.look_rerun(rerun_id)


def notebook(*cells: str) -> str:
    made = [
        {"id": f"c{at}", "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for at, source in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": made})


def test_a_notebook_is_run_to_its_end_in_the_workspaces_own_image(world: World):
    shown = ["docker", "image", "inspect", "--format", "{{.Id}}", "ansim-workspace:latest"]
    image = subprocess.run(shown, capture_output=True, text=True, check=False).stdout.strip()
    if not image:
        pytest.skip("the workspace image is not built here")
    table = "import pandas as pd\npd.DataFrame({'n': [1, 2]}).to_csv('out.csv', index=False)"
    picture = "import matplotlib.pyplot as plt\nplt.bar([1, 2], [3, 4])\nplt.savefig('fig.png')"
    code = {"a.ipynb": notebook("1 / 0", table, picture)}
    order = order_of(world, code, seconds=120, image_id=image, memory_bytes=2 << 30, pids=256)
    rerun_id = begin(world, order, code)
    said = until(lambda: ended(world, rerun_id), seconds=150)
    found = world.gate.collect_rerun(rerun_id, ["out.csv", "fig.png"], limits=CollectLimits())
    world.gate.end_rerun(rerun_id)
    assert said["exit_code"] == FAILED, "a cell broke, and the others went on"
    assert {each.name for each in found if isinstance(each, Collected)} == {"out.csv", "fig.png"}
    assert next(each for each in found if each.name == "out.csv").path.read_text() == "n\n1\n2\n"
