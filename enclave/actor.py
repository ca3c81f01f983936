"""Who acts: the account, its roles and where the act comes from, as the door that let it in knows them.

The door (portal, core API, command line) fills it from its session. Commands read the account's standing again
inside their own transaction, so a role that was taken away a second ago no longer counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enclave.roles import Role

CONSOLE_ID = "console"
SYSTEM_ID = "system"


@dataclass(frozen=True)
class Actor:
    """One person at one door. `second_factor_at`: when this session last proved a second factor, if ever."""

    account_id: str
    login: str
    roles: frozenset[Role]
    organisation_id: str
    ip: str
    session_id: str
    second_factor_at: datetime | None = None

    @classmethod
    def console(cls) -> Actor:
        """Return whoever holds the machine itself (`ansim …` as root): may set up, never decides on an output."""
        return cls(CONSOLE_ID, CONSOLE_ID, frozenset({Role.OPERATOR}), "", "127.0.0.1", CONSOLE_ID)

    @classmethod
    def system(cls) -> Actor:
        """Return the service acting on its own: finishing what a person decided, closing what a crash left open."""
        return cls(SYSTEM_ID, SYSTEM_ID, frozenset(), "", "127.0.0.1", SYSTEM_ID)

    @property
    def is_console(self) -> bool:
        """Whether this is the machine's own console."""
        return self.account_id == CONSOLE_ID

    @property
    def is_system(self) -> bool:
        """Whether this is the service itself."""
        return self.account_id == SYSTEM_ID

    @property
    def role_names(self) -> str:
        """The roles as the audit log writes them: sorted, joined by `+`; `none` without any."""
        return "+".join(sorted(self.roles)) or "none"
