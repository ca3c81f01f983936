"""Packages: a list resolved against the mirror, what was approved installed, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pip
import pytest

from enclave.errors import Conflict, Invalid, Unavailable
from enclave.packages.advisories import Advisories
from enclave.packages.asked import read
from enclave.packages.index import Index, Wheel
from enclave.packages.installing import assemble, chosen, name_of
from enclave.packages.mirror import scan
from enclave.packages.resolve import Resolved, Status, resolve
from enclave.packages.sbom import bill
from tests.enclave.packages.wheels import wheel

MANYLINUX = "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(
        folder,
        "survive",
        "1.0",
        Requires_Dist=["numpy>=1.20", "shape-tools<3"],
        License_Expression="MIT",
        Summary="생존분석",
    )
    wheel(folder, "survive", "2.0", Requires_Dist=["numpy>=9"])
    wheel(folder, "shape-tools", "2.1", Requires_Dist=["extra-thing; extra == 'plots'", "old; python_version < '3.9'"])
    wheel(folder, "shape-tools", "3.0")
    wheel(folder, "extra-thing", "1.0")
    wheel(folder, "fast", "1.0", tag=MANYLINUX)
    wheel(folder, "mac-only", "1.0", tag="cp311-cp311-macosx_11_0_arm64")
    wheel(folder, "new-python", "1.0", Requires_Python=">=3.13")
    wheel(folder, "clash-a", "1.0", Requires_Dist=["shape-tools==2.1"])
    wheel(folder, "clash-b", "1.0", Requires_Dist=["shape-tools==3.0"])
    wheel(folder, "pre", "1.0rc1")
    scan(folder, {"numpy": "2.1.0", "Pandas": "2.3.0"}).save(folder)
    return folder


def answers(mirror: Path, text: str, approved: frozenset[str] = frozenset()) -> Resolved:
    return resolve(read(text), Index.load(mirror), approved)


SINGLE: dict[str, tuple[str, Status, str, str]] = {
    "of the image": ("numpy", Status.IMAGE, "", "2.1.0"),
    "of the image, written otherwise": ("NumPy>=2", Status.IMAGE, "", "2.1.0"),
    "another version of it": ("numpy<2", Status.IMPOSSIBLE, "image", ""),
    "the newest that fits the image": ("survive", Status.NEEDS_APPROVAL, "", "1.0"),
    "for this platform": ("fast", Status.NEEDS_APPROVAL, "", "1.0"),
    "for another platform": ("mac-only", Status.IMPOSSIBLE, "platform", ""),
    "for another Python": ("new-python", Status.IMPOSSIBLE, "platform", ""),
    "unknown": ("nobody-knows", Status.IMPOSSIBLE, "unknown", ""),
    "no such version": ("fast>=2", Status.IMPOSSIBLE, "version", ""),
    "what needs another numpy": ("survive==2.0", Status.IMPOSSIBLE, "conflict", ""),
    "a version before its release, as there is no other": ("pre", Status.NEEDS_APPROVAL, "", "1.0rc1"),
    "one that is asked for": ("pre==1.0rc1", Status.NEEDS_APPROVAL, "", "1.0rc1"),
    "an address": ("https://example.org/a.whl", Status.IMPOSSIBLE, "address", ""),
    "git": ("git+https://example.org/a.git", Status.IMPOSSIBLE, "address", ""),
    "a name with an address": ("fast @ https://example.org/fast.whl", Status.IMPOSSIBLE, "address", ""),
    "a path": ("./fast-1.0.tar.gz", Status.IMPOSSIBLE, "address", ""),
    "a wheel by its name": ("fast-1.0-py3-none-any.whl", Status.IMPOSSIBLE, "address", ""),
    "another index": ("--index-url https://example.org", Status.IMPOSSIBLE, "option", ""),
    "another list": ("-r more.txt", Status.IMPOSSIBLE, "option", ""),
    "no requirement": ("fast = 1.0", Status.IMPOSSIBLE, "form", ""),
    "another hash": (f"fast==1.0 --hash=sha256:{'a' * 64}", Status.IMPOSSIBLE, "hash", ""),
}


@pytest.mark.parametrize("case", SINGLE)
def test_each_line_is_answered(mirror: Path, case: str) -> None:
    line, status, code, version = SINGLE[case]
    (found,) = answers(mirror, line).answers
    assert (found.status, found.version) == (status, version)
    assert found.code == code
    assert not code or (found.ko and found.en)


def test_what_a_package_needs_is_asked_for_with_it(mirror: Path) -> None:
    found = answers(mirror, "survive\n# a comment\nfast==1.0\n\nshape-tools[plots]\n")
    assert [each.status for each in found.answers] == [Status.NEEDS_APPROVAL] * 3
    assert [f"{each.name}=={each.version}" for each in sorted(found.wheels, key=lambda each: each.name)] == [
        "extra-thing==1.0", "fast==1.0", "shape-tools==2.1", "survive==1.0"
    ]  # fmt: skip
    assert {each.name for each in found.answers[0].needs} == {"survive", "shape-tools", "extra-thing"}
    again = answers(mirror, found.lock)
    assert again.lock == found.lock


def test_what_is_approved_is_available(mirror: Path) -> None:
    approved = frozenset(each.sha256 for each in answers(mirror, "survive").wheels)
    assert answers(mirror, "survive", approved).answers[0].status is Status.AVAILABLE
    one_less = approved - {next(iter(approved))}
    assert answers(mirror, "survive", one_less).answers[0].status is Status.NEEDS_APPROVAL


def test_lines_that_exclude_each_other_are_named_and_others_are_not(mirror: Path) -> None:
    found = answers(mirror, "clash-a\nclash-b\nfast\n")
    assert found.wheels == ()
    assert [(each.status, each.code) for each in found.answers] == [
        (Status.NEEDS_APPROVAL, ""), (Status.IMPOSSIBLE, "conflict"), (Status.NEEDS_APPROVAL, "")
    ]  # fmt: skip


def test_one_impossible_line_takes_nothing_from_the_answers_to_the_others(mirror: Path) -> None:
    approved = frozenset(each.sha256 for each in answers(mirror, "fast").wheels)
    found = answers(mirror, "fast\nnobody-knows\nsurvive", approved).answers
    assert [each.status for each in found] == [Status.AVAILABLE, Status.IMPOSSIBLE, Status.NEEDS_APPROVAL]
    assert {each.name for each in found[2].needs} == {"survive", "shape-tools"}, "with licence and age, as ever"


def test_a_line_for_another_python_is_passed_over(mirror: Path) -> None:
    assert answers(mirror, "old; python_version < '3.9'\nfast").lock.startswith("fast==1.0")


def test_the_index_says_licence_size_and_date_and_keeps_what_files_do_not_say(mirror: Path) -> None:
    index = Index.load(mirror)
    (found,) = [each for each in index.wheels if (each.name, each.version) == ("survive", "1.0")]
    assert (found.licence, found.summary, found.present, found.size > 0) == ("MIT", "생존분석", True, True)
    away = Wheel(
        name="far", version="1", file="far-1-py3-none-any.whl", sha256="f" * 64, uploaded_on="2026-01-02", present=True
    )
    again = scan(mirror, index.image, Index((*index.wheels, away), index.image))
    assert [(each.present, each.uploaded_on) for each in again.wheels if each.name == "far"] == [(False, "2026-01-02")]
    assert again.image == index.image


def test_a_damaged_index_or_wheel_is_said(mirror: Path) -> None:
    (mirror / "index.json").write_text("{}")
    with pytest.raises(Unavailable) as none:
        Index.load(mirror)
    assert none.value.code == "packages.no-index"
    (mirror / "bad-1.0-py3-none-any.whl").write_bytes(b"no zip")
    with pytest.raises(Invalid) as bad:
        scan(mirror, {})
    assert bad.value.code == "packages.wheel"


ADVISORY = {
    "id": "PYSEC-2026-1",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Shape_Tools"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.2"}]}],
        }
    ],
}


@pytest.mark.parametrize("how", ["folder", "zip", "list"])
def test_known_advisories_are_found_where_a_database_is_given(tmp_path: Path, how: str) -> None:
    other = {"id": "X", "affected": [{"package": {"ecosystem": "npm", "name": "shape-tools"}, "versions": ["2.1"]}]}
    gone = {**ADVISORY, "id": "GONE", "withdrawn": "2026-01-01"}
    if how == "folder":
        (tmp_path / "advisories").mkdir()
        for number, one in enumerate((ADVISORY, other, gone)):
            (tmp_path / "advisories" / f"{number}.json").write_text(json.dumps(one))
        (tmp_path / "advisories" / "bad.json").write_text("{")
    elif how == "zip":
        with zipfile.ZipFile(tmp_path / "advisories.zip", "w") as made:
            for number, one in enumerate((ADVISORY, other, gone)):
                made.writestr(f"{number}.json", json.dumps(one))
    else:
        (tmp_path / "advisories.json").write_text(json.dumps([ADVISORY, other, gone]))
    known = Advisories.load(tmp_path)
    assert known.given
    assert known.of("shape-tools", "2.1") == ("PYSEC-2026-1",)
    assert known.of("shape-tools", "2.2") == ()
    assert known.of("fast", "1.0") == ()


def test_an_advisory_that_is_none_hides_no_other(tmp_path: Path) -> None:
    broken = [
        {},
        {"affected": [{"package": "x"}]},
        {"id": "A", "affected": [{"package": {"ecosystem": "PyPI", "name": 1}}]},
    ]
    (tmp_path / "advisories.json").write_text(json.dumps([*broken, ADVISORY]))
    assert Advisories.load(tmp_path).of("shape-tools", "2.1") == ("PYSEC-2026-1",)


def test_a_database_that_cannot_be_read_is_said_and_never_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "advisories.zip").write_bytes(b"PK no zip")
    with pytest.raises(Unavailable) as refused:
        Advisories.load(tmp_path)
    assert refused.value.code == "packages.advisories"


def test_without_a_database_nothing_is_claimed(tmp_path: Path) -> None:
    assert not Advisories.load(tmp_path).given


@pytest.fixture
def packages(mirror: Path, tmp_path: Path) -> Path:
    """What the operator's command makes of two approved locks."""
    (tmp_path / "packages").mkdir()
    locks = [answers(mirror, "survive").lock, answers(mirror, "fast").lock]
    return tmp_path / "packages" / assemble(chosen(locks, Index.load(mirror)), mirror, tmp_path / "packages")


