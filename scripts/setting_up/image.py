"""The workspace image, built unless the engine has it."""

from __future__ import annotations

from images.builder import workspace
from images.builder.errors import BuildError
from images.builder.places import Places
from scripts.setting_up.terminal import Done, StepFailedError


def ensure() -> Done:
    """Build the image if its recipe changed. Raises: StepFailedError."""
    places = Places.of_this_machine()
    try:
        had = workspace.current(places)
        loaded = workspace.ensure(places)
    except BuildError as error:
        raise StepFailedError(error.what, error.now) from error
    did = "그대로" if had else "새로 만듦"
    return Done(f"{did}: {loaded.id[7:19]}, {loaded.size_bytes / 1e6:.0f} MB", f"docker image inspect {workspace.TAG}")
