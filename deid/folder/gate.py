"""The gates of a folder's run: what is left of a removed identifier, or what failed, and nothing is published.

A file is told by its new name and by the place in it: neither says anything of anybody. Which source file it came of
stands in the run's report, which stays in the hospital.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from deid.errors import GateFailed
from deid.folder.columns import SUBJECT, TABLE
from deid.folder.one import LEFT, POLICY, UNREADABLE, Result
from deid.folder.scan import Scanner
from deid.folder.tally import Tally
from deid.gates import Verdict
from deid.versions.held import is_plain_name

LEFT_FIX = (
    "보고서(--report)에서 원본 파일을 찾아 계획에서 빼거나, 파일 이름과 위치를 개발자에게 알려 주세요(값은 빼고).",
    "Find the source file in the report (--report) and leave it out, or tell a developer its place, never the value.",
)
FAILED_FIX = (
    "보고서(--report)의 오류 이름과 줄을 개발자에게 알리거나, 그 파일을 원본에서 빼고 다시 실행하세요.",
    "Tell a developer the error's name and line in the report (--report), or take the file out and run again.",
)
NAMES_FIX = (
    "원본에서 파일의 확장자를 영문자와 숫자로 고쳐 다시 실행하세요.",
    "Mend the files' endings at their origin (letters and digits) and run again.",
)
EMPTY_FIX = ("보고서(--report)의 거절 사유를 확인하세요.", "See in the report (--report) why files were refused.")


def judge(tally: Tally) -> list[Verdict]:
    """Judge a run by its end: nothing left, nothing failed, something written, by plain names. Raises `GateFailed`."""
    left = [each for each in tally.refused if each.kind == LEFT]
    if left:
        _fail_scan(len(left), _places(left))
    failed = [each for each in tally.refused if each.kind not in {LEFT, POLICY, UNREADABLE}]
    if failed:
        words = ("처리하다 실패한 파일이 있습니다.", "some files failed.")
        raise GateFailed("failed_files", (TABLE, ""), len(failed), words, remedy=FAILED_FIX)
    files = [*tally.written, *tally.twice]
    if not files:
        words = ("쓸 수 있는 파일이 없습니다.", "no file could be written.")
        raise GateFailed("files", (TABLE, ""), 0, words, remedy=EMPTY_FIX)
    strange = [name for each in files for name in each.files if not is_plain_name(name)]
    if strange:
        words = (
            "작업공간에 놓을 수 없는 파일 이름이 생겼습니다.",
            "some files got a name that no workspace can be given.",
        )
        raise GateFailed("file_names", (TABLE, ""), len(strange), words, remedy=NAMES_FIX)
    values = sum(each.values for each in files)
    scanned = sum(len(each.files) for each in files)
    ko = f"파일 {scanned:,}개의 모든 바이트에서 그 환자들에게서 지운 값 {values:,}개를 찾았고, 남은 것이 없습니다."
    en = f"Every byte of {scanned:,} files was searched for {values:,} values removed from their patients: none left."
    return [
        Verdict("self_scan", TABLE, 0, 0, ko, en),
        Verdict("failed_files", TABLE, 0, 0, "실패한 파일이 없습니다.", "No file failed."),
    ]


def judge_index(rows: Iterable[Mapping[str, Any]], tally: Tally) -> None:
    """Scan what the index says of each patient for what was removed from their files. Raises `GateFailed`."""
    texts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        texts[row[SUBJECT]].append(json.dumps(row, ensure_ascii=False))
    for patient, lines in texts.items():
        removed = tally.people.get(patient, set())
        if removed and any(Scanner(removed).find("\n".join(lines).encode())):
            _fail_scan(1, f"{TABLE}: {patient}")


def _fail_scan(files: int, places: str) -> None:
    ko, en = f"지운 값이 남아 있습니다: {places}.", f"a removed value is left: {places}."
    raise GateFailed("self_scan", (TABLE, ""), files, (ko, en), remedy=LEFT_FIX)


def _places(left: list[Result]) -> str:
    found = [place for each in left for place in each.left]
    more = f" (+{len(found) - 1})" if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else "?"
