"""Writers and sequencer killed with -9 at random: nothing acknowledged is lost or doubled, no history is rewritten.

ANSIM_KILLS sets how many kills per database (15 by default; `make crash` takes 500).
"""

from __future__ import annotations

import os
import random

import pytest

from tests.crash.crew import Crew

KILLS = int(os.environ.get("ANSIM_KILLS", "15"))
pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(600 + 5 * KILLS)]


def test_nothing_acknowledged_is_lost_and_no_history_is_rewritten(database_url, tmp_path) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    crew = Crew(database_url, tmp_path, tmp_path / "log")
    crew.prepare()
    crew.start()
    try:
        for _ in range(KILLS):
            crew.kill_one(chance)
    finally:
        crew.stop()
    print(f"{KILLS} kills, {crew.check()}")
