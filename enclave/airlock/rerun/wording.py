"""What a re-run says about a file: nothing but evidence when it was reproduced, else what a person has to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace

from enclave.airlock.checks.findings import block, warn
from enclave.airlock.report import Evidence, FileReport, Finding, Status
from enclave.airlock.rerun.same import PICTURE, Same

KIND = "rerun"
WHY = {
    "time": ("제한 시간을 넘김", "it ran out of time"),
    "memory": ("메모리가 모자람", "it ran out of memory"),
    "gone": ("컨테이너가 사라짐", "its container vanished"),
    "engine": ("엔진이 응답하지 않음", "the engine did not answer"),
    "tries": ("여러 번 시작하지 못함", "it could not be started"),
}
HOW = {
    "bytes": "바이트까지 같음 · same bytes",
    "numbers": "수가 허용 오차 안 · numbers within tolerance",
    "picture": "같아 보이는 그림 · pictures look alike",
}


@dataclass(frozen=True)
class Seen:
    """What became of one file: `same` None when the code did not write it again.

    `unstable`: two runs on the same data wrote different files. `stored`: half of the data gave the very same file.
    """

    same: Same | None
    unstable: bool = False
    stored: bool = False


def told(code: str, seen: Seen, *, exit_code: int | None, why: str, blocks: bool) -> tuple[list[Finding], Evidence]:
    """Return findings and evidence for one file of a request whose `code` was run again."""
    say = block if blocks else warn
    found: list[Finding] = []
    match = seen.same is not None and bool(seen.same.how)
    if why:
        ko, en = WHY.get(why, (why, why))
        found.append(say("rerun.failed", f"코드를 다시 실행하지 못했습니다({ko}).", f"Not run to its end: {en}."))
    elif seen.same is None:
        found.append(
            say(
                "rerun.missing",
                "코드를 다시 실행했으나 이 파일을 쓰지 않았습니다. 파일을 만드는 코드를 함께 제출하세요.",
                "The code was run again and did not write this file. Submit the code that makes it.",
            )
        )
    elif not match:
        found.append(
            say(
                "rerun.different",
                "코드를 다시 실행한 결과가 제출한 파일과 다릅니다. 처음부터 실행한 결과를 제출하세요.",
                "Run again, the code wrote something else. Submit what a run from the beginning writes.",
            )
        )
    if seen.unstable:
        found.append(
            say(
                "rerun.unstable",
                "같은 자료로 두 번 실행한 결과가 서로 다릅니다. 난수의 씨앗(seed)을 고정하세요.",
                "Two runs on the same data differ. Fix the seed of your random numbers.",
            )
        )
    if seen.stored:
        found.append(
            say(
                "rerun.stored",
                "자료를 절반으로 줄여 실행해도 똑같은 파일이 나옵니다. 결과가 코드에 들어 있는지 확인하세요.",
                "With half of the data the code writes the very same file. Look whether the result is in the code.",
            )
        )
    return found, _evidence(code, seen, exit_code=exit_code, why=why, match=match)


def _difference(one: str, two: str) -> str:
    """Say how one place differs: two texts, or by how much two pictures do."""
    if one != PICTURE:
        return f"{one} → {two}"
    bits, _, near = two.partition(", ")
    ko, en = f"지각 해시 {bits}, 가장 다른 곳 {near}", f"perceptual hash {bits}, most different place {near}"
    return f"그림이 다름: {ko} · pictures differ: {en}"


def without_rerun(report: FileReport) -> FileReport:
    """Return a report without what re-runs of code found."""
    findings = tuple(each for each in report.findings if not each.rule.startswith(f"{KIND}."))
    return replace(report, findings=findings, evidence=tuple(each for each in report.evidence if each.kind != KIND))


def _evidence(code: str, seen: Seen, *, exit_code: int | None, why: str, match: bool) -> Evidence:
    status = Status.MATCH if match and not (seen.unstable or seen.stored) else Status.MISMATCH
    rows = [("code", code), ("exit", "-" if exit_code is None else str(exit_code)), ("why", why or "-")]
    if seen.same is not None:
        rows.append(("compared", HOW.get(seen.same.how, "다름 · different")))
        rows += [(place or "-", _difference(one, two)) for place, one, two in seen.same.rows]
    return Evidence(
        kind=KIND,
        title_ko="이 코드를 다시 실행해 같은 결과를 얻음" if status is Status.MATCH else "이 코드를 다시 실행한 결과",
        title_en="Reproduced from this code" if status is Status.MATCH else "This code was run again",
        status=Status.NONE if why or seen.same is None else status,
        rows=(("what", "found"), *rows),
    )
