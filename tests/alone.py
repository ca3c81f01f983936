"""Which tests need the machine to themselves: said here, in one place. `make suite` runs them after all the others.

Everything else runs in several processes at once, each with its own PostgreSQL server and its own folder.
"""

from __future__ import annotations

import os

import pytest

# These marks mean it: the engine, the fixed homes in /opt and /var/lib, networks and users that other tests use too.
MARKS = frozenset({"docker", "e2e"})
# A place where no engine answers: a test without the mark that asks the engine fails in every run, by hand too.
NO_ENGINE = "unix:///dev/null/tests-that-need-the-engine-are-marked-docker"
_given = os.environ.get("DOCKER_HOST")


def mark(items: list[pytest.Item]) -> None:
    """Give each test that needs the machine to itself the mark `alone`."""
    for item in items:
        if is_alone(item):
            item.add_marker(pytest.mark.alone)


def is_alone(item: pytest.Item) -> bool:
    """Whether this test needs the machine to itself."""
    return any(each.name in MARKS for each in item.iter_markers())


def show_engine(item: pytest.Item) -> None:
    """Have the engine answer the tests that are marked so, and no other."""
    if not is_alone(item):
        os.environ["DOCKER_HOST"] = NO_ENGINE
    elif _given is None:
        os.environ.pop("DOCKER_HOST", None)
    else:
        os.environ["DOCKER_HOST"] = _given
