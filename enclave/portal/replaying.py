"""The chore that replays decided rounds under a proposed policy: file by file, in the sealed checker, a little a turn.

What was decided is never touched. A round is kept as soon as it is done, so that after a kill the next turn goes on
with the first one that is missing; the same files, policy and checker give the same outcome.
"""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from dataclasses import replace

from enclave import clock
from enclave.actor import Actor
from enclave.airlock.checker import check
from enclave.airlock.errors import AirlockError
from enclave.airlock.recipes.form import RecipeRefused, parse_recipe
from enclave.airlock.recompute.door import recompute, with_recomputed
from enclave.airlock.report import FileReport
from enclave.commands import provider_policy as commands
from enclave.commands.provider_policy import Replayed
from enclave.commands.submission import is_recomputed
from enclave.errors import Conflict
from enclave.policy.provider.document import PolicyDocument
from enclave.policy.provider.flips import FileReplay, Method, Round, outcome, restated, same_checks
from enclave.portal.carrying import rules_sha256
from enclave.portal.parts import Portal
from enclave.portal.sources import sources_of
from enclave.portal.taking import Measures, basis_of, measured
from enclave.queries import policy_versions as versions
from enclave.queries.policy_versions import Due
from enclave.queries.project import ProjectView
from enclave.queries.replaying import KeptFile, kept_round, project_of

LOG = logging.getLogger("ansim.portal.replaying")
# Seconds that one turn may take: then what is done is kept, and another proposal has its turn.
TURN_S = 20.0
# What checks of one file do not say: it was found beside them, and is carried over as it was.
BESIDE = ("ledger.", "rerun.")
# A check that broke off says nothing of the policy.
FAILURES = frozenset({"check.failed", "recompute.failed"})


def turn(portal: Portal) -> int:
    """Replay some of what is missing of each open proposal; returns how many rounds were replayed."""
    return sum(replay(portal, policy_id) for policy_id in versions.open_policies(portal.store))


def replay(portal: Portal, policy_id: str, *, seconds: float = TURN_S) -> int:
    """Replay what is missing of one proposal for so long, and keep it; returns how many rounds."""
    missing = versions.due(portal.store, policy_id)
    if not missing and not versions.is_waiting(portal.store, policy_id):
        return 0
    deadline, found = time.monotonic() + seconds, []
    for each in missing:
        found.append(one_round(portal, each))
        if time.monotonic() >= deadline:
            break
    with suppress(Conflict):  # withdrawn or activated meanwhile
        commands.record_replay(portal.store, Actor.system(), policy_id=policy_id, found=found, now=clock.now())
    return len(found)


def one_round(portal: Portal, due: Due) -> Replayed:
    """Return what one decided round would have been."""
    kept = kept_round(portal.store, due.request_id, due.round)
    about = project_of(portal.store, due.project_id, now=clock.now())
    files = [_Again(portal, about, kept.about, due.document).file(each) for each in kept.files]
    told = outcome(kept.about, files, due.document)
    return Replayed(
        due.request_id, due.round, due.document.sha256, bool(told.flips), json.loads(json.dumps(told.as_json()))
    )


class _Again:
    """One round's files under another policy."""

    def __init__(self, portal: Portal, project: ProjectView, about: Round, new: PolicyDocument) -> None:
        self.portal, self.project, self.about, self.new = portal, project, about, new

    def file(self, kept: KeptFile) -> FileReplay:
        """Return what one file would have been, and what that was found from."""
        same = FileReplay(kept.facts, kept.name, Method.IMPORT, kept.report, kept.facts.recomputed)
        if self.about.incoming:
            return same
        if kept.report is not None and same_checks(self.about.under, self.new):
            findings = restated(kept.report.findings, self.about.under, self.new)
            return replace(same, method=Method.STORED, new=replace(kept.report, findings=findings))
        try:
            self.portal.quarantine.open(kept.sha256).close()  # its bytes are hashed again
        except (AirlockError, OSError) as error:
            LOG.info("file %s cannot be replayed: %s", kept.facts.id, type(error).__name__)
            return FileReplay(kept.facts, kept.name, Method.GONE, None)
        report = self._checked(kept, self.new)
        if FAILURES & _rules(report) - _rules(kept.report):
            return FileReplay(kept.facts, kept.name, Method.FAILED, None)
        by_checker = report.verdict is not kept.facts.verdict and self._is_checkers(kept, report)
        return FileReplay(kept.facts, kept.name, Method.CHECKED, report, is_recomputed(report), by_checker)

    def _is_checkers(self, kept: KeptFile, report: FileReport) -> bool:
        """Whether today's checker says the same under the policy of then: then it is not the policy that flips it."""
        measures = self._measures(self.about.under)
        if kept.rules_sha256 == rules_sha256(measures.rules, measures.known, measures.policy.block):
            return False
        return self._checked(kept, self.about.under).verdict is report.verdict

    def _checked(self, kept: KeptFile, policy: PolicyDocument) -> FileReport:
        measures, path = self._measures(policy), self.portal.quarantine.path(kept.sha256)
        report = check(path, kept.name, measures.rules, known=measures.known)
        report = replace(report, findings=(*measures.findings, *report.findings))
        if kept.recipe:
            with suppress(RecipeRefused):  # a form that is not read any more: then as a file without one
                recipe = parse_recipe(json.loads(kept.recipe))
                may_use = sources_of(self.portal, Actor.system(), self.project)
                again = recompute(path, kept.name, basis_of(self.portal, recipe, may_use), measures.rules)
                report = with_recomputed(report, again)
        stored = kept.report.findings if kept.report is not None else ()
        beside = [each for each in stored if each.rule.startswith(BESIDE)]
        findings = restated((*beside, *report.findings), self.about.under, policy)
        return replace(report, findings=findings)

    def _measures(self, policy: PolicyDocument) -> Measures:
        return measured(self.portal, Actor.system(), self.project, policy)


def _rules(report: FileReport | None) -> frozenset[str]:
    return frozenset(found.rule for found in report.findings) if report is not None else frozenset()
