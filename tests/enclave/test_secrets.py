"""Vault, key files and codes."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave import credentials, keys
from enclave.errors import Invalid, Unavailable
from enclave.vault import Vault

VAULT = Vault(bytes(range(32)))
START = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_for_its_purpose_and_never_looks_the_same_twice(plain, purpose):
    sealed = VAULT.seal(plain, purpose=purpose)
    assert VAULT.open(sealed, purpose=purpose) == plain
    assert sealed != VAULT.seal(plain, purpose=purpose)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_sealed_value_changed_anywhere_or_moved_does_not_open(plain, data):
    sealed = bytearray(VAULT.seal(plain, purpose="totp:u-1"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unavailable):
        VAULT.open(bytes(sealed), purpose="totp:u-1")
    with pytest.raises(Unavailable):
        VAULT.open(VAULT.seal(plain, purpose="totp:u-1"), purpose="totp:u-2")
    with pytest.raises(Unavailable):
        Vault(bytes(32)).open(VAULT.seal(plain, purpose="p"), purpose="p")


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "vault.key"
    sealed = Vault.create(path).seal(b"x", purpose="p")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Vault.load(path).open(sealed, purpose="p") == b"x"
    with pytest.raises(FileExistsError):
        Vault.create(path)


@pytest.mark.parametrize("damage", ["gone", "open to others", "cut", "not hexadecimal"])
def test_a_key_file_that_is_not_right_is_refused(tmp_path, damage):
    path = tmp_path / "vault.key"
    Vault.create(path)
    if damage == "gone":
        path.unlink()
    elif damage == "open to others":
        path.chmod(0o640)
    else:
        path.write_text("00" * 31 if damage == "cut" else "zz" * 32)
    with pytest.raises(Unavailable) as refused:
        Vault.load(path)
    assert refused.value.code == "vault.damaged"


def test_signing_keys_are_pem_with_a_public_half_and_are_never_overwritten(tmp_path):
    path = tmp_path / "plan.key"
    keys.create_signing_key(path)
    signature = keys.load_signing_key(path).sign(b"plan")
    keys.load_public_key(path.with_suffix(".pub")).verify(signature, b"plan")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        keys.create_signing_key(path)


@pytest.mark.parametrize(
    "content", [None, b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_named(tmp_path, content):
    path = tmp_path / "some.key"
    if content is not None:
        path.write_bytes(content)
    for load in (keys.load_signing_key, keys.load_public_key):
        with pytest.raises(Unavailable, match=r"some\.key"):
            load(path)


@given(st.integers(0, 10**6), st.integers(-3, 3))
def test_a_code_counts_in_its_own_step_and_the_next_and_never_again(minutes, ahead):
    now, secret = START + timedelta(minutes=minutes), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    step = int(now.timestamp()) // credentials.STEP_S
    code = pyotp.TOTP(secret).at((step + ahead) * credentials.STEP_S)
    same = {pyotp.TOTP(secret).at((step + other) * credentials.STEP_S) for other in (-1, 0)}
    found = credentials.accepted_step(secret, code, now, last_step=0)
    assert (found is not None) == (code in same)
    if found is not None:
        assert credentials.accepted_step(secret, code, now, last_step=found) in {None, step}
        assert credentials.accepted_step(secret, code, now, last_step=step) is None


@pytest.mark.parametrize("password", ["", "short", "x" * 257, "long-enough-login"])
def test_a_weak_password_is_refused(password):
    with pytest.raises(Invalid):
        credentials.check_password_strength(password, "long-enough-login")


def test_nobody_matches_no_password():
    stored = credentials.hash_password("correct horse battery")
    assert credentials.password_matches(stored, "correct horse battery")
    assert not credentials.password_matches(stored, "correct horse batterz")
    assert not credentials.password_matches(None, "correct horse battery")
    assert not credentials.password_matches("not a hash", "correct horse battery")
