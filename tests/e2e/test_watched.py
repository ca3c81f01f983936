"""What the gate saw on the live system: code in the log by its hash and read by the auditor alone, screens searched."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

import pytest

from enclave.workspace.plan import Display
from tests.e2e.acts import cell, entries, kernel_of, logged, printed, until
from tests.entry_words import entry_words

CODE = "watched = sum(range(10))\nprint('합계', watched)"
ASK = """
import json, os, urllib.request
asked = urllib.request.Request('http://127.0.0.1:8085/api/workspace/v1/display')
asked.add_header('Authorization', 'token ' + os.environ['JUPYTERHUB_API_TOKEN'])
print(urllib.request.urlopen(asked).read().decode())"""


def test_what_ran_is_in_the_log_by_its_hash_and_only_the_auditor_reads_it(world):
    with kernel_of(world.session("mina")) as kernel:
        assert cell(kernel, CODE) == "합계 45"
    sha256 = hashlib.sha256(CODE.encode()).hexdigest()

    def recorded():
        found = world.session("haneul").api("GET", f"/code?project_id={world.project_id}").json()["code"]
        return [each for each in found if each["sha256"] == sha256]

    row = until("the code in the store", recorded)[0]
    assert (row["login"], row["source"], row["characters"]) == ("mina", "execute", len(CODE))
    until("its hash in the log", lambda: sha256 in {each["object"]["sha256"] for each in _executed(world)})
    assert CODE not in str(_executed(world))
    read = world.session("haneul").api("GET", f"/code/{row['id']}/text").json()
    assert read["text"] == CODE
    for login in ("operator", "mina", "jiwoo", "dahye", "suyeon"):
        assert world.session(login).api("GET", f"/code/{row['id']}/text").status_code == 403, login
    assert {each["outcome"] for each in logged(world, "code.view", row["id"])} >= {"done", "denied"}


def _executed(world):
    return logged(world, "code.executed", world.project_id)


def _findings(world):
    return [each for each in entries(world) if each["action"] == "display.finding"]


def test_identifiers_on_a_screen_raise_a_finding_and_their_values_are_nowhere(world):
    before = len(_findings(world))
    with kernel_of(world.session("mina")) as kernel:
        cell(kernel, "print('연락처: 010-' + '7243-' + '9981')")
    found = until(
        "a finding", lambda: [each for each in _findings(world)[before:] if "n_phone" in each["details"]], 120
    )
    (finding,) = found
    assert (finding["project"], finding["details"]["n_phone"]) == (world.project_id, 1)
    assert not [part for part in ("7243", "9981") if part in entry_words(finding)]
    lead = world.session("jiwoo").api("GET", f"/projects/{world.project_id}/findings").json()
    assert lead["findings"]["count"] >= 1
    assert world.session("mina").api("GET", f"/projects/{world.project_id}/findings").json() == {"findings": None}


@pytest.fixture
def usual(world):
    """The limits as they were, whatever the test does."""
    yield
    _say(world, Display())


def _say(world, limits):
    path = f"/projects/{world.project_id}/display"
    answer = world.session("suyeon").api("PUT", path, {**asdict(limits), "reason": "시험"})
    assert answer.status_code == 200, answer.text


@pytest.mark.usefixtures("usual")
def test_a_steward_tightens_the_limit_and_the_running_workspace_feels_it(world):
    with kernel_of(world.session("mina")) as kernel:
        before = {(each["window"], each["kind"]): each for each in printed(kernel, ASK)["lines"]}
        used = before["hour", "rows"]["used"]
        _say(world, Display(hour_rows=used + 10))
        after = {(each["window"], each["kind"]): each for each in printed(kernel, ASK)["lines"]}
        assert after["hour", "rows"]["limit"] == used + 10
        assert after["hour", "rows"]["left"] <= 10
        table = "print('\\n'.join(f'{n}  {n * 2}  {n * 3}' for n in range(50)))"
        shown = kernel.run(table)
        assert "49  98  147" not in shown.text
        assert cell(kernel, "print(1 + 1)") == "2", "the kernel goes on running, and what is no table is shown"
    assert logged(world, "display.spent", world.project_id)[-1]["outcome"] == "denied"
    assert logged(world, "display.limits", world.project_id)
