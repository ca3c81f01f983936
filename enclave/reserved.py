"""What the attack drill works with and no person may be: two accounts, their organisation, data set and project.

They are rows like any others, so that a drill goes the way that people go; but nobody signs in as them, no list of
people, projects or data sets shows them, and no command that sets people up finds them.
"""

from __future__ import annotations

DRILL, NEIGHBOUR = "drill", "drill-neighbour"
LOGINS = frozenset({DRILL, NEIGHBOUR})
# One name for the organisation, its data set and the project: slugs that nobody else may register.
NAME = "drill"
PROJECT = "p-drill"


def is_reserved(name: str) -> bool:
    """Return whether a login, an organisation or a data set is the drill's."""
    return name in LOGINS | {NAME, PROJECT}
