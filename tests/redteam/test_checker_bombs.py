"""Files made to blow up whatever opens them, through the checker's real door: each is a BLOCK with a reason.

Afterwards the checker goes on, and while bombs tick other files are not kept waiting.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from enclave.airlock.checker import check
from enclave.airlock.report import Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

pytestmark = pytest.mark.redteam
RULES = CheckRules(timeout_s=30, memory_bytes=768 << 20)
# What works on whatever it is given, until its time is over: how long that is shows nothing more.
ENDLESS = {"a text of one long line", "an SVG of a million shapes", "an SVG path without end", "a PDF drawn by itself"}
GIGABYTE, MEGABYTE = 1 << 30, 1 << 20


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def packed_zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(MEGABYTE)) for _ in range(size // MEGABYTE)]
    return b"".join(pieces) + packer.flush()


def png(width: int, height: int, *more: bytes, pixels: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zip_of(name: str, size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as entry:
        for _ in range(size // MEGABYTE):
            entry.write(bytes(MEGABYTE))
    return out.getvalue()


def pdf(*bodies: bytes) -> bytes:
    numbered = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(bodies, 1))
    return b"%PDF-1.7\n" + numbered + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def page_of(content: bytes, box: bytes = b"0 0 400 300", more: bytes = b"") -> bytes:
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[" + box + b"]/Contents 4 0 R" + more + b">>",
        b"<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream" % (len(content), content),
    )


def recursive_form() -> bytes:
    form = b"/X Do " * 50
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
        b"<</Length 5>>\nstream\n/X Do\nendstream",
        b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</X 5 0 R>>>>"
        b"/Length %d>>\nstream\n%s\nendstream" % (len(form), form),
    )


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "ha">{entities}]>'
    return f'{head}<svg xmlns="http://www.w3.org/2000/svg"><text>&l9;</text></svg>'.encode()


def svg(body: str, size: str = 'width="100" height="100"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{body}</svg>'.encode()


def uses() -> bytes:
    rows = "".join(f'<g id="l{n}">' + f'<use href="#l{n - 1}"/>' * 10 + "</g>" for n in range(1, 9))
    return svg(f'<defs><g id="l0"><circle r="1"/></g>{rows}</defs><use href="#l8"/>')


def bokeh_array() -> bytes:
    array = {"type": "bytes", "data": base64.b64encode(gzip.compress(bytes(512 * MEGABYTE), 9)).decode()}
    entries = [["x", {"type": "ndarray", "array": array, "dtype": "float64", "shape": [1]}]]
    source = {"type": "object", "name": "ColumnDataSource", "id": "1", "attributes": {"data": {"entries": entries}}}
    return json.dumps({"version": "3", "roots": [source]}).encode()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a CSV of one long line": ("a.csv", lambda: b"n\n" + b"1" * (90 * MEGABYTE)),
    "a CSV of one line of commas": ("a.csv", lambda: b"," * (60 * MEGABYTE)),
    "a CSV of quotes": ("a.csv", lambda: b'"' * (20 * MEGABYTE)),
    "a text of one long line": ("a.txt", lambda: b"a" * (90 * MEGABYTE)),
    "JSON nested deeply": ("a.json", lambda: b"[" * MEGABYTE),
    "JSON nested deeply and whole": ("a.json", lambda: b"[" * 100_000 + b"]" * 100_000),
    "JSON objects nested deeply": ("a.json", lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a notebook nested deeply": ("a.ipynb", lambda: b'{"nbformat":4,"cells":' + b"[" * 200_000),
    "a zip of one gigabyte": ("a.zip", lambda: zip_of("a.csv", GIGABYTE)),
    "a workbook of one gigabyte": ("a.xlsx", lambda: zip_of("xl/worksheets/sheet1.xml", GIGABYTE)),
    "a PNG of many pixels": ("a.png", lambda: png(60_000, 60_000, pixels=packed_zeros(64 * MEGABYTE))),
    "a PNG with a zipped text": (
        "a.png",
        lambda: png(
            1, 1, chunk(b"zTXt", b"Comment\0\0" + packed_zeros(256 * MEGABYTE)), pixels=zlib.compress(b"\0" * 4)
        ),
    ),
    "a PNG whose pixels never end": ("a.png", lambda: png(10, 10, pixels=packed_zeros(256 * MEGABYTE))[:-20]),
    "XML that grows a billionfold": ("a.svg", laughs),
    "an SVG of uses of uses": ("a.svg", uses),
    "an SVG nested deeply": ("a.svg", lambda: svg("<g>" * 200_000 + "</g>" * 200_000)),
    "an SVG of a million shapes": ("a.svg", lambda: svg('<circle r="1"/>' * 1_000_000)),
    "an SVG path without end": ("a.svg", lambda: svg('<path d="M0 0' + "L1 1L2 2" * 1_000_000 + '"/>')),
    "an SVG as tall as the moon": ("a.svg", lambda: svg("", 'width="1" height="1000000000"')),
    "a PDF whose page unpacks to a gigabyte": ("a.pdf", lambda: page_of(packed_zeros(GIGABYTE))),
    "a PDF packed twice": (
        "a.pdf",
        lambda: page_of(zlib.compress(packed_zeros(GIGABYTE), 9)).replace(
            b"/Filter/FlateDecode", b"/Filter[/FlateDecode/FlateDecode]"
        ),
    ),
    "a PDF that draws without end": ("a.pdf", lambda: page_of(zlib.compress(b"0 0 m 9 9 l S\n" * 3_000_000, 9))),
    "a PDF drawn by itself": ("a.pdf", lambda: recursive_form() + b"and more"),
    "a page of tables in tables": ("a.html", lambda: b"<html>" + b"<table><tr><td>" * 200_000),
    "a page of wide cells": ("a.html", lambda: b"<html><table>" + b"<tr><td colspan=1000>x</td></tr>" * 20_000),
    "a Bokeh array that unpacks": ("a.json", bokeh_array),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool()
    yield pool
    pool.close()


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_a_block_with_a_reason_and_the_checker_goes_on(bomb: str, pool: SealedPool, tmp_path: Path) -> None:
    name, make = BOMBS[bomb]
    (tmp_path / "stored").write_bytes(make())
    rules = replace(RULES, timeout_s=8) if bomb in ENDLESS else RULES
    report = check(tmp_path / "stored", name, rules, pool=pool)
    assert report.verdict is Verdict.BLOCK, report
    assert all(finding.ko and finding.en for finding in report.findings)
    (tmp_path / "honest").write_text("region,n\nSeoul,120\nBusan,231\n")
    assert check(tmp_path / "honest", "a.csv", RULES, pool=pool).verdict is Verdict.PASS


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.txt", "a.svg", "a.pdf", "a.png"])
def test_a_file_of_one_gigabyte_is_stopped_whatever_the_policy_allows(
    name: str, pool: SealedPool, tmp_path: Path
) -> None:
    with (tmp_path / "stored").open("wb") as stream:
        stream.truncate(GIGABYTE)  # sparse: it takes no room until it is read
    assert check(tmp_path / "stored", name, RULES, pool=pool).verdict is Verdict.BLOCK
    generous = CheckRules(timeout_s=30, memory_bytes=512 << 20, max_bytes=2 * GIGABYTE)
    report = check(tmp_path / "stored", name, generous, pool=pool)
    assert [finding.rule for finding in report.findings] == ["check.failed"]


def test_other_files_are_not_kept_waiting_while_bombs_tick(tmp_path: Path) -> None:
    (tmp_path / "stored").write_bytes(b"x")
    pool = SealedPool("hostile_worker", folder=Path(__file__).parent)
    done: list[str] = []
    lock = threading.Lock()

    def ask(attack: str) -> None:
        descriptor = os.open(tmp_path / "stored", os.O_RDONLY)
        limits = Limits(timeout_s=20, memory_bytes=256 << 20, answer_bytes=1 << 16)
        try:
            pool.run({"attack": attack}, descriptor, limits)
        except SealedFailure:
            pass
        finally:
            os.close(descriptor)
        with lock:
            done.append(attack)

    pool.start()
    with ThreadPoolExecutor(12) as threads:
        bombs = [threads.submit(ask, "use up the processor") for _ in range(5)]
        honest = [threads.submit(ask, "fork") for _ in range(6)]
        for one in (*honest, *bombs):
            one.result()
    pool.close()
    assert done == ["fork"] * 6 + ["use up the processor"] * 5
