"""Code that hides something is found out; code that does not is left alone."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import pickle
import random
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from enclave.airlock.incoming.notebook import read_notebook
from enclave.airlock.incoming.refused import is_pickle
from enclave.airlock.incoming.source import check_source
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import Severity

ROOT = Path(__file__).parents[4]
NOISE = random.Random(1).randbytes(6000)
B64 = base64.b64encode(NOISE).decode()
WRAPPED = base64.encodebytes(NOISE).decode()


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.py", "x = 1\n" * 20)
    return made.getvalue()


HIDDEN: dict[str, tuple[str, str]] = {
    "base64 in one line": (f"data = '{B64}'\n", "import.encoded"),
    "base64 in lines": (f"data = '''\n{WRAPPED}'''\n", "import.encoded"),
    "base64 in pieces": (
        "data = (\n" + "".join(f"    '{B64[i : i + 60]}'\n" for i in range(0, 8000, 60)) + ")\n",
        "import.encoded",
    ),
    "base64 in joined pieces": (" +\n".join(f'"{B64[i : i + 60]}"' for i in range(0, 8000, 60)), "import.encoded"),
    "base64 in comments": ("".join(f"# {B64[i : i + 70]}\n" for i in range(0, 8000, 70)), "import.encoded"),
    "hexadecimal": (f"data = bytes.fromhex('{NOISE.hex()}')\n", "import.encoded"),
    "escapes": ("data = b'" + "".join(f"\\x{byte:02x}" for byte in NOISE[:2500]) + "'\n", "import.encoded"),
    "base85": (f"data = {base64.b85encode(NOISE).decode()!r}\n", "import.encoded"),
    "a constant of bytes": (f"data = {NOISE[:2500]!r}\n", "import.encoded"),
    "a small zip as base64": (f"z = '{base64.b64encode(zipped()).decode()}'\n", "import.embedded"),
    "a small gzip as base64": (
        f"z = '{base64.b64encode(gzip.compress(b'x' * 99 + NOISE[:60])).decode()}'\n",
        "import.embedded",
    ),
    "a small pickle as base64": (
        f"z = '{base64.b64encode(pickle.dumps(list(range(60)), 4)).decode()}'\n",
        "import.embedded",
    ),
    "the head of a zip": (r"head = b'PK\x03\x04'" + "\n", "import.embedded"),
    "exec of a file": ("exec(open('data.txt').read())\n", "import.self-unpacking"),
    "exec of a file, spread": ("exec(\n    open(\n  'data.txt').read()\n)\n", "import.self-unpacking"),
    "exec of a compiled file": ("exec(compile(open('a').read(), 'a', 'exec'))\n", "import.self-unpacking"),
    "exec of a path": ("from pathlib import Path\nexec(Path('a').read_text())\n", "import.self-unpacking"),
    "exec of decoded": ("import base64\nexec(base64.b64decode('eD0x'))\n", "import.self-unpacking"),
    "exec of unpacked": ("import zlib as z\nexec(z.decompress(payload))\n", "import.self-unpacking"),
    "builtins": ("__builtins__.exec(bytes.fromhex(x))\n", "import.self-unpacking"),
    "marshal": ("import marshal\nf = marshal.loads(data)\n", "import.self-unpacking"),
    "a decoded pickle": ("import pickle, base64\npickle.loads(base64.b64decode(x))\n", "import.self-unpacking"),
    "import of decoded": ("__import__(bytes.fromhex('6f73').decode())\n", "import.self-unpacking"),
    "a script that unpacks itself": ("#!/bin/sh\ntail -n +4 $0 | tar xz\n", "import.self-unpacking"),
    "a script that runs base64": ("echo aWQK | base64 -d | sh\n", "import.self-unpacking"),
    "R": ("eval(parse(text = rawToChar(base64enc::base64decode(x))))\n", "import.self-unpacking"),
    "what is read is not what runs": ("if user != 'admin\u202e \u2066# check\u2069':\n    pass\n", "import.invisible"),
    "code in a comment, by the encoding": (
        "# coding: unicode_escape\nx = 1  # \\u000aimport os; os.system('id')\n",
        "import.coding",
    ),
    "code in a comment, on the second line": ("#!/usr/bin/python\n# vim: fileencoding=UTF-7\n# +AAo-", "import.coding"),
    "compressed text": (bz2.compress(NOISE).decode("latin-1").replace("\0", ""), "import.encoded"),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_what_is_hidden_in_a_source_is_named(case: str) -> None:
    text, rule = HIDDEN[case]
    found = [each for each in check_source(text, python=True) if each.severity is Severity.BLOCK]
    assert rule in {each.rule for each in found}, [each.rule for each in found]


@pytest.mark.parametrize("case", ["exec of a file", "base64 in lines", "a small zip as base64", "exec of decoded"])
def test_what_is_hidden_is_found_in_other_languages_too(case: str) -> None:
    assert [each for each in check_source(HIDDEN[case][0], python=False) if each.severity is Severity.BLOCK]


HONEST = [
    *sorted(Path(lzma.__file__).parent.glob("[a-h]*.py")),
    *sorted((ROOT / "deid").rglob("*.py")),
    ROOT / "locks" / "runtime.txt",
    ROOT / "locks" / "dev.txt",
    ROOT / "Makefile",
    ROOT / "scripts" / "lock",
    ROOT / "recipes" / "nafld.yaml",
]


def test_honest_code_passes() -> None:
    """The standard library's first half, our own detectors, lock files full of hashes."""
    stopped = {}
    for path in HONEST:
        text = path.read_text("utf-8", "replace")
        found = {
            each.rule for each in check_source(text, python=path.suffix == ".py") if each.severity is Severity.BLOCK
        }
        if found:
            stopped[path.name] = found
    # Those of the library that do run what they read: debuggers, profilers, the freezer of tables.
    assert len(stopped) <= 0.05 * len(HONEST), stopped


