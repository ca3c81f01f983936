"""The machine's own apt sources, in both formats, and nothing but those of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from images.builder import apt_sources
from images.builder.errors import BuildError

DEB822 = """\
# a comment of the machine
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main
"""
KEPT_DEB822 = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
ONE_LINE = """\
# deb http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb http://other.example/apt other-bookworm main
"""
KEPT_ONE_LINE = """\
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/debian-security bookworm-security main
"""


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("sources.list", ONE_LINE, KEPT_ONE_LINE),
        ("sources.list.d/own.list", ONE_LINE, KEPT_ONE_LINE),
        ("sources.list.d/debian.sources", DEB822, KEPT_DEB822),
    ],
)
def test_only_the_suite_with_its_updates_and_security_is_kept(tmp_path: Path, name: str, text: str, kept: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    assert apt_sources.for_suite(tmp_path, "bookworm") == {Path(name).name: kept}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "deb http://mirror.example/debian trixie main\n"),
        ("sources.list.d/debian.sources", DEB822.replace("Types: deb deb-src", "Enabled: no\nTypes: deb")),
        ("sources.list.d/debian.sources", DEB822.replace("Types: deb deb-src", "Types: deb-src")),
        ("sources.list.d/own.list.disabled", ONE_LINE),
    ],
    ids=["other-suite", "disabled", "source-only", "not-read-by-apt"],
)
def test_a_machine_without_the_suite_is_told_so(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    with pytest.raises(BuildError, match="no apt source for Debian bookworm"):
        apt_sources.for_suite(tmp_path, "bookworm")
