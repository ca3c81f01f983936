"""Tables and queries of a database: read-only, in one transaction, streamed; its address in no byte of anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from deid import engine
from deid.errors import DeidError, KeyFileError, RecipeError, SourceError
from deid.readers.connection import connect, parse_url
from deid.readers.peek import peek_database
from deid.recipe_source import Address
from tests.deid.factory import HEAD, NOW, PEOPLE, Hospital, gates, table

SECRET = "hunter2-hospital-pw"
ENV = "TEST_HOSPITAL_DB"
FROM_TABLE = f"format: sql\n    database: {{env: {ENV}}}\n    table: visits"
TEXT = HEAD + gates(k=1) + PEOPLE.replace("file: visits.csv", FROM_TABLE)
METADATA = sa.MetaData()
VISITS = sa.Table(
    "visits", METADATA,
    sa.Column("no", sa.String(20)), sa.Column("name", sa.String(20)), sa.Column("sex", sa.String(1)),
    sa.Column("age", sa.Integer), sa.Column("day", sa.Date), sa.Column("amount", sa.Numeric(20, 2)),
)  # fmt: skip
ROWS = [
    {"no": f"n{n}", "name": "김철수", "sex": "MF"[n % 2], "age": 30 + n, "day": date(2020, 1, 1), "amount": Decimal(n)}
    for n in range(20)
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def one_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A hospital's database with the visits in it; nobody may be able to change it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'hospital.db'}"
    else:
        # With a password: the cluster trusts everybody, so it is never checked, but it may never be seen either.
        host = request.getfixturevalue("postgres_cluster")
        server = sa.create_engine(f"postgresql+psycopg://postgres@/postgres?host={host}", poolclass=sa.NullPool)
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("CREATE DATABASE deid_reader"))
        server.dispose()
        url = f"postgresql+psycopg://postgres:{SECRET}@/deid_reader?host={host}"
    db = sa.create_engine(url, poolclass=sa.NullPool)
    METADATA.create_all(db)
    with db.begin() as connection:
        connection.execute(VISITS.insert(), ROWS)
    yield db
    db.dispose()


@pytest.fixture
def hospital_db(one_database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """The database with its address in the environment."""
    monkeypatch.setenv(ENV, one_database.url.render_as_string(hide_password=False))
    return one_database


def refused(clinic: Hospital, text: str = TEXT) -> DeidError:
    with pytest.raises(DeidError) as caught:
        clinic.run(text)
    assert clinic.left_behind() == []
    said = caught.value.ko + caught.value.en + caught.value.remedy_ko + caught.value.remedy_en
    for secret in (SECRET, "김철수", "hospital.db", "/tmp", "host="):
        assert secret not in said
    return caught.value


def test_a_table_is_read_and_published_like_its_csv(clinic: Hospital, hospital_db: sa.Engine) -> None:
    result = clinic.run(TEXT)
    lines = ["no,name,sex,age,day,amount\n", *(",".join(map(str, row.values())) + "\n" for row in ROWS)]
    clinic.write("visits.csv", "".join(lines))
    other = clinic.run(HEAD + gates(k=1) + PEOPLE)
    assert table(result, "visits").equals(table(other, "visits"))
    (source,) = result.manifest.lineage["sources"]
    assert (source["file"], source["format"], source["rows"]) == ("visits", "sql", 20)


def test_a_query_is_read_with_its_colons_percents_and_casts(clinic: Hospital, hospital_db: sa.Engine) -> None:
    query = "SELECT *, 'a:b %s %(x)s' AS note FROM visits WHERE name LIKE '김%' AND no <> 'n3' ; "
    origin = f"format: sql\n    database: {{env: {ENV}}}\n    query: >-\n      {query}"
    text = HEAD + gates(k=1) + PEOPLE.replace("file: visits.csv", origin) + "      note: {treatment: keep}\n"
    result = clinic.run(text)
    frame = table(result, "visits")
    assert frame.height == 19
    assert set(frame["note"]) == {"a:b %s %(x)s"}
    (source,) = result.manifest.lineage["sources"]
    assert source["file"] == "query"
    assert len(source["query_sha256"]) == 64
    assert "n3" not in json.dumps(result.manifest.lineage)


def test_no_byte_of_a_snapshot_holds_the_address(clinic: Hospital, hospital_db: sa.Engine) -> None:
    result = clinic.run(TEXT)
    address = hospital_db.url.render_as_string(hide_password=False)
    for path in result.snapshot.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert SECRET.encode() not in data
        assert address.encode() not in data
        assert ENV.encode() not in data


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("table: visits", "table: nowhere", "deid.source-database"),
        ("table: visits", "query: SELECT nothing FROM visits", "deid.source-database"),
        ("table: visits", "query: DROP TABLE visits", "deid.source-database"),
        ("table: visits", "query: DELETE FROM visits RETURNING *", "deid.source-database"),
        ("table: visits", "query: SELECT 1; SELECT 2", "deid.source-database"),
        ("table: visits", "query: SELECT no, name, sex, age, day FROM visits", "deid.recipe-unknown-column"),
        ("table: visits", "query: SELECT v.*, 1 AS extra FROM visits v", "deid.source-untreated-column"),
        ("table: visits", "query: SELECT * FROM visits WHERE 1 = 0", "deid.source-empty"),
        (ENV, "TEST_NOT_SET", "deid.source-database-address"),
    ],
)
def test_what_cannot_be_read_is_refused_without_the_drivers_words(
    clinic: Hospital, hospital_db: sa.Engine, old: str, new: str, code: str
) -> None:
    assert refused(clinic, TEXT.replace(old, new)).code == code
    with hospital_db.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(VISITS)).scalar() == 20


@pytest.mark.parametrize("url", ["sqlite:///{}/not-there.db", "no url {}", "mysql://u:hunter2-hospital-pw@h/db"])
def test_an_address_that_leads_nowhere_is_refused_and_nothing_is_created(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv(ENV, url.format(tmp_path))
    assert refused(clinic).code == "deid.source-database"
    assert not (tmp_path / "not-there.db").exists()


def test_the_transaction_cannot_write_and_sees_one_state(hospital_db: sa.Engine) -> None:
    count = sa.select(sa.func.count()).select_from(VISITS)
    url = parse_url(hospital_db.url.render_as_string(hide_password=False))
    with connect("visits", url) as connection:
        assert connection.execute(count).scalar() == 20
        if hospital_db.dialect.name == "postgresql":  # a reader of SQLite in rollback mode blocks the writer instead
            with hospital_db.begin() as other:
                other.execute(VISITS.insert(), [{**ROWS[0], "no": "late"}])
        assert connection.execute(count).scalar() == 20
        with pytest.raises(sa.exc.DBAPIError):
            connection.execute(VISITS.delete())
    with hospital_db.begin() as other:
        other.execute(VISITS.delete().where(VISITS.c.no == "late"))


def test_tables_of_one_database_are_read_as_of_one_moment(clinic: Hospital, postgres_url: str, monkeypatch) -> None:
    db = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    monkeypatch.setenv(ENV, postgres_url)
    with db.begin() as connection:
        connection.execute(sa.text("CREATE TABLE visits (no text, sex text)"))
        connection.execute(sa.text("CREATE TABLE labs (no text, sex text)"))
        connection.execute(sa.text("INSERT INTO visits VALUES ('a', 'M')"))
        connection.execute(sa.text("INSERT INTO labs VALUES ('a', 'M')"))
    one = f"""\
  {{name}}:
    format: sql
    database: {{{{env: {ENV}}}}}
    table: public.{{name}}
    label: x
    subject: no
    columns:
      no: {{{{treatment: pseudonym, domain: patient}}}}
      sex: {{{{treatment: keep}}}}
