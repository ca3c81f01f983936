"""The three system users of the services; none can log in, each has its own group (docs/reference/interfaces.md)."""

from __future__ import annotations

import grp
import pwd

from scripts.setting_up.call import call
from scripts.setting_up.terminal import Done

# User: further groups, parents first. The portal gives its core socket to the hub's group; the sequencer writes into
# the database, which belongs to ansim-app.
USERS = {"ansim-hub": (), "ansim-app": ("ansim-hub",), "ansim-log": ("ansim-app",)}
NOW = "/etc/passwd 와 /etc/group 을 쓸 수 있는지 확인하세요"


def create() -> Done:
    """Create what is missing. Raises: StepFailedError."""
    made = [user for user in USERS if not _exists(user)]
    for user in made:
        system = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        call([*system, "--shell", "/usr/sbin/nologin", user], NOW)
    for user, groups in USERS.items():
        for group in groups:
            if user not in grp.getgrnam(group).gr_mem:
                call(["usermod", "--append", "--groups", group, user], NOW)
    return Done(f"만듦: {' '.join(made)}" if made else f"{' '.join(USERS)} 있음")


def remove() -> None:
    """Remove them again (for `make clean`)."""
    for user in reversed(USERS):
        if _exists(user):
            call(["userdel", user], NOW)


def _exists(user: str) -> bool:
    return any(entry.pw_name == user for entry in pwd.getpwall())
