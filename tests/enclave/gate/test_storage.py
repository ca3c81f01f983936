"""Volumes at the gate: keys come with the plan, go with the container, and files are read while nothing runs."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enclave.errors import Conflict, Denied, Invalid
from enclave.gate.collector import Owner
from enclave.gate.limits import Collected, RefusedFile
from enclave.gate.plans import Plans
from enclave.gate.storage import Storage
from enclave.gate.volumes import Volumes
from enclave.workspace.mounts import Roots, plan_mounts
from enclave.workspace.plan import sign_plan
from tests.enclave.gate.world import KEYS, World, until

pytestmark = pytest.mark.docker


def mounted(world: World, workspace_id: str) -> bool:
    return (world.settings.volumes / workspace_id / "home").is_mount()


def test_a_plan_without_the_keys_is_not_put_in_force(world: World) -> None:
    plan = world.plan()
    world.workspaces.append(plan.workspace_id)
    with pytest.raises(Invalid) as refused:
        world.gate.register_plan(plan.canonical(), sign_plan(plan, world.key), keys={})
    assert refused.value.code == "gate.volume-no-key"
    # A hub that has the plan all the same gets no container: its home would be the host's bare folder.
    with pytest.raises(Exception, match="plan-unknown"):
        world.create(plan)


def test_a_key_that_is_not_the_volumes_own_opens_nothing(world: World) -> None:
    running = world.run()
    world.gate.revoke(running.plan.workspace_id)
    with pytest.raises(Denied) as refused:
        world.gate.register_plan(
            running.plan.canonical(), sign_plan(running.plan, world.key), keys={**KEYS, "home": bytes(64)}
        )
    assert refused.value.code == "gate.volume-key"
    running.end()


def test_the_keys_are_in_no_file_and_no_log_of_the_gate(world: World) -> None:
    running = world.run()
    for path in world.home.rglob("*"):
        if path.is_file() and path.suffix != ".img":
            data = path.read_bytes()
            assert KEYS["home"][:16] not in data, path
            assert b"AAECAwQFBgcICQoL" not in data, path  # the same in base64
    running.end()


def test_a_container_does_not_start_once_its_volumes_were_put_away(world: World) -> None:
    plan = world.plan()
    world.register(plan)
    container = world.create(plan)
    for name in ("home", "outbox"):
        subprocess.run(["umount", world.settings.volumes / plan.workspace_id / name], check=True)
    client = world.engine()
    with pytest.raises(Exception, match="volume-away"):
        client.start(container)
    client.close()
    world.gate.revoke(plan.workspace_id)
    world.gate.remove_volumes(plan.workspace_id)


def test_nothing_can_be_hidden_where_the_encryption_does_not_reach(world: World) -> None:
    running = world.run()
    tried = running.python(
        "import os\nopen('/home/analyst/work/x','w').close()\n"
        "for call in (lambda: os.setxattr('/home/analyst/work/x', 'user.a', b'b'),"
        " lambda: os.setxattr('/outbox', 'user.a', b'b', follow_symlinks=False),"
        " lambda: os.setxattr(os.open('/home/analyst/work/x', os.O_WRONLY), 'user.a', b'b')):\n"
        "    try:\n        call(); print('WROTE')\n    except PermissionError: print('refused')"
    )
    assert tried.split()[:3] == ["refused"] * 3, tried
    running.end()


def test_a_revoked_workspace_leaves_no_key_in_the_kernel_and_its_files_can_still_be_read(world: World) -> None:
    running = world.run()
    wrote = running.python(
        "import os\nopen('/home/analyst/work/table.csv','w').write('a,b\\n1,2\\n')\n"
        "os.mkdir('/home/analyst/work/sub')\nopen('/home/analyst/work/sub/x.txt','w').write('x')\n"
        "os.symlink('/etc/passwd','/home/analyst/work/link.csv')\nopen('/home/analyst/work/.hidden','w')\n"
        "open('/outbox/out.csv','w').write('o')"
    )
    assert "[exit 0]" in wrote, wrote
    name = running.plan.workspace_id
    world.gate.revoke(name)
    assert not mounted(world, name)
    with pytest.raises(Conflict) as refused:
        world.gate.collect(name, ["table.csv"], volume="home")
    assert refused.value.code == "gate.no-volumes"
    files, left_out = world.gate.files(name, keys=KEYS)
    assert [file.name for file in files["home"]] == ["sub/x.txt", "table.csv"]
    assert [(file.name, file.size) for file in files["outbox"]] == [("out.csv", 1)]
    assert left_out == 2
    taken, link = world.gate.collect(name, ["table.csv", "link.csv"], volume="home", keys=KEYS)
    assert isinstance(taken, Collected)
    assert taken.path.read_text() == "a,b\n1,2\n"
    assert isinstance(link, RefusedFile)
    assert not mounted(world, name)
    world.gate.remove_volumes(name)
    with pytest.raises(Conflict):
        world.gate.files(name, keys=KEYS)


def test_a_restarted_gate_keeps_the_volumes_of_what_runs_and_puts_away_the_others(world: World) -> None:
    running, gone = world.run(), world.run(world.plan(expires_at=soon(8)))
    running.python("open('/home/analyst/work/kept','w').write('x')")
    world.stop_gate()
    subprocess.run(["docker", "rm", "-f", gone.plan.container_name], check=True, capture_output=True)
    world.start_gate()
    host, port = world.gate.relay(running.plan.workspace_id, running.container)
    running.host, running.port = host, port
    assert "x" in running.python("print(open('/home/analyst/work/kept').read())")
    until(lambda: not mounted(world, gone.plan.workspace_id), seconds=45)
    assert mounted(world, running.plan.workspace_id)
    running.end()
    world.gate.remove_volumes(gone.plan.workspace_id)


def test_processor_time_is_the_kernels_word_and_none_when_nothing_runs(world: World) -> None:
    running = world.run()
    before = world.gate.activity(running.plan.workspace_id)["cpu_ns"]
    running.python("x = 0\nfor i in range(3_000_000): x += i")
    after = world.gate.activity(running.plan.workspace_id)["cpu_ns"]
    assert before
    assert after
    assert after - before > 20_000_000
    running.end()
    assert world.gate.activity(running.plan.workspace_id) == {"cpu_ns": None, "last_hand": None}


def soon(seconds: int) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)


@pytest.mark.parametrize("comes", [True, False], ids=["comes", "does not come"])
def test_volumes_are_not_put_away_while_their_plan_comes_in_force(world: World, tmp_path: Path, comes: bool) -> None:
    roots, now = Roots.under(tmp_path), datetime.now(UTC)
    roots.config.mkdir()
    plan = world.plan()
    plan = replace(plan, mounts=plan_mounts(roots, plan.workspace_id, {}))
    plans = Plans(roots, world.settings.plan_key.with_suffix(".pub"))

    class Engine:
        """While it is asked about the container, the plan is put in force."""

        async def inspect(self, _: str) -> None:
            if comes:
                plans.register(plan.canonical(), sign_plan(plan, world.key), now)

    async def act() -> None:
        storage = Storage(Volumes(roots.volumes), tmp_path / "staging", Owner(0, 0))
        await storage.prepare(plan, KEYS)
        await storage.tidy(Engine(), plans, now)  # type: ignore[arg-type] # its one question

    asyncio.run(act())
    assert (roots.volumes / plan.workspace_id / "home").is_mount() is comes
    Volumes(roots.volumes).remove(plan.workspace_id)
