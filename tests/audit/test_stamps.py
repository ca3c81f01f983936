"""Time stamps by a real authority of the test's own: what holds, what is refused, and who checks what."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rfc3161_client
from click.testing import CliRunner

from audit import stamps, standalone
from audit.anchors import Anchors
from audit.cli import audit
from audit.errors import StampError
from audit.reader import LogReader
from audit.verify import verify_log
from tests.audit.logs import VKEY
from tests.audit.tsa import LocalTsa

TEXT = b"ansim.test/log\n600\nqWk=\n"


@pytest.fixture(scope="module")
def chained(tmp_path_factory) -> LocalTsa:
    return LocalTsa(tmp_path_factory.mktemp("tsa") / "chained", chained=True)


def code_of(*arguments) -> str:
    with pytest.raises(StampError) as caught:
        stamps.check_stamp(*arguments)
    return caught.value.code


def trusted(tsa: LocalTsa):
    return stamps.certificates(tsa.trusted)


def test_our_request_is_byte_for_byte_that_of_openssl(tmp_path) -> None:
    (tmp_path / "text").write_bytes(TEXT)
    command = ["openssl", "ts", "-query", "-data", "text", "-sha256", "-cert", "-no_nonce", "-out", "query"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert stamps.stamp_query(TEXT) == (tmp_path / "query").read_bytes()


def test_a_stamp_holds_and_states_its_moment(tsa) -> None:
    found = stamps.check_stamp(tsa.reply(stamps.stamp_query(TEXT)), TEXT, trusted(tsa))
    assert found.checked_by == "rfc3161-client"
    assert abs(datetime.now(UTC) - found.at) < timedelta(minutes=5)


def test_a_token_that_the_library_refuses_for_its_order_is_checked_by_openssl(chained) -> None:
    token = chained.reply(stamps.stamp_query(TEXT))
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        rfc3161_client.decode_timestamp_response(token)
    assert stamps.check_stamp(token, TEXT, trusted(chained)).checked_by == "openssl ts"


@pytest.fixture(params=["library", "openssl"])
def checker(request, monkeypatch) -> str:
    """Both ways of checking one and the same plain token."""
    if request.param == "openssl":
        monkeypatch.setattr(stamps, "_HAS_LIBRARY", False)
    return request.param


def test_both_ways_agree_on_the_moment(tsa, monkeypatch) -> None:
    token = tsa.reply(stamps.stamp_query(TEXT))
    by_library = stamps.check_stamp(token, TEXT, trusted(tsa))
    monkeypatch.setattr(stamps, "_HAS_LIBRARY", False)
    assert stamps.check_stamp(token, TEXT, trusted(tsa)) == (by_library.at, "openssl ts")


def test_a_stamp_of_another_text_is_refused(tsa, checker) -> None:
    assert code_of(tsa.reply(stamps.stamp_query(TEXT)), TEXT + b"x", trusted(tsa)) == "audit.bad-stamp"


def test_a_stamp_of_an_authority_that_is_not_trusted_is_refused(tsa, chained, checker) -> None:
    assert code_of(tsa.reply(stamps.stamp_query(TEXT)), TEXT, trusted(chained)) == "audit.bad-stamp"
    assert code_of(chained.reply(stamps.stamp_query(TEXT)), TEXT, trusted(tsa)) == "audit.bad-stamp"


def test_a_certificate_that_had_run_out_when_it_stamped_stamps_nothing(tmp_path, checker) -> None:
    late = LocalTsa(tmp_path / "late", days=(300, -100))
    assert code_of(late.reply(stamps.stamp_query(TEXT)), TEXT, trusted(late)) == "audit.bad-stamp"


def test_a_certificate_that_may_not_stamp_stamps_nothing(tmp_path, tsa, checker) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        LocalTsa(tmp_path / "other", stamping=False).reply(stamps.stamp_query(TEXT))


def test_any_changed_byte_of_a_stamp_is_refused_or_changes_nothing_that_is_signed(tsa) -> None:
    token = tsa.reply(stamps.stamp_query(TEXT))
    whole = stamps.check_stamp(token, TEXT, trusted(tsa))
    for place in range(0, len(token), 7):
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        try:
            found = stamps.check_stamp(changed, TEXT, trusted(tsa))
        except StampError:
            continue
        assert found.at == whole.at


@pytest.mark.parametrize("token", [b"", b"x", b"\x30\x03\x02\x01\x02"], ids=["nothing", "no DER", "status only"])
def test_what_is_no_stamp_is_unreadable(token, tsa, checker) -> None:
    assert code_of(token, TEXT, trusted(tsa)) == "audit.stamp-unreadable"


def test_a_request_that_the_authority_rejects_gives_no_stamp(tsa, checker) -> None:
    token = tsa.reply(stamps.stamp_query(TEXT)[:-1])
    assert code_of(token, TEXT, trusted(tsa)) in {"audit.stamp-unreadable", "audit.bad-stamp"}


def test_without_either_program_it_is_said(tsa, monkeypatch) -> None:
    token = tsa.reply(stamps.stamp_query(TEXT))
    monkeypatch.setattr(stamps, "_HAS_LIBRARY", False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert code_of(token, TEXT, trusted(tsa)) == "audit.no-stamp-tool"


@pytest.mark.parametrize("pem", [b"", b"nothing", Path(__file__).read_bytes()], ids=["empty", "text", "a file"])
def test_what_is_no_certificate_is_refused(pem) -> None:
    with pytest.raises(StampError) as caught:
        stamps.certificates(pem)
    assert caught.value.code == "audit.stamp-certificate"


# --- beside the log ------------------------------------------------------------------------------------------------


def anchored(folder: Path, log: Path) -> Anchors:
    anchors = Anchors(folder)
    anchors.keep((log / "checkpoint").read_bytes())
    return anchors


def text_of(log: Path) -> bytes:
    return str(LogReader(log, VKEY).checkpoint).encode()


def codes(log: Path, anchors: Anchors, stamping=None) -> list[tuple[str, bool, bool]]:
    report = verify_log(log, VKEY, anchors=anchors.folder, stamping=stamping)
    return [(claim.code, claim.ok, claim.amber) for claim in report.claims[4:-1]]


def test_the_verifier_says_when_a_checkpoint_existed(log_of_600, tmp_path, tsa, chained) -> None:
    anchors = anchored(tmp_path / "anchors", log_of_600)
    kept = ("anchor.kept", True, False)
    assert codes(log_of_600, anchors) == [kept]
    for authority in (tsa, chained):
        anchors.keep_stamp(600, authority.reply(stamps.stamp_query(text_of(log_of_600))))
        assert codes(log_of_600, anchors) == [kept, ("anchor.stamp-unchecked", True, True)]
        assert codes(log_of_600, anchors, trusted(authority)) == [kept, ("anchor.stamped", True, False)]
    assert codes(log_of_600, anchors, trusted(tsa)) == [kept, ("audit.bad-stamp", False, False)]


def test_a_stamp_of_another_checkpoint_beside_this_one_is_refused(log_of_600, tmp_path, tsa) -> None:
    anchors = anchored(tmp_path / "anchors", log_of_600)
    anchors.keep_stamp(600, tsa.reply(stamps.stamp_query(b"another\n")))
    assert codes(log_of_600, anchors, trusted(tsa))[-1] == ("audit.bad-stamp", False, False)


def test_the_one_file_verifier_and_the_command_take_the_certificate(log_of_600, tmp_path, tsa) -> None:
    anchors = anchored(tmp_path / "anchors", log_of_600)
    anchors.keep_stamp(600, tsa.reply(stamps.stamp_query(text_of(log_of_600))))
    (tmp_path / "tsa.pem").write_bytes(tsa.trusted)
    (tmp_path / "verify.py").write_text(standalone.verifier())
    given = [log_of_600, "--key", VKEY, "--anchors", anchors.folder, "--tsa", tmp_path / "tsa.pem"]
    arguments = list(map(str, given))
    command = [sys.executable, "-I", str(tmp_path / "verify.py"), *arguments]
    alone = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert "✓ 시점확인 1개가 맞습니다" in alone.stdout
    assert CliRunner().invoke(audit, ["verify", *arguments]).output == alone.stdout
    assert CliRunner().invoke(audit, ["verify", *arguments, "--strict"]).exit_code == 1
    assert CliRunner().invoke(audit, ["verify", *arguments[:-1], "nowhere.pem"]).exit_code == 2
