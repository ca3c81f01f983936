"""Databases of tests on the run's own PostgreSQL server: empty, or the copy of one that was made ready once."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL
from sqlalchemy.engine import make_url


def create(cluster: Path, name: str, *, like: str = "template1") -> str:
    """Make a database as `like` is, to which nobody may be connected; return its address."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like))
    # In this process: a program for it would take longer than the server does.
    with psycopg.connect(host=str(cluster), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)
    return f"postgresql+psycopg://postgres@/{name}?host={cluster}"


def drop(url: str | URL) -> None:
    """Take a database away that a test was done with, whoever is still connected; nothing for one on SQLite.

    A run makes thousands of them, of three hundred files each: to remove them all at its end would take minutes.
    """
    made = make_url(url)
    if made.get_backend_name() == "postgresql":
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(str(made.database)))
        host = str(made.query["host"])
        with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)
