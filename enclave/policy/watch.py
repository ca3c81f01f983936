"""Who may know what the gate saw: that code ran, what it said, that identifiers were on a screen. Pure.

Code and samples are read by auditors alone: they are outside of every project, and neither run the platform nor
decide on outputs (korea.md R12). Reviewers see that it happened and its hash; a project's lead and the data stewards
of its providers are told that there is a finding, since they have to act on it.
"""

from __future__ import annotations

from enclave.actor import Actor
from enclave.policy.people import check_is
from enclave.policy.project import ProjectFacts, check_is_lead
from enclave.roles import Role


def check_may_read_code(actor: Actor) -> None:
    """Raise `Denied` unless the actor may read executed code and masked samples: auditors."""
    check_is(actor, Role.AUDITOR)


def check_may_see_watch(actor: Actor) -> None:
    """Raise `Denied` unless the actor may see hashes, times and counts of everything: reviewers and auditors."""
    check_is(actor, Role.REVIEWER, Role.AUDITOR)


def check_may_know_findings(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` unless the actor may know that there are findings in a project.

    Reviewers, auditors, data stewards of its providers, its lead.
    """
    steward = Role.DATA_STEWARD in actor.roles and actor.organisation_id in project.providers
    if steward or not actor.roles.isdisjoint({Role.REVIEWER, Role.AUDITOR}):
        return
    check_is_lead(actor, project)
