"""What `ansim.table` and `ansim.model` return: a table that shows itself, saves itself and remembers its recipe."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .failure import AnsimError
from .recipes import remember
from .show import html_table, text_table
from .words import say

DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Made:
    """A table of texts, ``head`` and ``rows`` as saved; ``recipe``: how it was made; ``note``: what to know."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    recipe: dict[str, Any] = field(repr=False)
    note: str = ""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as ``.csv`` or ``.tsv`` and remember its recipe for `egress`. Raises `AnsimError`."""
        target = Path(path)
        delimiter = DELIMITERS.get(target.suffix.lower())
        if delimiter is None:
            raise AnsimError(
                "client.save-as",
                ko=f"{target.name}: .csv나 .tsv로만 저장합니다.",
                en=f"{target.name}: only .csv and .tsv can be saved.",
                remedy_ko='예: .save("table2.csv")',
                remedy_en='For example .save("table2.csv")',
            )
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([self.head, *self.rows])
        content = text.getvalue().encode()
        target.write_bytes(content)
        remember(hashlib.sha256(content).hexdigest(), self.recipe)
        return target

    def frame(self) -> Any:
        """Return it as a pandas data frame of texts."""
        import pandas as pd  # noqa: PLC0415 - loaded only when it is asked for

        return pd.DataFrame(list(self.rows), columns=list(self.head))

    def __repr__(self) -> str:
        return "\n".join([text_table(self.head, self.rows), *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        return html_table(self.head, self.rows) + (f"<p>{self.note}</p>" if self.note else "")


def hidden_note(below: int, cells: int, dropped: int) -> str:
    """Say what was hidden, if anything was."""
    if not cells and not dropped:
        return ""
    return say(
        f"{below}명 미만: 칸 {cells}개를 가리고(*) 행·열 {dropped}개를 뺐습니다.",
        f"Fewer than {below} people: {cells} cell(s) hidden (*), {dropped} row(s) or column(s) left out.",
    )
