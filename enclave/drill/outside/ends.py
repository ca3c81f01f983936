"""Attacks on what has an end: a start without the pledge, after the project's last day, with an ended account.

Last of all, because the drill's own rights are what is taken away; they are put right at the end of each attack.
"""

from __future__ import annotations

from enclave.commands.drill_ground import Ground
from enclave.drill.ground import lay
from enclave.drill.outside.services import unix
from enclave.drill.place import Place, Verdict, attack, broken, held


def _refused_start(place: Place, ground: Ground, code: str) -> Verdict:
    """Spoil the ground, ask for a plan as the hub does, put it right; held if there was none, for this reason."""
    place.door.stop(place.login)
    try:
        lay(place.settings, place.canaries.folder, ground)
        path = f"POST /workspaces/{place.login}/plan"
        status = unix(place.settings.hub_user, place.settings.core_socket, {"plan": (path, {})})["plan"]
        started = place.door.hub("POST", f"/users/{place.login}/server", {})
    finally:
        lay(place.settings, place.canaries.folder, Ground())
    good = status == 403 and started.status == 403 and code.encode() in started.body  # noqa: PLR2004 - refused
    return (held if good else broken)(f"the portal says {status}; the hub {started.status}, naming {code}: {good}")


@attack("id.no-pledge")
def no_pledge(place: Place) -> Verdict:
    """A start without the pledge."""
    return _refused_start(place, Ground(pledged=False), "workspace.no-pledge")


@attack("id.project-over")
def project_over(place: Place) -> Verdict:
    """A start after the project's last day."""
    return _refused_start(place, Ground(project_open=False), "project.expired")


@attack("id.account-over")
def account_over(place: Place) -> Verdict:
    """A start with an account that has ended."""
    return _refused_start(place, Ground(account_open=False), "account.closed")
