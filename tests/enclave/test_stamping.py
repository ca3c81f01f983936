"""Time stamps and the locked copy from the enclave's side: a real authority over HTTP, a real store, one entry each."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from audit.anchors import Anchors
from audit.keyline import policy_of
from audit.stamps import stamping_from
from audit.verify import verify_log
from enclave import clock, tsa
from enclave.actor import Actor
from enclave.commands import copying, stamping
from enclave.errors import Conflict, Denied, EnclaveError, Unavailable
from enclave.portal import anchoring
from enclave.queries.anchors import last_stamp
from tests.audit.store_server import ACCESS, SECRET, serving
from tests.audit.tsa import LocalTsa
from tests.enclave.anchor_place import Place
from tests.enclave.scene import NOW
from tests.hung import before, to

CONSOLE, SYSTEM = Actor.console(), Actor.system()


class Authority:
    """A time-stamping authority at an address, as RFC 3161 §3.4 has it; `says` may replace its answers."""

    def __init__(self, local: LocalTsa) -> None:
        self.local, self.says = local, (200, "application/timestamp-reply", None)
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                status, kind, body = authority.says
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(authority.local.reply(query) if body is None else body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsa"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Iterator[Authority]:
    made = Authority(LocalTsa(tmp_path_factory.mktemp("tsa") / "here"))
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def place(shared, tmp_path, authority) -> Place:
    authority.says = (200, "application/timestamp-reply", None)
    made = Place(shared, tmp_path / "place", tsa_url=authority.url)
    made.settings.tsa_certificate.write_bytes(authority.local.trusted)
    return made


def stamp(place: Place, actor: Actor = SYSTEM) -> stamping.Stamped:
    fetch = partial(tsa.fetch, place.settings.tsa_url)
    return stamping.stamp_newest(place.store, place.settings, actor, fetch=fetch, now=NOW)


def test_a_checkpoint_is_stamped_over_the_network_and_the_verifier_finds_it(place) -> None:
    with place.scene.new_entries() as entries:
        found = stamp(place)
    assert [(each["action"], each["outcome"], each["details"]["size"]) for each in entries] == [
        ("log.stamp", "done", found.size)
    ]
    settings = place.settings
    trusted = stamping_from(str(settings.tsa_certificate))
    report = verify_log(settings.log, policy_of(place.signer.vkey), anchors=settings.anchors, stamping=trusted)
    assert [claim.code for claim in report.claims if "stamp" in claim.code] == ["anchor.stamped"]
    assert abs(last_stamp(settings) - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_request_and_its_answer_can_be_carried_as_files(place, authority) -> None:
    with place.scene.new_entries() as entries:
        size, query = stamping.ask_stamp(place.store, place.settings, CONSOLE, now=NOW)
        place.publish()
        token = authority.local.reply(query)
        found = stamping.take_stamp(place.store, place.settings, CONSOLE, token=token, now=NOW)
    assert found.size == size
    assert [each["action"] for each in entries] == ["log.stamp-ask", "log.stamp"]
    with pytest.raises(Conflict) as caught:
        stamping.take_stamp(place.store, place.settings, CONSOLE, token=token, now=NOW)
    assert caught.value.code == "log.no-stamp-asked"


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ((500, "text/plain", b"no"), "log.tsa"),
        ((200, "text/html", b"<html>"), "log.tsa"),
        ((200, "application/timestamp-reply", b"x" * (65 << 10)), "log.tsa"),
        ((200, "application/timestamp-reply", b"x"), "audit.stamp-unreadable"),
    ],
    ids=["error", "page", "huge", "no token"],
)
def test_an_answer_that_is_none_is_refused_recorded_and_not_kept(place, authority, says, code) -> None:
    authority.says = says
    with place.scene.new_entries() as entries, pytest.raises(EnclaveError) as caught:
        stamp(place)
    assert caught.value.code == code
    assert [(each["outcome"], each["reason"]["code"]) for each in entries] == [("failed", code)]
    assert last_stamp(place.settings) is None


def test_an_authority_that_is_away_or_not_trusted_is_said(place, tmp_path) -> None:
    away = partial(tsa.fetch, "http://127.0.0.1:1/tsa")
    with pytest.raises(Unavailable):
        stamping.stamp_newest(place.store, place.settings, SYSTEM, fetch=away, now=NOW)
    stranger = LocalTsa(tmp_path / "stranger")
    with pytest.raises(Conflict) as caught:
        stamping.stamp_newest(place.store, place.settings, SYSTEM, fetch=stranger.reply, now=NOW)
    assert caught.value.code == "audit.bad-stamp"
    place.settings.tsa_certificate.unlink()
    with pytest.raises(Conflict) as caught:
        stamp(place)
    assert caught.value.code == "log.no-tsa-certificate"


@pytest.mark.parametrize("hangs", ["silent", "drips", "endless"])
def test_an_authority_that_hangs_is_left_recorded_and_asked_again_once_it_goes_on(place, authority, hangs) -> None:
    if hangs == "endless":
        authority.says = (200, "application/timestamp-reply", bytes(64 << 20))
    with ExitStack() as stack:
        if hangs == "silent":
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        else:
            relay, listener = stack.enter_context(before(to(("127.0.0.1", authority.server.server_port))))
            relay.drips = hangs == "drips"
        fetch = partial(tsa.fetch, f"http://127.0.0.1:{listener.getsockname()[1]}/tsa", wait_s=1)
        with place.scene.new_entries() as entries, pytest.raises(Unavailable) as left:
            stamping.stamp_newest(place.store, place.settings, SYSTEM, fetch=fetch, now=NOW)
    assert left.value.code == "log.tsa"
    assert [(each["outcome"], each["reason"]["code"]) for each in entries] == [("failed", "log.tsa")]
    authority.says = (200, "application/timestamp-reply", None)
    found = stamp(place)
    anchors = Anchors(place.settings.anchors)
    assert [size for size in anchors.sizes() if anchors.stamp(size)] == [found.size]


def test_one_stamp_a_day_in_seoul_from_the_hour_on(place) -> None:
    today = datetime.now(UTC).astimezone(clock.KST).replace(hour=12)
    due = partial(anchoring.stamp_is_due, place.settings)
    assert due(today)
    assert not due(today.replace(hour=2))
    stamp(place)
    assert not due(today)
    assert due(today + timedelta(days=1))
    assert not anchoring.stamp_is_due(replace(place.settings, tsa_url=""), today + timedelta(days=1))


# --- the copy that nobody can delete -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def copied(shared, tmp_path, server) -> Place:
    name = server.bucket(f"enclave-{shared.store.engine.dialect.name}-{len(server.client.list_buckets()['Buckets'])}")
    made = Place(shared, tmp_path / "place", worm_endpoint=server.endpoint, worm_bucket=name, worm_days=2)
    made.settings.worm_key.write_text(f'access_key = "{ACCESS}"\nsecret_key = "{SECRET}"\n')
    return made


def test_the_log_is_copied_and_what_was_hidden_in_the_store_is_told(copied, server, tmp_path) -> None:
    settings = copied.settings
    with copied.scene.new_entries() as entries:
        done = copying.copy_log(copied.store, settings, SYSTEM, now=datetime.now(UTC))
        server.client.delete_object(Bucket=settings.worm_bucket, Key="ansim/checkpoint")
        copying.copy_log(copied.store, settings, CONSOLE, now=datetime.now(UTC))
    assert [(each["action"], each["details"]["hidden"]) for each in entries] == [("log.copy", 0), ("log.copy", 1)]
    copying.bucket_of(settings).fetch(tmp_path / "back")
    assert verify_log(tmp_path / "back/log", copied.signer.vkey, anchors=tmp_path / "back/anchors").ok
    assert done.size > 0
    assert Anchors(tmp_path / "back/anchors").sizes() == []


def test_a_store_that_is_not_set_up_or_refuses_is_recorded_without_its_secret(copied) -> None:
    settings = copied.settings
    settings.worm_key.write_text(f'access_key = "{ACCESS}"\nsecret_key = "wrong-secret"\n')
    with copied.scene.new_entries() as entries, pytest.raises(Conflict):
        copying.copy_log(copied.store, settings, SYSTEM, now=NOW)
    assert [(each["outcome"], each["reason"]["code"]) for each in entries] == [("failed", "audit.copy-failed")]
    for text in ("", "access_key = 5", "= ="):
        settings.worm_key.write_text(text)
        with pytest.raises(Conflict) as caught:
            copying.bucket_of(settings)
        assert caught.value.code == "log.no-store"
    settings.worm_key.unlink()
    with pytest.raises(Conflict):
        copying.bucket_of(settings)


@pytest.mark.parametrize("login", ["operator", "auditor"])
def test_nobody_at_a_browser_stamps_or_copies(place, login) -> None:
    actor = place.scene.actor(login)
    tries = [
        lambda: stamp(place, actor),
        lambda: stamping.ask_stamp(place.store, place.settings, actor, now=NOW),
        lambda: stamping.take_stamp(place.store, place.settings, actor, token=b"", now=NOW),
        lambda: copying.copy_log(place.store, place.settings, actor, now=NOW),
    ]
    for each in tries:
        with pytest.raises(Denied):
            each()
