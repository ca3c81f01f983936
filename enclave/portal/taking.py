"""Taking files out of a workspace: copied by the gate, checked by our own checker, nothing left in staging."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from enclave import clock, keys
from enclave.actor import Actor
from enclave.airlock.checker import check
from enclave.airlock.checks.findings import block
from enclave.airlock.checks.known import not_compared
from enclave.airlock.known import Known
from enclave.airlock.recipes.about import NOTHING, About
from enclave.airlock.recipes.form import Recipe, RecipeRefused, parse_recipe
from enclave.airlock.recompute.door import Basis, recompute, source_of, with_recomputed
from enclave.airlock.recompute.snapshot import Source
from enclave.airlock.recompute.work import Recomputed
from enclave.airlock.report import Finding
from enclave.airlock.rerun.wording import without_rerun
from enclave.airlock.rules import CheckRules
from enclave.commands.content import Checked, CollectedFile
from enclave.errors import EnclaveError, Invalid
from enclave.gate.limits import Collected, CollectLimits, RefusedFile
from enclave.policy.provider.combining import stopped
from enclave.policy.provider.document import PolicyDocument
from enclave.portal.carrying import rules_sha256
from enclave.portal.comparing import compared
from enclave.portal.known import known_of
from enclave.portal.parts import Portal
from enclave.portal.sources import sources
from enclave.queries import dataset, egress, project, provider_policy
from enclave.queries.project import ProjectView
from enclave.snapshot_keys import store_of


@contextmanager
def collected(
    portal: Portal,
    workspace_id: str,
    names: Sequence[str],
    *,
    volume: str = "outbox",
    keys: Mapping[str, bytes] | None = None,
) -> Iterator[tuple[list[Collected], list[RefusedFile]]]:
    """Have the gate copy files out of a volume; whatever happens, its copies do not stay in staging."""
    settings = portal.settings
    limits = CollectLimits(
        file_bytes=settings.max_file_bytes,
        total_bytes=settings.max_file_bytes * settings.max_files,
        files=settings.max_files,
    )
    found = portal.gate.collect(workspace_id, names, limits=limits, volume=volume, keys=keys)
    taken = [each for each in found if isinstance(each, Collected)]
    try:
        yield taken, [each for each in found if isinstance(each, RefusedFile)]
    finally:
        for each in taken:
            each.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the folder is the gate's; it goes with its last copy if we may
                each.path.parent.rmdir()


def checked_files(  # noqa: PLR0913 - who, in which project, which copies, and what is said about them
    portal: Portal,
    actor: Actor,
    project_id: str,
    taken: Sequence[Collected],
    *,
    keep: bool,
    about: Mapping[str, About] = MappingProxyType({}),
    request_id: str = "",
) -> list[Checked]:
    """Check each copy; with `keep`, the copy in quarantine is the one that is checked and that may leave.

    `about`: by the name in the outbox, what the workspace says about a file. `request_id`: the request whose next round
    this is; what has not changed since its last is not checked again.
    """
    measures = measures_of(portal, actor, project_id)
    named = rules_sha256(measures.rules, measures.known, measures.policy.block)
    may_use = sources(portal, actor, project_id) if about else ()
    checked: list[tuple[Checked, Recipe | None]] = []
    for each in taken:
        path: Path = each.path
        sha256, size = each.sha256, each.size
        if keep:
            stored = portal.quarantine.put(each.path)
            path, sha256, size = portal.quarantine.path(stored.sha256), stored.sha256, stored.size
        name = own_name(each.name)
        said = about.get(each.name, NOTHING)
        recipe, strange = _recipe(said)
        file = CollectedFile(name, sha256, size, recipe.canonical() if recipe else "", own_name(said.code))
        if not (recipe or strange) and request_id and (earlier := _earlier(portal, request_id, file, named)):
            checked.append((earlier, None))
            continue
        found = Recomputed(strange)
        if recipe is not None:
            found = recompute(path, name, basis_of(portal, recipe, may_use), measures.rules)
        report = check(path, name, measures.rules, known=measures.known)
        report = replace(report, findings=(*measures.findings, *report.findings))
        checked.append((Checked(file, with_recomputed(report, found), found.cells, rules_sha256=named), recipe))
    told = compared(portal, project_id, checked, may_use, smallest=measures.rules.min_cell)
    policy = measures.policy
    return [replace(one, report=stopped(one.report, policy), policy=policy.sha256) for one in told]


def _earlier(portal: Portal, request_id: str, file: CollectedFile, named: str) -> Checked | None:
    """Return the file with the report it had in the round before, if nothing that the report depends on has changed."""
    found = egress.earlier_report(
        portal.store, request_id, name=file.name, sha256=file.sha256, rules_sha256=named, said=("", file.code)
    )
    if found is None:
        return None
    # Its code is run again in each round: what an earlier run showed says nothing of this one.
    return Checked(file, without_rerun(found[1]), rules_sha256=named, carried_from=found[0])


def basis_of(portal: Portal, recipe: Recipe, may_use: Sequence[Source]) -> Basis:
    """Return what a file is recomputed from."""
    return Basis(recipe, source_of(recipe, may_use), keys.load_public_key(portal.settings.snapshot_public_key))


def own_name(name: str) -> str:
    """Return the name under which a file is kept: the notebook puts each submission into a folder of its own."""
    return name.rpartition("/")[2]


def _recipe(about: About) -> tuple[Recipe | None, tuple[Finding, ...]]:
    if about.recipe is None:
        return None, ()
    try:
        return parse_recipe(about.recipe), ()
    except RecipeRefused as refused:
        return None, (block(refused.rule, refused.ko, refused.en),)


@dataclass(frozen=True)
class Measures:
    """What files of a project are checked with. ``policy``: where the limits are from.

    ``findings``: what could not be prepared, said with each file.
    """

    rules: CheckRules
    known: Known | None
    policy: PolicyDocument
    findings: tuple[Finding, ...] = ()


def measures_of(portal: Portal, actor: Actor, project_id: str) -> Measures:
    """Return what the checker needs to know of this project: pseudonym columns, how many people, which values."""
    about = project.project(portal.store, actor, project_id, now=clock.now())
    counts = provider_policy.of_project(portal.store, actor, project_id)
    return measured(portal, actor, about, counts.document)


def measured(portal: Portal, actor: Actor, about: ProjectView, policy: PolicyDocument) -> Measures:
    """Return the same for a project under any policy: that in force, or one that is replayed."""
    pseudonyms = {each.column for each in about.columns if each.treatment.startswith("pseudonym")}
    used = {each.snapshot_id for each in about.columns}
    snapshots = [dataset.snapshot(portal.store, actor, each) for each in sorted(used)]
    known = known_of(about, snapshots, store_of(portal.settings))
    rules = policy.check_rules(
        max_bytes=portal.settings.max_file_bytes,
        id_columns=tuple(sorted(pseudonyms)),
        subjects=max((each.subjects for each in snapshots), default=None),
    )
    return Measures(rules, known, policy, () if known is not None else (not_compared(),))


def some_refused(refused: Sequence[RefusedFile]) -> EnclaveError:
    """Return the error for files that cannot be taken, so that nothing was requested."""
    names = ", ".join(each.shown for each in refused)
    return Invalid(
        refused[0].code,
        ko=f"가져올 수 없는 파일이 있어 아무것도 신청하지 않았습니다: {names}. {refused[0].ko}",
        en=f"Nothing was requested, because these files cannot be taken: {names}. {refused[0].en}",
        remedy_ko=refused[0].remedy_ko,
        remedy_en=refused[0].remedy_en,
    )
