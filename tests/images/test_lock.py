"""The lock of the image: one wheel a line, by hash, from anywhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from images.builder import wheels
from images.builder.errors import BuildError
from images.builder.places import REPO

LOCK = REPO / "locks/image.txt"
LINE = re.compile(r"[a-z0-9-]+==[\w.!+]+ --hash=sha256:[0-9a-f]{64}")


def pins(lock: Path) -> dict[str, str]:
    lines = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    return dict(line.split()[0].split("==") for line in lines)


@pytest.mark.parametrize("name", ["image.txt", "image-cuda.txt", "tools.txt"])
def test_a_lock_has_one_wheel_a_line_and_no_address(name: str) -> None:
    assert pins(REPO / "locks" / name)


def test_the_lock_holds_what_the_recipe_asks_for_and_not_the_slow_import() -> None:
    asked = re.findall(r"^([a-z-]+)", (REPO / "images/workspace/requirements.in").read_text(), re.MULTILINE)
    assert set(asked) <= set(pins(LOCK))
    assert not {"rfc3987-syntax", "lark"} & set(pins(LOCK))


def test_the_naive_image_has_the_slow_import() -> None:
    assert set(pins(REPO / "images/naive/extra.txt")) == {"rfc3987-syntax", "lark"}


def test_a_wheel_with_other_bytes_is_not_taken_for_the_locked_one(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "six-1.17.0-py2.py3-none-any.whl").write_bytes(b"not the wheel")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # the machine's index must not be asked in a test
    with pytest.raises(BuildError):
        wheels.ensure(lock, tmp_path)


def test_no_lock_and_no_recipe_names_a_package_index() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "locks", "images", "scripts", "Makefile", ".ci"],
        cwd=REPO, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    # npm's lock names where its authors take donations (`"url"`), but not where its packages come from (`"resolved"`).
    address = re.compile(r'"resolved"|^(?!.*"url": ).*https?://', re.MULTILINE)
    assert [name for name in tracked if address.search((REPO / name).read_text(errors="replace"))] == []
