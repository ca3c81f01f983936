"""The portal hangs under the hub: every question comes back with what to do now, and leaving and stopping work."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.forms import first_form
from demo.session import Session
from enclave.errors import Unavailable
from hub_config.core import Core
from tests.enclave.gate.world import until
from tests.hub_config.core_book import CODE, CoreBook, refusal
from tests.hub_config.processes import HubProcesses
from tests.hub_config.test_heard_running import at_server, hub, signed_in  # noqa: F401 - a fixture
from tests.hung import before, to

WORD = {"ip": "10.0.0.1"}
QUESTIONS: dict[str, Callable[[Core], Coroutine[Any, Any, object]]] = {
    "log in": lambda core: core.log_in("mina", "secret", CODE, **WORD),
    "log in by claim": lambda core: core.log_in_by_claim("mina", **WORD),
    "plan": lambda core: core.plan("mina", "10.0.0.1"),
    "tell": lambda core: core.tell("mina", "stopped", reason="-"),
    "event": lambda core: core.event("logout", "mina", "10.0.0.1"),
}


@contextmanager
def silent(path: Path) -> Iterator[socket.socket]:
    """A socket whose connections the kernel takes and nobody answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        path.chmod(0o666)
        yield listener


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_to_a_portal_that_hangs_comes_back(
    question: Callable[[Core], Coroutine[Any, Any, object]], tmp_path: Path
) -> None:
    core = Core(tmp_path / "s", wait_s=0.3, plan_s=0.3, tell_s=0.3)
    with silent(tmp_path / "s"), pytest.raises(Unavailable, match="포털이 응답하지 않습니다"):
        asyncio.run(question(core))


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_to_a_portal_that_sends_a_byte_at_a_time_comes_back(
    question: Callable[[Core], Coroutine[Any, Any, object]], tmp_path: Path
) -> None:
    book = CoreBook(tmp_path / "book", lambda _: pytest.fail("no plan is made here"))
    book.refusals["mina/plan"] = refusal("workspace.closed")
    try:
        with before(to(tmp_path / "book"), tmp_path / "s") as (relay, _):
            relay.drips = True
            with pytest.raises(Unavailable, match="포털이 응답하지 않습니다"):
                asyncio.run(question(Core(tmp_path / "s", wait_s=0.5, plan_s=0.5, tell_s=0.5)))
    finally:
        book.shutdown()
        book.server_close()


@contextmanager
def hung(hub: HubProcesses) -> Iterator[None]:  # noqa: F811 - a fixture's name
    """Let nobody answer at the portal's socket, and the hub wait a second; afterwards all is as before."""
    config, path = hub.settings.home / "config.toml", hub.settings.core_socket
    said, kept = config.read_text(), path.with_name("kept.sock")
    config.write_text(f"{said}\nportal_wait_s = 1\nportal_plan_s = 1\nportal_tell_s = 1\n")
    path.replace(kept)
    try:
        with silent(path):
            yield
    finally:
        path.unlink()
        kept.replace(path)
        config.write_text(said)


def login_page(hub: HubProcesses, session: Session) -> str:  # noqa: F811 - a fixture's name
    form = first_form(session.http.get(f"{hub.public}/hub/login").text)
    values = form.hidden | {"username": "mina", "password": session.person.password, "otp": CODE}
    answer = session.http.post(f"{hub.public}{form.action}", data=values)
    assert answer.status_code == 503
    return answer.text


@pytest.mark.slow
def test_while_the_portal_hangs_people_stop_and_leave_and_are_told_why_they_cannot_come_in(
    hub: HubProcesses,  # noqa: F811 - a fixture
) -> None:
    mina = signed_in(hub, "mina")
    assert at_server(mina, "mina", "POST") in {201, 202}
    until(lambda: at_server(mina, "mina", "POST") == 400, seconds=60)
    with hung(hub):
        page = login_page(hub, hub.session("mina"))
        assert "포털이 응답하지 않습니다" in page
        assert "The portal does not answer" in page
        assert at_server(mina, "mina", "DELETE") in {202, 204}
        left = mina.http.get(f"{hub.public}/hub/logout")
        assert left.status_code == 200
        # Gone: the hub asks who comes back to sign in again.
        assert 'name="otp"' in mina.http.get(f"{hub.public}/hub/home").text
    signed_in(hub, "mina")
