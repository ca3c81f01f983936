"""The machine's own apt sources for one Debian suite, in both formats apt knows (sources.list(5)).

Nothing here names a mirror: whatever the machine is configured to use is what the image is built from.
"""

from __future__ import annotations

import re
from pathlib import Path

from images.builder.errors import BuildError

ONE_LINE = re.compile(r"^deb\s+(?:\[[^\]]*\]\s+)?\S+\s+(?P<suite>\S+)\s+\S")


def for_suite(etc_apt: Path, suite: str) -> dict[str, str]:
    """Return file name → text of the sources of `suite`, its updates and its security suite, and nothing else.

    One-line files stay one-line (`.list`), deb822 files stay deb822 (`.sources`).
    Raises: BuildError if the machine has no source for the suite.
    """
    wanted = {suite, f"{suite}-updates", f"{suite}-security"}
    found: dict[str, str] = {}
    for path in (etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))):
        text = _kept(path, wanted)
        if text:
            found[path.name] = text
    if not found:
        raise BuildError(
            f"no apt source for Debian {suite} below {etc_apt}",
            f"add a `deb` line for {suite} main to {etc_apt}/sources.list and try again",
        )
    return found


def _kept(path: Path, wanted: set[str]) -> str:
    if path.suffix == ".list" and path.is_file():
        lines = path.read_text().splitlines()
        kept = [line for line in lines if (match := ONE_LINE.match(line.strip())) and match["suite"] in wanted]
        return "".join(f"{line.strip()}\n" for line in kept)
    if path.suffix == ".sources" and path.is_file():
        stanzas = re.split(r"\n\s*\n", path.read_text())
        return "\n".join(filter(None, (_stanza(stanza, wanted) for stanza in stanzas)))
    return ""


def _stanza(text: str, wanted: set[str]) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    fields = {line.partition(":")[0].strip().lower(): line.partition(":")[2].strip() for line in lines}
    suites = [suite for suite in fields.get("suites", "").split() if suite in wanted]
    enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
    if not suites or not enabled or "deb" not in fields.get("types", "").split():
        return ""
    rewritten = {"types": "Types: deb", "suites": f"Suites: {' '.join(suites)}"}
    return "".join(rewritten.get(line.partition(":")[0].strip().lower(), line) + "\n" for line in lines)
