"""Character sets without pydicom's import: the same list, the same texts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydicom.charset import decode_bytes, python_encoding

from deid.imaging.charsets import CODECS, DELIMITERS, decoded


def test_the_list_is_pydicoms() -> None:
    assert python_encoding == CODECS


@pytest.mark.parametrize(
    ("text", "codecs"),
    [
        ("홍길동".encode("euc_kr"), ["euc_kr"]),
        ("Müller".encode("latin_1"), ["latin_1"]),
        (b"\xff\xfe", ["UTF8"]),
        (b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", ["iso8859", "euc_kr"]),
        (b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", ["iso8859", "iso2022_jp"]),
    ],
    ids=["euc-kr", "latin", "not even UTF-8", "korean escapes", "japanese escapes"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_text_is_read_as_pydicom_reads_it(text: bytes, codecs: list[str]) -> None:
    assert decoded(text, codecs) == decode_bytes(text, codecs, DELIMITERS)


def test_a_worker_starts_without_what_takes_long_to_load() -> None:
    slow = "{'pydicom', 'pandas', 'pyarrow', 'polars', 'onnxruntime', 'scipy'}"
    code = f"import sys, deid.folder.worker, deid.folder.recipe; print({slow} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
