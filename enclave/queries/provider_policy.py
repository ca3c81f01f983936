"""Providers' policies: what is in force for a project, what each round was checked under, and the versions of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.model.data import Dataset, Snapshot
from enclave.model.egress import RequestRound
from enclave.model.people import Organisation
from enclave.model.policy import ProviderPolicy
from enclave.model.project import Project, ProjectColumn, ProjectMember
from enclave.policy.project import check_may_see
from enclave.policy.provider.combining import strictest
from enclave.policy.provider.document import PolicyDocument, default, named
from enclave.policy.provider.who import ProviderFacts
from enclave.queries import project as projects
from enclave.states import PolicyState
from enclave.store import Store

FIRST = 1


@dataclass(frozen=True)
class Version:
    """One version of one provider's policy; number 1 is the policy of the house."""

    provider: str
    number: int
    document: PolicyDocument


@dataclass(frozen=True)
class InForce:
    """What counts for a project: the strictest of its providers' versions, field by field."""

    document: PolicyDocument
    versions: tuple[Version, ...]

    @property
    def parts(self) -> dict[str, str]:
        """The hash of each provider's version, by provider."""
        return {each.provider: each.document.sha256 for each in self.versions}

    def as_json(self) -> dict[str, object]:
        """Return what people are told of it: the hash of the combination, and which version of whom it is made of."""
        versions = [
            {"provider": each.provider, "number": each.number, "sha256": each.document.sha256} for each in self.versions
        ]
        return {"sha256": self.document.sha256, "min_cell": self.document.min_cell, "versions": versions}


def in_force(session: Session, providers: Iterable[str]) -> InForce:
    """Return what counts now for data of these providers; who said nothing has said the policy of the house."""
    versions = tuple(active(session, each) for each in sorted(providers))
    documents = [each.document for each in versions] or [default()]
    return InForce(strictest(documents), versions)


def of_project(store: Store, actor: Actor, project_id: str) -> InForce:
    """Return what counts now for a project. Raises `NotFound`, `Denied`."""
    with store.read() as session:
        found = projects.load_project(session, project_id)
        about = projects.facts(found)
        check_may_see(actor, about)
        return in_force(session, about.providers)


def active(session: Session, provider: str) -> Version:
    """Return the version of one provider that counts now."""
    query = select(ProviderPolicy).filter_by(organisation_id=provider, state=PolicyState.ACTIVE)
    found = session.scalar(query)
    if found is None:
        return Version(provider, FIRST, default())
    return Version(provider, found.number, kept(found.kept.text, found.sha256))


def of_round(found: RequestRound | None) -> PolicyDocument | None:
    """Return what a round was checked under; None for one from before policies were kept."""
    if found is None or found.policy_version is None or found.policy is None:
        return None
    return kept(found.policy.text, found.policy_version)


@lru_cache(maxsize=256)
def kept(text: str, sha256: str) -> PolicyDocument:
    """Read a text as it is kept; raises `Invalid` (`policy.forged`) if it is not what its name says."""
    return named(text, sha256)


def load_policy(session: Session, policy_id: str, *, lock: bool = False) -> ProviderPolicy:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`policy.unknown`)."""
    query = select(ProviderPolicy).where(ProviderPolicy.id == policy_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise _unknown(policy_id)
    return found


def load_provider(session: Session, organisation_id: str, *, lock: bool = False) -> Organisation:
    """Return an organisation that provides data; raises `NotFound` (`policy.unknown`) for any other."""
    provides = select(Dataset.organisation_id).where(Dataset.organisation_id == organisation_id).exists()
    query = select(Organisation).where(Organisation.id == organisation_id, provides)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise _unknown(organisation_id)
    return found


def provider_facts(session: Session, provider: str) -> ProviderFacts:
    """Return what policies ask about a provider."""
    asks = (
        select(ProjectColumn.project_id)
        .join(Snapshot, Snapshot.id == ProjectColumn.snapshot_id)
        .join(Dataset, Dataset.id == Snapshot.dataset_id)
        .where(Dataset.organisation_id == provider)
    )
    members = session.scalars(select(ProjectMember.account_id).where(ProjectMember.project_id.in_(asks)))
    leads = session.scalars(select(Project.lead_id).where(Project.id.in_(asks)))
    return ProviderFacts(provider, frozenset({*members, *leads}))


def _unknown(name: str) -> NotFound:
    return NotFound(
        "policy.unknown",
        ko=f"정책이나 제공기관 {name[:60]!a}이(가) 없습니다.",
        en=f"There is no policy or provider {name[:60]!a}.",
        remedy_ko="제공기관 정책 화면에서 확인하세요.",
        remedy_en="See the page of providers' policies.",
    )
