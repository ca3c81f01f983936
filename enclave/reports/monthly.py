"""The report of one period of the review (접속기록 점검 결과보고): data in, document out. Pure.

`source` is its canonical JSON; its SHA-256 is what two people sign, and HTML and PDF carry it on every page.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from audit.paper import Sheet
from enclave.policy.logreview.reasons import said_reason
from enclave.reports.document import Column, Document, Section, Table
from enclave.state_words import LABELS

BOXES = (("점검자", "reviewer"), ("승인자", "approver"))
TASK_COLUMNS = (
    Column(("수행업무", "task"), 3),
    Column(("처리", "done"), number=True),
    Column(("거부", "denied"), number=True),
    Column(("실패", "failed"), number=True),
)
ACCOUNT_COLUMNS = (
    Column(("계정", "account"), 3),
    Column(("기관", "organisation"), 3),
    Column(("로그인", "sign-ins"), 2, number=True),
    Column(("데이터 작업", "acts on data"), 2, number=True),
    Column(("다운로드", "downloads"), 2, number=True),
    Column(("거부", "denied"), 2, number=True),
)
RULE_COLUMNS = (
    Column(("점검 항목", "rule"), 5),
    Column(("발견", "found"), number=True),
    Column(("수용", "accepted"), number=True),
    Column(("조치", "escalated"), number=True),
    Column(("남음", "open"), number=True),
)
FINDING_COLUMNS = (
    Column(("이상징후", "finding"), 4),
    Column(("관련자·과제", "whom"), 2),
    Column(("기록 번호", "entries"), 2),
    Column(("경과", "what was said"), 6),
)


def source(facts: Mapping[str, Any]) -> bytes:
    """Return the data of a report in its one spelling: JSON, sorted keys, NFC, UTF-8, a newline at its end."""
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return unicodedata.normalize("NFC", text).encode() + b"\n"


def document(facts: Mapping[str, Any], seen: str = "") -> Document:
    """Return the report of `enclave.queries.review_report.monthly`.

    `seen`: how far witnesses outside have seen the period's checkpoint when the report is drawn (○, △ or × and a
    sentence). It is not of the data that is signed: a witness's word may come later.
    """
    period, plan = facts["period"], facts["plan"]
    about = (
        (("점검 기간", "period"), f"제{period['number']}차: {period['started_at']} ~ {period['closed_at']} (KST)"),
        (
            ("기록 번호", "entries"),
            f"{period['first_leaf']} ~ {period['size'] - 1} ({period['size'] - period['first_leaf']:,}건)",
        ),
        (
            ("내부관리계획", "internal plan"),
            f"{plan['version']} · {plan['months']}개월마다, 기간이 끝난 뒤 {plan['sign_days']}일 안에",
        ),
        (("점검 기한", "due"), period["due_on"]),
        *(((("밖의 증인", "witness outside"), seen),) if seen else ()),
    )
    return Document(
        title=("접속기록 점검 결과보고", "Review of the access log"),
        about=about,
        sections=(_result(facts), _rules(facts), _findings(facts), _tasks(facts), _accounts(facts), _basis(facts)),
        source=sha256(source(facts)).hexdigest(),
        sheet=Sheet(facts["checkpoint"]),
        boxes=BOXES,
    )


def _result(facts: Mapping[str, Any]) -> Section:
    raised, accepted, escalated, left = (sum(row[at] for row in facts["rules"]) for at in (3, 4, 5, 6))
    note = None
    if left:
        note = (
            f"끝나지 않은 이상징후가 {left}건 있어 서명할 수 없습니다.",
            f"{left} findings are open: this cannot be signed.",
        )
    elif facts["plan"]["months"] > 1:
        note = ("점검 주기가 한 달보다 깁니다.", "The interval of the review is longer than a month.")
    told = (
        (
            f"점검 항목 {len(facts['rules'])}가지를 모두 점검했습니다. "
            f"이상징후 {raised}건 가운데 {accepted}건은 소명을 수용했고 {escalated}건은 조치로 넘겼습니다."
        ),
        (
            f"All {len(facts['rules'])} rules were run: {raised} findings, {accepted} explanations accepted, "
            f"{escalated} escalated."
        ),
    )
    return Section(("1. 점검 결과", "Result"), text=(told,), note=note)


def _rules(facts: Mapping[str, Any]) -> Section:
    rows = tuple((f"{ko} ({en})", *(f"{each:,}" for each in counts)) for _, ko, en, *counts in facts["rules"])
    return Section(("2. 점검 항목별 결과", "By rule"), table=Table(RULE_COLUMNS, rows))


def _findings(facts: Mapping[str, Any]) -> Section:
    title = ("3. 이상징후와 소명", "Findings and explanations")
    if not facts["findings"]:
        return Section(title, text=(("이상징후가 없습니다.", "There are none."),))
    return Section(title, table=Table(FINDING_COLUMNS, tuple(_finding(each) for each in facts["findings"])))


def _finding(found: Mapping[str, Any]) -> tuple[str, str, str, str]:
    words = LABELS["FindingState"]
    said = [f"[{words[part][0]}] {at} {login}\n{text}" for part, login, at, text in found["texts"]]
    said += [f"사유: {said_reason(found['reason_code'])[0]}"] if found["reason_code"] else []
    state = words[found["state"]][0]
    leaves = f"{found['first_leaf']}" + (
        f" ~ {found['last_leaf']}" if found["last_leaf"] != found["first_leaf"] else ""
    )
    return (
        f"{found['name'][0]} ({found['id']})\n{found['told'][0]}\n기준 {found['limits'][:12]}",
        "\n".join(filter(None, (found["login"] or "운영자", found["project"]))),
        f"{leaves}\n{found['count']:,}건",
        "\n".join([*said, f"→ {state}"]),
    )


def _tasks(facts: Mapping[str, Any]) -> Section:
    rows = tuple((name, *(f"{each:,}" for each in counts)) for name, *counts in facts["tasks"])
    return Section(("4. 수행업무별 접속기록", "By task"), table=Table(TASK_COLUMNS, rows))


def _accounts(facts: Mapping[str, Any]) -> Section:
    rows = tuple((login, where, *(f"{each:,}" for each in counts)) for login, where, *counts in facts["accounts"])
    return Section(("5. 계정별 접속기록", "By account"), table=Table(ACCOUNT_COLUMNS, rows))


def _basis(facts: Mapping[str, Any]) -> Section:
    used = tuple((("점검 기준", "limits"), f"{scope or '공통'}: {name}") for scope, name in facts["limits"])
    return Section(
        ("6. 근거", "What this rests on"),
        text=(
            (
                (
                    "이 보고서의 숫자는 아래 확인점까지의 서명된 접속기록에서 셌습니다. "
                    "확인점을 보관하면 그 뒤의 어떤 고쳐 쓰기도 드러납니다(ansim audit compare)."
                ),
                (
                    "Everything here was counted in the signed log up to this checkpoint; "
                    "whoever keeps it notices any rewriting."
                ),
            ),
        ),
        facts=(*used, (("확인점", "checkpoint"), facts["checkpoint"].strip())),
    )
