"""What has to be there before a snapshot is offered (korea.md R89), and who may say what on the way. Pure.

Steps of 가명정보 처리 가이드라인: the treatment item by item is in the signed manifest; then the risk review (위험성
검토: the data, and the environment they are used in), the review of adequacy by three people or more (적정성 검토) or a
waiver with its reason, and the decision of the provider's data review board (DRB). Sources: korea.md §2.2, §2.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from deid.manifest import Manifest
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.errors import Conflict, Denied, Invalid
from enclave.model.people import OrganisationKind
from enclave.policy.people import check_is, check_second_factor_fresh
from enclave.roles import Role
from enclave.states import SampleState, SnapshotState

NEEDED = 3
LEVELS = ("low", "medium", "high")
# The guideline's questions, step 2: (key, Korean, English). The first four look at the data, the others around them.
QUESTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "identifying",
        "식별정보: 무엇이 있었고 어떻게 처리했습니까?",
        "Identifying items: which were there, what was done?",
    ),
    (
        "combining",
        "식별가능정보: 다른 정보와 합치면 누구인지 알 수 있는 항목은?",
        "Items that identify together with others?",
    ),
    (
        "outliers",
        "특이정보: 극단값, 희귀한 값, 작은 집단이 남아 있습니까?",
        "Outliers, rare values, small groups that are left?",
    ),
    ("impact", "재식별되면 정보주체에게 어떤 영향이 있습니까?", "What would re-identification mean for the people?"),
    (
        "use",
        "이용 형태: 누가 무슨 목적으로 쓰고, 다른 자료와 결합합니까?",
        "Form of use: who, for what, joined with what?",
    ),
    ("place", "처리 장소: 어디에서 쓰고 무엇이 나갈 수 있습니까?", "Place: where is it used, what can leave?"),
    (
        "method",
        "처리 방법: 이용자가 가진 다른 정보와 안전조치의 수준은?",
        "Method: what else do users hold, how are they bound?",
    ),
)
ENDED = frozenset({SnapshotState.RETURNED, SnapshotState.WITHDRAWN})
MAY_JUDGE = (Role.OUTPUT_CHECKER, Role.DATA_STEWARD, Role.ASSET_OWNER)
GOVERNS = (Role.DATA_STEWARD, Role.ASSET_OWNER)
OVERSEES = (Role.AUDITOR, Role.REVIEWER)


@dataclass(frozen=True)
class Word:
    """One word on adequacy: whose, of which organisation then, a waiver or not, adequate or not."""

    account_id: str
    organisation_id: str
    waiver: bool
    adequate: bool


@dataclass(frozen=True)
class Dossier:
    """What is known of a snapshot on its way: who built it, the newest risk review, the words on it, the sample.

    `sample` (of texts) and `frames` (of images) are None where the recipe asks for none. `risk_sha256` is empty before
    the first risk review.
    """

    snapshot_id: str
    provider_id: str
    state: SnapshotState
    received_by: str
    risk_sha256: str = ""
    risk_author: str = ""
    words: Sequence[Word] = field(default=())
    sample: SampleState | None = None
    frames: SampleState | None = None


@dataclass(frozen=True)
class Decision:
    """The board's decision: number, date, and the days from and until which the snapshot is offered."""

    drb_number: str
    drb_on: date | None
    starts_on: date | None
    ends_on: date | None


def check_documented(manifest: Manifest) -> None:
    """Raise `Invalid` (`publication.undocumented`) unless the signed manifest names what R89 asks of a data set."""
    columns = [column for table in manifest.tables.values() for column in table.columns.values()]
    needed = (
        (manifest.provider, "제공기관", "provider"),
        (manifest.legal_basis, "법적 근거", "legal basis"),
        (columns, "항목", "items"),
        (all(column.treatment for column in columns), "항목별 처리", "treatment of every item"),
        (manifest.tool_versions, "도구와 판", "tool and version"),
    )
    missing = [(ko, en) for there, ko, en in needed if not there]
    if missing:
        raise Invalid(
            "publication.undocumented",
            ko=f"스냅샷에 없는 것: {', '.join(ko for ko, _ in missing)}",
            en=f"The snapshot lacks: {', '.join(en for _, en in missing)}",
            remedy_ko="ansim deid run으로 다시 만드세요.",
            remedy_en="Build it again with ansim deid run.",
        )


def check_may_see(actor: Actor, dossier: Dossier, kind: OrganisationKind | None) -> None:
    """Raise `Denied` unless the actor may see a snapshot that is not offered: the provider's, reviewers, overseers.

    `kind` is what the actor's organisation is, None for the console.
    """
    if actor.is_console or not actor.roles.isdisjoint(OVERSEES):
        return
    if actor.organisation_id == dossier.provider_id:
        check_is(actor, *GOVERNS, Role.OUTPUT_CHECKER)
        return
    _check_no_startup(kind)
    check_is(actor, *MAY_JUDGE)


