"""The home folder: owners and modes, keys once, the settings file left as the operator wrote it."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from deid.versions.keystore import open_store
from demo import home
from enclave.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", run_folder=tmp_path / "run")


def modes(settings: Settings) -> dict[str, tuple[str, str, str]]:
    found = [folder.path for folder in home.folders(settings)] + sorted(settings.keys.iterdir())
    return {
        str(path.relative_to(settings.home)): (path.owner(), path.group(), oct(stat.S_IMODE(path.stat().st_mode)))
        for path in found
    }


def test_every_private_thing_belongs_to_the_one_user_who_needs_it(settings: Settings) -> None:
    home.make_folders(settings)
    home.make_keys(settings)
    found = modes(settings)
    assert found["keys/log.key"] == ("ansim-log", "ansim-log", "0o600")
    assert found["keys/plan.key"] == ("ansim-app", "ansim-app", "0o600")
    assert found["keys/vault.key"] == ("ansim-app", "ansim-app", "0o600")
    assert found["keys/snapshot.key"] == ("root", "root", "0o600")
    assert found["keys/proxy.token"] == ("ansim-hub", "ansim-hub", "0o600")
    assert found["source"] == found["deid-keys"] == found["volumes"] == ("root", "root", "0o700")
    assert found["mounted"] == ("root", "root", "0o700")
    assert found["db"] == ("ansim-app", "ansim-db", "0o2770")
    assert found["quarantine"] == found["releases"] == ("ansim-app", "ansim-app", "0o700")
    assert found["hub"] == ("ansim-hub", "ansim-hub", "0o700")


def can(user: str, *test: str) -> bool:
    """Whether a service, started with its groups as `demo.services` does, passes this `test`."""
    account = pwd.getpwnam(user)
    return not subprocess.run(
        ["/usr/bin/test", *test], user=user, group=account.pw_gid, check=False,
        extra_groups=os.getgrouplist(user, account.pw_gid),
    ).returncode  # fmt: skip


@pytest.mark.parametrize("user", ["ansim-hub", "ansim-log", "nobody"])
def test_no_service_but_the_portal_reads_the_patients_or_the_gates_secret(
    settings: Settings, user: str, request: pytest.FixtureRequest
) -> None:
    above = list(settings.home.parents)[:-2]  # what pytest makes is closed to other users
    for folder in above:
        before = folder.stat().st_mode
        request.addfinalizer(lambda folder=folder, before=before: folder.chmod(before))
        folder.chmod(before | 0o011)
    home.make_folders(settings)
    home.make_keys(settings)
    # A run of deid writes as root, with a umask that closes everything.
    store = open_store(settings.snapshot_keys, settings.snapshot_seal)
    old = os.umask(0o077)
    store.save("ab" * 32, [store.new_key()])
    os.umask(old)
    for folder, owner in ((settings.snapshots, "root"), (settings.views, "ansim-app")):
        inside = folder / "0" / "patients.parquet"
        inside.parent.mkdir(mode=0o755)
        inside.write_text("patient")
        inside.chmod(0o444)
        shutil.chown(inside.parent, owner)
    closed = [settings.snapshots / "0/patients.parquet", settings.views / "0/patients.parquet", settings.gate_secret]
    closed += [settings.snapshot_seal, *settings.snapshot_keys.iterdir()]
    assert all(can("ansim-app", "-r", str(path)) for path in closed)
    assert not any(can(user, "-r", str(path)) for path in closed)
    # Who shares the database with the portal shares nothing else with it.
    assert can(user, "-w", str(settings.db)) is (user == "ansim-log")
    assert not can(user, "-w", str(settings.run_folder))


def test_nothing_secret_is_open_to_other_users(settings: Settings) -> None:
    home.make_folders(settings)
    home.make_keys(settings)
    secrets = [path for path in settings.keys.iterdir() if path.suffix != ".pub"]
    secrets += list(settings.deid_keys.iterdir())
    assert secrets
    assert [path.name for path in secrets if path.stat().st_mode & 0o007] == []


def test_keys_are_made_once_and_never_replaced(settings: Settings) -> None:
    home.make_folders(settings)
    made = home.make_keys(settings)
    before = {path: path.read_bytes() for path in made}
    assert home.make_keys(settings) == []
    assert {path: path.read_bytes() for path in made} == before


def test_a_lost_key_is_made_again_without_touching_the_others(settings: Settings) -> None:
    home.make_folders(settings)
    home.make_keys(settings)
    plan = settings.plan_key.read_bytes()
    settings.gate_secret.unlink()
    assert home.make_keys(settings) == [settings.gate_secret]
    assert settings.plan_key.read_bytes() == plan


@pytest.mark.docker
@pytest.mark.parametrize(
    "before",
    ["", "public_port = 8100\n", '# mine\nimage = "sha256:old"\ncpus = 2\n', '[oidc]\nimage_url = "x"\n'],
    ids=["none", "other-settings", "older-image", "a-table"],
)
def test_the_image_is_named_and_every_other_line_stays(settings: Settings, before: str) -> None:
    settings.home.mkdir()
    path = settings.home / "config.toml"
    if before:
        path.write_text(before)
    assert home.write_image(settings)
    assert Settings.load(settings.home).image.startswith("sha256:")
    assert [
        line for line in before.splitlines() if not line.startswith("image =") and line not in path.read_text()
    ] == []
    assert not home.write_image(settings)


def test_views_lie_in_memory_and_what_was_on_the_disk_is_gone(settings: Settings) -> None:
    home.make_folders(settings)
    old = settings.views / "old" / "patients.parquet"
    old.parent.mkdir()
    old.write_text("patient")
    try:
        assert home.mount_views(settings)
        assert list(settings.views.iterdir()) == []
        (line,) = [line for line in Path("/proc/self/mounts").read_text().splitlines() if f" {settings.views} " in line]
        kind, options = line.split()[2:4]
        assert (kind, {"nosuid", "nodev", "noexec"} <= set(options.split(","))) == ("tmpfs", True)
        assert (settings.views.owner(), settings.views.stat().st_mode & 0o777) == ("ansim-app", 0o700)
        assert not home.mount_views(settings), "once is enough"
    finally:
        subprocess.run(["/usr/bin/umount", str(settings.views)], check=False)
    assert not old.exists()