def test_approved_wheels_are_laid_out_under_the_hash_of_their_content(packages: Path, mirror: Path) -> None:
    assert packages.name == name_of(packages)
    assert sorted(path.name for path in (packages / "wheels").iterdir()) == [
        f"fast-1.0-{MANYLINUX}.whl", "shape_tools-2.1-py3-none-any.whl", "survive-1.0-py3-none-any.whl"
    ]  # fmt: skip
    again = assemble(chosen([answers(mirror, "survive\nfast").lock], Index.load(mirror)), mirror, packages.parent)
    assert again == packages.name, "the same wheels have another name"
    assert not [path for path in packages.parent.iterdir() if path.name.startswith(".")]


def test_a_wheel_that_is_not_what_was_approved_is_not_laid_out(mirror: Path, tmp_path: Path) -> None:
    lock = answers(mirror, "fast").lock
    wheels = chosen([lock], Index.load(mirror))
    wheel(mirror, "fast", "1.0", tag=MANYLINUX, body="import os\n")
    with pytest.raises(Unavailable) as refused:
        assemble(wheels, mirror, tmp_path)
    assert refused.value.code == "packages.wheel-damaged"
    (mirror / wheels[0].file).unlink()
    (mirror / wheels[0].file).symlink_to("/etc/passwd")
    with pytest.raises(Unavailable):
        assemble(wheels, mirror, tmp_path)
    with pytest.raises(Conflict):
        chosen([f"fast==1.0 --hash=sha256:{'a' * 64}"], Index.load(mirror))


