"""The whole way through the sealed child: a file in, a report and what it would lay out."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.airlock.errors import PreviewFailed
from enclave.airlock.incoming import checker
from enclave.airlock.incoming.clamav import Scanner
from enclave.airlock.incoming.limits import DataColumn, ImportLimits
from enclave.airlock.incoming.linkage import sketch
from enclave.airlock.report import FileReport, Severity, Verdict
from enclave.airlock.sealing.pool import SealedPool
from tests.enclave.airlock.incoming.test_archive import TREE, zipped
from tests.enclave.airlock.incoming.test_models import labelled, tensor, tensors

LIMITS = ImportLimits(columns=(DataColumn(dataset="d", table="t", column="k", key=True, digests=sketch("abcdefgh")),))
VECTORS = Path(__file__).parents[3] / "vectors" / "models"
# `python3` runs a file that ends as a zip with this in it.
PROGRAM = zipped({"__main__.py": b"print('run')\n"})
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    made = SealedPool("enclave.airlock.incoming.worker")
    yield made
    made.close()


def checked(pool: SealedPool, place: Path, name: str, content: bytes, limits: ImportLimits = LIMITS) -> FileReport:
    path = place / "file"
    path.write_bytes(content)
    return checker.check(path, name, limits, pool=pool)


def rules(report: FileReport) -> set[str]:
    return {found.rule for found in report.findings} - {"import.not-scanned"}


def notebook(source: str, **more: object) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": source, **more}]}).encode()


GOOD: dict[str, tuple[str, bytes, str]] = {
    "a script": ("fit.py", b"import numpy as np\nprint(np.mean([1, 2]))\n", "code"),
    "a notebook": ("a.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}]}).encode(), "code"),
    "settings": ("a.yaml", b"a: 1\n", "code"),
    "a tree": ("src.zip", zipped(TREE), "code"),
    "JSON": ("a.json", b'{"a": 1}', "code"),
    "a table": ("icd.csv", "코드,병명\nE11,제2형 당뇨병\nE78,지질대사장애\n".encode(), "table"),
    "safetensors": ("w.safetensors", (VECTORS / "weights.safetensors").read_bytes(), "model"),
    "ONNX": ("m.onnx", (VECTORS / "linear.onnx").read_bytes(), "model"),
    "XGBoost": ("m.json", (VECTORS / "xgboost.json").read_bytes(), "model"),
    "XGBoost in binary": ("m.ubj", (VECTORS / "xgboost.ubj").read_bytes(), "model"),
    "LightGBM": ("m.txt", (VECTORS / "lightgbm.txt").read_bytes(), "model"),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_may_come_in_is_recognised_and_listed(pool: SealedPool, tmp_path: Path, case: str) -> None:
    name, content, kind = GOOD[case]
    report = checked(pool, tmp_path, name, content)
    assert (report.kind, rules(report)) == (kind, set())
    assert report.verdict is Verdict.WARN, "nobody searched it for malware"
    assert {"seccomp", "limits", "no-new-privileges"} <= set(report.sealed)
    (tree,) = report.evidence
    assert [row[0] for row in tree.rows[1:]] == (sorted(TREE) if case == "a tree" else [name])


BAD: dict[str, tuple[str, bytes, str]] = {
    "a pickle": ("m.pkl", pickle.dumps([1]), "import.pickle"),
    "a pickle as text": ("m.txt", pickle.dumps(Path("x"), 0), "import.pickle"),
    "weights of PyTorch": ("m.pt", zipped({"archive/data.pkl": b"x"}), "import.pickle"),
    "the same as a zip": ("m.zip", zipped({"archive/data.pkl": b"x"}), "import.pickle"),
    "Keras": ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "import.opaque"),
    "a wheel": ("numpy-1-py3-none-any.whl", zipped(TREE), "import.type"),
    "a workbook": ("a.xlsx", zipped(TREE), "import.type"),
    "a program": ("a.exe", b"MZ" + bytes(200), "import.type"),
    "a program in a tree": ("a.zip", zipped({"a.py": b"\x7fELF" + bytes(range(250))}), "parse.encoding"),
    "a notebook with outputs": ("a.ipynb", notebook("", outputs=[1]), "import.outputs"),
    "exec in a cell": ("a.ipynb", notebook("exec(open(1).read())"), "import.self-unpacking"),
    "exec in a tree": ("a.tar.zip", zipped({"a/b.py": b"exec(open('x').read())\n"}), "import.self-unpacking"),
    "a resident number": ("a.py", b"ID = '900101-1234568'\n", "id.rrn"),
    "a person in a table": ("a.csv", "이름,전화\n홍길동,010-1234-5678\n".encode(), "id.phone"),
    "an archive that is none": ("a.zip", b"x" * 100, "import.archive"),
    "nothing": ("a.py", b"", "parse.empty"),
    "half a model": ("w.safetensors", b"\xff" * 100, "import.model"),
    "a model that is a program too": (
        "w.safetensors",
        tensors({"a": tensor(0, len(PROGRAM), [len(PROGRAM)])}, PROGRAM),
        "import.embedded",
    ),
    "a pickle that never ends": ("notes.md", b"cbuiltins\nprint\n(S'run'\ntR\nSome notes.\n", "import.pickle"),
    "a text of an operator": ("m.onnx", labelled("900101-1234568"), "id.rrn"),
    "code told to be read otherwise": ("a.py", b"# coding: utf-7\nx = 1  # +AAo-import os\n", "import.coding"),
    "a model with a person in it": ("w.safetensors", tensors({"__metadata__": {"by": "900101-1234568"}}), "id.rrn"),
}  # fmt: skip


KEYS = [f"P{number:05d}" for number in range(60)]
PEOPLE = "key,mail\n" + "".join(f"{key},person{key}@naver.com\n" for key in KEYS)
RECORDS = json.dumps([{"key": key, "mail": f"person{key}@naver.com"} for key in KEYS])
CALLED_CODE: dict[str, tuple[str, bytes]] = {
    "as it is": ("a.csv", PEOPLE.encode()),
    "in an archive": ("a.zip", zipped({"src/a.csv": PEOPLE.encode()})),
    "a text": ("a.txt", PEOPLE.encode()),
    "settings": ("a.yaml", PEOPLE.encode()),
    "records": ("a.json", RECORDS.encode()),
    "records in an archive": ("a.zip", zipped({"src/a.json": RECORDS.encode()})),
    "a document": ("a.md", PEOPLE.encode()),
    "a string of code": ("a.py", f"DATA = '''{PEOPLE}'''\n".encode()),
}


@pytest.mark.parametrize("case", CALLED_CODE)
def test_a_list_of_people_is_one_whatever_it_is_called(pool: SealedPool, tmp_path: Path, case: str) -> None:
    """Else the same list, called code, would need two reviewers and no committee, and nobody would hear of keys."""
    limits = ImportLimits(columns=(DataColumn(dataset="d", table="t", column="pid", key=True, digests=sketch(KEYS)),))
    name, content = CALLED_CODE[case]
    report = checked(pool, tmp_path, name, content, limits)
    assert report.verdict is Verdict.BLOCK
    assert {"id.email", "import.linkage"} <= rules(report)
    assert "id.email" in {found.rule for found in report.findings if found.severity is Severity.BLOCK}


@pytest.mark.parametrize("case", BAD)
def test_what_may_not_come_in_is_stopped_with_its_reason(pool: SealedPool, tmp_path: Path, case: str) -> None:
    name, content, rule = BAD[case]
    report = checked(pool, tmp_path, name, content)
    assert report.verdict is Verdict.BLOCK
    assert rule in rules(report)


def test_where_an_identifier_stands_is_said_and_what_it_is_is_not(pool: SealedPool, tmp_path: Path) -> None:
    tree = {"src/a.py": b"x = 1\n# 900101-1234568\n"}
    report = checked(pool, tmp_path, "a.zip", zipped(tree))
    (found,) = [each for each in report.findings if each.rule == "id.rrn"]
    assert found.place == "src/a.py L2"
    assert "1234568" not in report.to_json()


def test_a_key_column_is_marked_and_does_not_stop(pool: SealedPool, tmp_path: Path) -> None:
    report = checked(pool, tmp_path, "a.csv", b"x,y\na,1\nb,2\nc,3\nd,4\n")
    assert (report.verdict, rules(report)) == (Verdict.WARN, {"import.linkage"})


def test_a_bomb_a_crash_and_a_file_too_large_become_a_block(pool: SealedPool, tmp_path: Path) -> None:
    assert rules(checked(pool, tmp_path, "a.zip", zipped({"a.py": bytes(30 << 20)}))) == {"import.bomb"}
    slow = ImportLimits(timeout_s=1, memory_bytes=1 << 20)
    large = b"".join(b"x%d = %d\n" % (number, number * 7919) for number in range(1_000_000))
    assert rules(checked(pool, tmp_path, "a.zip", zipped({"a.py": large}), slow)) == {"check.failed"}
    assert rules(checked(pool, tmp_path, "a.py", b"x" * 100, ImportLimits(max_bytes=99))) == {"size.file"}


def test_what_is_laid_out_are_the_files_of_the_archive(pool: SealedPool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(zipped(TREE))
    found = checker.unpacked(path, "a.zip", LIMITS, pool=pool)
    assert {member.path: member.content for member in found} == TREE
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(PreviewFailed):
        checker.unpacked(path, "a.zip", LIMITS, pool=pool)


def test_a_file_of_a_tree_is_shown_as_plain_lines(pool: SealedPool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(zipped({"a.py": b"x = 1\n", "b.py": "y = '\u202e'\n".encode()}))
    found = checker.shown(path, "a.zip", 0, LIMITS, pool=pool)
    assert [(text.path, text.lines) for text in found.texts] == [("a.py", ("x = 1",)), ("b.py", ("y = '\\u202e'",))]
    assert (found.end, found.total) == (2, 2)


def test_a_long_tree_is_shown_in_parts_that_leave_nothing_out(pool: SealedPool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    tree = {
        f"{name}.py": b"".join(b"x%d\n" % number for number in range(size))
        for name, size in zip("abcd", (4_000, 0, 3_000, 6_000), strict=True)
    }
    path.write_bytes(zipped(tree))
    lines, start, total = [], 0, 1
    while start < total:
        found = checker.shown(path, "a.zip", start, LIMITS, pool=pool)
        lines += [(text.path, line) for text in found.texts for line in text.lines]
        start, total = found.end, found.total
    assert lines == [(name, line) for name, content in sorted(tree.items()) for line in content.decode().splitlines()]


def test_what_changed_since_the_last_import_is_shown_line_by_line(pool: SealedPool, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_bytes(zipped({"a.py": b"x = 1\ny = 2\n", "old.py": b"z\n", "same.py": b"s\n"}))
    after.write_bytes(zipped({"a.py": b"x = 1\ny = 3\n", "new.py": b"w\n", "same.py": b"s\n"}))
    found = checker.compared(after, "a.zip", (before, "a.zip"), LIMITS, pool=pool)
    assert [(each.path, each.how) for each in found] == [
        ("a.py", "changed"),
        ("new.py", "added"),
        ("old.py", "removed"),
    ]
    assert found[0].lines == ("@@ -1,2 +1,2 @@", " x = 1", "-y = 2", "+y = 3")


def packed(head: object, rest: bytes = b"") -> bytes:
    return json.dumps(head).encode() + b"\n" + rest


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"{}", packed([["../a", 1]], b"x"), packed([["/a", 1]], b"x"), packed([["a", 2]], b"x"),
        packed([["a", 1]], b"xy"), packed([["a", 1], ["a", 1]], b"xy"), packed([["a", -1]]),
        packed([["a", True]], b"x"), packed([["a", "1"]], b"x"),
    ],
)  # fmt: skip
def test_a_child_that_was_taken_over_lays_out_nothing_beside_the_folder(answer: bytes) -> None:
    with pytest.raises(PreviewFailed):
        checker._told(lambda: checker._members(answer))


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Debian's own daemon with two signatures made here: of the EICAR file by its hash, of a word by its bytes."""
    program = Path("/usr/sbin/clamd")
    if not program.exists():
        pytest.skip("clamav-daemon is not installed")
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "db").mkdir()
    digest = (
        subprocess.run(["md5sum"], input=EICAR.encode(), capture_output=True, check=True).stdout.split()[0].decode()
    )
    (folder / "db" / "own.hdb").write_text(f"{digest}:{len(EICAR)}:Own.Eicar\n")
    (folder / "db" / "own.ndb").write_text(f"Own.Word:0:*:{b'ANSIM-EVIL-WORD'.hex()}\n")
    place = folder / "clamd.ctl"
    (folder / "clamd.conf").write_text(
        f"LocalSocket {place}\nDatabaseDirectory {folder / 'db'}\nForeground yes\nLogFile {folder / 'log'}\n"
        "OfficialDatabaseOnly no\nUser root\n"
    )
    with subprocess.Popen(
        [program, "-c", folder / "clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as daemon:
        for _ in range(300):
            if place.exists() or daemon.poll() is not None:
                break
            time.sleep(0.1)
        assert place.exists(), (folder / "log").read_text()
        yield place
        daemon.terminate()


def scanned(scanner: Scanner, place: Path, content: bytes) -> list[str]:
    path = place / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        return [f"{found.severity} {found.rule}" for found in scanner.search(file.fileno())]


def test_malware_is_found_by_the_installed_daemon(clamd: Path, tmp_path: Path, pool: SealedPool) -> None:
    assert scanned(Scanner(clamd), tmp_path, EICAR.encode()) == ["BLOCK import.malware"]
    assert scanned(Scanner(clamd), tmp_path, b"x = 1\n") == []
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.py", "# ANSIM-EVIL-WORD\n")
    assert scanned(Scanner(clamd), tmp_path, archive.getvalue()) == ["BLOCK import.malware"]
    path = tmp_path / "file"
    path.write_bytes(b"x = 1\n")
    report = checker.check(path, "a.py", LIMITS, scanner=Scanner(clamd), pool=pool)
    assert (report.verdict, report.findings) == (Verdict.PASS, ())


def test_what_was_not_searched_is_said_and_stopped_where_policy_wants_it(tmp_path: Path) -> None:
    for place in (None, tmp_path / "nothing"):
        assert scanned(Scanner(place), tmp_path, b"x") == ["WARN import.not-scanned"]
        assert scanned(Scanner(place, required=True), tmp_path, b"x") == ["BLOCK import.not-scanned"]
    (tmp_path / "no-socket").touch()
    assert scanned(Scanner(tmp_path / "no-socket"), tmp_path, b"x") == ["WARN import.not-scanned"]
