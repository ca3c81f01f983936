"""What the mirror does not have yet is looked up on the package index of the machine, and fetched once approved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from enclave.errors import Invalid, Unavailable
from enclave.packages.advisories import Advisories
from enclave.packages.asked import read
from enclave.packages.asking import report
from enclave.packages.index import Index
from enclave.packages.mirror import fetch, look_up, scan
from enclave.packages.resolve import Status, resolve
from tests.enclave.packages.simple_index import SimpleIndex, serving
from tests.enclave.packages.wheels import wheel

IMAGE = {"numpy": "2.1.0"}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleIndex]:
    """An index of some packages, which this machine's pip asks."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel(folder, "far-kit", "1.0", Requires_Dist=["far-base>=2", "numpy"], License_Expression="BSD-3-Clause")
    wheel(folder, "far-kit", "2.0", Requires_Dist=["numpy>=9"])
    wheel(folder, "far-base", "2.5", Summary="바탕")
    wheel(folder, "numpy", "2.1.0")
    wheel(folder, "numpy", "9.0")
    wheel(folder, "mac-only", "1.0", tag="cp311-cp311-macosx_11_0_arm64")
    with serving(folder) as served:
        for name, value in served.environment().items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(folder, "here", "1.0")
    scan(folder, IMAGE).save(folder)
    return folder


ATTACKS = (
    "git+https://127.0.0.1/evil.git",
    "evil @ https://127.0.0.1/evil.tar.gz",
    "https://127.0.0.1/evil-1.0.tar.gz",
    "./evil",
    "/tmp/evil",
    "evil-1.0.tar.gz",
    "--index-url=https://127.0.0.1/",
    "-r/etc/passwd",
    "survive\n--extra-index-url https://127.0.0.1/",
    "",
)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_is_more_than_a_name_never_reaches_pip(mirror: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator copies what somebody sent; from a source tree pip would run `setup.py`, as root."""
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("pip was asked"))
    with pytest.raises(Invalid) as refused:
        look_up([text], Index.load(mirror))
    assert refused.value.code == "packages.asked"


@pytest.mark.usefixtures("index")
def test_what_is_looked_up_stands_in_the_index_with_its_hash_and_is_not_in_the_mirror(mirror: Path) -> None:
    found = look_up(["far-kit"], Index.load(mirror))
    assert {f"{each.name}=={each.version}": each.present for each in found.wheels} == {
        "here==1.0": True, "far-kit==1.0": False, "far-base==2.5": False
    }  # fmt: skip
    (kit,) = found.by_name["far-kit"]
    assert (kit.licence, kit.requires) == ("BSD-3-Clause", ("far-base>=2", "numpy"))
    assert found.image == IMAGE
    assert sorted(path.name for path in mirror.glob("*.whl")) == ["here-1.0-py3-none-any.whl"]
    (answer,) = resolve(read("far-kit"), found, ()).answers
    assert (answer.status, answer.version) == (Status.NEEDS_APPROVAL, "1.0")


def test_reviewers_are_told_how_old_a_wheel_is_where_the_index_says_so(mirror: Path, index: SimpleIndex) -> None:
    undated = look_up(["far-kit"], Index.load(mirror))
    assert {each.uploaded_on for each in undated.wheels} == {""}, "this index does not say"
    index.uploaded["far_kit-1.0-py3-none-any.whl"] = "2026-11-20T23:59:59.5Z"
    found = look_up(["far-kit"], undated)
    assert {each.name: each.uploaded_on for each in found.wheels if each.name != "here"} == {
        "far-kit": "2026-11-20", "far-base": ""
    }  # fmt: skip
    index.uploaded["far_base-2.5-py3-none-any.whl"] = "2020-01-02T03:04:05Z"
    found = look_up(["far-kit"], undated)
    sizes = {path.name: path.stat().st_size for path in index.folder.iterdir()}
    assert all(each.size == sizes[each.file] for each in found.wheels if not each.present)
    told = report(resolve(read("far-kit"), found, ()), Advisories(given=True), date(2026, 12, 1))
    assert [row[3] for row in told.evidence[0].rows[1:]] == ["2020-01-02", "2026-11-20"]
    young = [(one.rule, one.place) for one in told.findings if one.rule == "packages.young"]
    assert young == [("packages.young", "far-kit==1.0")]


@pytest.mark.usefixtures("index")
def test_what_is_known_already_is_not_written_twice(mirror: Path) -> None:
    once = look_up(["far-kit"], Index.load(mirror))
    assert look_up(["far-kit", "far-base"], once) == once


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("asked", ["nobody-knows", "far-kit==2.0", "numpy==9.0", "mac-only", "far-kit>3"])
def test_what_the_index_cannot_give_this_image_is_said(mirror: Path, asked: str) -> None:
    with pytest.raises(Unavailable) as refused:
        look_up([asked], Index.load(mirror))
    assert refused.value.code == "packages.no-answer"


def test_what_was_approved_is_fetched_by_its_hash(mirror: Path, index: SimpleIndex) -> None:
    found = look_up(["far-kit"], Index.load(mirror))
    resolved = resolve(read("far-kit"), found, ())
    index.files.clear()
    fetch([each.pin for each in resolved.wheels], mirror)
    assert sorted(index.files) == ["far_base-2.5-py3-none-any.whl", "far_kit-1.0-py3-none-any.whl"]
    after = scan(mirror, IMAGE, found)
    assert {each.name: each.present for each in after.wheels} == {"here": True, "far-kit": True, "far-base": True}
    assert {each.sha256 for each in after.wheels} == {each.sha256 for each in found.wheels}


def test_a_file_that_was_exchanged_on_the_index_is_not_fetched(mirror: Path, index: SimpleIndex) -> None:
    found = look_up(["far-base"], Index.load(mirror))
    pins = [each.pin for each in resolve(read("far-base"), found, ()).wheels]
    wheel(index.folder, "far-base", "2.5", body="import os\n")
    with pytest.raises(Unavailable):
        fetch(pins, mirror)
    assert not list(mirror.glob("far_base*"))