CONF = Path(__file__).parents[3] / "images" / "workspace" / "pip.conf"


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv like the image's: pip, our configuration, the approved folder at the end of its path."""
    place = tmp_path_factory.mktemp("image") / "venv"
    venv.create(place, with_pip=False)
    site = next(place.glob("lib/python3*/site-packages"))
    home = Path(pip.__file__).parent
    for folder in (home, *home.parent.glob("pip-*.dist-info")):
        shutil.copytree(folder, site / folder.name)
    with zipfile.ZipFile(wheel(place, "numpy", "2.1.0")) as numpy:
        numpy.extractall(site)
    return place


def pip_install(inside: Path, packages: Path, *words: str) -> subprocess.CompletedProcess[str]:
    site = next(inside.glob("lib/python3*/site-packages"))
    (site / "ansim_packages.pth").write_text(f"{packages / 'site'}\n")
    conf = inside / "pip.conf"
    conf.write_text(CONF.read_text().replace("/packages/wheels", str(packages / "wheels")))
    environment = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": str(conf), "HOME": str(inside)}
    command = [inside / "bin" / "python", "-m", "pip", "install", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the image's Python")
def test_pip_inside_knows_what_is_approved_and_finds_nothing_else(
    inside: Path, packages: Path, mirror: Path, tmp_path: Path
) -> None:
    assert pip_install(inside, packages, "survive", "fast").returncode == 0
    said = subprocess.run(
        [inside / "bin" / "python", "-c", "import survive; print(survive.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "1.0"
    for words in (
        ["extra-thing"],
        ["survive==2.0"],
        ["--index-url", "http://127.0.0.1:9/simple", "extra-thing"],
        ["--no-index", "extra-thing"],
        ["git+https://127.0.0.1:9/a.git"],
        ["http://127.0.0.1:9/extra_thing-1.0-py3-none-any.whl"],
    ):
        refused = pip_install(inside, packages, *words)
        assert refused.returncode != 0, words


def test_the_bill_of_materials_names_every_package_once_and_is_the_same_for_the_same_image() -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    python = [{"metadata": {"name": "Shape_Tools", "version": "2.1", "license_expression": "MIT"}}]
    made = json.loads(bill("sha256:" + "a" * 64, [("bash", "5.2"), ("adduser", "3")], python, now))
    assert [each["purl"] for each in made["components"]] == [
        "pkg:deb/debian/adduser@3", "pkg:deb/debian/bash@5.2", "pkg:pypi/shape-tools@2.1"
    ]  # fmt: skip
    assert made["components"][2]["licenses"] == [{"license": {"name": "MIT"}}]
    assert made["dependencies"][0]["dependsOn"] == [each["bom-ref"] for each in made["components"]]
    again = json.loads(bill("sha256:" + "a" * 64, [], [], now))
    assert again["serialNumber"] == made["serialNumber"]
    with pytest.raises(ValueError, match="no image id"):
        bill("latest", [], [], now)
