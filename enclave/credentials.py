"""Passwords (Argon2id, RFC 9106, through argon2-cffi) and time-based codes (TOTP, RFC 6238, through pyotp).

Pure but for the random salt and secret. A code is accepted in its own 30-second step and the one before, and once
only: the caller keeps the last accepted step.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from enclave.errors import Invalid

MIN_PASSWORD = 12
MAX_PASSWORD = 256
STEP_S = 30
ISSUER = "Ansim"

# RFC 9106's second recommended option (64 MiB, 3 passes), the library's default, named here so that it is ours.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


def check_password_strength(password: str, login: str) -> None:
    """Raise `Invalid` (`account.password-weak`) unless it has 12 to 256 characters and does not hold the login."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD or password.casefold() == login.casefold():
        raise Invalid(
            "account.password-weak",
            ko=f"비밀번호는 {MIN_PASSWORD}자 이상 {MAX_PASSWORD}자 이하이고 아이디와 달라야 합니다.",
            en=f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters and is not the login.",
            remedy_ko="기억하기 쉬운 긴 문장을 쓰세요.",
            remedy_en="Use a long sentence you can remember.",
        )


def hash_password(password: str) -> str:
    """Return the hash with its parameters and salt (PHC string)."""
    return _HASHER.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Return whether the password is the one that was hashed; without a hash the same work is done in vain.

    So the time of an answer does not tell whether an account exists.
    """
    try:
        _HASHER.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def new_totp_secret() -> str:
    """Return a fresh secret of 160 bits, base32."""
    return pyotp.random_base32(32)


def totp_uri(secret: str, login: str) -> str:
    """Return the `otpauth://` address an authenticator app reads from a QR code."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER))


def accepted_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """Return the time step this code is right for, or None; steps up to `last_step` were used and count no more.

    One step back is allowed for clocks and slow fingers (RFC 6238 §5.2).
    """
    digits = code.replace(" ", "")
    if not digits.isascii() or not digits.isdigit():
        return None
    totp = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_S
    for step in (present, present - 1):
        if step > last_step and totp.verify(digits, for_time=step * STEP_S):
            return step
    return None


@cache
def _nobody() -> str:
    return _HASHER.hash(pyotp.random_base32(32))
