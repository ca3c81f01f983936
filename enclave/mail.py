"""A short text by mail to a relay inside the closed network (RFC 5321), with limits of time; no password, no TLS.

What is sent holds nothing that is not for everybody's eyes: whoever hands in a text sees to that.
"""

from __future__ import annotations

import smtplib
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from enclave.errors import Unavailable
from enclave.settings import Settings

# For each answer of the relay, and for all of them together: a relay that drips keeps nobody waiting.
ANSWER_S, WHOLE_S = 10.0, 30.0
PORT = 25


@dataclass(frozen=True)
class Relay:
    """Where mail is handed in, by whom, for whom. `whole_s`: seconds after which the whole of it is given up."""

    host: str
    port: int
    sender: str
    receivers: tuple[str, ...]
    whole_s: float = WHOLE_S

    @classmethod
    def of(cls, settings: Settings) -> Relay | None:
        """Return the relay of this installation; None where none, no sender or no receiver is set."""
        host, _, port = settings.mail_relay.partition(":")
        receivers = tuple(settings.mail_to.replace(",", " ").split())
        if not (host and settings.mail_from and receivers):
            return None
        return cls(host, int(port) if port.isdecimal() else PORT, settings.mail_from, receivers)


def send(relay: Relay, subject: str, text: str) -> None:
    """Hand in one mail for all receivers. Raises `Unavailable` (`mail.relay`): not sent, or not to all of them."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, relay.sender, ", ".join(relay.receivers)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=relay.sender.rpartition("@")[2] or "localhost")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="base64")
    try:
        refused = _hand_in(relay, mail)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise _away(type(error).__name__) from error
    if refused:
        raise _away(f"{len(refused)}/{len(relay.receivers)}")


def _hand_in(relay: Relay, mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
    # The name we say: looking up our own could wait for a name server that is not there.
    server = smtplib.SMTP(timeout=ANSWER_S, local_hostname="ansim")
    timer = threading.Timer(relay.whole_s, _cut, [server])
    timer.daemon = True
    timer.start()
    try:
        server.connect(relay.host, relay.port)
        refused = server.send_message(mail)
        # It was taken: how the relay says good-bye changes nothing, and is waited for no longer than the rest.
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        return refused
    finally:
        timer.cancel()
        server.close()


def _cut(server: smtplib.SMTP) -> None:
    # Closing alone would not wake who waits for the next byte.
    if server.sock is not None:
        with suppress(OSError):
            server.sock.shutdown(socket.SHUT_RDWR)


def _away(detail: str) -> Unavailable:
    return Unavailable(
        "mail.relay",
        ko=f"메일 서버가 받지 않았습니다({detail}).",
        en=f"The mail relay did not take it ({detail}).",
        remedy_ko="mail_relay, mail_from, mail_to와 그곳까지의 연결을 확인하세요. 한 시간 뒤에 다시 보냅니다.",
        remedy_en="Check mail_relay, mail_from, mail_to and the way there. It is tried again in an hour.",
    )
