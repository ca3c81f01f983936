"""Drill: the database server hangs under a running portal. Everybody is answered, what closes closes, all recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine, insert, select, text

from audit import tables
from enclave import clock
from enclave.commands.log_watch import canary
from enclave.errors import Unavailable
from enclave.model.base import Base
from enclave.policy.log_health import Canary
from tests.enclave.portal import world as worlds
from tests.enclave.portal.test_fail_closed import (
    all_is_recorded_first,
    entries,
    nothing_opens,
    running,  # noqa: F401 - a fixture
    what_closes_closes,
)
from tests.enclave.portal.test_inner_apis import Core, core, gate, place  # noqa: F401 - fixtures
from tests.enclave.portal.world import ROOT, World
from tests.hung import hung

pytestmark = pytest.mark.docker
# More than the connections of the pool and the threads of the portal.
MANY = 60


@pytest.fixture
def world(template: World, tmp_path: Path, postgres_url: str) -> Iterator[World]:
    """The template's enclave with all its rows at PostgreSQL."""
    old, new = create_engine(template.settings.url), create_engine(postgres_url)
    move(old, new)
    old.dispose()
    new.dispose()
    made = worlds.copy(template, tmp_path / "home", database_url=postgres_url)
    made.portal.emergency.reserve()
    yield made
    made.close()


def move(old: Engine, new: Engine) -> None:
    """Make our tables at PostgreSQL and copy every row."""
    for made in (tables.metadata, Base.metadata):
        made.create_all(new)
        with old.connect() as source, new.begin() as target:
            for table in made.sorted_tables:
                # An identity column numbers by itself, in the same order and without gaps here.
                columns = [each for each in table.columns if each.identity is None]
                found = source.execute(select(*columns).order_by(*table.primary_key.columns))
                if rows := [row._asdict() for row in found]:
                    target.execute(insert(table), rows)
                    _count_on(target, table)


def _count_on(target: Connection, table: Table) -> None:
    """Let a column that numbers by itself go on behind the rows that came with their numbers."""
    for column in table.primary_key.columns:
        found = target.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name})
        if found:
            target.execute(text(f"SELECT setval('{found}', (SELECT max({column.name}) FROM {table.name}))"))


def test_a_portal_whose_database_hangs_answers_everybody_and_closes_what_is_to_be_closed(
    world: World,
    core: Core,  # noqa: F811 - a fixture
    running: str,  # noqa: F811 - a fixture
    postgres_cluster: Path,
) -> None:
    by = {name: world.browser(name) for name in ("suyeon", "mina", "operator")}
    for each in by.values():
        each.get(f"{ROOT}/")
    world.portal.watch.look(world.portal)
    before = len(entries(world))
    with hung(postgres_cluster):
        with ThreadPoolExecutor(MANY) as crowd:
            told = list(crowd.map(lambda _: core.ask("/workspaces/mina/plan"), range(MANY)))
        assert {(each.status_code, each.json()["code"][:6]) for each in told} == {(503, "store.")}
        nothing_opens(world, core, by)
        what_closes_closes(world, core, running, by)
    recovered(world)
    all_is_recorded_first(world, running, entries(world)[before:])


def recovered(world: World) -> None:
    """Wait until a canary is taken again; nobody starts or mends anything."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            canary(world.store, before=Canary(), now=clock.now())
        except Unavailable:
            time.sleep(0.1)
        else:
            return
    pytest.fail("it does not work again")