def check_may_answer(actor: Actor, dossier: Dossier) -> None:
    """Raise `Denied`, `Conflict` unless the actor may write the risk review: steward or asset owner of the provider."""
    check_governs(actor, dossier.provider_id)
    check_under_review(dossier)
    check_sampled(dossier)


def check_answers(answers: Mapping[str, str]) -> None:
    """Raise `Invalid` (`risk.unanswered`) unless every question is answered and both levels are chosen."""
    open_ = [(ko, en) for key, ko, en in QUESTIONS if not answers.get(key, "").strip()]
    for key, ko, en in (
        ("level_data", "자료의 위험도", "risk of the data"),
        ("level_place", "환경의 위험도", "of the place"),
    ):
        if answers.get(key) not in LEVELS:
            open_.append((ko, en))
    if open_:
        raise Invalid(
            "risk.unanswered",
            ko=f"답하지 않은 물음: {' / '.join(ko for ko, _ in open_)}",
            en=f"Not answered: {' / '.join(en for _, en in open_)}",
            remedy_ko="모든 물음에 답하고 위험도를 고르세요. 해당이 없으면 그 까닭을 적으세요.",
            remedy_en="Answer every question and choose the levels; where nothing applies, say why.",
        )


def check_may_judge(actor: Actor, dossier: Dossier, *, kind: OrganisationKind, risk_sha256: str, now: datetime) -> None:
    """Raise unless the actor may say now, of exactly this risk review of this snapshot, whether it is adequate.

    `Denied`: without the role, from a start-up, who built the snapshot or wrote the review, without a fresh second
    factor. `Conflict`: no risk review yet, another one than this, or they have spoken already.
    """
    check_is(actor, *MAY_JUDGE)
    _check_no_startup(kind)
    if actor.account_id in {dossier.received_by, dossier.risk_author}:
        raise Denied(
            "adequacy.own-work",
            ko="스냅샷을 접수했거나 위험성 검토를 쓴 사람은 적정성을 판단할 수 없습니다.",
            en="Whoever submitted the snapshot or wrote its risk review does not judge it.",
            remedy_ko="다른 검토위원에게 요청하세요.",
            remedy_en="Ask another reviewer.",
        )
    check_second_factor_fresh(actor, now)
    check_under_review(dossier)
    check_risk_review(dossier, risk_sha256)
    if any(word.account_id == actor.account_id for word in dossier.words):
        raise Conflict(
            "adequacy.already",
            ko="이 위험성 검토에 이미 의견을 냈습니다. 한 사람의 의견은 한 번만 셉니다.",
            en="You have spoken on this risk review already; one person counts once.",
            remedy_ko="의견이 바뀌었다면 제공기관에 위험성 검토를 다시 쓰도록 요청하세요.",
            remedy_en="If your view has changed, ask the provider to write the risk review again.",
        )


def check_may_waive(actor: Actor, dossier: Dossier, *, risk_sha256: str, now: datetime) -> None:
    """Raise unless the actor may waive the review: an asset owner of the provider who did not prepare it."""
    check_is(actor, Role.ASSET_OWNER)
    _check_of_provider(actor, dossier.provider_id)
    if actor.account_id in {dossier.received_by, dossier.risk_author}:
        raise Denied(
            "adequacy.own-work",
            ko="스냅샷을 접수했거나 위험성 검토를 쓴 사람은 검토를 생략할 수 없습니다.",
            en="Whoever submitted the snapshot or wrote its risk review does not waive the review of it.",
            remedy_ko="다른 제공기관 담당에게 요청하세요.",
            remedy_en="Ask another asset owner.",
        )
    check_second_factor_fresh(actor, now)
    check_under_review(dossier)
    check_risk_review(dossier, risk_sha256)


def check_may_return(actor: Actor, dossier: Dossier) -> None:
    """Raise unless the actor may send the snapshot back to be built again: those who govern the provider's data."""
    check_governs(actor, dossier.provider_id)
    check_under_review(dossier)


def check_may_offer(actor: Actor, dossier: Dossier, *, risk_sha256: str, now: datetime) -> None:
    """Raise unless the snapshot may be offered now: every step is done, and the actor governs the provider's data."""
    check_governs(actor, dossier.provider_id)
    check_second_factor_fresh(actor, now)
    check_under_review(dossier)
    check_sampled(dossier)
    check_risk_review(dossier, risk_sha256)
    check_adequate(dossier)


def check_adequate(dossier: Dossier) -> None:
    """Raise `Conflict` unless three people, one from outside, found it adequate and none did not, or it is waived.

    Codes: `adequacy.inadequate`, `adequacy.missing`.
    """
    if any(not word.adequate for word in dossier.words):
        raise Conflict(
            "adequacy.inadequate",
            ko="적정하지 않다는 의견이 있습니다.",
            en="A reviewer found it inadequate.",
            remedy_ko="가명처리를 더한 새 스냅샷을 만들거나 위험성 검토를 다시 쓰세요.",
            remedy_en="Build a new snapshot with more treatment, or write the risk review again.",
        )
    if any(word.waiver for word in dossier.words):
        return
    people = {word.account_id for word in dossier.words}
    outside = {word.account_id for word in dossier.words if word.organisation_id != dossier.provider_id}
    if len(people) < NEEDED or not outside:
        raise Conflict(
            "adequacy.missing",
            ko=f"적정성 의견 {len(people)}건(외부 {len(outside)}건): {NEEDED}명 이상, 외부 1명 이상이 필요합니다.",
            en=f"{len(people)} reviewers spoke ({len(outside)} from outside); {NEEDED} are needed, one from outside.",
            remedy_ko="검토위원의 의견을 받거나, 제공기관 담당이 사유를 적고 생략하세요.",
            remedy_en="Get the reviewers' words, or have an asset owner waive it with a reason.",
        )


