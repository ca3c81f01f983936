"""That a review is overdue leaves the portal: by mail to a real SMTP server, once a day, and by an exit code."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes, policy
from functools import partial

import pytest
from click.testing import CliRunner

from enclave import mail
from enclave.actor import Actor
from enclave.cli import ansim
from enclave.commands import notices
from enclave.console import log
from enclave.errors import EnclaveError, Unavailable
from enclave.queries import logreview
from enclave.settings import Settings
from tests.enclave.logreview.office import Office

TO = ("audit@enclave.test", "second@enclave.test")


class Session(socketserver.StreamRequestHandler):
    """One SMTP dialogue (RFC 5321 section 4.1), as far as a client needs it."""

    def handle(self) -> None:
        self.say(b"220 relay.test ESMTP")
        while line := self.rfile.readline().strip():
            verb = line.split(b" ", 1)[0].split(b":", 1)[0].upper()
            if verb == b"QUIT":
                self.quit()
                return
            if verb == b"DATA":
                self.say(b"354 go on")
                self.server.mails.append(self.body())
                self.say(b"250 taken")
            elif verb == b"RCPT" and any(each.encode() in line for each in self.server.refuses):
                self.say(b"550 no such person")
            else:
                self.say(b"250 relay.test")

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def quit(self) -> None:
        self.say(b"221 bye")

    def body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines)


class Dripping(socketserver.BaseRequestHandler):
    """Sends a byte now and then, and never a whole line."""

    def handle(self) -> None:
        try:
            while True:
                self.request.sendall(b"2")
                time.sleep(0.05)
        except OSError:
            return


class Lingering(Session):
    """Takes a mail, and never ends its good-bye: a line now and then that says that another follows."""

    def quit(self) -> None:
        with suppress(OSError):
            while True:
                self.say(b"221-bye")
                time.sleep(0.05)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    mails: list[bytes]
    refuses: tuple[str, ...] = ()


def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), handler) as server:
        server.mails = []
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serving(Session)


@pytest.fixture
def drip() -> Iterator[Server]:
    yield from serving(Dripping)


@pytest.fixture
def lingering() -> Iterator[Server]:
    yield from serving(Lingering)


def relay(server: Server, whole_s: float = mail.WHOLE_S) -> mail.Relay:
    settings = Settings(
        mail_relay=f"127.0.0.1:{server.server_address[1]}", mail_from="ansim@enclave.test", mail_to=", ".join(TO)
    )
    found = mail.Relay.of(settings)
    assert found is not None
    return replace(found, whole_s=whole_s)


def tell(office: Office, to: mail.Relay, actor: Actor | None = None) -> int:
    return notices.tell_overdue(office.store, actor or Actor.system(), send=partial(mail.send, to), now=office.now)


def refusal(office: Office, to: mail.Relay, actor: Actor | None = None) -> str:
    with pytest.raises(EnclaveError) as refused:
        tell(office, to, actor)
    return refused.value.code


def test_it_is_told_once_a_day_with_nothing_but_the_period_and_its_day(office: Office, server: Server) -> None:
    office.grant()
    office.close()
    assert refusal(office, relay(server)) == "period.notice-not-due"
    office.later(days=21)
    with office.scene.new_entries() as entries:
        assert tell(office, relay(server)) == 2, "the one that was closed, and the one that was to be"
    assert refusal(office, relay(server)) == "period.notice-not-due"
    office.later(days=1)
    tell(office, relay(server))
    assert [(each["action"], each["outcome"], each["details"]) for each in entries] == [
        ("period.notice", "done", {"days": 5, "periods": 2})
    ]
    first, second = (message_from_bytes(each, policy=policy.default) for each in server.mails)
    assert (first["From"], first["To"], first["Auto-Submitted"]) == (
        "ansim@enclave.test", ", ".join(TO), "auto-generated"
    )  # fmt: skip
    assert first["Subject"] == notices.SUBJECT
    said = first.get_content()
    assert said.splitlines()[0].startswith("제1차 점검: 기한 2026-12-10, 5일 지남 / Review no. 1: due 2026-12-10")
    assert "6일 지남" in second.get_content()
    assert [each for each in ("operator", "nobody", "권한", "이상징후", "n-") if each in said] == []


def test_a_relay_that_is_away_or_refuses_somebody_is_recorded_and_tried_again(office: Office, server: Server) -> None:
    office.grant()
    office.close()
    office.later(days=21)
    away = replace(relay(server), port=1)
    server.refuses = TO[1:]
    with office.scene.new_entries() as entries:
        assert refusal(office, away) == "mail.relay"
        assert refusal(office, relay(server)) == "mail.relay", "one of the two was refused"
    assert [(each["action"], each["outcome"], each["reason"]["code"]) for each in entries] == [
        ("period.notice", "failed", "mail.relay")
    ] * 2
    server.refuses = ()
    assert tell(office, relay(server)) == 2


def test_a_relay_that_drips_is_given_up(drip: Server) -> None:
    with pytest.raises(Unavailable):
        mail.send(relay(drip, whole_s=0.3), "s", "t")


def test_a_relay_that_took_the_mail_and_never_ends_its_goodbye_is_left(lingering: Server) -> None:
    mail.send(relay(lingering, whole_s=0.5), "s", "t")
    assert len(lingering.mails) == 1


@pytest.mark.parametrize("login", ["reviewer", "operator", "auditor"])
def test_only_the_service_sends(office: Office, server: Server, login: str) -> None:
    assert refusal(office, relay(server), office.actor(login)) == "period.notice-system"
    assert server.mails == []


def test_without_relay_sender_or_receiver_nothing_is_sent() -> None:
    whole = Settings(mail_relay="10.0.0.5", mail_from="a@b", mail_to="c@d")
    assert mail.Relay.of(whole) == mail.Relay("10.0.0.5", 25, "a@b", ("c@d",))
    assert [mail.Relay.of(replace(whole, **{name: ""})) for name in ("mail_relay", "mail_from", "mail_to")] == [
        None
    ] * 3


def test_an_exit_code_says_whether_a_review_is_overdue(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    home, url = office.scene.means.settings.home, office.store.engine.url.render_as_string(hide_password=False)
    (home / "config.toml").write_text(f'database_url = "{url}"\n')
    monkeypatch.setenv("ANSIM_HOME", str(home))
    monkeypatch.setattr(log, "now", lambda: office.now)
    office.grant()
    office.close()
    due = CliRunner().invoke(ansim, ["audit", "due"])
    assert (due.exit_code, "기한을 넘긴 점검이 없습니다" in due.output) == (0, True)
    office.later(days=21)
    due = CliRunner().invoke(ansim, ["audit", "due"])
    assert due.exit_code == 1
    assert due.output.startswith("제1차 점검: 기한 2026-12-10, 5일 지남")
    assert [each.number for each in logreview.overdue(office.store, now=office.now)] == [1, 2]
