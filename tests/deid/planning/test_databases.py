"""A plan for tables of a database: it runs unedited, and the address is in no byte of recipe, screen or error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from deid import cli, engine, recipe
from tests.deid.factory import NOW, Hospital, table
from tests.deid.planning.test_plan import people

SECRET, ENV = "hunter2-planned-pw", "TEST_PLANNED_DB"
TEXTS = ("환자번호", "성명", "성별", "진단코드")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A hospital's database: patients, their tests with time stamps, an empty table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'planned.db'}"
    else:
        host = request.getfixturevalue("postgres_cluster")
        server = sa.create_engine(f"postgresql+psycopg://postgres@/postgres?host={host}", poolclass=sa.NullPool)
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("CREATE DATABASE deid_planned"))
        server.dispose()
        url = f"postgresql+psycopg://postgres:{SECRET}@/deid_planned?host={host}"
    db = sa.create_engine(url, poolclass=sa.NullPool)
    _fill(db)
    yield db
    db.dispose()


def _fill(db: sa.Engine) -> None:
    zoned = db.dialect.name == "postgresql"
    made = sa.MetaData()
    patients = sa.Table(
        "patients", made, *(sa.Column(name, sa.String) for name in TEXTS), sa.Column("생년월일", sa.Date)
    )
    labs = sa.Table(
        "labs", made, sa.Column("환자번호", sa.String), sa.Column("검사일시", sa.DateTime(timezone=zoned)),
        sa.Column("검사", sa.String), sa.Column("결과", sa.Numeric(8, 2)),
    )  # fmt: skip
    sa.Table("hollow", made, sa.Column("x", sa.Integer))
    made.create_all(db)
    rows, day = people(300), datetime(2024, 1, 31, 22, tzinfo=UTC if zoned else None)
    with db.begin() as connection:
        birth = [{"생년월일": date.fromisoformat(row["생년월일"])} for row in rows]
        connection.execute(
            patients.insert(),
            [{name: row[name] for name in TEXTS} | born for row, born in zip(rows, birth, strict=True)],
        )
        for n, row in enumerate(rows * 2):
            seen = day + timedelta(days=n % 28, microseconds=n)
            connection.execute(
                labs.insert(), {"환자번호": row["환자번호"], "검사일시": seen, "검사": "hdl", "결과": n % 9}
            )


def planned(root: Path, *arguments: str) -> tuple[Result, Path]:
    out = root / "plan.yaml"
    done = CliRunner().invoke(cli.deid, ["plan", *arguments, "--yes", "--out", str(out)])
    said = done.output + done.stderr + (out.read_text(encoding="utf-8") if out.exists() else "")
    for secret in (SECRET, "planned.db", "deid_planned", "host=", "postgresql", "sqlite"):
        assert secret not in said
    return done, out


def address_of(db: sa.Engine) -> str:
    return db.url.render_as_string(hide_password=False)


def test_all_tables_of_a_database_are_planned_and_the_recipe_runs_unedited(
    clinic: Hospital, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV, address_of(database))
    done, out = planned(clinic.root, "--database-env", ENV)
    assert done.exit_code == 0, done.output + done.stderr
    plan = recipe.load(out)
    assert [(one.name, one.origin.format, one.origin.database.env) for one in plan.tables] == [
        ("patients", "sql", ENV), ("labs", "sql", ENV),
    ]  # fmt: skip
    assert [(link.origin, link.target, link.orphans) for link in plan.links] == [("labs", "patients", "fail")]
    assert plan.tables[0].column("성명").treatment.told() == "drop"
    result = engine.run(plan, clinic.source, clinic.out, clinic.keys, now=NOW, private=clinic.root / "private")
    assert table(result, "labs").height == 600
    assert str(table(result, "labs").schema["date"]) == "Date"
    assert result.manifest.risk["patients"]["k_published"] >= 5


def test_the_address_may_stand_in_a_key_file_and_tables_be_named(clinic: Hospital, database: sa.Engine) -> None:
    key = clinic.root / "hospital.url"
    key.write_text(address_of(database))
    key.chmod(0o600)
    done, out = planned(clinic.root, "--database-key", str(key), "--table", "patients")
    assert done.exit_code == 0, done.output + done.stderr
    (one,) = recipe.load(out).tables
    assert (one.name, one.origin.database.key, one.origin.table) == ("patients", str(key.resolve()), "patients")
    engine.run(recipe.load(out), clinic.source, clinic.out, clinic.keys, now=NOW, private=clinic.root / "private")
    key.chmod(0o644)
    done, _ = planned(clinic.root, "--database-key", str(key), "--force")
    assert done.exit_code != 0


@pytest.mark.parametrize(
    ("arguments", "value", "code"),
    [
        (("postgresql://u:" + SECRET + "@h/db",), "", "deid.source-database-address"),
        (("--database-env", "postgresql://u:" + SECRET + "@h/db"), "", "deid.source-database-address"),
        (("--database-key", "postgresql://u:" + SECRET + "@h/db"), "", "deid.source-database-address"),
        (("--database-env", ENV), "", "deid.source-database-address"),
        (("--database-env", ENV), "postgresql://u:" + SECRET + "@h:" + SECRET + "/db", "deid.source-database"),
        (("--database-env", ENV), "postgresql://u:" + SECRET + "@/db?host=/nowhere", "deid.source-database"),
        (("--database-env", ENV, "--table", "nowhere"), "sqlite:///{}", "deid.source-database"),
        ((), "", "deid.source-which"),
        (("a.csv", "--database-env", ENV), "", "deid.source-which"),
        (("not-there.csv",), "", "deid.source-missing"),
    ],
)
def test_what_cannot_be_planned_is_refused_without_the_address(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], value: str, code: str
) -> None:
    empty = clinic.root / "planned.db"
    empty.touch()
    monkeypatch.setenv(ENV, value.format(empty))
    done, out = planned(clinic.root, *arguments)
    assert (done.exit_code, code in done.stderr, out.exists()) == (4, True, False), done.stderr
