"""One whole drill on the running enclave, asked for with the auditor's button: every barrier is attacked and holds.

While it runs the scientist's own workspace is open; nothing of it may change.
"""

from __future__ import annotations

import base64
import json

import pytest

from enclave import reserved
from enclave.commands.drill import SIGNATURE_CONTEXT
from enclave.keys import load_public_key
from enclave.workspace.barriers.catalogue import BARRIERS
from tests.e2e.acts import ansim, cell, entries, kernel_of, logged, until

pytestmark = [pytest.mark.redteam, pytest.mark.slow]
# Exactly these, and why.
NOT_TESTABLE = {"res.gpu-memory": "no GPU"}


@pytest.fixture(scope="module")
def drilled(world):
    """The results of one drill, by id, and the document as the auditor downloads it."""
    auditor = world.session("haneul")
    page = auditor.http.get(f"{auditor.portal}/drills")
    assert page.status_code == 200
    token = auditor.portal_headers()["X-CSRF-Token"]
    with kernel_of(world.session("mina")) as kernel:
        cell(kernel, "mine = 41")
        before = _asked(world)
        asked = auditor.http.post(f"{auditor.portal}/drills", data={"csrf": token, "once": "drill"})
        assert asked.status_code == 200, asked.text[-500:]
        (name,) = until("a drill asked for", lambda: _asked(world) - before)
        until("the drill's end", lambda: _ended(world, name), 420)
        assert cell(kernel, "print(mine + 1)") == "42"
    answer = auditor.http.get(f"{auditor.portal}/drills/{name}/document")
    assert answer.status_code == 200, auditor.http.get(f"{auditor.portal}/drills/{name}").text[-2000:]
    signature = auditor.http.get(f"{auditor.portal}/drills/{name}/signature").text
    return name, answer.content, base64.b64decode(signature)


def _asked(world) -> set[str]:
    return {each["object"]["id"] for each in entries(world) if each["action"] == "drill.request"}


def _ended(world, name: str) -> bool:
    ends = {"drill.done", "drill.failed"}
    return any(each["action"] in ends and each["object"]["id"] == name for each in entries(world))


def test_every_barrier_is_attacked_and_holds(drilled):
    results = json.loads(drilled[1])["results"]
    assert [each["id"] for each in results] == [barrier.id for barrier in BARRIERS]
    assert len(results) >= 60
    assert {r["id"]: r["evidence"] for r in results if r["outcome"] == "broken"} == {}
    untestable = {r["id"]: r["evidence"] for r in results if r["outcome"] == "not testable here"}
    assert untestable.keys() == NOT_TESTABLE.keys()
    assert all(untestable[name].startswith(why) for name, why in NOT_TESTABLE.items())
    assert all(each["evidence"] for each in results)


def test_the_document_is_signed_and_its_hash_is_in_the_log(world, drilled):
    name, document, signature = drilled
    key = load_public_key(world.settings.plan_key.with_suffix(".pub"))
    key.verify(signature, SIGNATURE_CONTEXT + document)
    (done,) = logged(world, "drill.done", name)
    assert done["details"]["held"] == len(BARRIERS) - len(NOT_TESTABLE)


def test_the_page_shows_each_barrier_with_its_duties(world, drilled):
    auditor = world.session("haneul")
    page = auditor.http.get(f"{auditor.portal}/drills?lang=en").text
    auditor.http.get(f"{auditor.portal}/drills?lang=ko")  # the next one finds it in Korean again
    assert [barrier.id for barrier in BARRIERS if f'<code class="small">{barrier.id}</code>' not in page] == []
    assert "2.2.11" in page
    assert "R23" in page
    assert world.session("mina").http.get(f"{auditor.portal}/drills").status_code == 403


def test_nothing_of_the_drill_is_left_and_nobody_sees_its_accounts(world, drilled):
    left = [path.name for path in world.settings.volumes.iterdir()]
    projects = {
        each["project"]: each["object"]["id"] for each in entries(world) if each["action"] == "workspace.started"
    }
    assert projects[reserved.PROJECT] not in left
    logins = {each["login"] for each in world.ask("haneul", "GET", "/accounts")["accounts"]}
    assert not logins & reserved.LOGINS


def test_the_command_line_prints_json_alone_and_a_part_is_not_recorded(world, drilled):
    before = len([each for each in entries(world) if each["action"] == "drill.done"])
    done = ansim(world, "drill", "--json", "--only", "net.tcp", "--only", "in.routes")
    assert done.returncode == 0, done.stderr
    assert [each["id"] for each in json.loads(done.stdout)["results"]] == ["net.tcp", "in.routes"]
    assert len([each for each in entries(world) if each["action"] == "drill.done"]) == before
