"""A PostgreSQL cluster of a bench's own, on a socket in its folder, gone when the bench is over."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Give the URL of a running cluster in an empty folder that its user may write."""
    tools = max(Path("/usr/lib/postgresql").glob("*/bin"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def run(*command: str | Path) -> None:
        subprocess.run([*as_user, *map(str, command)], check=True, capture_output=True, cwd="/")

    data = folder / "data"
    run(tools / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c shared_buffers=512MB -c max_wal_size=4GB"
    run(tools / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        run(tools / "pg_ctl", "-D", data, "-m", "immediate", "stop")