"""
    text = HEAD + gates(k=1) + "tables:\n" + one.format(name="visits") + one.format(name="labs")

    def meddle(step: engine.Step) -> None:
        if step.en == "checking the source" and step.table == "visits":
            with db.begin() as connection:
                connection.execute(sa.text("INSERT INTO labs VALUES ('b', 'F')"))

    result = engine.run(clinic.recipe(text), clinic.source, clinic.out, clinic.keys, now=NOW, progress=meddle)
    assert table(result, "labs").height == 1
    with db.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM labs")).scalar() == 2
    db.dispose()


def test_types_of_postgresql_are_spelled_or_refused_by_row(
    clinic: Hospital, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    monkeypatch.setenv(ENV, postgres_url)
    odd = sa.Table(
        "odd", sa.MetaData(),
        sa.Column("no", sa.Integer), sa.Column("Mixed Case", sa.Boolean), sa.Column("id", sa.Uuid),
        sa.Column("at", sa.DateTime(timezone=True)), sa.Column("tags", postgresql.ARRAY(sa.String)),
    )  # fmt: skip
    odd.create(db)
    at = datetime(2020, 1, 1, 23, tzinfo=UTC)
    with db.begin() as connection:
        row = {"no": 1, "Mixed Case": True, "id": UUID(int=7), "at": at, "tags": None}
        connection.execute(odd.insert(), [row, {**row, "no": 2, "tags": ["x"]}])
    db.dispose()
    text = HEAD + gates(k=1) + f"""\
