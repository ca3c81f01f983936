"""Databases of tests on the run's own PostgreSQL server: empty, or the copy of one that was made ready once."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql


def create(cluster: Path, name: str, *, like: str = "template1") -> str:
    """Make a database as `like` is, to which nobody may be connected; return its address."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like))
    # In this process: a program for it would take longer than the server does.
    with psycopg.connect(host=str(cluster), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)
    return f"postgresql+psycopg://postgres@/{name}?host={cluster}"
