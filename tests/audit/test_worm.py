"""The copy that nobody can delete, on a real S3 server: what is locked, what an administrator can still try."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.anchors import Anchors
from audit.errors import CopyError
from audit.reader import LogReader
from audit.tiles import CHECKPOINT, ENTRIES, Tile
from audit.verify import verify_log
from audit.worm import Bucket, place_of
from tests.audit.logs import VKEY, entries, publish
from tests.audit.store_server import ACCESS, SECRET, StoreServer, serving

DATA = entries(700)
TILE = Tile(0, 0, 256).path


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[StoreServer]:
    with serving(tmp_path_factory.mktemp("store")) as running:
        yield running


class Place:
    """A log of 300 entries with a kept checkpoint, and a bucket of its own."""

    def __init__(self, server: StoreServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.log, self.anchors = folder / "log", Anchors(folder / "anchors")
        self.edge = publish(self.log, DATA[:300])
        self.anchors.keep((self.log / CHECKPOINT).read_bytes())
        self.anchors.keep_policy(f"log {VKEY}\nquorum none\n")
        self.name = server.bucket(f"b{folder.parent.name.replace('_', '-').lower()[-20:]}-{id(self) % 10_000}")
        self.bucket = Bucket(server.endpoint, self.name, "ansim/", "us-east-1", ACCESS, SECRET, 30)

    def copy(self):
        return self.bucket.copy(LogReader(self.log, VKEY), self.log, self.anchors, now=datetime.now(UTC))

    def back(self, name: str = "back", as_of: datetime | None = None) -> Path:
        self.bucket.fetch(self.folder / name, as_of=as_of)
        return self.folder / name


@pytest.fixture
def place(server, tmp_path) -> Place:
    return Place(server, tmp_path / "place")


def sound(folder: Path) -> bool:
    return verify_log(folder / "log", VKEY, anchors=folder / "anchors").ok


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_copy_comes_back_whole_and_verifies(place) -> None:
    copied = place.copy()
    assert (copied.size, copied.hidden) == (300, 0)
    back = place.back()
    assert files(back / "log") == files(place.log)
    assert files(back / "anchors") == files(place.anchors.folder)
    assert sound(back)


def test_only_what_is_new_is_written_again_and_the_log_grows_in_the_store(place) -> None:
    place.copy()
    assert place.copy().files == 0
    place.edge = publish(place.log, DATA, edge=place.edge)
    assert 0 < place.copy().files < 12
    assert LogReader(place.back() / "log", VKEY).size == 700
    assert sound(place.folder / "back")


def test_every_object_is_locked_until_its_day_and_nobody_shortens_it(place) -> None:
    copied = place.copy()
    server, bucket = place.server, place.name
    versions = server.versions(bucket)
    assert len(versions) == copied.files > 5
    for key, version in versions:
        assert server.kept_until(bucket, key) >= copied.until - timedelta(seconds=1)
        this = {"Bucket": bucket, "Key": key, "VersionId": version}
        assert server.refuses("delete_object", **this)
        assert server.refuses("delete_object", **this, BypassGovernanceRetention=True)
        for mode, days in (("COMPLIANCE", 1), ("GOVERNANCE", 60)):
            shorter = {"Mode": mode, "RetainUntilDate": datetime.now(UTC) + timedelta(days=days)}
            assert server.refuses("put_object_retention", **this, Retention=shorter)
    assert server.refuses("delete_bucket", Bucket=bucket)


def test_what_somebody_hides_or_covers_in_the_store_is_counted_and_comes_back_all_the_same(place) -> None:
    place.copy()
    client, bucket = place.server.client, place.name
    client.delete_object(Bucket=bucket, Key="ansim/" + CHECKPOINT)
    client.delete_object(Bucket=bucket, Key="ansim/" + TILE)
    covered = "ansim/" + Tile(0, 1, 44).path
    client.put_object(Bucket=bucket, Key=covered, Body=b"x" * 44 * 32, ChecksumAlgorithm="SHA256")
    assert sound(place.back())
    again = place.copy()
    assert again.hidden == 3
    assert again.files == 1, "the checkpoint is shown again"


def test_a_forged_newest_checkpoint_does_not_take_the_older_one_away(place) -> None:
    place.copy()
    before = datetime.now(UTC)
    time.sleep(1.1)  # S3 says when an object was written in whole seconds
    place.server.client.put_object(
        Bucket=place.name, Key="ansim/" + CHECKPOINT, Body=b"forged", ChecksumAlgorithm="SHA256"
    )
    assert not sound(place.back("forged"))
    assert sound(place.back("then", as_of=before))


def test_the_log_is_gone_and_the_copy_is_not(place) -> None:
    place.copy()
    shutil.rmtree(place.log)
    shutil.rmtree(place.anchors.folder)
    assert sound(place.back())


def test_a_log_whose_first_entries_were_purged_is_copied_on(place) -> None:
    place.copy()
    (place.log / Tile(ENTRIES, 0, 256).path).unlink()
    place.edge = publish(place.log, DATA, edge=place.edge)
    assert place.copy().size == 700
    assert sound(place.back()), "the store keeps what was written until its day"


def code_of(function) -> str:
    with pytest.raises(CopyError) as caught:
        function()
    return caught.value.code


def test_a_bucket_that_does_not_lock_is_refused_before_anything_is_written(place) -> None:
    name = place.server.bucket(f"{place.name}-plain", locked=False)
    place.bucket = replace(place.bucket, bucket=name)
    assert code_of(place.copy) == "audit.copy-unlocked"
    assert place.server.versions(name) == []


@pytest.mark.parametrize(
    "change",
    [{"secret_key": "wrong"}, {"access_key": "nobody"}, {"bucket": "no-such-bucket-here"}],
    ids=["secret", "access", "bucket"],
)
def test_a_store_that_refuses_is_said_and_no_secret_is_told(place, change) -> None:
    place.bucket = replace(place.bucket, **change)
    with pytest.raises(CopyError) as caught:
        place.copy()
    assert caught.value.code in {"audit.copy-failed", "audit.copy-unlocked"}
    assert not {ACCESS, SECRET} & set(str(caught.value).split())


def test_a_store_that_does_not_answer_is_said(place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place.bucket = replace(place.bucket, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert code_of(place.copy) == "audit.copy-failed"


@pytest.mark.parametrize("name", ["../out", "/etc/x", "tile/../../../out", "anchors/../../out"])
def test_a_name_in_the_store_that_leads_out_of_the_folder_is_refused(tmp_path, name) -> None:
    assert code_of(lambda: place_of(tmp_path, name)) == "audit.copy-failed"
