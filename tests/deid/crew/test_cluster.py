"""By two workers of a Dask cluster a recipe gives what it gives here, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from threading import Thread

import pytest
from distributed import Client

from deid.crew.order import Order
from deid.engine import Step
from deid.errors import SourceError
from deid.many.options import told_redone
from deid.many.parts import LaidOut
from tests.deid.crew.conftest import Crowd
from tests.deid.factory import Hospital, table
from tests.deid.many.test_parts import CODED, told, write_visits
from tests.deid.twin.test_twin import RECIPE as LINKED
from tests.deid.twin.test_twin import sources


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
    clinic: Hospital, crowd: Crowd, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_visits(clinic)
    expected = table(clinic.run(CODED), "visits")
    clinic.out.rename(clinic.root / "before")
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
    assert table(found, "visits").equals(expected)


def test_parts_that_fail_on_a_worker_are_done_here_and_counted(clinic: Hospital, crowd: Crowd, client: Client) -> None:
    write_visits(clinic)
    expected = clinic.run(CODED)
    clinic.out.rename(clinic.root / "before")

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
    assert told(found) == told(replace(expected, snapshot=clinic.root / "before" / expected.snapshot.name))
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
    code = "import sys, deid.cli, deid.engine; sys.exit('distributed' in sys.modules or 'dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
