"""What becomes of a run's private folder once its snapshot is on record: destroyed, or why it stays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deid import frame_cases, text_gate, texts
from deid.cases import forget_cases
from deid.sample_gate import asked_by

Said = tuple[str, str]


@dataclass(frozen=True)
class Private:
    """A kind of private file: its name, its gate in the lineage; its cases and what it is, in both languages."""

    file: str
    lineage: str
    cases: Said
    ko: str
    en: str


TEXTS = Private(texts.FILE, text_gate.LINEAGE, ("글", "texts"), "원문을", "originals")
FRAMES = Private(frame_cases.FILE, frame_cases.LINEAGE, ("장면", "frames"), "장면의 출처를", "list of source files")


def end_private(folder: Path, lineage: Mapping[str, Any], kind: Private = TEXTS) -> Said | None:
    """Destroy what the run that made the snapshot with this lineage left in private; another run's stays.

    Returns what to say of it (Korean, English), None where there is nothing.

    What the review needs is sealed in the database by then. A folder that cannot be emptied is told, not hidden.
    """
    path = folder / kind.file
    asked = asked_by(kind.lineage, lineage)
    if not path.is_file():
        return None
    if asked is None:
        return _stays(path, "이 계획은 표본 검토를 요구하지 않습니다", "no sample review was asked for: not used")
    with path.open("rb") as file:
        ours = hashlib.file_digest(file, "sha256").hexdigest() == asked.cases_sha256
    if not ours:
        return _stays(path, f"다른 수행의 {kind.cases[0]}입니다", f"these are the {kind.cases[1]} of another run")
    try:
        forget_cases(folder, kind.file)
    except OSError as error:
        return _stays(path, f"지울 수 없습니다({error.strerror})", f"it cannot be destroyed ({error.strerror})")
    return (
        f"비공개 폴더의 {kind.ko} 지웠습니다: {path}. 표본만 봉인해 두었습니다.",
        f"Destroyed the {kind.en} in the private folder: {path}. Only the sample is kept, sealed.",
    )


def _stays(path: Path, ko: str, en: str) -> Said:
    return (
        f"{path}을(를) 그대로 두었습니다: {ko}. 필요 없으면 ansim deid forget {path.parent}",
        f"{path} stays: {en}. When nobody needs it: ansim deid forget {path.parent}",
    )
