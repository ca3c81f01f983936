"""An installation on PostgreSQL with three roles: each does its work, none does more, and what is too wide is told."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from audit import keys, rights, serve, tables
from audit.reader import LogReader
from audit.sequencer import Sequencer
from enclave import database_roles
from enclave.actor import Actor
from enclave.commands import release, workspace
from enclave.settings import Settings
from enclave.store import Store
from tests.enclave.conftest import Done
from tests.enclave.scene import NOW, Scene

COUNTER = itertools.count()
REFUSED = re.compile("permission denied|must (be|have)|not permitted")


class Installed:
    """A home whose `config.toml` names three roles of one database; `admin` is the server's superuser."""

    def __init__(self, home: Path, url: str, ansim) -> None:
        number = f"{make_url(url).database}_{next(COUNTER)}"
        self.roles = {name: f"ansim-{name}-{number}" for name in ("owner", "app", "log")}
        self.home, self.url, self.ansim = home, url, ansim
        self.admin = create_engine(url, isolation_level="AUTOCOMMIT")
        for role in self.roles.values():
            self.as_admin(f'CREATE ROLE "{role}" LOGIN')
        self.as_admin(f'ALTER DATABASE "{make_url(url).database}" OWNER TO "{self.roles["owner"]}"')
        named = {"owner": "database_owner_url", "app": "database_url", "log": "database_log_url"}
        lines = [f'{named[name]} = "{self.address(name)}"' for name in named]
        (home / "config.toml").write_text("\n".join(lines))

    def address(self, name: str) -> str:
        return make_url(self.url).set(username=self.roles[name]).render_as_string(hide_password=False)

    def as_admin(self, *statements: str) -> None:
        with self.admin.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.format(**self.roles))

    def tried(self, name: str, statement: str) -> str:
        """What the database says to this role."""
        engine = create_engine(self.address(name), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement.format(**self.roles))
        except DBAPIError as error:
            return str(error.orig)
        finally:
            engine.dispose()
        return "done"

    def check(self) -> Done:
        return self.ansim("--lang", "en", "db", "check")


@pytest.fixture
def installed(own_home: Path, postgres_url: str, here) -> Iterator[Installed]:
    made = Installed(own_home, postgres_url, here)
    # As servers before PostgreSQL 15 have it.
    made.as_admin("GRANT CREATE ON SCHEMA public TO PUBLIC")
    done = here("db", "upgrade")
    assert done.code == 0, done.err
    yield made
    made.admin.dispose()


def published(installed: Installed) -> list[bytes]:
    """Run the sequencer as its role until nothing waits; return the log."""
    folder = installed.home / "log"
    signer = keys.create(installed.home / "log.key", name="roles.test/log")
    engine: Engine = serve.open_engine(installed.address("log"))
    sequencer = Sequencer(engine, folder, signer, signer.name)
    stop = threading.Event()
    stop.set()
    try:
        sequencer.run(stop, 0.01)
        sequencer.step()
        sequencer.look_after_protection()
        sequencer.step()
    finally:
        sequencer.close()
        engine.dispose()
    return [data for _, data in LogReader(folder).entries()]


def test_each_role_does_its_work_with_what_it_was_given(installed) -> None:
    create = ("organisation", "create", "zone", "--name", "운영단", "--kind", "operator")
    assert installed.ansim(*create).code == 0
    assert b"organisation.create" in published(installed)[0]
    assert installed.ansim("audit", "search", "--action", "organisation.create").out.count("\n") == 1
    assert installed.ansim("status").code == 0
    # To order a purge is the owner's, whose way in is root's; here there is nothing to order.
    assert "[purge" in installed.ansim("retention", "order", "purge-none").err.replace("log.", "")
    checked = installed.check()
    assert (checked.code, checked.out.count("✓")) == (0, 3), checked


APP = [
    "INSERT INTO audit_leaf VALUES (0, repeat('Z', 26))",
    "INSERT INTO audit_purge VALUES (256, repeat('Z', 26))",
    "INSERT INTO audit_entry (position, id, bytes) OVERRIDING SYSTEM VALUE VALUES (1, repeat('Z', 26), 'x')",
    "UPDATE audit_entry SET bytes = decode('00', 'hex')",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_index",
    "UPDATE alembic_version SET version_num = '1'",
    *(f"UPDATE {table} SET {column} = {column}" for table, column in [
        ("review_report", "sha256"), ("finding_text", "text"), ("policy_text", "sha256"), ("request_comment", "text"),
        ("incident_account", "items"), ("review_revision", "content"), ("conflict_of_interest", "reason"),
    ]),
    *(f"DELETE FROM {table}" for table in database_roles.ONLY_GROW),
    "TRUNCATE account CASCADE",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE incident_account DISABLE TRIGGER ALL",
    "DROP TABLE account CASCADE",
    "CREATE TABLE mine (x int)",
    "CREATE FUNCTION public.length(bytea, int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    'SET ROLE "{owner}"',
    'SET ROLE "{log}"',
    'GRANT "{owner}" TO "{app}"',
    "SET session_replication_role = replica",
]  # fmt: skip
LOG = [
    "SELECT * FROM account",
    "SELECT * FROM destruction",
    "INSERT INTO organisation (id) VALUES ('x')",
    "UPDATE account SET login = login",
    "UPDATE audit_entry SET id = id",
    "UPDATE audit_leaf SET entry_id = entry_id",
    "DELETE FROM audit_leaf",
    "INSERT INTO audit_purge VALUES (256, repeat('Z', 26))",
    "TRUNCATE audit_entry CASCADE",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "CREATE TABLE mine (x int)",
    'SET ROLE "{app}"',
    'SET ROLE "{owner}"',
]


