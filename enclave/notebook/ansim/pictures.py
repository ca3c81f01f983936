"""Pictures of a de-identified folder as arrays, chosen by its index: ``ansim.pictures(folder, modality="CT")``.

What it gives has a length and items, which is all that ``torch.utils.data.DataLoader`` asks of a data set; torch itself
is not needed. pydicom and pyarrow are loaded when a folder is opened.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failure import AnsimError

INDEX, FILE = "index.parquet", "file"
DICOM = "dicom"


@dataclass(frozen=True)
class Pictures:
    """Pictures of one folder; an item is ``(pixels, row)``: a float32 array and the picture's row of the index.

    Pixels are (rows, columns) or, with several frames or colours, (frames, rows, columns) and so on, in the units of
    the rescale that the object states (Hounsfield units for CT); ``change`` is called on each array.
    """

    folder: Path
    rows: tuple[dict[str, Any], ...]
    change: Callable[[Any], Any] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> tuple[Any, dict[str, Any]]:
        row = self.rows[number]
        pixels = _pixels(self.folder / row["file"])
        told = {name: value for name, value in row.items() if value is not None}
        return (self.change(pixels) if self.change else pixels), told

    def __iter__(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        return (self[number] for number in range(len(self)))

    def by_patient(self, share: float) -> tuple[Pictures, Pictures]:
        """Split in two so that no patient is in both; ``share`` (0 to 1) of the patients go into the first."""
        if self.rows and "patient" not in self.rows[0]:
            raise _no_column("patient", list(self.rows[0]))
        patients = sorted({row["patient"] for row in self.rows})  # pseudonyms: in no order that means anything
        first = set(patients[: round(share * len(patients))])
        parts = [tuple(row for row in self.rows if (row["patient"] in first) is wanted) for wanted in (True, False)]
        return Pictures(self.folder, parts[0], self.change), Pictures(self.folder, parts[1], self.change)


def place_of(folder: str | os.PathLike[str]) -> Path:
    """Find a folder: a data set by its name (below ``/data``), or any folder by its path."""
    mounted = Path(os.environ.get("ANSIM_DATA", "/data")) / folder
    return mounted if (mounted / INDEX).is_file() else Path(folder)


def pictures(folder: str | os.PathLike[str], *, change: Callable[[Any], Any] | None = None, **wanted: Any) -> Pictures:
    """Open a folder's pictures whose row has the values that are ``wanted`` (``modality="CT", body_part="CHEST"``).

    Several values are one of them, as the files that a query over the index chose: ``file=chosen["file"]``. ``folder``
    is a data set's name, or a path. Raises `AnsimError` for a folder without an index, a column that the
    index does not have, files that are not approved, or a missing package.
    """
    place = place_of(folder)
    path = place / INDEX
    if not path.is_file():
        raise AnsimError(
            "client.no-index",
            ko=f"{str(folder)[:200]}에 {INDEX}가 없습니다.",
            en=f"There is no {INDEX} in {str(folder)[:200]}.",
            remedy_ko="가명처리된 영상 폴더를 주세요.",
            remedy_en="Give a folder of de-identified images.",
        )
    table = _package("pyarrow.parquet").read_table(path)
    sought = {name: _set_of(value) for name, value in wanted.items()}
    for name in (FILE, *sought):
        if name not in table.column_names:
            raise _no_column(name, table.column_names)
    # Columns that are not approved are not there: what they would tell is then seen when the file is opened.
    rows = [row for row in table.to_pylist() if row.get("format", DICOM) == DICOM and row.get("rows", 1) is not None]
    chosen = [row for row in rows if all(row[name] in values for name, values in sought.items())]
    return Pictures(place, tuple(chosen), change)


def _set_of(value: Any) -> frozenset[Any]:
    return frozenset(value) if isinstance(value, Iterable) and not isinstance(value, str) else frozenset((value,))


def _no_column(name: str, there: list[str]) -> AnsimError:
    return AnsimError(
        "client.no-column",
        ko=f"색인에 {name[:80]!r} 열이 없습니다.",
        en=f"The index has no column {name[:80]!r}.",
        remedy_ko=f"열: {', '.join(there)}. file 열이 승인되어야 파일이 있습니다.",
        remedy_en=f"Columns: {', '.join(there)}. Files are there only if the column file was approved.",
    )


def _pixels(path: Path) -> Any:
    data = _package("pydicom").dcmread(path)
    processing = _package("pydicom.pixels")
    return processing.apply_rescale(processing.pixel_array(data), data).astype("float32")


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise AnsimError(
            "client.no-package",
            ko=f"이 작업공간에는 {name}이(가) 없습니다.",
            en=f"There is no {name} in this workspace.",
            remedy_ko="운영자에게 이미지를 요청하세요.",
            remedy_en="Ask the operator for another image.",
        ) from None
