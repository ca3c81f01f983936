"""A mounted file system on a disk whose power can be cut, for tests (root)."""

from __future__ import annotations

import subprocess
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.crash import forks, lossy_disk

# Without a journal nothing but what was synced is safe, names in folders included.
MADE = {"ext4": ("mkfs.ext4", "-q", "-F"), "no journal": ("mkfs.ext4", "-q", "-F", "-O", "^has_journal")}


class Power:
    """One file system at `mounted`. `cut` loses what was not synced; `back` mounts what is left of it."""

    def __init__(self, folder: Path, *, kind: str = "ext4", size: int = 32 << 20, seed: int = 0) -> None:
        self.mounted = folder / "mounted"
        self._fuse, self._image, self._seed = folder / "fuse", folder / "image", seed
        for each in (self.mounted, self._fuse):
            each.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(size)
        _run(*MADE[kind], str(self._image))
        self._disk: BaseProcess | None = None
        self._loop = ""
        self._plug_in()

    def _plug_in(self) -> None:
        self._line, other = forks.line()
        self._disk = forks.start(lossy_disk.serve, str(self._fuse), str(self._image), self._seed, other)
        other.close()
        assert self._line.recv() == "ready"
        self._loop = _run("losetup", "--find", "--show", str(self._fuse / "disk"))
        _run("mount", "-t", "ext4", self._loop, str(self.mounted))

    def cut(self, share: float = 0.5) -> int:
        """Cut the power now, losing that share of what was not synced; returns how many blocks are lost.

        Whoever has files open here must be stopped before and killed after: what is written from now on is lost, too.
        """
        self._line.send(share)
        lost: int = self._line.recv()
        return lost

    def back(self) -> None:
        """Have power again: replay the journal or check the file system, mount it."""
        self._pull_out()
        # 1: errors were mended. As any machine does when it starts after a cut.
        assert subprocess.run(["e2fsck", "-y", str(self._image)], check=False, capture_output=True).returncode in {0, 1}
        self._seed += 1
        self._plug_in()

    def close(self) -> None:
        """Unmount and let go of everything, whatever state it is in."""
        if self._disk is not None:
            self._pull_out()

    def _pull_out(self) -> None:
        assert self._disk is not None
        _run("umount", str(self.mounted))
        _run("losetup", "--detach", self._loop)
        _run("umount", str(self._fuse))
        self._disk.join(30)
        self._line.close()
        self._disk = None


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout.strip()
