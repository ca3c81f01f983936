"""The application form of a project: what it must say, read strictly against the catalogue (korea.md R1–R3, R94)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from deid.manifest import Manifest
from enclave.clock import korean_date
from enclave.commands.acting import missing_fields
from enclave.errors import Denied, Invalid
from enclave.model.data import Dataset, Snapshot
from enclave.model.people import Account
from enclave.model.project import LegalBasis
from enclave.policy.people import check_account_open
from enclave.policy.project import check_one_provider
from enclave.queries.dataset import load_dataset
from enclave.queries.manifests import read_manifest
from enclave.queries.people import load_account, roles_now, standing_facts
from enclave.queries.publication import is_offered
from enclave.roles import Role
from enclave.states import SnapshotState

MIN_PURPOSE = 100
# PIPA §28-12, in force from this day (korea.md §0-3).
AI_EXCEPTION_FROM = date(2027, 3, 9)


@dataclass(frozen=True, kw_only=True)
class Application:
    """What an applicant sends. `data`: {data set: {table: (column, …)}}; `people`: logins besides the lead's own."""

    title: str
    purpose: str
    legal_basis: LegalBasis | None
    data: Mapping[str, Mapping[str, Sequence[str]]]
    people: Sequence[str]
    starts_on: date | None
    ends_on: date | None
    expected_outputs: str
    ethics: str
    safety_plan: str
    combination_approval: str = ""


@dataclass(frozen=True)
class Asked:
    """One column asked for, found in the newest snapshot of its data set."""

    snapshot: Snapshot
    table: str
    column: str


def check_complete(form: Application, now: datetime) -> None:
    """Raise `Invalid` unless every field is there and sensible; `input.missing` names the fields in Korean."""
    fields = {
        ("과제명", "title"): form.title,
        ("이용 목적", "purpose"): form.purpose,
        ("법적 근거", "legal basis"): form.legal_basis or "",
        ("이용 항목", "columns"): "있음" if any(any(tables.values()) for tables in form.data.values()) else "",
        ("시작일", "first day"): str(form.starts_on or ""),
        ("종료일", "last day"): str(form.ends_on or ""),
        ("예상 반출물", "expected outputs"): form.expected_outputs,
        ("IRB 심의번호 또는 면제 사유", "ethics approval or reason for exemption"): form.ethics,
        ("안전조치 계획", "safety plan"): form.safety_plan,
    }
    if form.legal_basis is LegalBasis.COMBINED:
        fields["결합 승인번호", "approval number of the combination"] = form.combination_approval
    missing = [name for name, value in fields.items() if not value.strip()]
    if missing:
        raise missing_fields(missing)
    _check_purpose(form.purpose)
    _check_dates(form, now)


def resolve(session: Session, form: Application, project_id: str, now: datetime) -> list[Asked]:
    """Return the columns asked for, in the form's order: of the project's own snapshot, else of the catalogue's.

    Raises `NotFound` (`dataset.unknown`), `Invalid` (`project.no-snapshot`, `project.unknown-column` naming which),
    `Denied` (`project.cross-provider`).
    """
    asked: list[Asked] = []
    unknown: list[str] = []
    providers: set[str] = set()
    for dataset_id, tables in form.data.items():
        dataset = load_dataset(session, dataset_id)
        providers.add(dataset.organisation_id)
        snapshot = _newest(session, dataset, project_id, now)
        signed = read_manifest(snapshot.manifest)
        for table, columns in tables.items():
            wanted = list(dict.fromkeys(columns))
            unknown += [f"{dataset_id}.{table}.{column}" for column in wanted if not _has(signed, table, column)]
            asked += [Asked(snapshot, table, column) for column in wanted]
    if unknown:
        raise Invalid(
            "project.unknown-column",
            ko=f"데이터셋에 없는 항목입니다: {', '.join(unknown)}",
            en=f"No such column: {', '.join(unknown)}",
            remedy_ko="데이터셋 화면에서 항목 이름을 확인하세요.",
            remedy_en="See the names of the columns on the data set's page.",
        )
    check_one_provider(providers, combined=form.legal_basis is LegalBasis.COMBINED)
    return asked


