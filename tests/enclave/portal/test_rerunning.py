"""From a request that names its code to "reproduced from this code": real gate, real containers, real comparison."""

from __future__ import annotations

import io
import time

import pytest

from enclave import clock
from enclave.airlock.checker import check
from enclave.airlock.report import Evidence, FileReport, Status
from enclave.airlock.rules import CheckRules
from enclave.commands import egress, rerun
from enclave.commands.content import Checked, CollectedFile
from enclave.commands.submission import Submission
from enclave.model.rerun import RerunState
from enclave.portal import rerunning
from enclave.queries import rerun as queries
from enclave.queries.airlock_facts import facts, load_request
from enclave.settings import Settings
from tests.enclave.gate.tiny_image import tiny_image
from tests.enclave.portal.test_inner_apis import GateOf, gate, needs_root
from tests.enclave.portal.world import ROOT, World

__all__ = ["gate"]
pytestmark = [pytest.mark.docker, needs_root]
READS = "data = open('/data/visits/visits.parquet', 'rb').read()\nn = sum(data[100:400]) + len(data)\n"
HONEST = READS + "open('out.csv', 'w').write(f'k,n\\na,{n}\\nb,{n + 1}\\n')\n"
STORED = "open('out.csv', 'w').write('k,n\\na,120\\nb,451\\n')\n"
DICE = READS + "import os\nopen('out.csv', 'w').write(f'k,n\\na,{int.from_bytes(os.urandom(3))}\\n')\n"
SILENT = READS + "print(n)\n"
ENDLESS = "while True: pass\n"


@pytest.fixture
def at_work(world: World, gate: GateOf) -> World:
    config = world.home / "config.toml"
    config.write_text(config.read_text() + f'image = "{tiny_image()}"\nrerun_seconds = 15\nmemory_bytes = 268435456\n')
    object.__setattr__(world.portal, "settings", Settings.load(world.home))
    return world


def submitted(world: World, code: str, output: bytes) -> str:
    checked = []
    for name, data, of in (("out.csv", output, "run.py"), ("run.py", code.encode(), "")):
        stored = world.portal.quarantine.put(io.BytesIO(data))
        report = check(world.portal.quarantine.path(stored.sha256), name, CheckRules())
        checked.append(Checked(CollectedFile(name, stored.sha256, stored.size, code=of), report))
    form = Submission(
        project_id=world.project_id,
        files=checked,
        purpose="표",
        context="설명",
        idempotency_key=f"k-{time.monotonic_ns()}",
    )
    return egress.submit(world.store, world.actor("mina"), submission=form, now=clock.now()).id


def told(world: World, request_id: str, seconds: float = 90) -> tuple[list[str], Evidence]:
    """Keep the chore going until the code was run; returns the rules and the evidence of the output."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rerunning.turn(world.portal)
        if all(each.state is RerunState.DONE for each in queries.of_request(world.store, request_id)):
            break
        time.sleep(0.3)
    with world.store.read() as session:
        [file] = [each for each in load_request(session, request_id).files if each.name == "out.csv"]
        [evidence] = [e for e in FileReport.from_json(file.report or "").evidence if e.kind == "rerun"]
        return [each.rule for each in file.findings if each.rule.startswith("rerun.")], evidence


def honest_output(world: World) -> bytes:
    """What the honest code writes, found out by having it run on this very data."""
    _, evidence = told(world, submitted(world, HONEST, b"k,n\na,1\nb,2\n"))
    row = next(row for row in evidence.rows if row[1].startswith("1 → "))
    n = int(row[1].split(" → ")[1])
    return f"k,n\na,{n}\nb,{n + 1}\n".encode()


def test_what_the_code_writes_again_is_reproduced_and_a_changed_number_is_not(at_work: World) -> None:
    output = honest_output(at_work)
    made = submitted(at_work, HONEST, output)
    with at_work.store.read() as session:
        assert facts(load_request(session, made), clock.now()).rerunning
    page = at_work.browser("dahye").get(f"{ROOT}/review/{made}").text
    assert "코드 run.py 재실행 대기" in page
    rules, evidence = told(at_work, made)
    assert (rules, evidence.status, evidence.title_en) == ([], Status.MATCH, "Reproduced from this code")
    rules, evidence = told(at_work, submitted(at_work, HONEST, output.replace(b"a,", b"a,9")))
    assert (rules, evidence.status) == (["rerun.different"], Status.MISMATCH)
    assert any("→" in row[1] for row in evidence.rows)


@pytest.mark.parametrize(
    ("code", "output", "rules"),
    [
        (STORED, b"k,n\na,120\nb,451\n", ["rerun.stored"]),
        (DICE, b"k,n\na,77\n", ["rerun.different", "rerun.unstable"]),
        (SILENT, b"k,n\na,77\n", ["rerun.missing"]),
        (ENDLESS, b"k,n\na,77\n", ["rerun.failed"]),
    ],
    ids=["a stored result", "dice", "writes nothing", "never ends"],
)
def test_code_that_does_not_make_its_file_from_the_data_is_said_so(
    at_work: World, code: str, output: bytes, rules: list[str]
) -> None:
    assert told(at_work, submitted(at_work, code, output))[0] == rules


def test_a_run_that_the_gate_lost_is_begun_again_and_counts_as_failed_in_the_end(at_work: World) -> None:
    made = submitted(at_work, ENDLESS, b"k,n\na,77\n")
    for _ in range(rerun.MOST_TRIES):
        rerunning.turn(at_work.portal)
        [running] = queries.of_request(at_work.store, made)
        assert running.state is RerunState.RUNNING
        at_work.portal.gate.end_rerun(running.run_id or "")
        rerunning.turn(at_work.portal)
    rules, evidence = told(at_work, made)
    assert (rules, evidence.status) == (["rerun.failed"], Status.NONE)


def test_a_withdrawn_request_is_not_run(at_work: World) -> None:
    made = submitted(at_work, ENDLESS, b"k,n\na,77\n")
    egress.withdraw(at_work.store, at_work.actor("mina"), request_id=made, now=clock.now())
    assert queries.due(at_work.store) == ()
