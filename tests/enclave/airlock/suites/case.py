"""One file of a suite, and the ways a table is written into files."""

from __future__ import annotations

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from enclave.airlock.parsers.registry import ENDINGS
from tests.enclave.airlock.office import docx, grid, hwpx, packed, paragraph

Rng = np.random.Generator
MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True)
class Case:
    """A file. ``expects``: rules of which one must be found (a rule that ends in a dot stands for its family)."""

    family: str
    name: str
    content: bytes
    expects: frozenset[str] = field(default=frozenset())


Family = Callable[[Rng], tuple[str, bytes]]


def csv(frame: pd.DataFrame, *, encoding: str = "utf-8", index: bool = False, sep: str = ",") -> bytes:
    return frame.to_csv(index=index, sep=sep).encode(encoding)


def records(frame: pd.DataFrame) -> bytes:
    rows = json.loads(frame.to_json(orient="records", force_ascii=False))
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def pipes(frame: pd.DataFrame, title: str = "") -> bytes:
    rows = [list(map(str, frame.columns)), ["---"] * len(frame.columns)]
    rows += [[_text(value) for value in row] for row in frame.itertuples(index=False)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"# {title or 'Results'}\n\n{table}\n".encode()


def printed(frame: pd.DataFrame, title: str = "") -> bytes:
    return f"{title or 'output'}\n\n{frame.to_string(index=False)}\n".encode()


def workbook(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_excel(out, index=False, sheet_name="Table 1")
    return timeless(out.getvalue())


def timeless(package: bytes) -> bytes:
    """Return an office file without the moment it was made at: the same content makes the same bytes."""
    with zipfile.ZipFile(io.BytesIO(package)) as found:
        entries: dict[str, bytes] = {name: found.read(name) for name in found.namelist()}
    about = "docProps/core.xml"
    return packed({**entries, about: MOMENT.sub(b"2026-01-01T00:00:00Z", entries[about])})


def columnar(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.astype({name: str for name in frame.columns if frame[name].dtype == object}).to_parquet(out, index=False)
    return out.getvalue()


def page(frame: pd.DataFrame) -> bytes:
    return f"<!doctype html><html><head><meta charset='utf-8'></head><body>{frame.to_html(index=False)}</body></html>".encode()


def _rows(frame: pd.DataFrame) -> list[list[str]]:
    rows = [list(map(str, frame.columns)), *([_text(value) for value in row] for row in frame.itertuples(index=False))]
    return [[escape(cell) for cell in row] for row in rows]


def word(frame: pd.DataFrame) -> bytes:
    return docx(paragraph("Table 1. 결과") + grid(_rows(frame)))


def hangul(frame: pd.DataFrame) -> bytes:
    return hwpx(f"<hp:p><hp:run><hp:t>표 1. 결과</hp:t>{grid(_rows(frame), 'hp', 'run')}</hp:run></hp:p>")


def notebook(frame: pd.DataFrame) -> bytes:
    output = {
        "output_type": "execute_result", "execution_count": 1, "metadata": {},
        "data": {"text/plain": frame.to_string(index=False).splitlines(keepends=True),
                 "text/html": frame.to_html(index=False).splitlines(keepends=True)},
    }  # fmt: skip
    cell = {"cell_type": "code", "execution_count": 1, "id": "a1", "metadata": {}, "outputs": [output],
            "source": ["table\n"]}  # fmt: skip
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=False).encode()


WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    ".csv": csv,
    ".tsv": lambda frame: csv(frame, sep="\t"),
    ".json": records,
    ".md": pipes,
    ".txt": printed,
    ".log": printed,
    ".xlsx": workbook,
    ".docx": word,
    ".hwpx": hangul,
    ".parquet": columnar,
    ".ipynb": notebook,
    ".html": page,
}


def written(rng: Rng, frame: pd.DataFrame, *endings: str) -> tuple[str, bytes]:
    """Write a table in one of the formats that the airlock takes; sometimes as old Korean spreadsheets do."""
    usable = [each for each in (endings or tuple(WRITERS)) if each in ENDINGS]
    ending = usable[int(rng.integers(len(usable)))]
    if ending == ".csv" and rng.random() < 0.25:
        with contextlib.suppress(UnicodeEncodeError):
            return ending, csv(frame, encoding="cp949")
    return ending, WRITERS[ending](frame)


def suite(families: dict[str, tuple[Family, frozenset[str]]], *, seed: int, each: int) -> Iterator[Case]:
    """Make ``each`` files of every family; the same seed makes the same files."""
    for family, (make, expects) in families.items():
        for number in range(each):
            rng = np.random.default_rng([seed, number, *family.encode()])
            ending, content = make(rng)
            yield Case(family, f"{NAMES[int(rng.integers(len(NAMES)))]}{number + 1}{ending}", content, expects)


NAMES = ("table", "result", "표", "결과", "supplement_table", "fig_data", "model", "output", "요약")


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
