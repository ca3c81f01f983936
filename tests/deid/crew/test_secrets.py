"""Whoever reads what passes through Dask, its logs, its spill folder or the shared folder finds no value and no key."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from distributed import Client

from deid import engine
from deid.crew.address import Cluster
from deid.crew.sealing import seal, unseal
from deid.engine import Step
from deid.keys import Keys, WorkerKeys
from deid.many.options import Means
from tests.deid.crew.conftest import Crowd
from tests.deid.crew.wire import overheard
from tests.deid.factory import NOW, Hospital, table
from tests.deid.many.test_parts import CODED, write_visits

VALUES = ("CANARY-PERSON-4711", "CANARY-WARD-4712")


def spelled(keys: Keys) -> list[bytes]:
    """Every secret in the ways it might be written down."""
    derived = [keys.derive(purpose, "visits", "patient") for purpose in ("pseudonym", "date-shift")]
    secrets = [keys.master, *derived]
    ways = [(key, key.hex().encode(), base64.b64encode(key), repr(key)[2:-1].encode()) for key in secrets]
    return [value.encode() for value in VALUES] + [way for each in ways for way in each]


def test_neither_values_nor_keys_are_anywhere_but_in_memory(clinic: Hospital, crowd: Crowd, client: Client) -> None:
    write_visits(clinic)
    path = clinic.source / "visits.csv"
    rows = [f"{VALUES[0]},이름,F,101,{30 + n % 3},2020-01-0{n % 9 + 1},{n},{VALUES[1]}" for n in range(50)]
    path.write_text(path.read_text() + "\n".join(rows) + "\n")
    shared: dict[str, bytes] = {}

    def look(_: Step) -> None:
        shared.update((file.name, file.read_bytes()) for file in clinic.out.rglob("*") if file.is_file())
        spilled.update((file.name, file.read_bytes()) for file in crowd.spill.rglob("*") if file.is_file())

    spilled: dict[str, bytes] = {}
    port = int(crowd.local.scheduler_address.rpartition(":")[2])
    with overheard(port) as (near, heard):
        means = Means(cluster=Cluster(f"tcp://127.0.0.1:{near}"))
        found = engine.run(
            clinic.recipe(CODED), clinic.source, clinic.out, clinic.keys, now=NOW, means=means, progress=look
        )
    wire = b"".join(heard)
    logs = f"{client.get_worker_logs()}{client.get_scheduler_logs()}".encode()
    # The attack sees what it looks at: orders on the wire, jobs in the folder, words in the logs.
    assert b"visits-job-0-" in wire
    assert [name for name in shared if name.startswith("job-")]
    assert len(logs) > 100
    for secret in spelled(clinic.keys):
        assert secret not in wire
        assert secret not in logs
        assert not [name for name, data in {**shared, **spilled}.items() if secret in data]
    assert table(found, "visits").height > 1000


KEY = bytes(range(32))


@pytest.mark.parametrize("size", [0, 1, 10, 11, 35], ids=str)
def test_what_was_sealed_comes_back_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("deid.crew.sealing.PIECE", 10)
    data = bytes(size)
    whole = seal(KEY, "a", data)
    assert unseal(KEY, "a", whole) == data
    piece = 12 + 10 + 16
    damaged = [whole[:-1], whole[piece:], whole + whole[:piece], whole[piece : 2 * piece] + whole[:piece], b""]
    for wrong in [each for each in damaged if each != whole]:
        with pytest.raises(InvalidTag):
            unseal(KEY, "a", wrong)
    with pytest.raises(InvalidTag):
        unseal(KEY, "b", whole)
    with pytest.raises(InvalidTag):
        unseal(bytes(32), "a", whole)


def test_keys_are_not_shown_when_a_worker_or_crew_is_printed(clinic: Hospital) -> None:
    shown = repr(WorkerKeys(clinic.keys.master)) + repr(replace(clinic.keys, project="p"))
    assert not [way for way in spelled(clinic.keys) if way.decode("latin1") in shown]
