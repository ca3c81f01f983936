"""The twin as one zip file: `README.md` and the tables where a workspace has them, `data/<data set>/<table>.parquet`.

Parquet is written as views are (`enclave/workspace/views.py`): the same types whichever library reads it. Dates of
entries are fixed: the same twin is the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from deid.manifest import Manifest
from deid.twin.draw import drawn
from deid.twin.profile import LEAST, profile_of

NAME = "twin.zip"
# Rows of a table that are measured: whole patients but one, by order of pseudonym, which is random.
MEASURED_ROWS = 50_000
FIXED = (1980, 1, 1, 0, 0, 0)
README = """\
# {title_ko} · 합성 쌍둥이 (synthetic twin)

이 파일의 모든 값은 **합성**입니다. 실제 환자의 행은 하나도 없습니다. 작업공간에 들어가기 전에 코드를 짜 보라고
만든 것이며, 이 값으로 얻은 결과는 아무 뜻이 없습니다.

- 같은 것: 파일 이름과 위치(작업공간의 `/data/{dataset}/`), 열 이름과 자료형, 값의 종류, 대략의 크기와 빈 칸의 비율,
  여러 표에 같은 환자가 나온다는 점.
- 다른 것: 열과 열 사이의 관계(모두 따로 뽑음), 환자 {least}명 미만이 가진 범주(빠짐), 최솟값과 최댓값, 정확한 분포,
  가명, 글.

Every value in here is **synthetic**. There is no row of any patient. It is meant for writing code before you get into
the workspace; results from it mean nothing.

- Kept: file names and places (`/data/{dataset}/` in the workspace), column names and types, kinds of values, rough
  sizes and shares of missing values, the same patients across tables.
- Not kept: how columns depend on each other (each is drawn by itself), categories of fewer than {least} patients (left
  out), smallest and largest values, exact distributions, pseudonyms, texts.

Your project may have been granted fewer columns than these. `pandas.read_parquet("data/{dataset}/<table>.parquet")`.
"""
TABLE = "\n## {name}: {label_ko} ({label_en})\n\n| column | type | treatment | |\n|---|---|---|---|\n"


def twin_zip(manifest: Manifest, tables: Mapping[str, pl.LazyFrame], *, seed: bytes) -> bytes:
    """Make the twin of a snapshot of format 2; `tables` give its rows, `seed` is any bytes."""
    frames = {name: frame.head(MEASURED_ROWS).collect(engine="streaming") for name, frame in tables.items()}
    twin = drawn(profile_of(manifest.tables, frames), seed)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("README.md", FIXED), readme(manifest))
        for name, frame in twin.items():
            archive.writestr(zipfile.ZipInfo(f"data/{manifest.dataset}/{name}.parquet", FIXED), _parquet(frame))
    return target.getvalue()


def readme(manifest: Manifest) -> str:
    """Say what a twin is, and list its columns with the manifest's labels."""
    text = README.format(title_ko=manifest.title_ko, dataset=manifest.dataset, least=LEAST)
    for name, table in manifest.tables.items():
        text += TABLE.format(name=name, label_ko=table.label_ko, label_en=table.label_en)
        for column, about in table.columns.items():
            text += f"| `{column}` | {about.dtype} | {about.treatment} | {about.label_ko} ({about.label_en}) |\n"
    return text


def _parquet(frame: pl.DataFrame) -> bytes:
    columns = {name: _plain(frame[name]) for name in frame.columns}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="zstd", store_schema=False)
    return bytes(sink.getvalue().to_pybytes())


def _plain(column: pl.Series) -> pa.Array:
    values = column.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if values.type != pa.large_string():
        return values
    # The same bytes with offsets of four bytes. Arrow's own cast would first load all its compute functions.
    valid, offsets, data = values.buffers()
    short = np.frombuffer(offsets, np.int64, values.offset + len(values) + 1).astype(np.int32)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(short), data, valid, values.null_count, values.offset)
