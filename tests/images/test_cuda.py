"""The image for GPU hosts: its lock and what its build would do. The image itself is several GB and not built here."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from images.builder.places import REPO, Places
from images.builder.workspace import foreseen
from scripts.setting_up.lock_cuda import line_of, rank_of
from tests.images.test_lock import pins

LOCK = REPO / "locks/image-cuda.txt"


def test_the_lock_is_the_images_own_and_cuda_by_wheels() -> None:
    plain, cuda = ((REPO / "locks" / name).read_text().splitlines()[1:] for name in ("image.txt", "image-cuda.txt"))
    # The very same wheels: a notebook that runs without a GPU runs with one.
    assert set(plain) <= set(cuda)
    added = set(pins(LOCK)) - set(pins(REPO / "locks/image.txt"))
    assert {"torch", "triton", "nvidia-cublas", "nvidia-cuda-runtime"} <= added
    assert {"nvidia-cudnn-cu13", "nvidia-nccl-cu13"} <= added
    assert not {"rfc3987-syntax", "lark"} & added


def test_a_dry_run_names_what_is_missing_and_does_nothing(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "ANSIM_CACHE": str(tmp_path)}
    command = [REPO / "images/workspace/build", "--cuda", "--dry-run"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    count = len(pins(LOCK))
    assert done.stdout.splitlines()[0] == (
        f"ansim-workspace-cuda:latest: {count} wheels of image-cuda.txt, {count} to be downloaded"
    )
    assert f"  torch=={pins(LOCK)['torch']}" in done.stdout.splitlines()
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_that_lies_there_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/a-1-py3-none-any.whl").write_bytes(b"wheel")
    lock = tmp_path / "lock.txt"
    digest = hashlib.sha256(b"wheel").hexdigest()
    lock.write_text(f"a==1 --hash=sha256:{digest}\nb==2 --hash=sha256:{'0' * 64}\n")
    assert foreseen(Places(tmp_path, lock=lock)).splitlines() == [
        "ansim-workspace:latest: 2 wheels of lock.txt, 1 to be downloaded",
        "  b==2",
    ]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("a-1-py3-none-any.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.whl"),
        ("a-1-py3-none-any.whl", "a-1-py3-none-manylinux2014_x86_64.whl"),
        ("a-1-cp39-abi3-manylinux_2_28_x86_64.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.whl"),
        ("a-1-py3-none-any.whl", "a-1-cp39-abi3-manylinux_2_28_x86_64.whl"),
    ],
)
def test_the_wheel_is_chosen_as_pip_chooses(worse: str, better: str) -> None:
    first, second = rank_of(worse), rank_of(better)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize(
    "name",
    [
        "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "a-1-cp312-abi3-manylinux_2_17_x86_64.whl",
        "a-1-cp311-cp311-manylinux_2_17_aarch64.whl",
        "a-1-cp311-cp311-manylinux_2_38_x86_64.whl",
        "a-1-cp311-cp311-win_amd64.whl",
        "a-1-cp311-cp311-musllinux_1_2_x86_64.whl",
        "a-1-py2-none-any.whl",
    ],
)
def test_a_wheel_for_another_python_or_machine_is_not_taken(name: str) -> None:
    assert rank_of(name) is None


def test_a_package_without_a_wheel_for_the_image_stops_the_lock() -> None:
    package: dict[str, Any] = {"name": "a", "version": "1", "wheels": []}
    with pytest.raises(ValueError, match="a 1 has no wheel"):
        line_of(package)
