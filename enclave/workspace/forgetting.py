"""Views that nothing mounts any more are removed: what was decrypted for a workspace lasts as long as it is used.

A view is made before the plan that names it is in force; so one that was asked for a short while ago stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

SUFFIX = ".json"


def forget_views(root: Path, mounted: Collection[str], *, now: datetime, kept_for: timedelta) -> list[str]:
    """Remove views, and what is left of half-made ones, that are not `mounted` and were not asked for `kept_for` long.

    Returns their names.
    """
    limit = (now - kept_for).timestamp()
    gone = []
    for name in sorted({path.name.removesuffix(SUFFIX) for path in root.iterdir()}) if root.is_dir() else []:
        if name in mounted or _asked_for(root, name) > limit:
            continue
        # The note goes first: without it a folder is not taken for a whole view.
        (root / f"{name}{SUFFIX}").unlink(missing_ok=True)
        shutil.rmtree(root / name, ignore_errors=True)
        gone.append(name)
    return gone


def _asked_for(root: Path, name: str) -> float:
    times = [path.stat().st_mtime for path in (root / f"{name}{SUFFIX}", root / name) if path.exists()]
    return max(times, default=0.0)
