"""GPUs: one's own turn and place in the queue; for those who run the platform all turns, devices and projects."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import gpu as commands
from enclave.commands import gpu_device
from enclave.errors import EnclaveError
from enclave.gpu.devices import GpuProfile
from enclave.gpu.endings import REASONS
from enclave.gpu.rules import SHORTEST_MINUTES, GpuRules
from enclave.policy.allows import allows
from enclave.policy.gpu import SEES_GPUS, check_may_manage
from enclave.portal.acting import Typed, actor_of, done, one_of, tried, typed
from enclave.portal.forms import Form
from enclave.portal.places import USERS
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import gpu, project

router = APIRouter()
KINDS = {
    GpuProfile.NONE: "gpu.kind_none",
    GpuProfile.SLICE: "gpu.kind_slice",
    GpuProfile.WHOLE: "gpu.kind_whole",
}


def rules_of(visit: Visit) -> GpuRules:
    """Return the rules of this installation."""
    return GpuRules.of(visit.portal.settings)


def kinds(visit: Visit) -> dict[str, str]:
    """Return what each kind of device is called."""
    return {kind.value: visit.say(key) for kind, key in KINDS.items()}


def show(visit: Visit, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the page."""
    actor, store, rules = actor_of(visit), visit.portal.store, rules_of(visit)
    sees_all = bool(actor.roles & SEES_GPUS)
    return visit.page(
        "gpu.html",
        here="gpu",
        status=error.status if error else 200,
        error=error,
        errors=Typed(),
        typed=typed(form),
        kinds=kinds(visit),
        reasons=REASONS,
        takes_part=bool(actor.roles & USERS),
        turn=gpu.mine(store, rules, actor, now=visit.now),
        last=gpu.last(store, rules, actor, now=visit.now),
        choices=_choices(visit),
        least=SHORTEST_MINUTES,
        most=rules.longest_minutes,
        sees_all=sees_all,
        may_manage=allows(check_may_manage, actor),
        everybodys=gpu.everybodys(store, rules, actor, now=visit.now) if sees_all else (),
        devices=gpu.devices(store, actor) if sees_all else (),
        projects=gpu.all_projects(store, rules, actor, now=visit.now) if sees_all else (),
    )


def _choices(visit: Visit) -> list[tuple[str, str]]:
    actor, store, rules = actor_of(visit), visit.portal.store, rules_of(visit)
    found = [
        gpu.of_project(store, rules, actor, each.id, now=visit.now)
        for each in project.mine(store, actor, now=visit.now)
    ]
    return [(each.project_id, each.title) for each in found if "request_lease" in each.may]


@router.get("/gpu")
def page(visit: Here) -> Response:
    """Show the page."""
    return show(visit)


@router.post("/gpu")
def ask(visit: Here, form: OwnForm) -> Response:
    """Take a place in the queue."""

    def act() -> str:
        text = form.text("minutes")
        commands.request_lease(
            visit.portal.store,
            rules_of(visit),
            actor_of(visit),
            project_id=form.text("project_id"),
            minutes=int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0,  # noqa: PLR2004
            now=visit.now,
        )
        return "/gpu"

    return tried(lambda: done(visit, form, act, "gpu.asked_now"), lambda error: show(visit, form, error))


@router.post("/gpu/profile")
def profile(visit: Here, form: OwnForm) -> Response:
    """Say what a project may ask for."""

    def act() -> str:
        commands.set_gpu_profile(
            visit.portal.store,
            rules_of(visit),
            actor_of(visit),
            project_id=form.text("project_id"),
            profile=one_of(GpuProfile, form.text("profile")),
            now=visit.now,
        )
        return "/gpu"

    return tried(lambda: done(visit, form, act, "gpu.profile_set"), lambda error: show(visit, form, error))


@router.post("/gpu/service")
def service(visit: Here, form: OwnForm) -> Response:
    """Let a device be erased once more and used if it is clean."""

    def act() -> str:
        gpu_device.return_to_service(
            visit.portal.store,
            actor_of(visit),
            uuid=form.text("uuid"),
            reason=form.text("reason"),
            now=visit.now,
        )
        return "/gpu"

    return tried(lambda: done(visit, form, act, "gpu.serviced"), lambda error: show(visit, form, error))


@router.post("/gpu/{lease_id}/release")
def release(visit: Here, form: OwnForm, lease_id: str) -> Response:
    """Leave the queue, or give the device back."""

    def act() -> str:
        commands.release_lease(visit.portal.store, rules_of(visit), actor_of(visit), lease_id=lease_id, now=visit.now)
        return "/gpu"

    return tried(lambda: done(visit, form, act, "gpu.given_back"), lambda error: show(visit, form, error))
