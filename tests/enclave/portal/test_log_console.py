"""`ansim audit search|entry|activity|export` on a machine with a published log; each is an entry of the console's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit import query
from audit.query import LogFilter
from enclave.cli import ansim
from tests.enclave.portal.world import GRANTS, World


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    world.publish_log()
    monkeypatch.setenv("ANSIM_HOME", str(world.home))

    def act(*words: str) -> Result:
        return CliRunner().invoke(ansim, ["audit", *words], obj="ko")

    return act


def entries_of_console(world: World) -> list[tuple[str, str]]:
    world.publish_log()
    with world.store.read() as session:
        rows = query.search(session.connection(), filters=LogFilter(actor="console", action="log."), limit=50).rows
    return [(row.action, row.outcome) for row in rows]


def test_the_log_is_asked_from_the_machine_and_that_is_recorded(run, world: World) -> None:
    found = run("search", "--action", "role.grant", "--limit", "5")
    rows = [line.split("\t") for line in found.output.splitlines() if "\t" in line]
    assert (found.exit_code, len(rows), {row[3] for row in rows}) == (0, 5, {"role.grant"})
    older = run("search", "--action", "role.grant", "--after", rows[-1][0])
    assert older.output.count("role.grant") == GRANTS - 5
    shown = run("entry", rows[0][0])
    assert json.loads(shown.output)["action"] == "role.grant"
    day = rows[0][1][:10]
    drawn = run("activity", "--begin", "2026-01-01", "--end", "2099-12-31", "--actor", "jiwoo")
    assert sum(int(line.split("\t")[2]) for line in drawn.output.splitlines()) > 0, day
    assert [run("search", "--begin", "nie").exception.code, run("entry", "7x").exception.code] == [
        "log.question",
        "log.no-entry",
    ]
    assert entries_of_console(world)[:6] == [
        ("log.view", "failed"),
        ("log.view", "failed"),
        *[("log.view", "done")] * 4,
    ]


def test_entries_leave_as_a_new_file_with_a_manifest_beside_it(run, world: World, tmp_path: Path) -> None:
    target = tmp_path / "기록.jsonl"
    words = (
        "export",
        str(target),
        "--form",
        "jsonl",
        "--reason-code",
        "log.inspection",
        "--why",
        "감사",
        "--recent",
        "30",
    )
    assert run(*words).exit_code == 0
    told = json.loads((tmp_path / "기록.jsonl.manifest.json").read_text())
    data = target.read_bytes()
    assert (told["sha256"], told["entries"], told["by"]) == (
        hashlib.sha256(data).hexdigest(),
        data.count(b"\n"),
        "console",
    )
    assert told["entries"] == told["size"] > 20
    assert run(*words).exception.code == "log.file-there"
    unasked = run("export", str(tmp_path / "y.csv"), *words[2:-2], "--begin", "nie")
    nowhere = run("export", str(tmp_path / "none/z.csv"), *words[2:])
    assert (unasked.exception.code, nowhere.exception.code) == ("log.question", "console.unwritable")
    assert not list(tmp_path.glob("[yz]*")), "of what fails nothing is left"
    assert run("export", str(tmp_path / "x"), "--reason-code", "because", "--why", "x").exit_code == 2
    assert entries_of_console(world)[:3] == [
        ("log.export-requested", "failed"),
        ("log.export-done", "done"),
        ("log.export-requested", "done"),
    ]


def test_the_logs_own_commands_are_there_as_before(run) -> None:
    listed = run("--help").output
    assert [name for name in ("verify", "bundle", "status", "witness", "search", "export") if name not in listed] == []
