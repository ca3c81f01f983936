"""Nobody approves what they have not seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from enclave.errors import Denied


def check_seen_whole(wanted: Iterable[str], shown: frozenset[str], numbers: Mapping[str, int]) -> None:
    """Raise `Denied` (`egress.not-shown`) unless every file of `wanted` was shown to this person, all of it.

    `wanted`: the approved files and the code they name; it and `shown` are file ids. `numbers`: each file's number on
    the page, from 1 (names come from a workspace and may hold anything, so a message does not repeat them).
    """
    unseen = sorted(numbers[file_id] for file_id in wanted if file_id not in shown)
    if unseen:
        listed = ", ".join(map(str, unseen))
        raise Denied(
            "egress.not-shown",
            ko=f"끝까지 보지 않은 파일과 그 코드가 있으면 승인할 수 없습니다: {listed}번째 파일",
            en=f"A file cannot be approved before all of it, and its code, was on your screen: number {listed}.",
            remedy_ko="심사 화면에서 그 파일의 모든 쪽과 부분을 넘겨 본 뒤 다시 결정하세요.",
            remedy_en="Turn through all pages and parts of it on the review page, then decide again.",
        )
