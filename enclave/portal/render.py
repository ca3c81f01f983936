"""Templates to pages: Jinja with everything escaped and every name that is missing an error.

Names of files, columns and people come from outside; nothing in a template is marked safe but our own macros.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from enclave.portal import kst
from enclave.portal.words import Language

FOLDER = Path(__file__).parent / "templates"
# How a state looks; the word itself is always written out beside the colour.
TONES = {
    "ok": {"active", "approved", "released", "running", "handed_over", "signed", "published", "done", "allowed"},
    "warn": {"submitted", "applied", "requested", "returned", "starting", "ready", "pending", "in_review", "waiting"},
    "stop": {"rejected", "refused", "failed", "denied", "withdrawn", "recalled", "frozen", "unknown", "expired"},
}


@cache
def environment() -> Environment:
    """Return the one template environment of the portal."""
    jinja = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(moment=kst.moment, day=kst.day, iso=_iso, size=size, printable=printable)
    jinja.globals["tone"] = tone
    return jinja


def page(template: str, values: Mapping[str, object]) -> str:
    """Render one template. Raises jinja2.UndefinedError for a name that the page was not given."""
    return environment().get_template(template).render(values)


def tone(state: str) -> str:
    """Return the look of a state or outcome: ok, warn, stop or nothing."""
    return next((look for look, states in TONES.items() if state in states), "")


def size(count: int) -> str:
    """Return bytes as people read them: `512 B`, `3.4 KiB`, `12.0 MiB`."""
    value, unit = float(count), "B"
    for following in ("KiB", "MiB", "GiB"):
        if value < 1024:  # noqa: PLR2004 - binary units
            break
        value, unit = value / 1024, following
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def printable(name: str) -> str:
    r"""Return a name from outside with every character escaped that a screen would not show as itself.

    Line breaks, control characters, lone surrogates and characters that turn the writing direction come out as
    `\n`, `\x1b`, `\u202e`; Jinja escapes markup afterwards.
    """
    return "".join(c if c == " " or (c.isprintable() and c != "\\") else _escaped(c) for c in name)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode() if character != "\\" else "\\\\"


def _iso(value: datetime | date) -> str:
    return value.astimezone(kst.KST).isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def other(language: Language) -> Language:
    """Return the language the switch offers."""
    return Language.EN if language is Language.KO else Language.KO
