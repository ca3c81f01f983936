"""What becomes of a run's private folder of texts once its snapshot is on record: destroyed, or why it stays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deid.text_gate import asked_by
from deid.texts import FILE, forget

Said = tuple[str, str]


def end_private(folder: Path, lineage: Mapping[str, Any]) -> Said | None:
    """Destroy the originals of the run that made the snapshot with this lineage; another run's stay.

    Returns what to say of it (Korean, English), None where there is nothing.

    What the review needs is sealed in the database by then. A folder that cannot be emptied is told, not hidden.
    """
    path = folder / FILE
    asked = asked_by(lineage)
    if not path.is_file():
        return None
    if asked is None:
        return _stays(path, "이 계획은 표본 검토를 요구하지 않습니다", "no sample review was asked for: not used")
    with path.open("rb") as file:
        ours = hashlib.file_digest(file, "sha256").hexdigest() == asked.cases_sha256
    if not ours:
        return _stays(path, "다른 수행의 글입니다", "these are the texts of another run")
    try:
        forget(folder)
    except OSError as error:
        return _stays(path, f"지울 수 없습니다({error.strerror})", f"it cannot be destroyed ({error.strerror})")
    return (
        f"비공개 폴더의 원문을 지웠습니다: {path}. 표본만 봉인해 두었습니다.",
        f"Destroyed the originals in the private folder: {path}. Only the sample is kept, sealed.",
    )


def _stays(path: Path, ko: str, en: str) -> Said:
    return (
        f"{path}을(를) 그대로 두었습니다: {ko}. 필요 없으면 ansim deid forget {path.parent}",
        f"{path} stays: {en}. When nobody needs it: ansim deid forget {path.parent}",
    )
