"""The image's Debian packages, fetched once with the machine's own apt and kept as a small repository.

apt checks the archive's signatures while fetching; afterwards builds read this folder only, so two builds use the
same packages even when a security update appears in between. `fetch` again to take the updates in.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from images.builder import apt_sources
from images.builder.run import run

SUITE = "bookworm"
NO_NETWORK = "check the network and the apt sources (`apt-get update`), then try again"


def package_names(recipe: Path) -> list[str]:
    """Return the names in the recipe's packages.txt."""
    lines = (recipe / "packages.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def fetch(recipe: Path, target: Path, etc_apt: Path = Path("/etc/apt")) -> None:
    """Download the essential packages, those of the recipe and all they need into `target`, with an index.

    `target` is replaced as a whole at the end. Raises: BuildError if apt fails or knows no source of the suite.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="apt-") as folder:
        state = Path(folder)
        config = {"APT_CONFIG": str(_configure(state, etc_apt))}
        env = {**os.environ, **config, "LC_ALL": "C.UTF-8"}
        run(["apt-get", "-q", "update"], NO_NETWORK, env=env)
        essential = _essential(run(["apt-cache", "dumpavail"], NO_NETWORK, env=env))
        wanted = [*essential, *package_names(recipe)]
        run(["apt-get", "-qy", "--no-install-recommends", "--download-only", "install", *wanted], NO_NETWORK, env=env)
        fresh = state / "debs"
        fresh.mkdir(mode=0o755)
        for deb in sorted((state / "cache/archives").glob("*.deb")):
            deb.rename(fresh / deb.name)
        _write_index(fresh)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)


def digest(debs: Path) -> str:
    """Return one SHA-256 (hex) over the names and hashes of all packages in the folder; empty if there is none."""
    index = debs / "Packages"
    return hashlib.sha256(index.read_bytes()).hexdigest() if index.exists() else ""


def _configure(state: Path, etc_apt: Path) -> Path:
    """Write an apt configuration whose state, cache and sources are ours alone; the rest stays the machine's."""
    for folder in ("state/lists/partial", "cache/archives/partial", "sources"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    for name, text in apt_sources.for_suite(etc_apt, SUITE).items():
        (state / "sources" / name).write_text(text)
    settings = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": state / "sources",
        "Dir::State": state / "state",
        "Dir::State::Status": state / "status",
        "Dir::Cache": state / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    path = state / "apt.conf"
    path.write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
    return path


def _essential(available: str) -> list[str]:
    names = {_field(stanza, "Package") for stanza in available.split("\n\n") if "\nEssential: yes" in stanza}
    return sorted(names)


def _field(stanza: str, name: str) -> str:
    match = re.search(rf"^{name}: (.*)$", stanza, re.MULTILINE)
    return match[1] if match else ""


def _write_index(folder: Path) -> None:
    """Make the folder a flat repository; mmdebstrap finds the essential packages by the suite in Release."""
    stanzas = []
    for deb in sorted(folder.glob("*.deb")):
        control = run(["dpkg-deb", "--field", deb], "remove the folder and try again").strip()
        sha256 = hashlib.sha256(deb.read_bytes()).hexdigest()
        stanzas.append(f"{control}\nFilename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {sha256}\n")
    packages = "\n".join(stanzas).encode()
    (folder / "Packages").write_bytes(packages)
    checksum = f"SHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"
    head = f"Origin: ansim\nSuite: {SUITE}\nCodename: {SUITE}\nArchitectures: amd64 all\n"
    (folder / "Release").write_text(f"{head}Date: Thu, 01 Jan 1970 00:00:00 UTC\n{checksum}")
