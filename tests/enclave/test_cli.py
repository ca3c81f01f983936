"""`ansim` as a person at the machine types it: real processes, a real home."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclave import cli
from enclave.vault import Vault
from tests.enclave.scene import build

PROGRAM = Path(sys.executable).with_name("ansim")
SERVICE = "www-data"


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose database belongs to a service's user, as on an installed machine."""
    folder = Path(tempfile.mkdtemp(prefix="ansim-home-", dir="/tmp"))
    folder.chmod(0o755)
    for name in ("db", "keys"):
        (folder / name).mkdir()
    if os.geteuid() == 0:
        Vault.create(folder / "keys/vault.key")
        for path in (folder / "db", folder / "keys/vault.key"):
            shutil.chown(path, SERVICE, SERVICE)
    yield folder
    shutil.rmtree(folder)


def ansim(home: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ANSIM_HOME": str(home), "LANG": "C.UTF-8"}
    return subprocess.run(
        [PROGRAM, *words], env=environment, input=given, capture_output=True, text=True, check=False, cwd="/"
    )


def test_a_first_operator_is_set_up_from_the_console_and_the_files_belong_to_the_service(home):
    create = ("account", "create", "oper", "--name", "운영", "--organisation", "zone", "--role", "operator")
    steps = [
        (("db", "upgrade"), ""),
        (("organisation", "create", "zone", "--name", "운영단", "--kind", "operator"), ""),
        ((*create, "--password-stdin"), "a long enough password\n"),
        (("account", "enrol", "oper", "--plain"), ""),
        (("status",), ""),
    ]
    for words, given in steps:
        done = ansim(home, *words, given=given)
        assert done.returncode == 0, done.stderr
        assert done.stdout
    listed = ansim(home, "account", "list").stdout
    assert listed == "oper\tzone\topen\toperator\n"
    if os.geteuid() == 0:
        owners = {pwd.getpwuid(path.stat().st_uid).pw_name for path in (home / "db").iterdir()}
        assert owners == {SERVICE}
    enrolled = ansim(home, "--lang", "en", "account", "enrol", "oper")
    assert "otpauth://totp/" in enrolled.stdout


@pytest.mark.parametrize(
    ("lang", "says"), [("ko", "한 사람이 함께 가질 수 없습니다"), ("en", "Nobody may be operator and auditor at once")]
)
def test_a_refusal_says_its_code_what_happened_and_what_now_in_either_language(home, lang, says):
    ansim(home, "db", "upgrade")
    ansim(home, "organisation", "create", "zone", "--name", "운영단", "--kind", "operator")
    create = ("account", "create", "oper", "--name", "운영", "--organisation", "zone", "--role", "operator")
    ansim(home, *create, "--password-stdin", given="a long enough password\n")
    refused = ansim(home, "--lang", lang, "account", "grant", "oper", "auditor", "--reason", "시험")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.startswith("[role.forbidden-pair]")
    assert says in refused.stderr
    unknown = ansim(home, "account", "unlock", "ghost", "--reason", "시험")
    assert (unknown.returncode, "account.unknown" in unknown.stderr) == (4, True)


def test_an_empty_database_is_said_to_need_an_upgrade(home):
    shown = ansim(home, "status")
    assert (shown.returncode, "ansim db upgrade" in shown.stdout) == (1, True)


def test_a_setting_that_is_wrong_is_named_and_nothing_is_made(home):
    (home / "config.toml").write_text("no_such_setting = 1\n")
    refused = ansim(home, "db", "upgrade")
    assert (refused.returncode, "no_such_setting" in refused.stderr) == (2, True)
    assert list((home / "db").iterdir()) == []


def test_a_snapshot_built_elsewhere_is_copied_verified_and_published(home, tmp_path):
    made = build(f"sqlite:///{home / 'db/ansim.sqlite'}", tmp_path / "hospital")
    public = made.means.snapshot_key
    made.store.close()
    (home / "keys/snapshot.pub").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    if os.geteuid() == 0:
        for path in (home / "db").iterdir():
            shutil.chown(path, SERVICE, SERVICE)
    folder = made.folders["set-a"]
    done = ansim(home, "snapshot", "publish", str(folder))
    assert (done.returncode, "5행" in done.stdout) == (0, True), done.stderr
    assert (home / "snapshots" / folder.name / "manifest.json").exists()
    damaged = made.folders["set-b"]
    (damaged / "data/visits/part-0.parquet").chmod(0o644)
    (damaged / "data/visits/part-0.parquet").write_bytes(b"not what was signed")
    refused = ansim(home, "snapshot", "publish", str(damaged))
    assert (refused.returncode, refused.stderr.startswith("[snapshot.damaged]")) == (3, True), refused.stderr
    assert {path.name for path in (home / "snapshots").iterdir()} == {folder.name}


def test_every_group_is_there_and_has_help():
    for name in cli.GROUPS:
        command = cli.ansim.get_command(None, name)
        assert command.help
    assert cli.ansim.get_command(None, "nothing") is None
