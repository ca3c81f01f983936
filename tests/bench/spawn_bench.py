"""From the request for a workspace to the first executed cell: ours against plain DockerSpawner, in one run.

Hardening must not cost what people feel (against the same image), and what we built must be felt (against an image
as one builds it without measuring). The opponents take turns, so that a busy moment of the machine hits all.
"""

from __future__ import annotations

from statistics import median
from typing import Any

import httpx

from demo.kernel import Kernel
from demo.session import Session
from images.builder import naive, workspace
from images.builder.places import Places
from tests.bench.first_cell import CODE, LIMIT_S, RestWay, Way, seconds, wait_until_gone
from tests.bench.our_hub import our_hub
from tests.bench.plain_hub import PlainHub, plain_hub

ROUNDS = 5
SCIENTIST = "mina"
SAME_IMAGE_FLOOR, NAIVE_FLOOR = 1.1, 0.35


def figures() -> dict[str, dict[str, Any]]:
    """Median seconds of five starts, and their ratios to both opponents."""
    places = Places.of_this_machine()
    workspace.ensure(places)
    naive.ensure(places)
    with (
        our_hub(SCIENTIST) as session,
        plain_hub(workspace.TAG, 8410) as same,
        plain_hub(naive.TAG, 8420) as slow,
    ):
        ways = {"ours": Ours(session), "same": _plain(same), "naive": _plain(slow)}
        took = _measure(ways)
    return {
        "hub.first_cell_same_image": _figure(took, "same", "DockerSpawner, bridge, same image", SAME_IMAGE_FLOOR),
        "hub.first_cell_naive_image": _figure(took, "naive", "DockerSpawner, bridge, naive image", NAIVE_FLOOR),
    }


def _measure(ways: dict[str, Way]) -> dict[str, float]:
    for way in ways.values():
        seconds(way)  # the first start of each reads its image from disk
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(seconds(way))
    return {name: median(values) for name, values in taken.items()}


def _figure(took: dict[str, float], peer: str, words: str, floor: float) -> dict[str, Any]:
    ratio = took["ours"] / took[peer]
    against = f"{words}: {took[peer]:.2f} s"
    return {"value": took["ours"], "unit": "s", "peer": against, "ratio": ratio, "floor": floor, "ok": ratio <= floor}


def _plain(hub: PlainHub) -> RestWay:
    hub.add_user("bench")
    client = httpx.Client(timeout=120)
    return RestWay(f"{hub.url}/hub/api/users/bench/server", f"{hub.url}/user/bench", client, hub.headers)


class Ours:
    """As a browser does it: cookies, the token against forged requests, host names of their own."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def start(self) -> None:
        """Ask for the workspace and wait until it answers."""
        self.session.start_workspace(wait_s=LIMIT_S)

    def stop(self) -> None:
        """Stop it and wait until the hub has forgotten it."""
        self.session.stop_workspace()
        user = f"{self.session.hub}/hub/api/users/{self.session.person.login}"
        wait_until_gone(lambda: self.session.http.get(user).json())

    def run_cell(self) -> str:
        """Start a kernel, run one cell, return what it printed."""
        with Kernel(self.session) as kernel:
            return kernel.run(CODE).text
