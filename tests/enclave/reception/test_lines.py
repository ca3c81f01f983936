"""Encrypted lines: each title has its certificate, nobody else's will do, and who keeps silent stops nobody."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pydicom
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from enclave.console.reception import receive
from enclave.policy.reception import Senders
from enclave.reception import receiver
from enclave.reception.book import kept_book
from enclave.reception.lines import Certificates
from enclave.reception.receiver import Place
from enclave.reception.sealed import SealedStore
from tests.enclave.reception.archive import Hall, file_of, sending

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def _certificate(folder: Path, name: str) -> Path:
    """Make a certificate that is signed by its own key, as a hospital's archive has one; its key lies beside it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / f"{name}.pem"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    ours = _certificate(tmp_path / "ours", "ansim")
    for name in ("PACS", "PACS2"):
        _certificate(tmp_path / "senders", name)
    _certificate(tmp_path / "strangers", "PACS")
    return Certificates(ours, ours.with_suffix(".key"), tmp_path / "senders")


@pytest.fixture
def tls(home: Path, tmp_path: Path, certificates: Certificates) -> Iterator[Hall]:
    store = SealedStore(tmp_path / "hospital")
    store.prepare()
    with kept_book(store.folder, store.open, Senders(certificates.titles())) as book:
        made = Hall(home, store, book)
        with made.another(Place(("127.0.0.1", 0), certificates.context())) as made.port:
            yield made


def _with(certificates: Certificates, mine: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificates.ours))
    context.check_hostname = False
    if mine:
        path = certificates.senders.parent / mine
        context.load_cert_chain(path, path.with_suffix(".key"))
    return context


def test_a_title_with_its_certificate_is_heard_and_the_entry_says_that_the_line_was_encrypted(
    tls: Hall, certificates: Certificates
) -> None:
    with sending(tls.port, tls=_with(certificates, "senders/PACS.pem")) as association:
        sent = association.send_c_store(pydicom.dcmread(file_of("CT_small.dcm"))).Status
    assert sent == receiver.SUCCESS
    assert len(tls.kept()) == 1
    assert tls.entries()[0]["details"]["tls"] is True


ATTACKS = {
    "another listed sender's certificate": "senders/PACS2.pem",
    "a certificate of the same name that is not listed": "strangers/PACS.pem",
    "none at all": None,
}


@pytest.mark.parametrize("case", ATTACKS)
def test_a_title_with_anything_else_is_not_heard(tls: Hall, certificates: Certificates, case: str) -> None:
    with sending(tls.port, tls=_with(certificates, ATTACKS[case])) as association:
        assert not association.is_established
    assert tls.kept() == []
    codes = [each["reason"]["code"] for each in tls.entries()]
    # What shows no listed certificate gets no further than the handshake, and is nobody who could be named.
    assert codes == (["reception.certificate"] if case.startswith("another") else [])


def test_a_line_that_is_not_encrypted_is_not_heard(tls: Hall) -> None:
    with sending(tls.port) as association:
        assert not association.is_established
    assert tls.kept() == []


def test_who_connects_and_never_shakes_hands_stops_nobody(tls: Hall, certificates: Certificates) -> None:
    with (
        socket.create_connection(("127.0.0.1", tls.port)),
        socket.create_connection(("127.0.0.1", tls.port)),
        sending(tls.port, tls=_with(certificates, "senders/PACS.pem")) as association,
    ):
        assert association.is_established


@contextmanager
def _spoilt(folder: Path, name: str, text: str) -> Iterator[None]:
    (folder / name).write_text(text)
    yield
    (folder / name).unlink()


SPOILT = {
    "no certificate": ("PACS3.pem", "nothing of the sort"),
    "a name longer than a title": (f"{'P' * 17}.pem", ""),
    "a name that no title can be": ("병원.pem", ""),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_folder_of_senders_that_cannot_be_read_is_refused_by_name(
    certificates: Certificates, tmp_path: Path, case: str
) -> None:
    name, text = SPOILT[case]
    words = ["--senders", certificates.senders, "--certificate", certificates.ours, "--key", certificates.key]
    with _spoilt(certificates.senders, name, text):
        done = CliRunner().invoke(receive, [str(each) for each in (tmp_path / "hospital", *words)])
    assert (done.exit_code, name in done.output) == (2, True)


HALVES = {
    "nobody": [],
    "both ways": ["--from", "PACS", "--senders", "."],
    "senders without our certificate": ["--senders", "."],
}


@pytest.mark.parametrize("case", HALVES)
def test_half_of_either_way_is_refused(tmp_path: Path, case: str) -> None:
    done = CliRunner().invoke(receive, [str(tmp_path / "hospital"), *HALVES[case]])
    assert done.exit_code == 2
    assert "--from" in done.output
    assert not (tmp_path / "hospital").exists()


NO_TITLES = {
    "longer than a title": "P" * 17,
    "not ASCII": "병원",
    "nothing": "",
    "a backslash": "A\\B",
    "a blank": " PACS",
}


@pytest.mark.parametrize("option", ["--from", "--title"])
@pytest.mark.parametrize("case", NO_TITLES)
def test_a_title_that_no_device_can_have_is_refused_by_name(tmp_path: Path, case: str, option: str) -> None:
    given = {"--from": "PACS", option: NO_TITLES[case]}
    words = [word for pair in given.items() for word in pair]
    done = CliRunner().invoke(receive, [str(tmp_path / "hospital"), *words])
    assert done.exit_code == 2
    assert f"{NO_TITLES[case]}: AE title" in done.output
    assert not (tmp_path / "hospital").exists()
