"""`ansim` as a person at the machine types it: real processes, a real home."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclave.vault import Vault
from tests.enclave.conftest import Done
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


@pytest.fixture
def staffed(here: Callable[..., Done]) -> Callable[..., Done]:
    """The same, with one organisation and one operator."""
    assert here("db", "upgrade").code == 0
    assert here("organisation", "create", "zone", "--name", "운영단", "--kind", "operator").code == 0
    create = ("account", "create", "oper", "--name", "운영", "--organisation", "zone", "--role", "operator")
    assert here(*create, "--password-stdin", given="a long enough password\n").code == 0
    return here


@pytest.mark.parametrize(
    ("lang", "says"), [("ko", "한 사람이 함께 가질 수 없습니다"), ("en", "Nobody may be operator and auditor at once")]
)
def test_a_refusal_says_its_code_what_happened_and_what_now_in_either_language(staffed, lang, says):
    refused = staffed("--lang", lang, "account", "grant", "oper", "auditor", "--reason", "시험")
    assert (refused.code, refused.out) == (3, "")
    assert refused.err.startswith("[role.forbidden-pair]")
    assert says in refused.err


def test_roles_and_accounts_are_changed_and_listed(staffed):
    assert staffed("account", "revoke", "oper", "operator", "--reason", "인사이동").code == 0
    assert "auditor" in staffed("--lang", "en", "account", "grant", "oper", "auditor", "--reason", "인사이동").out
    assert staffed("account", "unlock", "oper", "--reason", "확인").code == 0
    assert staffed("account", "list").out == "oper\tzone\tnot enrolled\tauditor\n"
    assert staffed("account", "enrol", "oper").out.count("otpauth://") == 1
    assert staffed("account", "end", "oper", "--reason", "퇴직").code == 0
    assert staffed("account", "list").out == "oper\tzone\tended\t\n"
    assert staffed("account", "unlock", "ghost", "--reason", "시험").code == 4
    assert staffed("account", "nothing").code == 2
    assert staffed("--lang", "en", "status").out.startswith("accounts\t0\n")


def test_a_data_set_is_registered_and_a_snapshot_withdrawn_by_name(staffed):
    words = ("dataset", "register", "visits", "--provider", "zone", "--title", "방문", "--description", "자료")
    assert staffed(*words).code == 0
    assert staffed(*words).code == 5
    assert staffed("snapshot", "withdraw", "0" * 64, "--reason", "오류").code == 4
    assert staffed("snapshot", "releases", "0" * 64).code == 4


def test_an_empty_database_is_said_to_need_an_upgrade(here):
    shown = here("status")
    assert (shown.code, "ansim db upgrade" in shown.out) == (1, True)


def test_a_database_that_cannot_be_reached_is_said_so(here, own_home):
    (own_home / "config.toml").write_text('database_url = "postgresql+psycopg://x@/y?host=/nonexistent"\n')
    refused = here("db", "upgrade")
    assert (refused.code, refused.err.startswith("[db.upgrade]")) == (6, True)


def test_a_setting_that_is_wrong_is_named_and_nothing_is_made(here, own_home):
    (own_home / "config.toml").write_text("no_such_setting = 1\n")
    refused = here("db", "upgrade")
    assert (refused.code, "no_such_setting" in refused.err) == (2, True)
    assert list((own_home / "db").iterdir()) == []


def test_a_snapshot_built_elsewhere_is_copied_verified_and_received(home, tmp_path):
    made = build(f"sqlite:///{home / 'db/ansim.sqlite'}", tmp_path / "hospital")
    public = made.means.snapshot_key
    made.store.close()
    (home / "keys/snapshot.pub").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    if os.geteuid() == 0:
        for path in (home / "db").iterdir():
            shutil.chown(path, SERVICE, SERVICE)
    folder = made.folders["set-a"]
    done = ansim(home, "snapshot", "receive", str(folder))
    assert (done.returncode, "5행" in done.stdout) == (0, True), done.stderr
    assert (home / "snapshots" / folder.name / "manifest.json").exists()
    damaged = made.folders["set-b"]
    (damaged / "data/visits/part-0.parquet").chmod(0o644)
    (damaged / "data/visits/part-0.parquet").write_bytes(b"not what was signed")
    refused = ansim(home, "snapshot", "receive", str(damaged))
    assert (refused.returncode, refused.stderr.startswith("[snapshot.damaged]")) == (3, True), refused.stderr
    assert {path.name for path in (home / "snapshots").iterdir()} == {folder.name}


def test_the_console_lists_what_waits_at_the_airlock_and_acts_for_an_author_who_is_gone(tmp_path):
    from enclave.actor import Actor
    from enclave.commands import people
    from tests.enclave.scene import NOW

    home = tmp_path / "home"
    (home / "db").mkdir(parents=True)
    scene = build(f"sqlite:///{home / 'db/ansim.sqlite'}", home)
    made = scene.submitted(scene.active())
    refused = ansim(home, "request", "withdraw", made)
    assert (refused.returncode, "egress.not-requester" in refused.stderr + refused.stdout) == (3, True), refused
    people.end_account(scene.store, Actor.console(), login="scientist", reason="퇴사", now=NOW)
    scene.store.close()
    listed = ansim(home, "request", "list")
    assert (listed.returncode, made in listed.stdout) == (0, True), listed.stderr
    moved = ansim(home, "request", "reassign", made, "colleague", "--reason", "퇴사")
    assert (moved.returncode, "colleague" in moved.stdout) == (0, True), moved.stderr
    assert ansim(home, "--lang", "en", "request", "list", "--stuck").returncode == 0


def test_an_encrypted_snapshot_is_published_only_where_its_keys_are(staffed, own_home, tmp_path):
    from deid.snapshot import publish, unfinished
    from enclave.keys import create_signing_key, load_signing_key
    from tests.enclave import scene
    from tests.enclave.encrypting import encrypted, key_store

    create_signing_key(own_home / "keys/snapshot.key")
    elsewhere = key_store(tmp_path / "elsewhere", tmp_path / "seal")
    tables = {"visits": scene.pl.DataFrame({"pid": ["a", "b"], "amount": [1, 2]})}
    with unfinished(own_home / "snapshots") as folder:
        (folder / "data/visits").mkdir(parents=True)
        tables["visits"].write_parquet(folder / "data/visits/part-0.parquet")
        manifest = scene._manifest("visits", "zone", tables, "")
        signer = load_signing_key(own_home / "keys/snapshot.key")
        made, _ = publish(folder, own_home / "snapshots", manifest, signer, encrypted(folder, elsewhere))
    words = ("dataset", "register", "visits", "--provider", "zone", "--title", "방문", "--description", "자료")
    assert staffed(*words).code == 0
    refused = staffed("snapshot", "receive", str(made))
    assert (refused.code, refused.err.startswith("[keys.unreadable]")) == (6, True), refused.err
    own = key_store(own_home / "snapshot-keys", own_home / "keys/snapshot-seal.key")
    refused = staffed("snapshot", "receive", str(made))
    assert refused.code == 6, "a store without this snapshot"
    own.save(made.name, [])
    assert staffed("snapshot", "receive", str(made)).code == 0
    assert staffed("snapshot", "holders", made.name).out == ""
    assert staffed("dataset", "withdraw", "visits", "--reason", "정보주체 철회").code == 0, "the newest stays"
    assert staffed("snapshot", "end-running", made.name, "--reason", "지금").code == 5
    assert staffed("snapshot", "withdraw", made.name, "--reason", "새 버전", "--next-start").code == 0
    assert staffed("snapshot", "end-running", made.name, "--reason", "지금").code == 0