@pytest.mark.parametrize("said", ["utf-8", "UTF_8", "utf-8-unix", "latin-1", "cp949", "euc-kr"])
def test_code_that_says_how_it_is_shown_passes(said: str) -> None:
    assert (
        check_source(f"#!/usr/bin/python\n# -*- coding: {said} -*-\nx = 1\n# coding: utf-7 is bad\n", python=True) == []
    )


def test_code_that_runs_a_text_is_marked_for_the_eye() -> None:
    (found,) = check_source("code = input()\nexec(code)\n", python=True)
    assert (found.rule, found.severity, found.place) == ("import.exec", Severity.WARN, "L2")
    assert check_source("eval('1 + 1')\n", python=True) == []


class Runs:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("run",)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_known_whatever_it_is_called(protocol: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_pickle(pickle.dumps(Runs(), protocol))
    assert is_pickle(pickle.dumps(Path("x"), protocol))
    assert capsys.readouterr().out == "", "it was run"


CALL = b"cbuiltins\nprint\n(S'run'\ntR"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CALL, id="without an end"),
        pytest.param(CALL + b"\nNotes on the model, which is described below.\n", id="a text behind it"),
        pytest.param(b"S'" + b"all is well " * 100_000 + b"'\n0" + CALL, id="a long text before it"),
        pytest.param(b"N0" * 60_000 + CALL, id="many steps before it"),
        pytest.param(b"(S'run'\nibuiltins\nprint\n", id="an old instance"),
    ],
)
def test_a_pickle_that_calls_something_is_known_however_it_goes_on(
    content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_pickle(content)
    with suppress(Exception):
        pickle.loads(content)  # the attack itself: a reader runs it all the same
    assert capsys.readouterr().out == "run\n"
    capsys.readouterr()


@pytest.mark.parametrize(
    "text",
    ["x = 1\n", "(lp0\n.", "import os\n", "cell,n\n1,2\n", "", "config\nname\nRock\n", "((R\n", "class A:\n  x\n"],
)
def test_a_text_is_no_pickle(text: str) -> None:
    assert not is_pickle(text.encode())


def test_a_notebook_gives_its_code_and_says_what_else_it_holds() -> None:
    text = (
        '{"nbformat": 4, "metadata": {}, "cells": ['
        '{"cell_type": "code", "source": ["%matplotlib inline\\n", "x = 1"], "outputs": [{"text": "1"}]},'
        '{"cell_type": "markdown", "source": "hi", "attachments": {"a": {}}},'
        '{"cell_type": "code", "source": "%%bash\\nls", "outputs": []}]}'
    )
    code, findings = read_notebook(text)
    assert code == ["pass\nx = 1", ""]
    assert {found.rule for found in findings} == {"import.outputs", "import.attachment"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 1}', '{"cells": [1]}', '{"cells": [{}]}', "[" * 5000])
def test_what_is_no_notebook_is_refused(text: str) -> None:
    with pytest.raises(ParseRefused):
        read_notebook(text)


def test_a_payload_of_any_packing_is_seen_by_its_density() -> None:
    for pack in (zlib.compress, bz2.compress, lzma.compress):
        text = base64.b85encode(pack(NOISE)).decode()
        assert any(each.rule == "import.encoded" for each in check_source(f"x = {text!r}", python=False))
