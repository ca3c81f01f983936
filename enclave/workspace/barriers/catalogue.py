"""All barriers, and the page that lists them."""

from __future__ import annotations

from enclave.workspace.barriers.barrier import AREA_NAMES, Area, Barrier
from enclave.workspace.barriers.files import FILES
from enclave.workspace.barriers.identity import IDENTITY
from enclave.workspace.barriers.kernel import KERNEL
from enclave.workspace.barriers.network import NETWORK
from enclave.workspace.barriers.resources import RESOURCES
from enclave.workspace.barriers.way_in import WAY_IN

BARRIERS: tuple[Barrier, ...] = (*NETWORK, *KERNEL, *FILES, *RESOURCES, *IDENTITY, *WAY_IN)
BY_ID: dict[str, Barrier] = {barrier.id: barrier for barrier in BARRIERS}


def reference() -> str:
    """Return the list as the Markdown page `docs/reference/barriers.md`."""
    lines = [
        "# The barriers",
        "",
        "Made from `enclave/workspace/barriers/`; a test holds this page to it. Each barrier is attacked on the running",
        "system by `ansim drill`: `held` only with something to show for it, `broken` if the attack succeeded or the",
        "probe failed, `not testable here` with the reason. *From*: `inside` is a kernel of the drill's workspace,",
        "`outside` a browser, a service's user or another user of the host. SATRE ids are those of SATRE 2.0.1; R",
        "numbers are explained in [korea.md](korea.md).",
    ]
    for area in Area:
        ko, en = AREA_NAMES[area]
        lines += [
            "",
            f"## {en} · {ko}",
            "",
            "| id | 한국어 | English | from | SATRE | R |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(barrier) for barrier in BARRIERS if barrier.area is area]
    return "\n".join(lines) + "\n"


def _row(barrier: Barrier) -> str:
    place = "inside" if barrier.program else "outside"
    cells = (
        f"`{barrier.id}`",
        barrier.ko,
        barrier.en,
        place,
        ", ".join(barrier.satre),
        ", ".join(barrier.requirements),
    )
    return f"| {' | '.join(cells)} |"