def test_with_the_portals_or_the_sequencers_credentials_nothing_else_is_done(installed) -> None:
    tries = [("app", each) for each in APP] + [("log", each) for each in LOG]
    answers = {(name, each): installed.tried(name, each) for name, each in tries}
    assert {attack: said for attack, said in answers.items() if not REFUSED.search(said)} == {}


WIDER = {
    'GRANT INSERT ON audit_leaf TO "{app}"': "{app}: INSERT audit_leaf",
    'GRANT INSERT ON audit_entry TO "{app}"': "{app}: INSERT (position) audit_entry",
    'GRANT UPDATE (bytes) ON audit_entry TO "{app}"': "{app}: UPDATE (bytes) audit_entry",
    "GRANT DELETE ON audit_purge TO PUBLIC": "{app}: DELETE audit_purge",
    'GRANT UPDATE ON review_report TO "{app}"': "{app}: UPDATE review_report",
    'GRANT UPDATE ON alembic_version TO "{app}"': "{app}: UPDATE alembic_version",
    'GRANT SELECT ON account TO "{log}"': "{log}: SELECT account",
    'GRANT UPDATE (id) ON audit_entry TO "{log}"': "{log}: UPDATE (id) audit_entry",
    # Not inherited, and taken with one SET ROLE.
    'GRANT "{owner}" TO "{app}" ;; ALTER ROLE "{app}" NOINHERIT': "{app}: owner of audit_entry",
    'GRANT "{log}" TO "{app}"': "{app}: INSERT audit_leaf",
    'ALTER ROLE "{log}" SUPERUSER': "{log}: superuser",
    'ALTER ROLE "{app}" CREATEROLE': "{app}: createrole",
    'ALTER ROLE "{app}" BYPASSRLS': "{app}: bypassrls",
    'GRANT pg_write_all_data TO "{app}"': "{app}: DELETE audit_entry",
    'GRANT pg_execute_server_program TO "{log}"': "{log}: pg_execute_server_program",
    "GRANT CREATE ON SCHEMA public TO PUBLIC": "{app}: CREATE in the schema public",
    'ALTER TABLE audit_leaf OWNER TO "{log}"': "{log}: owner of audit_leaf",
    'DROP OWNED BY "{log}" ;; DROP ROLE "{log}"': "{log}: no such role",
}


def test_what_a_role_may_do_beyond_its_part_is_told(installed) -> None:
    settings, told = Settings.load(installed.home), {}
    engine = create_engine(installed.url)
    for widening, says in WIDER.items():
        with engine.connect() as connection:
            before = database_roles.excess(connection, settings)
            for statement in widening.split(" ;; "):
                connection.exec_driver_sql(statement.format(**installed.roles))
            told[widening] = before, says.format(**installed.roles) in database_roles.excess(connection, settings)
            connection.rollback()
    engine.dispose()
    assert told == dict.fromkeys(WIDER, ((), True))


def test_what_was_given_by_hand_is_told_and_goes_with_the_next_upgrade(installed) -> None:
    assert installed.check().code == 0
    installed.as_admin('GRANT UPDATE (bytes) ON audit_entry TO "{app}"', 'GRANT SELECT ON account TO "{log}"')
    checked = installed.check()
    assert (checked.code, checked.out.count("✗ too wide")) == (1, 2)
    assert installed.ansim("db", "upgrade").code == 0
    assert installed.check().code == 0


def test_tables_that_an_upgrade_makes_anew_are_granted_again(installed) -> None:
    installed.as_admin("UPDATE audit_layout SET layout = layout - 1")
    assert installed.ansim("db", "upgrade").code == 0
    assert installed.tried("app", "SELECT * FROM audit_index") == "done"
    assert installed.tried("log", "DELETE FROM audit_index") == "done"
    assert installed.check().code == 0


def test_rows_that_only_grow_are_those_that_the_database_itself_protects(installed) -> None:
    query = "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE '%_no_change'"
    with installed.admin.connect() as connection:
        guarded = set(connection.scalars(text(query)))
    assert guarded - set(tables.RECORD_TABLES) == set(database_roles.ONLY_GROW)


