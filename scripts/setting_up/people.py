"""The three system users of the services; none can log in, each has its own group (docs/reference/interfaces.md).

One more group is for the database alone.
"""

from __future__ import annotations

import grp
import pwd

from scripts.setting_up.call import call
from scripts.setting_up.terminal import Done

# User: further groups, parents first. The portal gives its core socket to the hub's group, which also opens the gate's
# socket; portal and sequencer both write the database, and share nothing else.
DATABASE = "ansim-db"
USERS = {"ansim-hub": (), "ansim-app": ("ansim-hub", DATABASE), "ansim-log": (DATABASE,)}
# An earlier set-up gave this one; it opened the portal's folders to the sequencer.
NO_MORE = {"ansim-log": "ansim-app"}
NOW = "/etc/passwd 와 /etc/group 을 쓸 수 있는지 확인하세요"


def create() -> Done:
    """Create what is missing. Raises: StepFailedError."""
    made = [user for user in USERS if not _exists(user)]
    for user in made:
        system = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        call([*system, "--shell", "/usr/sbin/nologin", user], NOW)
    if DATABASE not in {entry.gr_name for entry in grp.getgrall()}:
        call(["groupadd", "--system", DATABASE], NOW)
    for user, groups in USERS.items():
        for group in groups:
            if user not in grp.getgrnam(group).gr_mem:
                call(["usermod", "--append", "--groups", group, user], NOW)
    for user, group in NO_MORE.items():
        if user in grp.getgrnam(group).gr_mem:
            call(["gpasswd", "--delete", user, group], NOW)
    return Done(f"만듦: {' '.join(made)}" if made else f"{' '.join(USERS)} 있음")


def remove() -> None:
    """Remove them again (for `make clean`)."""
    for user in reversed(USERS):
        if _exists(user):
            call(["userdel", user], NOW)
    if DATABASE in {entry.gr_name for entry in grp.getgrall()}:
        call(["groupdel", DATABASE], NOW)


def _exists(user: str) -> bool:
    return any(entry.pw_name == user for entry in pwd.getpwall())
