"""A snapshot on its way to being offered: its risk review, the words on it, the board's decision, what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from deid import text_gate
from deid.frame_cases import LINEAGE
from deid.sample_gate import asked_by
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.errors import EnclaveError
from enclave.model.data import Snapshot
from enclave.model.people import Organisation, OrganisationKind
from enclave.model.publication import FrameSample, Publication, RiskReview, TextSample
from enclave.policy import publication as policy
from enclave.policy.allows import allows
from enclave.policy.publication import Dossier, Word
from enclave.queries.manifests import read_manifest
from enclave.queries.samples import Sampled, SampleView, sample_view
from enclave.states import SampleState, SnapshotState


@dataclass(frozen=True)
class WordView:
    """One reviewer's word as the page shows it."""

    login: str
    organisation_id: str
    organisation_name: str
    waiver: bool
    adequate: bool
    reason: str
    said_at: datetime


@dataclass(frozen=True)
class RiskView:
    """The newest risk review: version, answers by question, its hash, who wrote it."""

    number: int
    answers: Mapping[str, str]
    sha256: str
    login: str
    written_at: datetime


@dataclass(frozen=True)
class OfferView:
    """The decision under which a snapshot is offered."""

    drb_number: str
    drb_on: date
    starts_on: date
    ends_on: date
    login: str
    decided_at: datetime


@dataclass(frozen=True)
class DossierView:
    """Everything on a snapshot's way, for those who may see it; `may` names the acts that are open to the reader.

    `lacking` says why it cannot be offered now, None once nothing is missing.
    """

    snapshot_id: str
    state: SnapshotState
    risk: RiskView | None
    words: tuple[WordView, ...]
    offer: OfferView | None
    sample: SampleView | None
    frames: SampleView | None
    lacking: EnclaveError | None
    may: frozenset[str]


def dossier_view(session: Session, found: Snapshot, actor: Actor, now: datetime) -> DossierView:
    """Return the dossier as pages show it."""
    risk = newest_risk(session, found.id)
    facts = dossier_facts(session, found)
    offer = session.get(Publication, found.id)
    return DossierView(
        snapshot_id=found.id,
        state=found.state,
        risk=_risk_view(risk),
        words=tuple(_word_views(session, risk)),
        offer=_offer_view(offer),
        sample=sample_view(session, found.id, TextSample),
        frames=sample_view(session, found.id, FrameSample),
        lacking=_lacking(facts),
        may=frozenset(_may(session, actor, facts, now)),
    )


def dossier_facts(session: Session, found: Snapshot) -> Dossier:
    """Return what the rules ask of a snapshot."""
    risk = newest_risk(session, found.id)
    words = [] if risk is None else risk.words
    return Dossier(
        snapshot_id=found.id,
        provider_id=found.dataset.organisation_id,
        state=found.state,
        received_by=found.received_by or found.published_by,
        risk_sha256="" if risk is None else risk.sha256,
        risk_author="" if risk is None else risk.written_by,
        words=tuple(Word(each.account_id, each.organisation_id, each.waiver, each.adequate) for each in words),
        sample=_state(session, found, TextSample, text_gate.LINEAGE),
        frames=_state(session, found, FrameSample, LINEAGE),
    )


def _state(session: Session, found: Snapshot, kind: type[Sampled], name: str) -> SampleState | None:
    """Tell where a review stands. What was signed counts: a sample that is not on record is not passed."""
    sample = session.get(kind, found.id)
    if sample is not None:
        return sample.state
    return SampleState.OPEN if asked_by(name, read_manifest(found.manifest).lineage) else None


def newest_risk(session: Session, snapshot_id: str) -> RiskReview | None:
    """Return the newest risk review of a snapshot, None before the first."""
    query = select(RiskReview).where(RiskReview.snapshot_id == snapshot_id)
    return session.scalars(query.order_by(RiskReview.number.desc()).limit(1)).first()


def kind_of(session: Session, actor: Actor) -> OrganisationKind | None:
    """Return what the actor's organisation is, None where there is none (the console)."""
    organisation = session.get(Organisation, actor.organisation_id) if actor.organisation_id else None
    return organisation.kind if organisation else None


def is_offered(session: Session, found: Snapshot, now: datetime) -> bool:
    """Whether new applications may name the snapshot now: published, and today lies in its period if it has one."""
    if found.state is not SnapshotState.PUBLISHED:
        return False
    offer = session.get(Publication, found.id)
    # Snapshots from before the reviews were kept here have no decision: they stay as they were.
    return offer is None or offer.starts_on <= korean_date(now) <= offer.ends_on


def offered_until(session: Session, snapshot_ids: Iterable[str]) -> date | None:
    """Return the first day on which the period of one of these snapshots ends, None where none has a period."""
    query = select(Publication.ends_on).where(Publication.snapshot_id.in_(set(snapshot_ids)))
    return min(session.scalars(query), default=None)


def was_offered(session: Session, found: Snapshot) -> bool:
    """Whether a snapshot is, or was once, in the catalogue."""
    if found.state is SnapshotState.PUBLISHED:
        return True
    before_reviews = found.received_at is None
    return found.state is SnapshotState.WITHDRAWN and (before_reviews or session.get(Publication, found.id) is not None)


def _lacking(facts: Dossier) -> EnclaveError | None:
    try:
        policy.check_sampled(facts)
        policy.check_risk_review(facts, facts.risk_sha256)
        policy.check_adequate(facts)
    except EnclaveError as error:
        return error
    return None


def _may(session: Session, actor: Actor, facts: Dossier, now: datetime) -> list[str]:
    kind, risk = kind_of(session, actor), facts.risk_sha256
    fresh = _as_if_fresh(actor, now)
    acts = {
        "answer": allows(policy.check_may_answer, actor, facts),
        "judge": kind is not None
        and allows(policy.check_may_judge, fresh, facts, kind=kind, risk_sha256=risk, now=now),
        "waive": allows(policy.check_may_waive, fresh, facts, risk_sha256=risk, now=now),
        "return": allows(policy.check_may_return, actor, facts),
        "offer": allows(policy.check_may_offer, fresh, facts, risk_sha256=risk, now=now),
        "texts": facts.sample is not None and allows(policy.check_governs, actor, facts.provider_id),
        "frames": facts.frames is not None and allows(policy.check_governs, actor, facts.provider_id),
    }
    return [name for name, open_ in acts.items() if open_]


def _as_if_fresh(actor: Actor, now: datetime) -> Actor:
    """Return the actor as they will be once the form's code was proved: the page offers what then is allowed."""
    return replace(actor, second_factor_at=now)


def _risk_view(found: RiskReview | None) -> RiskView | None:
    if found is None:
        return None
    return RiskView(found.number, found.answers, found.sha256, found.author.login, found.written_at)


def _word_views(session: Session, risk: RiskReview | None) -> list[WordView]:
    made = []
    for each in [] if risk is None else risk.words:
        organisation = session.get(Organisation, each.organisation_id)
        name = organisation.name if organisation else each.organisation_id
        login = each.account.login
        made.append(WordView(login, each.organisation_id, name, each.waiver, each.adequate, each.reason, each.said_at))
    return made


def _offer_view(found: Publication | None) -> OfferView | None:
    if found is None:
        return None
    return OfferView(
        found.drb_number, found.drb_on, found.starts_on, found.ends_on, found.decider.login, found.decided_at
    )
