"""The hub's interface hangs under a portal: nobody new comes in, who is here goes on, and nobody waits in a queue."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from audit.exchange import Limits
from audit.silence import Silence
from enclave import clock
from enclave.portal.oauth import Hub, HubAwayError
from enclave.portal.session import Session
from tests.enclave.gate.test_hung_gate import waiting
from tests.enclave.portal.world import ROOT, Browser, World
from tests.hung import before, to

# More than the portal's threads.
MANY = 60


@pytest.fixture
def hanging(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world while its hub takes what is asked and says nothing; the portal has little patience."""
    monkeypatch.setattr(world.portal.hub, "_limits", Limits(0.5))
    monkeypatch.setattr(world.portal.hub, "_silence", Silence(0.5))
    yield world
    world.peer.hangs = False


def due(world: World, browser: Browser) -> Session:
    """Have the hub be asked about this browser's session at its next page."""
    session = world.portal.sessions.find(browser.cookies["ansim-portal"], clock.now())
    assert session is not None
    session.hub_checked -= timedelta(minutes=2)
    return session


def test_who_is_signed_in_goes_on_and_can_stop_things_while_the_hub_hangs(hanging: World) -> None:
    by = {name: hanging.browser(name) for name in ("mina", "suyeon")}
    hanging.peer.hangs = True
    for name, page in (("mina", "/"), ("suyeon", "/emergency"), ("mina", f"/projects/{hanging.project_id}")):
        due(hanging, by[name])
        assert by[name].get(f"{ROOT}{page}").status_code == 200, page
    assert by["mina"].get(f"{ROOT}/api/v1/me").json()["login"] == "mina"
    assert hanging.peer.hangs


def test_nobody_new_comes_in_and_is_told_why_and_what_ended_meanwhile_is_noticed(hanging: World) -> None:
    mina, stranger = hanging.browser("mina"), hanging.browser()
    session = due(hanging, mina)
    hanging.peer.person = "jiwoo"
    back = urlsplit(stranger.at_hub(stranger.get(f"{ROOT}/").headers["location"]))
    hanging.peer.hangs = True
    refused = stranger.get(f"{back.path}?{back.query}")
    assert (refused.status_code, "portal.hub-away" in refused.text) == (503, True)
    assert mina.get(f"{ROOT}/").status_code == 200
    hanging.peer.tokens.pop(session.token)
    hanging.peer.hangs = False
    # As after a while: the next look is due, and the hub is asked again.
    hanging.portal.hub._silence = Silence(0.5)
    due(hanging, mina)
    assert mina.get(f"{ROOT}/").status_code == 302
    assert stranger.sign_in("jiwoo").status_code == 303


def hub_at(address: tuple[str, int], seconds: float) -> Hub:
    api = f"http://{address[0]}:{address[1]}/hub/api"
    return Hub(
        public="http://x/hub/", api=api, client_id="service-portal", token="t", callback="http://x/", wait_s=seconds
    )


def test_a_crowd_does_not_wait_for_a_hub_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=MANY) as listener:
        hub = hub_at(listener.getsockname(), 5)
        hub._limits = Limits(0.3)
        with pytest.raises(HubAwayError):
            hub.user_of("t")
        with ThreadPoolExecutor(MANY) as crowd:
            told = [each.exception() for each in [crowd.submit(hub.user_of, "t") for _ in range(MANY)]]
        assert {type(each) for each in told} == {HubAwayError}
        assert waiting(listener) < MANY / 2


def test_a_hub_that_starts_again_after_it_hung_holds_nobody_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hub = hub_at(listener.getsockname(), 60)
        hub._limits = Limits(0.3)
        with pytest.raises(HubAwayError):
            hub.user_of("t")
    # Its process has ended. The first look after the silence is refused, and so is the next: it is not told to wait.
    hub._silence._until = 0.001
    for _ in range(2):
        with pytest.raises(HubAwayError, match="ConnectionRefusedError"):
            hub.user_of("t")


def test_a_hub_that_answers_a_byte_at_a_time_is_left_too(world: World) -> None:
    mina = world.browser("mina")
    session = world.portal.sessions.find(mina.cookies["ansim-portal"], clock.now())
    assert session
    with before(to(("127.0.0.1", world.peer.port))) as (relay, listener):
        hub = hub_at(listener.getsockname(), 0.5)
        relay.drips = True
        with pytest.raises(HubAwayError):
            hub.user_of(session.token)
        relay.drips = False
        assert hub_at(listener.getsockname(), 20).user_of(session.token) == "mina"
