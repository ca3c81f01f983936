"""The portal's round over the GPUs: look, erase, end, warn, take back, grant; in this order, each step by itself.

A step decides nothing: it asks the gate, calls a command, and leaves to the next round what did not work now. What a
killed portal left half done is exactly what the next round finds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from enclave import clock
from enclave.actor import Actor
from enclave.commands import gpu, gpu_device
from enclave.commands.gpu_device import Evidence
from enclave.errors import EnclaveError, Unavailable
from enclave.gpu.rules import GpuRules
from enclave.portal.parts import Portal
from enclave.queries import gpu as queries

LOG = logging.getLogger("ansim.portal.gpus")
SYSTEM = Actor.system()


def look(portal: Portal) -> None:
    """Take in the inventory. A driver that does not answer changes nothing: only an answer can miss a device."""
    reading = portal.gate.gpus()
    if reading is None or reading.problem:
        LOG.debug("no inventory of GPUs: %s", reading.problem if reading else "not read yet")
        return
    gpu_device.note_devices(portal.store, SYSTEM, found=reading.devices)


def turn(portal: Portal) -> None:
    """Do one round. Where there was never a device and nobody asks for one, this is two short queries."""
    if not queries.anything(portal.store):
        return
    seen = _seen(portal)
    for step in (_erase, lambda portal: _end(portal, seen), lambda portal: _take_back(portal, seen), _grant):
        _tried(step, portal)


def _tried(step: Callable[[Portal], object], portal: Portal) -> None:
    try:
        step(portal)
    except EnclaveError as error:
        LOG.warning("GPUs: %s", error.code)


def _seen(portal: Portal) -> Mapping[str, str] | None:
    try:
        return portal.gate.gpu_holders()
    except Unavailable:
        return None


def _erase(portal: Portal) -> None:
    for task in gpu_device.to_scrub(portal.store, now=clock.now()):
        report = portal.gate.scrub(task.uuid, task.round)
        if report is not None:
            gpu_device.settle_scrub(portal.store, SYSTEM, task=task, evidence=evidence_in(report), now=clock.now())


def _end(portal: Portal, seen: Mapping[str, str] | None) -> None:
    rules = GpuRules.of(portal.settings)
    gpu.warn_leases(portal.store, rules, now=clock.now())
    gpu.expire_leases(portal.store, rules, now=clock.now(), seen=seen)


def _take_back(portal: Portal, seen: Mapping[str, str] | None) -> None:
    """Stop what still runs with a device whose turn is over; let it go once that is certain."""
    if seen is None:
        return
    rules, now = GpuRules.of(portal.settings), clock.now()
    for ending in queries.ending(portal.store):
        # The workspace whose plan has the device, and whoever the gate sees with it.
        for workspace_id in {ending.workspace_id, seen.get(ending.device_uuid, "")} - {""}:
            portal.gate.revoke(workspace_id)
        if ending.device_uuid in portal.gate.gpu_holders():
            LOG.warning("GPU %s is still in use", ending.device_uuid)
        elif ending.plan_until is None or ending.plan_until <= now:
            gpu.finish_lease(portal.store, rules, SYSTEM, lease_id=ending.lease_id, now=now)


def _grant(portal: Portal) -> None:
    gpu.grant_leases(portal.store, GpuRules.of(portal.settings), now=clock.now())


def evidence_in(report: Mapping[str, Any]) -> Evidence:
    """Return what a report of the gate says; one that says nothing useful is evidence of nothing."""
    problem = str(report.get("problem", ""))
    numbers = ("total", "tested", "left_over", "not_cleared", "milliseconds")
    total, tested, left_over, not_cleared, milliseconds = (int(report.get(name, 0)) for name in numbers)
    clean = report.get("clean") is True
    reason = problem or str(report.get("reason", "")) or ("" if clean else "no-report")
    return Evidence(total, tested, left_over, not_cleared, milliseconds, reason)