tables:
  odd:
    format: sql
    database: {{env: {ENV}}}
    table: odd
    label: x
    subject: no
    columns:
      no: {{treatment: pseudonym, domain: patient}}
      Mixed Case: {{treatment: keep, as: mixed}}
      id: {{treatment: keep}}
      at: {{treatment: drop}}
      tags: {{treatment: drop}}
"""  # fmt: skip
    assert table(clinic.run(text), "odd").select("mixed", "id").row(0) == ("true", str(UUID(int=7)))
    tagged = _caught(clinic, text.replace("tags: {treatment: drop}", "tags: {treatment: keep}"))
    assert (tagged.code, tagged.line, "tags" in tagged.ko) == ("deid.source-column-type", 2, True)
    dated = _caught(clinic, text.replace("at: {treatment: drop}", "at: {treatment: date_shift, max_days: 5}"))
    assert (dated.code, dated.line) == ("deid.source-time-zone", 1)


def _caught(clinic: Hospital, text: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        clinic.run(text)
    return caught.value


def test_more_rows_than_the_limit_stop_the_reading(clinic: Hospital, hospital_db: sa.Engine) -> None:
    assert refused(clinic, TEXT + "limits: {rows: 19}\n").code == "deid.source-rows"


def test_an_address_may_stand_in_a_key_file_that_only_its_owner_reads(
    clinic: Hospital, hospital_db: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "credentials/hospital.url"
    key.parent.mkdir()
    key.write_text(hospital_db.url.render_as_string(hide_password=False) + "\n")
    text = TEXT.replace(f"{{env: {ENV}}}", "{key: hospital.url}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(key.parent))
    key.chmod(0o644)
    with pytest.raises(KeyFileError):
        clinic.run(text)
    key.chmod(0o600)
    assert table(clinic.run(text), "visits").height == 20
    assert table(clinic.run(text.replace("key: hospital.url", f"key: {key}").replace("version: 1", "version: 2")),
                 "visits").height == 20  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{{env: {ENV}}}", f"{{env: 'postgresql://u:{SECRET}@h/db'}}"),
        (f"{{env: {ENV}}}", f"{{key: 'postgresql://u:{SECRET}@h/db'}}"),
        (f"{{env: {ENV}}}", "{env: A, key: b}"),
        (f"{{env: {ENV}}}", "{}"),
        ("table: visits", "table: visits\n    query: SELECT 1"),
        ("    table: visits\n", ""),
        ("table: visits", "table: visits\n    file: visits.csv"),
        ("table: visits", "table: visits\n    encoding: cp949"),
    ],
)
def test_a_recipe_names_one_address_and_one_selection_and_never_a_password(
    clinic: Hospital, old: str, new: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(TEXT.replace(old, new))
    assert SECRET not in caught.value.ko + caught.value.en


def test_peek_shows_tables_by_the_name_of_the_variable_that_holds_the_address(hospital_db: sa.Engine) -> None:
    (looked,) = peek_database(Address(ENV, ""), rows=5)
    assert looked.head.height == 5
    assert [c.type for c in looked.columns] == ["text", "text", "text", "integer", "date", "integer"]
    assert looked.origin.table == "visits"
