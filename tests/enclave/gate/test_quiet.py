"""A workspace that asks for what is refused, again and again, must not fill the disk with our warnings."""

from __future__ import annotations

import logging

from enclave.gate.quiet import MOST, WINDOW_S, Quiet


def test_a_flood_of_one_workspace_is_cut_and_the_others_are_heard() -> None:
    now, lines = [0.0], []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler, log = Keep(), logging.getLogger("test.quiet")
    handler.addFilter(Quiet(lambda: now[0]))
    log.addHandler(handler)
    log.propagate = False
    for number in range(10_000):
        log.warning("workspace %s: refused %d", "w-1", number)
    log.warning("workspace %s: refused %d", "w-2", 1)
    assert len(lines) == MOST + 1
    assert "left out" in lines[MOST - 1]
    assert lines[-1] == "workspace w-2: refused 1"
    now[0] += WINDOW_S
    log.warning("workspace %s: refused %d", "w-1", 1)
    assert lines[-1] == "workspace w-1: refused 1"
