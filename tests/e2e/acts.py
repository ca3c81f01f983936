"""What several end-to-end tests do: open accounts, read the published log, run cells, cast votes, wait."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from audit.reader import LogReader
from demo.chapters.airlock import JUDGEMENTS
from demo.kernel import Kernel
from demo.looking import look
from demo.people import Person
from demo.services import VENV
from demo.session import Session
from demo.world import World


def until(what: str, ask: Callable[[], Any], seconds: float = 30) -> Any:
    """Ask again until the answer is true; fails saying what did not come."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
    return answer


def ansim(world: World, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line of whoever holds the machine."""
    environment = {**os.environ, "ANSIM_HOME": str(world.settings.home)}
    return subprocess.run(
        [VENV / "bin/ansim", *arguments], input=stdin, check=False, capture_output=True, text=True, env=environment
    )


def newcomer(world: World, login: str, *roles: str, organisation: str = "onsaemi") -> Session:
    """Open an account with a second factor, sign in; returns the session, which the world closes."""
    if login in world.sessions:
        return world.sessions[login]
    person = Person(login, f"{login} 시험", organisation, roles)
    if world.secrets.get(login) is None:
        options = [option for role in roles for option in ("--role", role)]
        command = ["account", "create", login, "--name", person.name, "--organisation", organisation, *options]
        made = ansim(world, *command, "--password-stdin", stdin=f"{person.password}\n")
        assert made.returncode == 0, made.stderr
        world.secrets.keep(login, ansim(world, "account", "enrol", login, "--plain").stdout.strip())
    session = Session(person, world.settings.public_url, lambda: world.secrets.code(login))
    session.sign_in()
    world.sessions[login] = session
    return session


def entries(world: World) -> list[dict[str, Any]]:
    """Return the published log, oldest first."""
    return [json.loads(data) for _, data in LogReader(world.settings.log).entries()]


def logged(world: World, action: str, about: str, outcome: str = "", *, wait_s: float = 10) -> list[dict[str, Any]]:
    """Return the published entries of this action about this object (or in this project); waits for the first."""

    def found() -> list[dict[str, Any]]:
        return [
            each
            for each in entries(world)
            if each["action"] == action
            and about in {each.get("object", {}).get("id"), each.get("project")}
            and outcome in {"", each["outcome"]}
        ]

    return until(f"{action} {outcome} about {about} in the log", found, wait_s)


@contextmanager
def kernel_of(session: Session) -> Iterator[Kernel]:
    """A kernel that is gone afterwards, so that many tests fit into one workspace."""
    kernel = Kernel(session)
    try:
        with kernel:
            yield kernel
    finally:
        address = f"{session.workspace}/api/kernels/{kernel._id}"
        session.http.delete(address, headers=session._xsrf(session.workspace))


def cell(kernel: Kernel, code: str) -> str:
    """Run one cell that must work; returns its text."""
    outcome = kernel.run(code)
    assert not outcome.error, f"{outcome.error}\n{outcome.text}"
    return outcome.text.strip()


def printed(kernel: Kernel, code: str) -> Any:
    """Run one cell whose last line of output is JSON."""
    return json.loads(cell(kernel, code).splitlines()[-1])


def new_request(kernel: Kernel, file_name: str = "counts.csv") -> str:
    """Submit a clean little table under this name; returns the request's id."""
    code = f"""
import ansim, json
from pathlib import Path
file = Path('/tmp', {file_name!r})  # the scientist's own folder stays as it is
file.write_text('sex,n\\nF,120\\nM,130\\n')
made = ansim.egress.submit([file], purpose='시험 집계표', context='성별 환자 수', receiver='jiwoo', again=True)
print(json.dumps(made.id))"""
    return str(printed(kernel, code))


def vote(world: World, login: str, request_id: str, decision: str = "approve") -> httpx.Response:
    """Cast a vote, with a code if the second factor is too long ago."""
    session = world.session(login)
    facts = session.api("GET", f"/requests/{request_id}").json()
    look(session, request_id)
    body = JUDGEMENTS | {"decision": decision, "reason_code": "output-checked", "code": ""}
    body |= {"round": facts["round"], "content_sha256": facts["content_sha256"]}
    answer = session.api("POST", f"/requests/{request_id}/decide", body)
    if "second-factor" in answer.text:
        answer = session.api("POST", f"/requests/{request_id}/decide", body | {"code": session.code()})
    return answer


def stored(world: World) -> set[str]:
    """Return every file in quarantine and staging."""
    places = (world.settings.quarantine, world.settings.staging)
    return {str(path) for place in places for path in place.rglob("*") if path.is_file()}


def forget_layout(session) -> None:
    """Let JupyterLab begin empty: else it opens what was open before, too, and takes turns at the front."""
    layout = f"{session.workspace}/lab/api/workspaces/default"
    session.http.delete(layout, headers=session._xsrf(session.workspace))
