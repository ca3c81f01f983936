"""The running hub tells the enclave of the doors at which it refuses somebody who is signed in."""

from __future__ import annotations

import pytest

from tests.enclave.gate.world import until
from tests.hub_config.conftest import HubWorld

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def told(hub: HubWorld, event: str, login: str) -> list[str]:
    return [body["route"] for path, body in hub.core.told
            if path == "/events" and (body["event"], body["login"]) == (event, login)]  # fmt: skip


def test_a_door_that_stays_shut_for_a_signed_in_person_is_told(hub: HubWorld) -> None:
    session = hub.session("nosy")
    session.sign_in()
    address = f"{hub.public}/hub/api/users/kim/server"
    assert session.http.post(address, headers=session._xsrf(session.hub), json={}).status_code in {403, 404}
    until(lambda: told(hub, "access-refused", "nosy") == ["api/users"])
