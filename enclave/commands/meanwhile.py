"""What was let out since a round was compared may stand against it now: found before a word is recorded.

The ledger's row stays locked until the transaction of the word ends, so that of two requests that may not leave
together and are approved at the same moment one is stopped here (docs/adr/0024).
"""

from __future__ import annotations

from datetime import datetime

from enclave.airlock.ledger.wording import told
from enclave.airlock.report import Evidence, FileReport, Finding, Verdict
from enclave.commands import populations
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest, FileFinding, OutputFile
from enclave.queries.airlock_facts import present_files
from enclave.queries.airlock_views import worst
from enclave.store import Tx


def check_not_overtaken(tx: Tx, found: AirlockRequest, now: datetime) -> None:
    """Raise `Conflict` (`ledger.meanwhile`) if newer releases stand against this round; its files then say so.

    What was found is kept although the word is refused: the next reviewer sees it, and words on these files that were
    given before are to be given again (`votes.vote_on`).
    """
    conflicts = populations.overtaken(tx.session, found)
    news = told(conflicts, found.project_id)
    files = {each.name: each for each in present_files(found)}
    for name, (findings, evidence) in news.items():
        if name in files:
            add(files[name], findings, evidence)
            files[name].checked_at = now
    if news:
        tx.session.flush()
        tx.record(details={"ledger": len(conflicts)})
        tx.refuse(_meanwhile())


def add(file: OutputFile, findings: tuple[Finding, ...], evidence: Evidence) -> None:
    """Add to a file of a round under review what was found about it later."""
    start = len(file.findings)
    for number, each in enumerate(findings, start=start):
        row = FileFinding(
            id=new_id("n"),
            position=number,
            rule=each.rule,
            severity=each.severity,
            ko=each.ko,
            en=each.en,
            place=each.place,
            sample=each.sample,
            repairs=list(each.repairs),
        )
        file.findings.append(row)
    file.verdict = worst([file.verdict, *(Verdict(one.severity) for one in findings)])
    if file.report:
        report = FileReport.from_json(file.report)
        file.report = report.with_more(findings, (evidence,)).to_json()


def _meanwhile() -> Conflict:
    return Conflict(
        "ledger.meanwhile",
        ko="심사하는 동안 같은 자료의 다른 결과가 반출되어 함께 보면 소수가 드러납니다. 결정은 기록되지 않았습니다.",
        en="Another result was released meanwhile; together they give a few people away. Nothing was decided.",
        remedy_ko="화면을 새로 고쳐 새 점검 결과를 보고 다시 결정하세요.",
        remedy_en="Reload the page, look at the new finding, and decide again.",
    )
