"""Workers that must not do the work, and ways that must not be taken, are refused with a code; nothing is left."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from distributed import LocalCluster, Security

from deid import engine, keys
from deid.cli import deid
from deid.crew.address import Cluster
from deid.crew.agree import code_hash, here
from deid.errors import WorkersRefused
from deid.many.options import Means
from tests.deid.crew.conftest import Crowd, Expected
from tests.deid.factory import NOW, Hospital, table
from tests.deid.many.test_parts import CODED, write_visits


@pytest.mark.parametrize(
    ("cluster", "code"),
    [
        (Cluster("scheduler:8786"), "deid.dask-address"),
        (Cluster("inproc://1/2"), "deid.dask-address"),
        (Cluster("tcp://user@10.0.0.1:8786"), "deid.dask-address"),
        (Cluster("tcp://10.0.0.1:8786"), "deid.dask-open-network"),
        (Cluster("tcp://localhost.example:8786"), "deid.dask-open-network"),
        (Cluster("tcp://0.0.0.0:8786"), "deid.dask-open-network"),
        (Cluster("tls://10.0.0.1:8786"), "deid.dask-tls"),
        (Cluster("tls://10.0.0.1:8786", Path("/no/ca"), Path("/no/cert"), Path("/no/key")), "deid.dask-tls"),
        (Cluster("tcp://127.0.0.1:8786"), None),
        (Cluster("tcp://[::1]:8786"), None),
        (Cluster("tcp://localhost:8786"), None),
        (Cluster("tcp://10.0.0.1:8786", unencrypted=True), None),
    ],
    ids=str,
)
def test_an_open_way_to_another_machine_is_refused(cluster: Cluster, code: str | None) -> None:
    if code is None:
        cluster.check()
        return
    with pytest.raises(WorkersRefused) as caught:
        cluster.check()
    assert caught.value.code == code


def refusal(clinic: Hospital, crowd: Crowd) -> WorkersRefused:
    write_visits(clinic)
    with pytest.raises(WorkersRefused) as caught:
        crowd.run(clinic, CODED)
    assert clinic.left_behind() == []
    return caught.value


def test_workers_with_another_master_are_refused(clinic: Hospital, crowd: Crowd) -> None:
    (clinic.root / "keys/master.key").unlink()
    keys.create_master(clinic.root / "keys")
    assert refusal(clinic, crowd).code == "deid.dask-keys"


def test_workers_without_this_generation_are_refused(clinic: Hospital, crowd: Crowd) -> None:
    shutil.copy2(clinic.root / "keys/master.key", clinic.root / "keys/master-0002.key")
    assert refusal(clinic, crowd).code == "deid.dask-no-keys"


@pytest.mark.parametrize("what", ["code", "polars"])
def test_workers_with_other_code_are_refused(
    clinic: Hospital, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr("deid.crew.crew.here", lambda: {**here(), what: "0"})
    found = refusal(clinic, crowd)
    assert found.code == "deid.dask-versions"
    assert what in found.en


def test_workers_that_do_not_see_the_folder_are_refused(
    clinic: Hospital, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deid.crew.worker.PROBE", "elsewhere")
    assert refusal(clinic, crowd).code == "deid.dask-folder"


def test_the_hash_of_the_code_follows_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    first = code_hash(tmp_path)
    (tmp_path / "a.py").write_text("2")
    second = code_hash(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, code_hash(tmp_path)}) == 3


def test_a_scheduler_without_workers_is_refused(clinic: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deid.crew.crew.PATIENCE_SECONDS", 1)
    with LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=":0") as local:
        assert refusal(clinic, Crowd(local, clinic.root, clinic.root)).code == "deid.dask-nobody"


def test_by_tls_the_work_is_done_and_nobody_without_a_certificate_gets_in(
    clinic: Hospital, tmp_path: Path, alone: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_visits(clinic)
    ours, theirs = ([tmp_path / f"{side}-{name}.pem" for name in ("ca", "cert", "key")] for side in ("our", "their"))
    secured = Security.temporary()
    for files, security in ((ours, secured), (theirs, Security.temporary())):
        parts = (security.tls_ca_file, security.tls_client_cert, security.tls_client_key)
        for path, text in zip(files, parts, strict=True):
            path.write_text(text)
    options = {"preload": ["deid.crew.worker"], "preload_argv": ["--keys", str(clinic.root / "keys")]}
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tls", security=secured, dashboard_address=":0",
        memory_limit=0, **options,
    ) as local:  # fmt: skip
        recipe = clinic.recipe(CODED)

        def by(files: list[Path]) -> engine.RunResult:
            ca, certificate, key = files
            means = Means(cluster=Cluster(local.scheduler_address, ca, certificate, key))
            return engine.run(recipe, clinic.source, clinic.out, clinic.keys, now=NOW, means=means)

        assert table(by(ours), "visits").equals(alone.rows)
        clinic.out.rename(clinic.root / "second")
        monkeypatch.setattr("deid.crew.crew.PATIENCE_SECONDS", 2)
        with pytest.raises(WorkersRefused) as caught:
            by(theirs)
        assert caught.value.code == "deid.dask-unreachable"


def test_the_command_line_refuses_with_its_own_exit_code(clinic: Hospital) -> None:
    write_visits(clinic)
    clinic.recipe(CODED)
    folders = {"--source": clinic.source, "--out": clinic.out, "--keys": clinic.root / "keys"}
    words = [str(word) for pair in folders.items() for word in pair]
    key = ["--signing-key", str(clinic.root / "keys/sign.pem"), "--scheduler", "tcp://10.0.0.1:8786"]
    found = CliRunner().invoke(deid, ["run", str(clinic.root / "recipe.yaml"), *words, *key])
    assert found.exit_code == 11
    assert "[deid.dask-open-network]" in found.output
