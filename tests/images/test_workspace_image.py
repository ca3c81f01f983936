"""The workspace image in the real engine: what is in it, and that it comes out the same twice."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import pytest

from images.builder import debs, engine, inputs, workspace
from images.builder.engine import Loaded
from images.builder.places import Places

pytestmark = pytest.mark.docker
SEALED = ["--network=none", "--read-only", "--tmpfs=/tmp", "--tmpfs=/home/analyst:uid=10001,gid=10001"]
LOOK = """
import glob, importlib.util, json, os, stat, subprocess, sys
found = [os.path.join(folder, name) for folder, _, names in os.walk("/") for name in names
         if not folder.startswith(("/proc", "/sys", "/dev"))]
modes = {path: os.lstat(path).st_mode for path in found if os.path.lexists(path)}
packages = "/opt/venv/lib/python3.11/site-packages/"
cached = lambda path: os.path.exists(importlib.util.cache_from_source(path))
sources = [path for path in found if path.startswith(packages) and path.endswith(".py")]
caches = [path for path in found if path.startswith((packages, "/usr/lib/python3.11/")) and path.endswith(".pyc")]
flags = {open(path, "rb").read(8)[4] for path in caches}
from matplotlib import font_manager, rcParams
print(json.dumps({
    "python": sys.version.split()[0],
    "ids": [os.getuid(), os.getgid(), os.getgroups()],
    "setuid": [path for path, mode in modes.items() if stat.S_ISREG(mode) and mode & 0o6000],
    "writable": [path for path, mode in modes.items()
                 if stat.S_ISREG(mode) and mode & 0o002 and not path.startswith("/tmp")],
    "folders": {path: [os.stat(path).st_uid, oct(os.stat(path).st_mode & 0o777)]
                for path in ("/home/analyst/work", "/outbox", "/data") if os.path.isdir(path)},
    "uncompiled": [path for path in sources if not cached(path)],
    "flags": sorted(flags),
    "missing": [name for name in ("pandas", "polars", "pyarrow.parquet", "sklearn", "numpy.testing", "ansim",
                                  "jupyterhub.singleuser", "jupyterlab", "ipykernel")
                if not importlib.util.find_spec(name)],
    "slow": importlib.util.find_spec("rfc3987_syntax") is not None,
    "font": [rcParams["font.family"][0], font_manager.findfont("NanumGothic", fallback_to_default=False)],
    "apt": glob.glob("/etc/apt/sources.list*/*") + glob.glob("/var/lib/apt/lists/*_*"),
}))
"""

# A file gets its name while its checkpoints are listed: what upstream's own class says to that, and what ours says.
RENAMED = """
import asyncio, os, pathlib
from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from traitlets.config.loader import PyFileConfigLoader

ours = PyFileConfigLoader("/etc/jupyter/jupyter_server_config.py").load_config()
pathlib.Path("/tmp/a.md").write_text("a")

async def listed(manager):
    checkpoints, ask = manager.checkpoints, manager.checkpoints.checkpoint_model
    await checkpoints.create_checkpoint(manager, "a.md")
    there = len(await checkpoints.list_checkpoints("a.md"))

    async def late(checkpoint_id, path):
        os.unlink(path)
        return await ask(checkpoint_id, path)

    checkpoints.checkpoint_model = late
    try:
        return there, await checkpoints.list_checkpoints("a.md")
    except FileNotFoundError:
        return there, "FileNotFoundError"

for more in ({"checkpoints_class": AsyncFileCheckpoints}, {"config": ours}):
    print(*asyncio.run(listed(AsyncLargeFileManager(root_dir="/tmp", **more))))
"""


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.of_this_machine()


@pytest.fixture(scope="module")
def image(places: Places) -> Loaded:
    return workspace.ensure(places)


@pytest.fixture(scope="module")
def inside(image: Loaded) -> dict:
    """What a program sees that runs in the image as a workspace does."""
    command = ["docker", "run", "--rm", "--interactive", *SEALED, image.id, "python", "-"]
    done = subprocess.run(command, input=LOOK, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_image_runs_debians_python_as_the_analyst(inside: dict) -> None:
    assert (inside["python"], inside["ids"]) == ("3.11.2", [10001, 10001, [10001]])


def test_nothing_in_the_image_is_setuid_or_writable_by_everybody(inside: dict) -> None:
    assert (inside["setuid"], inside["writable"]) == ([], [])


def test_the_analysts_folders_are_there(inside: dict) -> None:
    # The work folder lies under a tmpfs here; in the image it is the mount point of the home volume.
    assert inside["folders"]["/outbox"] == [10001, "0o700"]
    assert inside["folders"]["/data"] == [0, "0o755"]


def test_every_module_is_compiled_and_never_checked_against_its_source(inside: dict) -> None:
    # A few packages ship templates that are no Python; PEP 552: flags 1 = hash-based, unchecked.
    assert [path for path in inside["uncompiled"] if "template" not in path and "/data/" not in path] == []
    assert inside["flags"] == [1]


def test_what_a_scientist_needs_is_there_and_the_slow_import_is_not(inside: dict) -> None:
    assert (inside["missing"], inside["slow"]) == ([], False)


def test_plots_can_write_korean(inside: dict) -> None:
    assert inside["font"] == ["NanumGothic", "/usr/share/fonts/truetype/nanum/NanumGothic.ttf"]


def test_a_file_may_get_its_name_while_its_checkpoints_are_listed(image: Loaded, places: Places) -> None:
    """If the first line ever reads `1 []`, the class of ours in the server's configuration can go."""
    settings = f"--volume={places.recipe}/jupyter:/etc/jupyter:ro"
    command = ["docker", "run", "--rm", "--interactive", *SEALED, settings, image.id, "python", "-"]
    done = subprocess.run(command, input=RENAMED, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1 FileNotFoundError\n1 []\n", "")


def test_the_image_does_not_know_where_it_came_from(inside: dict) -> None:
    assert inside["apt"] == []


def test_what_is_written_down_is_what_the_engine_has(image: Loaded, places: Places) -> None:
    written = json.loads(places.record.read_text())["workspace"]
    found = engine.find(workspace.TAG)
    assert found is not None
    assert (written["image_id"], tuple(written["layers"])) == (found.id, found.layers)
    assert written["recipe_sha256"] == inputs.digest(places)


def test_a_changed_notebook_client_asks_for_a_new_image(places: Places, tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text('"""Another client."""')
    assert workspace.current(dataclasses.replace(places, client=tmp_path)) is None


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes_twice(places: Places, image: Loaded) -> None:
    if image.labels[workspace.DEBS_LABEL] != debs.digest(places.debs):
        # The image came from packages this machine no longer keeps: its first build is repeated as well.
        image = workspace.ensure(places, force=True)
    mask = os.umask(0o077)  # as another person on another machine may have it
    try:
        again = workspace.rebuild_digest(places)
    finally:
        os.umask(mask)
    assert f"sha256:{again}" == image.layers[0]