def check_decision(decision: Decision, now: datetime) -> None:
    """Raise `Invalid` unless number and date of the board's decision and the period are there and make sense."""
    today = korean_date(now)
    if not decision.drb_number.strip() or None in {decision.drb_on, decision.starts_on, decision.ends_on}:
        raise Invalid(
            "publication.decision-missing",
            ko="데이터심의위원회 의결 번호와 날짜, 제공 기간이 모두 필요합니다.",
            en="The board's decision number and date, and the period, are all needed.",
            remedy_ko="빠진 칸을 채우세요.",
            remedy_en="Fill in what is missing.",
        )
    if (decision.drb_on or today) > today or (decision.ends_on or today) < max(today, decision.starts_on or today):
        raise Invalid(
            "publication.period",
            ko="의결일은 오늘까지, 제공 종료일은 오늘과 시작일 뒤여야 합니다.",
            en="The decision is not in the future, and the period ends neither before today nor before it starts.",
            remedy_ko="날짜를 확인하세요.",
            remedy_en="Check the dates.",
        )


def check_governs(actor: Actor, provider_id: str) -> None:
    """Raise `Denied` unless the actor is a data steward or asset owner of this provider."""
    check_is(actor, *GOVERNS)
    _check_of_provider(actor, provider_id)


def check_under_review(dossier: Dossier) -> None:
    """Raise `Conflict` (`snapshot.not-under-review`) unless the snapshot is waiting for its reviews."""
    if dossier.state is not SnapshotState.RECEIVED:
        raise Conflict(
            "snapshot.not-under-review",
            ko="검토 중인 스냅샷이 아닙니다.",
            en="This snapshot is not under review.",
            remedy_ko="화면을 새로 고쳐 현재 상태를 확인하세요.",
            remedy_en="Reload the page to see where it stands.",
        )


def check_sampled(dossier: Dossier) -> None:
    """Raise `Conflict` (`sample.not-passed`) while a sample review that the recipe asks for is not passed."""
    for state, ko, en in ((dossier.sample, "글", "texts"), (dossier.frames, "영상", "frames")):
        if state not in {None, SampleState.PASSED}:
            raise Conflict(
                "sample.not-passed",
                ko=f"계획이 요구한 {ko}의 표본 검토를 아직 통과하지 않았습니다.",
                en=f"The sample review of {en} that the recipe asks for has not been passed.",
                remedy_ko="표본 검토를 마친 뒤 다시 하세요.",
                remedy_en="Finish the sample review first.",
            )


def check_risk_review(dossier: Dossier, risk_sha256: str) -> None:
    """Raise `Conflict` (`risk.missing`, `risk.other`) unless this is the present risk review of the snapshot."""
    if not dossier.risk_sha256:
        raise Conflict(
            "risk.missing",
            ko="위험성 검토가 아직 없습니다.",
            en="There is no risk review yet.",
            remedy_ko="제공기관의 데이터 관리자에게 위험성 검토를 요청하세요.",
            remedy_en="Ask the provider's data steward for the risk review.",
        )
    if risk_sha256 != dossier.risk_sha256:
        raise Conflict(
            "risk.other",
            ko="화면의 위험성 검토가 지금의 것이 아닙니다.",
            en="The risk review on the page is not the present one of this snapshot.",
            remedy_ko="화면을 새로 고쳐 지금의 검토를 읽으세요.",
            remedy_en="Reload the page and read the present one.",
        )


def _check_of_provider(actor: Actor, provider_id: str) -> None:
    if actor.organisation_id != provider_id:
        raise Denied(
            "dataset.other-provider",
            ko=f"제공기관 ‘{provider_id}’의 담당자만 할 수 있습니다.",
            en=f"Only those who look after the data of ‘{provider_id}’ may do this.",
            remedy_ko="해당 기관의 데이터 관리자에게 요청하세요.",
            remedy_en="Ask a data steward of that organisation.",
        )


def _check_no_startup(kind: OrganisationKind | None) -> None:
    if kind is OrganisationKind.STARTUP:
        raise Denied(
            "adequacy.startup",
            ko="자료를 쓰려는 기업의 사람은 적정성 검토에 참여할 수 없습니다.",
            en="Nobody of a company that would use the data takes part in the review of adequacy.",
            remedy_ko="이용기관과 무관한 검토위원에게 요청하세요.",
            remedy_en="Ask a reviewer who has nothing to do with the users.",
        )
