"""The archive given to the engine: its id depends on the bytes and the settings, on nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from images.builder.archive import Image


@pytest.fixture
def image(tmp_path: Path) -> Image:
    tar = tmp_path / "layer.tar"
    tar.write_bytes(b"a root file system")
    return Image(tar, hashlib.sha256(b"a root file system").hexdigest(), "t:latest", {"ansim.recipe": "r"})


def test_the_id_is_the_hash_of_the_configuration_inside(image: Image) -> None:
    stream = io.BytesIO()
    image.write(stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    (manifest,) = json.loads(members["manifest.json"])
    assert f"sha256:{hashlib.sha256(members[manifest['Config']]).hexdigest()}" == image.id
    assert json.loads(members[manifest["Config"]])["rootfs"]["diff_ids"] == [f"sha256:{image.tar_sha256}"]
    assert members["layer.tar"] == b"a root file system"


def test_two_archives_of_the_same_bytes_have_the_same_id(image: Image) -> None:
    assert image.id == Image(Path("/elsewhere.tar"), image.tar_sha256, image.tag, dict(image.labels)).id


@pytest.mark.parametrize(
    "changed", [{"tar_sha256": "0" * 64}, {"labels": {"ansim.recipe": "other"}}], ids=["bytes", "recipe"]
)
def test_other_bytes_or_another_recipe_have_another_id(image: Image, changed: dict) -> None:
    values = {"tar": image.tar, "tar_sha256": image.tar_sha256, "tag": image.tag, "labels": image.labels}
    assert Image(**{**values, **changed}).id != image.id
