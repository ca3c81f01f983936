"""By two workers of a Dask cluster a recipe gives what it gives here, bit for bit."""

from __future__ import annotations

import ast
import json
import os
import signal
import time
from pathlib import Path
from threading import Thread

import pytest
from distributed import Client

from deid.cli import COMMANDS
from deid.crew.order import Order
from deid.engine import Step
from deid.errors import SourceError
from deid.many.options import told_redone
from deid.many.parts import LaidOut
from tests.deid.crew.conftest import Crowd, Expected
from tests.deid.factory import Hospital, table
from tests.deid.many.test_parts import CODED, told, write_visits
from tests.deid.twin.test_twin import RECIPE as LINKED
from tests.deid.twin.test_twin import sources

ROOT = Path(__file__).parents[3]


def nothing_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on this process works on no part: only the workers, which are other processes, can."""

    def refuse(*_: object) -> None:
        raise AssertionError("a part was worked on here")

    monkeypatch.setattr(LaidOut, "part", refuse)


@pytest.mark.parametrize("recipe", [CODED, LINKED], ids=["one table", "linked tables with texts"])
def test_two_workers_give_what_one_process_gives(
    clinic: Hospital, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    write_visits(clinic)
    sources(clinic)
    monkeypatch.setattr("deid.versions.buckets.LEAST_ROWS", 100)
    whole = clinic.run(recipe)
    expected, signed = {name: table(whole, name) for name in whole.manifest.tables}, told(whole)
    figures = json.loads((whole.snapshot / "risk.json").read_bytes())
    clinic.out.rename(clinic.root / "before")
    nothing_is_done_here(monkeypatch)
    found = crowd.run(clinic, recipe)
    assert json.loads((found.snapshot / "risk.json").read_bytes()) == figures
    assert told(found) == signed
    assert not found.redone
    for name, rows in expected.items():
        assert rows.height > 0
        assert table(found, name).equals(rows)
    assert not [path for path in found.snapshot.rglob("*") if "crew" in path.name or "parts" in path.name]


def test_a_worker_that_is_killed_leaves_its_parts_to_another(
    clinic: Hospital, crowd: Crowd, client: Client, alone: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_visits(clinic)
    nothing_is_done_here(monkeypatch)
    address, victim = next(iter(client.run(os.getpid).items()))
    killed: list[str] = []

    def kill_at_work() -> None:
        while not client.processing()[address]:
            time.sleep(0.01)
        killed.extend(map(str, client.processing()[address]))
        os.kill(victim, signal.SIGKILL)

    def stop(step: Step) -> None:
        # Stopped, it takes parts and does none: it certainly dies with some in its hands.
        if step.en == "pseudonyms and classes":
            os.kill(victim, signal.SIGSTOP)
            Thread(target=kill_at_work).start()

    found = crowd.run(clinic, CODED, progress=stop)
    assert killed
    assert table(found, "visits").equals(alone.rows)


def test_parts_that_fail_on_a_worker_are_done_here_and_counted(
    clinic: Hospital, crowd: Crowd, client: Client, alone: Expected
) -> None:
    write_visits(clinic)

    def break_down() -> None:
        from deid.crew import worker

        real = worker._work

        def work(order: Order) -> None:
            if order.job == "job-0":
                raise MemoryError("CANARY-WORDS")
            real(order)

        worker._work = work

    def mend() -> None:
        import importlib

        from deid.crew import worker

        importlib.reload(worker)

    client.run(break_down)
    try:
        found = crowd.run(clinic, CODED)
    finally:
        client.run(mend)
    assert list(found.redone) == [("visits", "MemoryError")]
    assert found.redone["visits", "MemoryError"] >= 1
    assert told(found) == alone.signed
    assert table(found, "visits").equals(alone.rows)
    lines = told_redone(found.redone)
    assert len(lines) == 1
    assert "visits MemoryError × " in lines[0]
    assert "CANARY" not in lines[0]


def test_a_fault_is_told_with_its_line_and_no_worker_writes_the_value_down(
    clinic: Hospital, crowd: Crowd, client: Client
) -> None:
    write_visits(clinic, bad="n1,x,F,101,CANARY-AGE,2020-01-01,1,w1")
    with pytest.raises(SourceError) as caught:
        crowd.run(clinic, CODED)
    assert (caught.value.code, caught.value.line) == ("deid.source-value", 1501)
    assert clinic.left_behind() == []
    logs = f"{client.get_worker_logs()}{client.get_scheduler_logs()}"
    assert "CANARY" not in logs


def test_dask_is_not_loaded_for_a_run_without_a_cluster() -> None:
    # Read instead of run: starting the command line anew takes longer than all that is done here.
    seen, left = set[str](), {place.partition(":")[0] for place in COMMANDS.values()}
    while left:
        module = left.pop()
        seen.add(module)
        left |= imported_at_once(module) - seen
    assert {"deid.crew.joined", "deid.crew.address", "polars"} <= seen
    assert not {"distributed", "dask", "cloudpickle", "deid.crew.crew", "deid.crew.worker"} & seen


def imported_at_once(module: str) -> set[str]:
    """Modules of `deid` and packages that a module of `deid` imports when it is loaded."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    if not path.exists():
        return set()
    found = set[str]()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name if name.startswith("deid.") else name.partition(".")[0] for name in found}
