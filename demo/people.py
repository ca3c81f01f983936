"""The people of the demonstration: invented organisations and accounts, one per role of the story.

Passwords are fixed and printed, because this is a demonstration on one's own machine; TOTP secrets are made at the
first start and kept in a file that only root reads (`ANSIM_HOME/demo/secrets.json`).
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pyotp

from enclave.settings import Settings

STEP_S = 30
# How long a code may be on its way to who checks it.
ARRIVES_S = 10


@dataclass(frozen=True)
class Organisation:
    """An organisation of the story; `kind` as in the enclave's model."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True)
class Person:
    """An account of the story; `login` is also the hub's user name."""

    login: str
    name: str
    organisation: str
    roles: tuple[str, ...]

    @property
    def password(self) -> str:
        """The printed password; long enough for the account policy, and said to be for the demonstration."""
        return f"demo-only-{self.login}-2026"


ORGANISATIONS = (
    Organisation("zone", "광주 K-Health 안심구역 운영단", "operator"),
    Organisation("bitgoeul", "빛고을대학교병원", "provider"),
    Organisation("mudeung", "무등의료원", "provider"),
    Organisation("onsaemi", "온새미AI", "startup"),
    Organisation("review-a", "호남보건정책연구소", "reviewer"),
    Organisation("review-b", "남도통계센터", "reviewer"),
)

OPERATOR = Person("operator", "운영 담당", "zone", ("operator",))
PEOPLE = (
    Person("suyeon", "이수연", "bitgoeul", ("data_steward",)),
    Person("taeho", "박태호", "mudeung", ("data_steward",)),
    Person("jiwoo", "최지우", "onsaemi", ("project_lead", "scientist")),
    Person("mina", "김민아", "onsaemi", ("scientist",)),
    Person("dahye", "정다혜", "review-a", ("output_checker",)),
    Person("woojin", "한우진", "review-b", ("output_checker",)),
    Person("haneul", "오하늘", "zone", ("auditor",)),
    Person("sora", "윤소라", "zone", ("reviewer",)),
    Person("bora", "문보라", "zone", ("reviewer",)),
)


class Secrets:
    """TOTP secrets of the demonstration's accounts, in one file of mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._secrets: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        # Beside the secrets, because a second run within the minute must not give a code twice either.
        self._used_path = path.with_name("used-steps.json")
        self._used: dict[str, int] = json.loads(self._used_path.read_text()) if self._used_path.exists() else {}

    def keep(self, login: str, secret: str) -> None:
        """Remember a secret (base32) for this account."""
        self._secrets[login] = secret
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600, exist_ok=True)
        self.path.write_text(json.dumps(self._secrets, indent=1))

    def get(self, login: str) -> str | None:
        """Return the secret of this account, or None before its first enrolment."""
        return self._secrets.get(login)

    def code(self, login: str) -> str:
        """Return six digits that were not given before; waits up to 30 s for the next time step if it must.

        A code counts once (RFC 6238 §5.2), in its own step and the next: two acts fit into one step without waiting.
        Raises: KeyError for an account without a secret.
        """
        now, last = time.time(), self._used.get(login, 0)
        # A code of the step before is refused once this step is over: none is given that late.
        oldest = (int(now) - STEP_S + ARRIVES_S) // STEP_S
        step = max(oldest, last + 1)
        while step > int(time.time()) // STEP_S:
            time.sleep(0.2)
        self._used[login] = step
        self._used_path.write_text(json.dumps(self._used))
        return str(pyotp.TOTP(self._secrets[login]).at(step * STEP_S))


def main() -> None:
    """Print a code that was not given yet: `python -m demo.people mina` (what `make code WHO=mina` runs)."""
    secrets = Secrets(Settings.load().home / "demo" / "secrets.json")
    login = sys.argv[1] if len(sys.argv) == 2 else ""
    if secrets.get(login) is None:
        known = ", ".join(person.login for person in (OPERATOR, *PEOPLE))
        sys.exit(f"'{login}' 계정의 2차 인증이 없습니다 / no such account. WHO= {known}")
    print(f"{secrets.code(login)}   (한 번만 쓸 수 있습니다 / counts once)")


if __name__ == "__main__":
    main()
