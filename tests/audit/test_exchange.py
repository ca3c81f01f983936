"""An exchange ends whatever the server does: silent, a byte at a time, without an end, cut off, in a handshake."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from audit.exchange import Ask, Limits, NoAnswerError, exchange

Say = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Takes connections and lets `say` do with each what it likes, until the end."""

    def __init__(self, say: Say, context: ssl.SSLContext | None = None) -> None:
        self.over, self.say, self.context = threading.Event(), say, context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        self.listener.settimeout(0.05)
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                line = self.listener.accept()[0]
                line.settimeout(None)
                with self.context.wrap_socket(line, server_side=True) if self.context else line as told:
                    self.say(told, self.over)

    def close(self) -> None:
        self.over.set()
        self.thread.join()
        self.listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with contextlib.ExitStack() as stack:

        def made(say: Say, context: ssl.SSLContext | None = None) -> Server:
            return stack.enter_context(contextlib.closing(Server(say, context)))

        yield made


def _silent(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def _drips(start: bytes) -> Say:
    def say(line: socket.socket, over: threading.Event) -> None:
        line.recv(1 << 16)
        line.sendall(start)
        with contextlib.suppress(OSError):
            while not over.wait(0.02):
                line.sendall(b"x")

    return say


def _endless(line: socket.socket, over: threading.Event) -> None:
    line.recv(1 << 16)
    line.sendall(HEAD + b"\r\n")
    with contextlib.suppress(OSError):
        while not over.is_set():
            line.sendall(bytes(1 << 16))


def _says(data: bytes) -> Say:
    def say(line: socket.socket, _: threading.Event) -> None:
        line.recv(1 << 16)
        line.sendall(data)

    return say


@pytest.mark.parametrize(
    ("say", "late"),
    [
        (_silent, True),
        (_drips(HEAD + b"X-Long: "), True),
        (_drips(HEAD + b"Content-Length: 1000000\r\n\r\n"), True),
        (_drips(HEAD + b"\r\n"), True),
        (_drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n"), True),
        (_endless, False),
        (_says(HEAD + b"Content-Length: 5\r\n\r\nab"), False),
        (_says(b"nonsense"), False),
        (_says(b""), False),
    ],
    ids=["silent", "head", "body", "to the end", "chunk", "endless", "cut off", "no HTTP", "nothing"],
)
def test_a_server_that_does_not_answer_whole_is_left(serve: Callable[..., Server], say: Say, *, late: bool) -> None:
    server = serve(say)
    with pytest.raises(NoAnswerError) as left:
        exchange(Ask("GET", f"http://127.0.0.1:{server.port}/"), Limits(20 if not late else 0.5, 1 << 16))
    assert left.value.is_late is late
    assert server.thread.is_alive(), "the server still does what it does"


def test_a_whole_answer_is_given_whatever_its_status(serve: Callable[..., Server]) -> None:
    heard: list[bytes] = []

    def say(line: socket.socket, _: threading.Event) -> None:
        heard.append(line.recv(1 << 16))
        line.sendall(b"HTTP/1.1 404 No\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok")

    server = serve(say)
    ask = Ask("POST", f"http://127.0.0.1:{server.port}/a?b=c", b"body", {"X-Q": "1"})
    assert exchange(ask, Limits(20)) == (404, {"x-a": "b", "content-length": "2"}, b"ok")
    first, _, rest = heard[0].partition(b"\r\n")
    assert first == b"POST /a?b=c HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}".encode() in rest
    assert b"X-Q: 1" in rest


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http:///x", "http://127.0.0.1:99999/", "nonsense", "http://[::1"])
def test_what_is_no_address_is_no_answer(url: str) -> None:
    with pytest.raises(NoAnswerError):
        exchange(Ask("GET", url), Limits(5))


def test_a_unix_socket_at_which_nobody_answers_is_left(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(NoAnswerError, match="ConnectionRefusedError"):
            exchange(Ask("GET", "http://x/", unix=str(tmp_path / "s")), Limits(5))
        listener.listen()
        with pytest.raises(NoAnswerError) as left:
            exchange(Ask("GET", "http://x/", unix=str(tmp_path / "s")), Limits(0.3))
    assert left.value.is_late


def test_an_address_at_which_nobody_answers_leaves_time_for_the_next(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = serve(_says(HEAD + b"Content-Length: 2\r\n\r\nok"))
    with contextlib.ExitStack() as held:
        dead = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            line = held.enter_context(socket.socket())
            line.setblocking(False)
            line.connect_ex(dead.getsockname())
        # What a name server says of a name with two addresses; the connections are real.
        places = dead.getsockname(), good.listener.getsockname()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", at) for at in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert exchange(Ask("GET", "http://two.test/"), Limits(8)).body == b"ok"


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate that this process trusts as it trusts those of the machine's store."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = tmp_path / "here.pem", tmp_path / "here.key"
    file.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context


def test_over_tls_it_is_the_same(
    serve: Callable[..., Server], certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = serve(_says(HEAD + b"Content-Length: 2\r\n\r\nok"), certified)
    url = f"https://127.0.0.1:{whole.port}/"
    assert exchange(Ask("GET", url), Limits(20)).body == b"ok"
    for left in (serve(_silent), serve(_drips(HEAD + b"X-Long: "), certified)):
        with pytest.raises(NoAnswerError) as late:
            exchange(Ask("GET", f"https://127.0.0.1:{left.port}/"), Limits(0.5))
        assert late.value.is_late
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NoAnswerError, match="SSLCertVerificationError"):
        exchange(Ask("GET", url), Limits(20))
