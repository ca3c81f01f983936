"""The synthetic twin is there for whoever sees the catalogue, as it was signed, with the files a workspace mounts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from enclave import keys
from enclave.queries import dataset
from enclave.snapshot_keys import store_of
from enclave.workspace.views import project_view
from tests.enclave.portal.world import ROOT, World


@pytest.mark.parametrize("place", ["", "/api/v1"])
def test_the_twin_is_offered_on_the_page_and_by_the_api(world: World, place: str) -> None:
    answer = world.browser("jiwoo").get(f"{ROOT}{place}/snapshots/{world.snapshot_id}/twin")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["README.md", "data/visits/visits.parquet"]


def test_the_page_and_the_catalogue_say_that_there_is_one(world: World) -> None:
    browser = world.browser("jiwoo")
    assert f"/snapshots/{world.snapshot_id}/twin" in browser.get(f"{ROOT}/snapshots/{world.snapshot_id}").text
    (told,) = browser.get(f"{ROOT}/api/v1/datasets").json()["datasets"]
    assert told["snapshots"][0]["twin"] is True


def test_nobody_gets_the_twin_without_signing_in(world: World) -> None:
    assert world.browser().get(f"{ROOT}/api/v1/snapshots/{world.snapshot_id}/twin").status_code in {401, 403}


def test_a_twin_that_is_not_the_signed_one_is_not_given(world: World) -> None:
    twin = dataset.snapshot(world.store, world.actor("jiwoo"), world.snapshot_id).path / "twin.zip"
    good = twin.read_bytes()
    twin.chmod(0o644)
    try:
        twin.write_bytes(good + b"x")
        answer = world.browser("jiwoo").get(f"{ROOT}/snapshots/{world.snapshot_id}/twin")
        assert answer.status_code == 503
    finally:
        twin.write_bytes(good)
        twin.chmod(0o444)


def test_a_file_of_the_twin_has_the_types_of_the_file_that_a_workspace_mounts(world: World, tmp_path: Path) -> None:
    found = dataset.snapshot(world.store, world.actor("jiwoo"), world.snapshot_id)
    columns = {"visits": tuple(found.manifest.tables["visits"].columns)}
    key = keys.load_public_key(world.settings.snapshot_public_key)
    view = project_view(found.path, columns, tmp_path, public_key=key, store=store_of(world.settings))
    with zipfile.ZipFile(found.path / "twin.zip") as archive:
        made_up = pq.read_schema(io.BytesIO(archive.read("data/visits/visits.parquet")))
    mounted = pq.read_schema(view.path / "visits.parquet")
    assert made_up.names == mounted.names
    assert pq.read_table(view.path).to_pandas().dtypes.to_dict() == made_up.empty_table().to_pandas().dtypes.to_dict()