def people(session: Session, form: Application, lead: Account, now: datetime) -> list[Account]:
    """Return the accounts of the lead and the named people, each once.

    Raises `NotFound` (`account.unknown`), `Denied` (account closed; `project.person-role` naming who may not use data).
    """
    named = [lead, *(load_account(session, login) for login in form.people)]
    members = list({account.id: account for account in named}.values())
    for account in members:
        check_account_open(standing_facts(account), now)
    unfit = [each.login for each in members if roles_now(each, now).isdisjoint({Role.SCIENTIST, Role.PROJECT_LEAD})]
    if unfit:
        raise Denied(
            "project.person-role",
            ko=f"연구자 권한이 없는 참여자입니다: {', '.join(unfit)}",
            en=f"These people do not hold the role of a scientist: {', '.join(unfit)}",
            remedy_ko="운영자에게 권한을 신청한 뒤 다시 제출하세요.",
            remedy_en="Ask an operator for the role and submit again.",
        )
    return members


def _newest(session: Session, dataset: Dataset, project_id: str, now: datetime) -> Snapshot:
    query = select(Snapshot).where(Snapshot.dataset_id == dataset.id, Snapshot.state == SnapshotState.PUBLISHED)
    newest = session.scalars(query.order_by(Snapshot.published_at.desc(), Snapshot.id)).all()
    made_for = [(read_manifest(each.manifest).project, each) for each in newest if is_offered(session, each, now)]
    # Never another project's: two projects must not hold the same pseudonyms of a run that was for one of them.
    mine = [each for project, each in made_for if project == project_id]
    found = next(iter([*mine, *(each for project, each in made_for if not project)]), None)
    if found is None:
        raise Invalid(
            "project.no-snapshot",
            ko=f"‘{dataset.id}’ 데이터셋에 공개된 스냅샷이 없습니다.",
            en=f"The data set ‘{dataset.id}’ has no published snapshot.",
            remedy_ko="제공기관의 데이터 관리자에게 공개 시기를 문의하세요.",
            remedy_en="Ask the provider's data steward when there will be one.",
        )
    return found


def _has(signed: Manifest, table: str, column: str) -> bool:
    return table in signed.tables and column in signed.tables[table].columns


def _check_purpose(purpose: str) -> None:
    if len(purpose.strip()) < MIN_PURPOSE:
        raise Invalid(
            "project.purpose-short",
            ko=f"이용 목적이 {len(purpose.strip())}자입니다. {MIN_PURPOSE}자 이상이어야 합니다.",
            en=f"The purpose has {len(purpose.strip())} characters; at least {MIN_PURPOSE} are needed.",
            remedy_ko="무엇을, 왜, 어떤 방법으로 분석하는지 구체적으로 적으세요.",
            remedy_en="Say what will be analysed, why and how.",
        )


def _check_dates(form: Application, now: datetime) -> None:
    if form.starts_on is None or form.ends_on is None:
        return
    if form.ends_on < form.starts_on or form.ends_on < korean_date(now):
        raise Invalid(
            "project.period",
            ko=f"기간이 올바르지 않습니다: {form.starts_on} ~ {form.ends_on}",
            en=f"The period makes no sense: {form.starts_on} to {form.ends_on}",
            remedy_ko="종료일은 시작일과 오늘보다 앞설 수 없습니다.",
            remedy_en="The last day comes neither before the first nor before today.",
        )
    if form.legal_basis is LegalBasis.AI_EXCEPTION and form.starts_on < AI_EXCEPTION_FROM:
        raise Invalid(
            "project.basis-not-in-force",
            ko=f"‘AI특례’(개인정보 보호법 제28조의12)는 {AI_EXCEPTION_FROM}부터 시행됩니다.",
            en=f"The AI exception (PIPA §28-12) is in force from {AI_EXCEPTION_FROM} only.",
            remedy_ko="다른 법적 근거를 고르거나 시작일을 늦추세요.",
            remedy_en="Choose another legal basis or a later first day.",
        )
