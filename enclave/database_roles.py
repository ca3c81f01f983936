"""The roles of an installation on PostgreSQL: who signs in, what each is given, what it could do beyond that.

Three roles, so that nobody who answers requests can change the record: the owner makes and upgrades the tables, the
portal's role works with them and only adds entries, the sequencer's numbers entries and reads nothing of the enclave.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, make_url

from audit import rights
from audit.tables import Part, granted, grants_sql, quoted
from enclave.errors import Conflict
from enclave.model.tables import METADATA
from enclave.settings import Settings

VERSIONS = "alembic_version"
# Rows of these are never changed or removed: their triggers refuse it, too.
ONLY_GROW = (
    "conflict_of_interest",
    "finding_text",
    "incident_account",
    "policy_text",
    "request_comment",
    "review_report",
    "review_revision",
)


def parts(settings: Settings) -> dict[str, Part]:
    """Return the roles of an installation with the part each has in the log; {} where it has no roles (SQLite).

    A role is what the address names, else the user of the machine that the process runs as, as PostgreSQL takes it.
    """
    if make_url(settings.url).get_backend_name() != "postgresql":
        return {}
    portal = make_url(settings.url).username or settings.app_user
    # One address for both: then the portal's role is judged, which may not number entries.
    log = make_url(settings.log_url).username or (settings.log_user if settings.database_log_url else portal)
    return {log: "sequencer", portal: "writer"}


def grants(role: str, part: Part) -> list[str]:
    """Return the statements that leave `role` what its part needs: the log's, and for the portal the enclave's."""
    named, tables = quoted(role), sorted(METADATA[0].tables)
    everything = ", ".join([*tables, VERSIONS])
    made = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE CREATE ON SCHEMA public FROM {named}",
        f"GRANT USAGE ON SCHEMA public TO {named}",
        f"REVOKE ALL ON {everything} FROM PUBLIC, {named}",
        *grants_sql(role, part),
    ]
    if part != "writer":
        return made
    changing = ", ".join(table for table in tables if table not in ONLY_GROW)
    return [
        *made,
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {changing} TO {named}",
        f"GRANT SELECT, INSERT ON {', '.join(ONLY_GROW)} TO {named}",
        f"GRANT SELECT ON {VERSIONS} TO {named}",
    ]


def check_owner_is_another(settings: Settings, roles: Collection[str]) -> None:
    """Raise `Conflict` (`db.owner`) when whoever would give the rights is one of `roles`, or is not named at all."""
    owner = make_url(settings.owner_url).username
    if settings.database_owner_url and owner and owner not in roles:
        return
    raise Conflict(
        "db.owner",
        ko="표의 소유자가 포털이나 순번기와 같은 역할이거나 정해져 있지 않습니다.",
        en="The owner of the tables is the portal's or the sequencer's role, or is not named.",
        remedy_ko="소유자 역할을 따로 만들고 config.toml의 database_owner_url에 그 이름이 든 주소를 적으세요.",
        remedy_en="Make a role of its own for the owner and name it in config.toml's database_owner_url.",
    )


def excess(connection: Connection, settings: Settings) -> tuple[str, ...]:
    """Return what the installation's roles could do beyond their parts, each with its role; () where all is well."""
    return tuple(
        f"{role}: {each}"
        for role, part in parts(settings).items()
        for each in rights.beyond(connection, role, _given(part))
    )


def _given(part: Part) -> set[rights.Right]:
    found = granted(part)
    if part != "writer":
        return found
    for name, table in METADATA[0].tables.items():
        held = ("SELECT", "INSERT") if name in ONLY_GROW else ("SELECT", "INSERT", "UPDATE")
        found |= {(right, name, column.name) for right in held for column in table.c}
        found |= set() if name in ONLY_GROW else {("DELETE", name, "")}
    return found | {("SELECT", VERSIONS, "version_num")}
