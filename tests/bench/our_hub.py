"""Our side of the spawn bench: an enclave of its own beside whatever runs, with the demo's data, project and people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo import home, services
from demo.chapters import data, work
from demo.session import Session
from demo.world import World
from enclave.settings import Settings

HOME = Path("/var/lib/ansim-bench")
CONFIG = """\
run_folder = "/run/ansim-bench"
public_port = 8400
proxy_api_port = 8401
hub_port = 8402
portal_port = 8403
"""


@contextmanager
def our_hub(login: str) -> Iterator[Session]:
    """Start an enclave whose scientist `login` may start a workspace; stopped and removed afterwards."""
    HOME.mkdir(mode=0o755, exist_ok=True)
    (HOME / "config.toml").write_text(CONFIG)
    home.prepare(Settings.load(HOME))
    settings = Settings.load(HOME)  # now with the image
    try:
        services.start_all(settings)
        (HOME / "demo").mkdir(mode=0o700, exist_ok=True)
        world = World.of(settings)
        world.make_people()
        data.ingest(world)
        data.deidentify(world)
        work.apply_and_approve(world)
        yield world.session(login)
    finally:
        services.stop_all(settings)
        shutil.rmtree(HOME)
        shutil.rmtree(settings.run_folder, ignore_errors=True)