def test_the_statements_are_shown_for_a_database_whose_owner_is_elsewhere(installed) -> None:
    shown = installed.ansim("db", "grants")
    assert shown.out.count('GRANT INSERT (id, bytes), SELECT ON audit_entry TO "' + installed.roles["app"]) == 1
    installed.as_admin('REVOKE ALL ON audit_entry FROM "{app}"')
    assert REFUSED.search(installed.tried("app", "SELECT * FROM audit_entry"))
    installed.as_admin(*(each.replace("{", "{{") for each in shown.out.rstrip(";\n").split(";\n")))
    assert installed.tried("app", "SELECT * FROM audit_entry") == "done"
    installed.as_admin('CREATE ROLE "{app}-2"')
    assert (
        installed.ansim("db", "grants", "--role", installed.roles["app"] + "-2", "--part", "reader", "--apply").code
        == 0
    )
    with installed.admin.connect() as connection:
        given = tables.granted("reader")
        assert rights.beyond(connection, installed.roles["app"] + "-2", given) == ()
        assert rights.beyond(connection, installed.roles["app"] + "-2", ()) != ()
    assert installed.ansim("db", "grants", "--role", "x").code == 2


@pytest.mark.parametrize("owner", ["", "app"], ids=["nobody", "the portal's role"])
def test_rights_are_not_given_by_the_role_that_they_narrow(installed, owner) -> None:
    path = installed.home / "config.toml"
    lines = [line for line in path.read_text().splitlines() if "owner" not in line.split("=")[0]]
    path.write_text("\n".join([*lines, f'database_owner_url = "{installed.address(owner)}"' if owner else ""]))
    refused = installed.ansim("db", "grants", "--apply")
    assert (refused.code, "[db.owner]" in refused.err) == (5, True)


def test_a_role_that_was_forgotten_is_named(installed) -> None:
    installed.as_admin('DROP OWNED BY "{log}"', 'DROP ROLE "{log}"')
    refused = installed.ansim("db", "upgrade")
    assert refused.code == 6
    assert installed.roles["log"] in refused.err


@pytest.mark.parametrize("scene", ["postgresql"], indirect=True, ids=[""])
def test_from_the_application_to_the_release_the_portals_role_is_enough(scene: Scene) -> None:
    url = scene.store.engine.url
    engine, role = create_engine(url), f"portal-{url.database}"
    with engine.begin() as connection:
        for statement in [f'CREATE ROLE "{role}" LOGIN', *database_roles.grants(role, "writer")]:
            connection.exec_driver_sql(statement)
    engine.dispose()
    narrow = replace(scene, store=Store(url.set(username=role).render_as_string(hide_password=False)))
    made = narrow.active()
    opened = workspace.request_start(narrow.store, narrow.means, narrow.actor("scientist"), project_id=made, now=NOW)
    workspace.mark_failed(narrow.store, Actor.system(), workspace_id=opened.workspace.id, reason="no", now=NOW)
    asked = narrow.submitted(made, narrow.checked("a,b\n", "a.csv"))
    narrow.vote("checker-a", asked)
    wish = narrow.vote("checker-b", asked).release.id
    release.build(narrow.store, narrow.depot, release_id=wish, now=NOW)
    release.recall(narrow.store, narrow.depot, narrow.actor("checker-c"), release_id=wish, reason="r" * 20, now=NOW)
    assert {"release.done", "release.recall"} <= {each["action"] for each in narrow.entries()}
    narrow.store.close()


def test_one_address_for_all_is_told_as_too_wide(own_home: Path, postgres_url: str, here) -> None:
    (own_home / "config.toml").write_text(f'database_url = "{postgres_url}"')
    assert here("db", "upgrade").code == 0
    assert database_roles.parts(Settings.load(own_home)) == {"postgres": "writer"}
    checked = here("--lang", "en", "db", "check")
    assert (checked.code, "✗ too wide\tpostgres: superuser" in checked.out) == (1, True)


def test_addresses_without_a_name_mean_the_users_of_the_machine() -> None:
    settings = Settings(database_url="postgresql+psycopg:///ansim", database_log_url="postgresql+psycopg:///ansim")
    assert database_roles.parts(settings) == {"ansim-app": "writer", "ansim-log": "sequencer"}


def test_sqlite_has_no_roles_and_its_triggers_are_looked_for(own_home: Path, here) -> None:
    assert here("db", "upgrade").code == 0
    assert "[db.no-roles]" in here("db", "grants").err
    assert (here("db", "check").code, here("db", "check").out) == (0, "✓ 트리거가 모두 있습니다.\n")
    engine = create_engine(Settings.load(own_home).url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_entry_no_update")
    engine.dispose()
    checked = here("db", "check")
    assert (checked.code, checked.out) == (1, "✗ 지키지 않음\taudit_entry_no_update\n")
