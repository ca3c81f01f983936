"""The chore that has submitted code run again, one run at a time: begin, look, compare, go on."""

from __future__ import annotations

import contextlib
import logging

from enclave import clock
from enclave.actor import Actor
from enclave.airlock.rerun.door import compare
from enclave.airlock.rules import CheckRules
from enclave.commands import rerun
from enclave.commands.rerun import Ran, Wrote
from enclave.errors import EnclaveError, NotFound, Unavailable
from enclave.gate.limits import Collected, CollectLimits
from enclave.model.rerun import RerunState
from enclave.portal.parts import Portal
from enclave.queries.rerun import RerunView, due

LOG = logging.getLogger("ansim.portal.rerunning")


def turn(portal: Portal) -> None:
    """Look at what runs; where nothing does, begin with what has waited longest."""
    found = due(portal.store)
    running = [each for each in found if each.state is RerunState.RUNNING]
    for each in running:
        _look(portal, each)
    if not running and found:
        _begin(portal, found[0])


def _begin(portal: Portal, found: RerunView) -> None:
    try:
        begun = rerun.begin(portal.store, portal.means(), Actor.system(), rerun_id=found.id, now=clock.now())
    except Unavailable:
        raise
    except EnclaveError as error:
        # What cannot even be ordered (a snapshot that is gone) is not tried for ever.
        LOG.warning("re-run %s: %s", found.id, error.code)
        _put_back(portal, found, "tries")
        return
    try:
        code = {name: portal.quarantine.path(sha256).read_bytes() for name, sha256 in begun.code}
        portal.gate.begin_rerun(begun.order, begun.signature, code)
    except (EnclaveError, OSError) as error:
        LOG.warning("re-run %s was not begun: %s", found.id, error)
        _put_back(portal, found, "tries")


def _look(portal: Portal, found: RerunView) -> None:
    run_id = found.run_id or ""
    try:
        said = portal.gate.look_rerun(run_id)
    except NotFound:  # the gate started anew
        _put_back(portal, found, "gone")
        return
    if said["state"] == "running":
        return
    ran = Ran(said["exit_code"], said["why"], _wrote(portal, found, run_id))
    blocks = portal.settings.rerun_blocks
    rerun.conclude(portal.store, Actor.system(), rerun_id=found.id, ran=ran, blocks=blocks, now=clock.now())
    portal.gate.end_rerun(run_id)


def _wrote(portal: Portal, found: RerunView, run_id: str) -> dict[str, Wrote]:
    settings, submitted = portal.settings, dict(found.outputs)
    rules = CheckRules(max_bytes=settings.max_file_bytes)
    bounds = settings.max_file_bytes
    limits = CollectLimits(file_bytes=bounds, total_bytes=bounds * settings.max_files, files=settings.max_files)
    wrote = {}
    for each in portal.gate.collect_rerun(run_id, list(submitted), limits=limits):
        if isinstance(each, Collected):
            try:
                same = compare(portal.quarantine.path(submitted[each.name]), each.path, each.name, rules)
                wrote[each.name] = Wrote(each.sha256, same)
            finally:
                each.path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # the folder goes with its last copy
                    each.path.parent.rmdir()
    return wrote


def _put_back(portal: Portal, found: RerunView, why: str) -> None:
    blocks = portal.settings.rerun_blocks
    rerun.put_back(portal.store, Actor.system(), rerun_id=found.id, why=why, blocks=blocks, now=clock.now())
