"""`clean-metadata` and `rasterise` through the real door: the new file is a picture that needs only a person."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from enclave.airlock.checker import check
from enclave.airlock.errors import RepairFailed
from enclave.airlock.repairing import repair
from enclave.airlock.report import Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing.pool import SealedPool
from tests.enclave.airlock import drawn

RULES = CheckRules()


def with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "patient 900101-1234568")
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG", pnginfo=info)
    return out.getvalue()


def with_comment() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG", comment=b"patient 900101-1234568")
    return out.getvalue()


FILES = {
    "a PNG with a text": ("a.png", with_text(), "clean-metadata"),
    "a JPEG with a comment": ("a.jpg", with_comment(), "clean-metadata"),
    "an SVG of dots": ("a.svg", drawn.saved(drawn.scatter(), "svg"), "rasterise"),
    "a PDF of dots": ("a.pdf", drawn.saved(drawn.scatter(), "pdf"), "rasterise"),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool()
    yield pool
    pool.close()


@pytest.mark.parametrize("case", FILES)
def test_the_repair_that_a_finding_names_makes_a_file_that_passes(case: str, pool: SealedPool, tmp_path: Path) -> None:
    name, content, wanted = FILES[case]
    (tmp_path / "stored").write_bytes(content)
    report = check(tmp_path / "stored", name, RULES, pool=pool)
    assert report.verdict is Verdict.BLOCK
    assert wanted in {how for finding in report.findings for how in finding.repairs}
    made = repair(tmp_path / "stored", name, wanted, RULES, pool=pool)
    assert made.name == "a.repaired.png"
    assert {finding.rule for finding in made.report.findings} == {"image.eye"}
    assert b"patient" not in made.content


@pytest.mark.parametrize("how", ["clean-metadata", "rasterise"])
def test_a_table_is_not_made_a_picture(how: str, pool: SealedPool, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text("region,n\nSeoul,120\n")
    with pytest.raises(RepairFailed):
        repair(tmp_path / "stored", "a.csv", how, RULES, pool=pool)
