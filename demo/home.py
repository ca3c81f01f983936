"""The enclave's home folder: folders with their owners, keys made once, settings, the database. Safe to run again.

`python -m demo.home` prepares `$ANSIM_HOME` (root). Owners and modes are those of docs/reference/interfaces.md.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit import keys as log_keys
from deid.keys import MASTER, create_master
from deid.versions.keystore import create_seal
from enclave.keys import create_signing_key
from enclave.settings import Settings
from enclave.vault import Vault

IMAGE_TAG = "ansim-workspace:latest"
IMAGE_LINE = re.compile(r"^image\s*=.*$", re.MULTILINE)
HEAD = "# Settings of this enclave. Every name that may stand here: enclave/settings.py. Restart after a change.\n"


@dataclass(frozen=True)
class Owned:
    """A path with its owner, group and mode."""

    path: Path
    user: str
    group: str
    mode: int

    def apply(self) -> None:
        """Give the path its owner and mode."""
        shutil.chown(self.path, self.user, self.group)
        self.path.chmod(self.mode)


def prepare(settings: Settings) -> list[str]:
    """Make what is missing below `settings.home` and return what was made, in words.

    Raises: PermissionError without root; LookupError if the system users are missing (set-up creates them);
    RuntimeError with the reason if the database could not be upgraded. Nothing that exists is replaced.
    """
    made = [f"{folder.path.name}/" for folder in folders(settings) if not folder.path.exists()]
    make_folders(settings)
    made += [path.name for path in make_keys(settings)]
    if write_image(settings):
        made.append("config.toml")
    upgrade_database(Settings.load(settings.home))
    return made


def folders(settings: Settings) -> list[Owned]:
    """Return every folder of the home with its owner and mode, parents first."""
    app, hub, log = settings.app_user, settings.hub_user, settings.log_user
    return [
        Owned(settings.home, "root", "root", 0o755),
        Owned(settings.db, app, settings.database_group, 0o2770),  # portal and sequencer, nobody else
        Owned(settings.log, log, log, 0o755),
        Owned(settings.anchors, app, app, 0o755),
        Owned(settings.witness, app, app, 0o755),
        Owned(settings.keys, "root", "root", 0o711),
        Owned(settings.source, "root", "root", 0o700),
        Owned(settings.deid_keys, "root", "root", 0o700),
        Owned(settings.snapshots, "root", app, 0o750),
        Owned(settings.snapshot_keys, "root", app, 0o2750),  # what the root writes here the portal can read
        Owned(settings.views, app, app, 0o700),
        Owned(settings.emergency, app, app, 0o700),
        Owned(settings.imports, app, app, 0o700),
        Owned(settings.packages, "root", "root", 0o755),
        Owned(settings.wheels, "root", app, 0o750),
        Owned(settings.mounted, "root", "root", 0o700),
        Owned(settings.volumes, "root", "root", 0o700),
        Owned(settings.staging, "root", "root", 0o711),
        Owned(settings.quarantine, app, app, 0o700),
        Owned(settings.releases, app, app, 0o700),
        Owned(settings.certificates, app, app, 0o700),
        Owned(settings.hub, hub, hub, 0o700),
        Owned(settings.process, "root", "root", 0o755),
        Owned(settings.drill, "root", "root", 0o700),
    ]


def make_folders(settings: Settings) -> None:
    """Make the folders of the home and the run folder (which a reboot removes), owners and modes as they must be."""
    # Sticky: the portal makes its socket here but cannot touch the gate's.
    run = Owned(settings.run_folder, "root", settings.app_user, 0o1775)
    for folder in (*folders(settings), run):
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.apply()


def mount_views(settings: Settings) -> bool:
    """Put the views into memory, unswapped where the kernel can; what lay there on the disk goes. True if it was done.

    Raises: RuntimeError with what mount said.
    """
    if settings.views.is_mount():
        return False
    for old in settings.views.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    owner = settings.views.stat()
    options = f"size={settings.views_bytes},mode=0700,uid={owner.st_uid},gid={owner.st_gid},nosuid,nodev,noexec"
    said = ""
    for more in (",noswap", ""):
        command = ["/usr/bin/mount", "-t", "tmpfs", "-o", options + more, "ansim-views", str(settings.views)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return True
        said = done.stderr
    raise RuntimeError(f"the views were not mounted:\n{said}")


def make_keys(settings: Settings) -> list[Path]:
    """Make the keys that are missing; returns those made. No key is ever replaced."""
    made = [(key, make) for key, make in _keys(settings) if not key.path.exists()]
    old = os.umask(0o077)
    try:
        for key, make in made:
            make(key.path)
            key.apply()
    finally:
        os.umask(old)
    for public in settings.keys.glob("*.pub"):
        public.chmod(0o644)
    return [key.path for key, _ in made]


def _keys(settings: Settings) -> list[tuple[Owned, Callable[[Path], object]]]:
    app, hub, log, keys = settings.app_user, settings.hub_user, settings.log_user, settings.keys
    return [
        (Owned(keys / "log.key", log, log, 0o600), lambda path: log_keys.create(path, name=settings.log_origin)),
        (Owned(settings.plan_key, app, app, 0o600), create_signing_key),
        (Owned(settings.certificate_key, app, app, 0o600), create_signing_key),
        (Owned(keys / "snapshot.key", "root", "root", 0o600), create_signing_key),
        (Owned(settings.snapshot_seal, "root", app, 0o640), create_seal),
        (Owned(settings.vault_key, app, app, 0o600), Vault.create),
        (Owned(settings.gate_secret, app, app, 0o600), _secret),
        (Owned(keys / "portal.token", app, hub, 0o640), _secret),
        (Owned(keys / "proxy.token", hub, hub, 0o600), _secret),
        (Owned(settings.drill_token, hub, hub, 0o600), _secret),
        (Owned(settings.deid_keys / MASTER, "root", "root", 0o600), lambda path: create_master(path.parent)),
    ]


def write_image(settings: Settings) -> bool:
    """Name the engine's workspace image in `config.toml`, leaving every other line alone; True if it changed."""
    path = settings.home / "config.toml"
    before = path.read_text() if path.exists() else HEAD
    line = f'image = "{_image_id()}"'
    # At the top: after a [table] header the line would belong to that table.
    after = IMAGE_LINE.sub(line, before) if IMAGE_LINE.search(before) else f"{line}\n{before}"
    if path.exists() and after == before:
        return False
    new = path.with_suffix(".new")
    new.write_text(after)
    new.chmod(0o644)
    new.replace(path)
    return True


def upgrade_database(settings: Settings) -> None:
    """Create or upgrade the database: as the portal's user, to whom its files belong, or as its owner's role (root)."""
    command = [sys.executable, "-m", "enclave.cli", "db", "upgrade"]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ANSIM_HOME": str(settings.home)}
    user = "root" if settings.database_owner_url else settings.app_user
    _share(settings)
    done = subprocess.run(
        command, check=False, capture_output=True, text=True,
        user=user, group=user, extra_groups=[settings.database_group], umask=0o007, env=environment, cwd=settings.db,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the database was not upgraded:\n{done.stdout}{done.stderr}")
    _share(settings)


def _share(settings: Settings) -> None:
    """Let portal and sequencer both write the database; SQLite gives the files beside it the same mode."""
    for path in settings.db.glob("*.sqlite*"):
        shutil.chown(path, group=settings.database_group)
        path.chmod(0o660)


def _image_id() -> str:
    command = ["/usr/bin/docker", "image", "inspect", IMAGE_TAG]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return str(found[0]["Id"])


def _secret(path: Path) -> None:
    path.write_text(f"{secrets.token_hex(32)}\n")


if __name__ == "__main__":
    print(", ".join(prepare(Settings.load())) or "그대로")
