"""Attacks on seat, frame and lock at the door: each is refused before anything reaches the notebook server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.enclave.gate.desk_peer import PORTAL, Door, served
from tests.enclave.gate.test_screens import NOW, Clock, a_plan

SEAT, OTHER = "203.0.113.7", "198.51.100.9"
AT_SEAT = {"x_forwarded_for": SEAT}
IN_FRAME = AT_SEAT | {"sec_fetch_dest": "iframe", "sec_fetch_site": "same-site", "sec_fetch_mode": "navigate"}
DESK = f"{PORTAL}/desk/w-1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(tmp_path: Path, clock: Clock) -> Iterator[Door]:
    with served(a_plan(clipboard_chars=20), tmp_path, clock) as made:
        yield made


def test_at_the_seat_a_program_gets_what_it_asks_for(door: Door) -> None:
    assert door.ask("api", **AT_SEAT).status_code == 200
    assert door.reached == ["/user/mina/api"]


@pytest.mark.parametrize(
    "forwarded",
    [OTHER, f"{SEAT},{OTHER}", f"{SEAT}, {SEAT} ,{OTHER}", f"{OTHER},", "", "garbage", f"{SEAT} {OTHER}"],
)
def test_from_another_address_nothing_passes_whatever_the_browser_writes(door: Door, forwarded: str) -> None:
    answer = door.ask("api", x_forwarded_for=forwarded, x_real_ip=SEAT, forwarded=f"for={SEAT}")
    assert answer.status_code == 403
    assert "자리" in answer.json()["message"]
    assert door.reached == []
    assert door.events("seat-refused", wait_s=5)[0]["seat"] == SEAT


def test_the_hub_looking_whether_a_server_is_up_is_nothing_to_tell_an_auditor(door: Door) -> None:
    assert door.ask("api").status_code == 403
    assert door.events("seat-refused") == []


def test_behind_a_trusted_proxy_the_address_before_it_counts(tmp_path: Path, clock: Clock) -> None:
    with served(a_plan(), tmp_path, clock, hops=1) as door:
        assert door.ask("api", x_forwarded_for=f"{SEAT},10.0.0.2").status_code == 200
        assert door.ask("api", x_forwarded_for=f"{SEAT},{OTHER},10.0.0.2").status_code == 403
        assert door.ask("api", x_forwarded_for=SEAT).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_dest": "document", "sec_fetch_site": "none"},
        {"sec_fetch_dest": "document", "sec_fetch_site": "same-site"},
        {"accept": "text/html,application/xhtml+xml"},
    ],
)
def test_a_document_at_the_top_of_a_window_is_sent_to_the_desk(door: Door, headers: dict[str, str]) -> None:
    answer = door.ask("lab/tree/a.ipynb", **AT_SEAT, **headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{DESK}?at=lab/tree/a.ipynb")
    assert door.reached == []


def test_in_the_portals_frame_the_page_comes_sealed_and_only_the_portal_may_frame_it(door: Door) -> None:
    answer = door.ask("lab", **IN_FRAME)
    assert answer.status_code == 200
    head = answer.text[: answer.text.index("<title>")]
    assert 'src="/user/mina/ansim/seal.js"' in head
    assert 'href="/user/mina/ansim/seal.css"' in head
    origin = PORTAL.removesuffix("/services/portal")
    assert f"frame-ancestors {origin} 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_dest": "empty", "sec_fetch_site": "same-site"},
        {"sec_fetch_dest": "empty", "sec_fetch_site": "cross-site"},
        {"sec_fetch_dest": "script", "sec_fetch_site": "same-site"},
        {"sec_fetch_dest": "object", "sec_fetch_site": "same-site"},
        {"sec_fetch_dest": "websocket", "sec_fetch_site": "same-site"},
    ],
)
def test_a_page_of_another_origin_gets_nothing(door: Door, headers: dict[str, str]) -> None:
    assert door.ask("api/kernels", **AT_SEAT, **headers).status_code == 403
    assert door.ask("api/kernels", "POST", **AT_SEAT, **headers).status_code == 403
    assert door.reached == []


def test_a_form_of_another_origin_sent_into_a_frame_is_refused(door: Door) -> None:
    assert door.ask("api/kernels", "POST", **IN_FRAME).status_code == 403
    assert door.reached == []


WAYS = [("GET", "api"), ("GET", "api/contents/a.ipynb"), ("POST", "api/kernels"), ("PUT", "api/contents/a.ipynb"),
        ("GET", "lab"), ("GET", "static/lab/main.js"), ("POST", "ansim/active"), ("POST", "ansim/clipboard"),
        ("GET", "oauth_callback"), ("GET", "api/kernels/0a0b0c0d-1111-2222-3333-444455556666/channels")]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_a_locked_screen_gives_nothing_to_any_way_of_asking(door: Door, method: str, path: str) -> None:
    door.screens.lock("w-1")
    plain = door.ask(path, method, **AT_SEAT)
    assert plain.status_code == 423
    assert plain.json()["code"] == "gate.locked"
    framed = door.ask(path, method, **IN_FRAME)
    assert framed.status_code in {403, 423}
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_key": "eA==",
        "sec_websocket_version": "13",
    }
    assert door.ask(path, method, **AT_SEAT, **upgrade).status_code == 423
    assert door.reached == []


def test_an_idle_screen_locks_without_waiting_for_the_sweep_and_says_so_once(door: Door, clock: Clock) -> None:
    clock.now = NOW + timedelta(minutes=10)
    assert door.ask("api", **AT_SEAT).status_code == 423
    assert door.ask("ansim/active", "POST", **AT_SEAT).status_code == 423
    assert door.ask("ansim/state", **AT_SEAT).json() == {"locked": True}


def test_a_reported_hand_keeps_the_screen_open(door: Door, clock: Clock) -> None:
    for _ in range(3):
        clock.now += timedelta(minutes=9)
        assert door.ask("ansim/active", "POST", **AT_SEAT).status_code == 200
    assert door.ask("api", **AT_SEAT).status_code == 200
    clock.now += timedelta(minutes=10)
    assert door.ask("api", **AT_SEAT).status_code == 423


def test_polling_alone_keeps_no_screen_open(door: Door, clock: Clock) -> None:
    for _ in range(10):
        clock.now += timedelta(minutes=1)
        door.ask("api/kernels", **AT_SEAT)
        door.ask("api/contents/a.ipynb", "PUT", **AT_SEAT, content="{}")
    assert door.ask("api", **AT_SEAT).status_code == 423


@pytest.mark.parametrize("path", ["ansim/unlock", "ansim/lock", "ansim/seat", "ansim/screen", "ansim/../ansim/unlock"])
def test_nothing_below_a_workspace_unlocks_it(door: Door, path: str) -> None:
    door.screens.lock("w-1")
    for method in ("GET", "POST", "PUT"):
        assert door.ask(path, method, **AT_SEAT).status_code in {403, 423}
    assert door.screens.of("w-1").locked


def test_the_seal_itself_comes_to_a_locked_page_and_to_no_other_seat(door: Door) -> None:
    door.screens.lock("w-1")
    assert "PatientSocket" in door.ask("ansim/seal.js", **AT_SEAT).text
    assert door.ask("ansim/seal.js", x_forwarded_for=OTHER).status_code == 403


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"characters": 20, "sha256": "ab" * 32}, 200),
        ({"characters": 21, "sha256": "ab" * 32}, 403),
        ({"characters": 0, "sha256": "ab" * 32}, 403),
        ({"characters": -5, "sha256": "ab" * 32}, 403),
        ({"characters": 5, "sha256": "the text itself"}, 422),
        ({"characters": 5}, 422),
        ([], 422),
    ],
)
def test_a_copy_is_allowed_up_to_the_plans_number_of_characters_once_it_is_recorded(
    door: Door, said: object, status: int
) -> None:
    assert door.ask("ansim/clipboard", "POST", **AT_SEAT, content=json.dumps(said)).status_code == status
    assert len(door.events("clipboard")) == (status == 200)


def test_a_copy_that_cannot_be_recorded_is_not_allowed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door.spool, "put_all", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    said = json.dumps({"characters": 5, "sha256": "ab" * 32})
    assert door.ask("ansim/clipboard", "POST", **AT_SEAT, content=said).json() == {"allowed": False}


def test_moving_the_seat_shuts_the_old_one(door: Door) -> None:
    door.front.screens.move("w-1", OTHER)
    assert door.ask("api", **AT_SEAT).status_code == 403
    assert door.ask("api", x_forwarded_for=OTHER).status_code == 200
