"""The rules and their cases in words: Korean first, English beside it. Pages and reports both speak from here."""

from __future__ import annotations

from collections.abc import Mapping

from enclave.actions import ABOUT, Action
from enclave.policy.logreview.hit import Rule
from enclave.policy.logreview.line import Value

RULES: Mapping[Rule, tuple[str, str]] = {
    Rule.OFF_HOURS: ("업무시간 외 이용", "off hours"),
    Rule.BULK_READ: ("대량 조회", "bulk read"),
    Rule.EXPORT_BURST: ("반출 집중", "export burst"),
    Rule.PROBING: ("소수 셀 탐색", "small-cell probing"),
    Rule.DORMANT: ("장기 미사용 계정", "dormant account"),
    Rule.NEW_PLACE: ("새 접속지", "new place"),
    Rule.DENIED_RUN: ("연속 거부", "run of denials"),
    Rule.PRIVILEGE: ("권한 상승", "privilege"),
    Rule.TWO_PERSON: ("두 사람 원칙", "two-person rule"),
    Rule.LOG_HEALTH: ("기록의 상태", "health of the log"),
    Rule.DOWNLOAD_REASON: ("반출·다운로드 사유", "reason of downloads"),
}
CASES: Mapping[tuple[Rule, str], tuple[str, str]] = {
    (Rule.OFF_HOURS, "night"): ("{day} 밤에 데이터 작업 {count}건", "{count} acts on data in the night of {day}"),
    (Rule.OFF_HOURS, "holiday"): ("휴일 {day}에 데이터 작업 {count}건", "{count} acts on data on the holiday {day}"),
    (Rule.BULK_READ, "rows"): (
        "한 시간에 {rows}행을 봄(기준 {limit}행)",
        "{rows} rows seen in an hour (limit {limit})",
    ),
    (Rule.BULK_READ, "unusual"): (
        "한 시간에 {rows}행을 봄(평소 {usual}행)",
        "{rows} rows seen in an hour (usually {usual})",
    ),
    (Rule.EXPORT_BURST, "day"): (
        "하루 안에 반출 신청 {requests}건, 파일 {files}개",
        "{requests} requests with {files} files in a day",
    ),
    (Rule.EXPORT_BURST, "bytes"): (
        "30일 동안 {mib} MiB를 신청함(기준 {limit} MiB)",
        "{mib} MiB asked for in 30 days (limit {limit})",
    ),
    (Rule.PROBING, "stopped"): (
        "하루 안에 서로 다른 결과 {outputs}개가 차단·반려됨",
        "{outputs} different outputs stopped in a day",
    ),
    (Rule.DORMANT, "back"): ("{days}일 만의 로그인", "signed in after {days} days"),
    (Rule.DORMANT, "enabled"): (
        "과제가 {since}에 끝났는데 계정 {account} 이(가) 살아 있음",
        "account {account} still enabled; its project ended {since}",
    ),
    (Rule.NEW_PLACE, "first"): ("처음 보는 접속지 {address}", "first seen at {address}"),
    (Rule.NEW_PLACE, "two"): ("{other}와(과) {address}에서 동시에 접속", "at {other} and {address} at once"),
    (Rule.DENIED_RUN, "denied"): (
        "10분 안에 거부가 이어짐(모두 {denials}건, 마지막은 ‘{action}’)",
        "refused again and again ({denials}, the last {action})",
    ),
    (Rule.PRIVILEGE, "granted"): ("{day} 권한 부여 {count}건", "{count} roles granted on {day}"),
    (Rule.PRIVILEGE, "own"): (
        "{day} 자기 권한을 바꾸려 함({count}건)",
        "tried to change their own rights on {day} ({count})",
    ),
    (Rule.PRIVILEGE, "entered"): (
        "{day} 관리자가 작업공간에 들어감({count}건)",
        "an administrator entered a workspace on {day} ({count})",
    ),
    (Rule.PRIVILEGE, "emergency"): (
        "{day} 기록할 수 없는 동안 비상 조치({count}건)",
        "acted on {day} while nothing could be recorded ({count})",
    ),
    (Rule.PRIVILEGE, "purged"): (
        "{day} 접속기록의 파기를 승인하거나 지시함({count}건)",
        "approved or ordered a purge of entries on {day} ({count})",
    ),
    (Rule.PRIVILEGE, "purge-refused"): (
        "{day} 접속기록을 파기하려다 거절됨({count}건)",
        "a purge of entries was refused on {day} ({count})",
    ),
    (Rule.PRIVILEGE, "keys"): (
        "{day} 로그의 키나 증인 정책을 바꿈({count}건)",
        "changed the log's key or its policy of witnesses on {day} ({count})",
    ),
    (Rule.PRIVILEGE, "limits"): (
        "{day} 점검 기준·계획이나 심사·화면 기준을 바꿈({count}건)",
        "changed limits or the plan of the review, of checks or of the screen on {day} ({count})",
    ),
    (Rule.PRIVILEGE, "exported"): (
        "{day} 접속기록을 내려받음({count}건)",
        "took entries of the log away on {day} ({count})",
    ),
    (Rule.TWO_PERSON, "own"): ("자기 신청 {request}을(를) 스스로 심사함", "judged their own request {request}"),
    (Rule.TWO_PERSON, "pair"): (
        "{month} 심사 {requests}건의 {percent}%를 같은 두 사람이 봄(다른 한 사람 {other})",
        "the same two judged {percent}% of {requests} in {month} (the other: {other})",
    ),
    (Rule.LOG_HEALTH, "silent"): ("{minutes}분 동안 기록이 없음", "nothing was recorded for {minutes} minutes"),
    (Rule.LOG_HEALTH, "unreadable"): ("읽을 수 없는 기록 {count}건", "{count} unreadable entries"),
    (Rule.LOG_HEALTH, "unsearched"): (
        "{day} 화면 글을 점검하지 못함({count}건)",
        "shown texts not searched on {day} ({count})",
    ),
    (Rule.LOG_HEALTH, "clock"): (
        "{day} 시계 오차 초과({count}건)",
        "clock off by more than allowed on {day} ({count})",
    ),
    (Rule.LOG_HEALTH, "failed"): ("{day} {action} 실패({count}건)", "{action} failed on {day} ({count})"),
    (Rule.DOWNLOAD_REASON, "missing"): (
        "{day} 사유 없는 반출·다운로드 {count}건",
        "{count} downloads without a reason on {day}",
    ),
    (Rule.DOWNLOAD_REASON, "large"): (
        "파일 {files}개를 내려받음: 사유 확인 대상(기준 {limit}개)",
        "downloaded {files} files: reason to be confirmed (from {limit})",
    ),
}


def said(rule: Rule, why: str, count: int, values: Mapping[str, Value]) -> tuple[str, str]:
    """Return what was found, in both languages; a case of a later release comes as its rule's name."""
    ko, en = CASES.get((rule, why), RULES[rule])
    given = {"count": count, **values}
    return ko.format(**_words(given, 0)), en.format(**_words(given, 1))


def _words(values: Mapping[str, Value], language: int) -> dict[str, Value]:
    return {name: _word(name, value)[language] for name, value in values.items()}


def _word(name: str, value: Value) -> tuple[Value, Value]:
    if name == "action" and value in set(Action):
        about = ABOUT[Action(value)]
        return about.ko, about.en
    told = f"{value:,}" if isinstance(value, int) else value
    return told, told
