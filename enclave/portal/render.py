"""Templates to pages: Jinja with everything escaped and every name that is missing an error.

Names of files, columns and people come from outside; nothing in a template is marked safe but our own macros.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from enclave.actions import ABOUT, Action
from enclave.airlock.report import Severity, Verdict
from enclave.portal import kst, reason_words, recipe_words, turning
from enclave.portal.words import Language, has, say
from enclave.roles import LABELS, Role
from enclave.states import label as state_label

FOLDER = Path(__file__).parent / "templates"
# Words inside a treatment, as the recipes' engine writes them.
DETAILS = (
    ("age at", "나이 기준일"),
    ("band", "폭"),
    ("top", "상한"),
    ("bottom", "하한"),
    ("date to year", "날짜에서 연도만"),
    ("date to month", "날짜에서 연월만"),
    ("prefix", "앞자리"),
    ("map of", "값 묶음"),
    ("level", "단계"),
    ("rare under", "드문 값"),
    ("patients to missing", "명 미만은 비움"),
    ("patients to", "명 미만은"),
    ("percentile", "백분위"),
    ("of patients", "(환자 기준)"),
    ("groups of", "집단"),
    ("patients or more", "명 이상"),
    ("uniform", "고른 분포"),
    ("triangular", "삼각 분포"),
    ("within", "폭"),
    (" of ", "/"),
)
VERDICTS = {"PASS": ("통과", "pass"), "WARN": ("주의", "warning"), "BLOCK": ("차단", "blocked")}
# How a state looks; the word itself is always written out beside the colour.
TONES = {
    "ok": {
        "active",
        "approved",
        "approve",
        "released",
        "running",
        "handed_over",
        "published",
        "done",
        "allowed",
        "pass",
        "granted",
        "accepted",
        "signed",
        "ready",
        "public",
    },
    "warn": {
        "submitted",
        "returned",
        "return",
        "requested",
        "pending",
        "warn",
        "unknown",
        "waiting",
        "asked",
        "answered",
        "raised",
        "reviewed",
        "closed",
        "ending",
        "dirty",
        "changes",
        "incomplete",
        "expired",
        "bytes",
        "cells",
        "equal",
        "within",
        "around",
    },
    "stop": {
        "quarantined",
        "escalated",
        "rejected",
        "reject",
        "failed",
        "denied",
        "recalled",
        "frozen",
        "destroyed",
        "withdrawn",
        "block",
        "conflicted",
        "cancelled",
        "few",
    },
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
    jinja.filters.update(
        moment=kst.moment,
        second=kst.second,
        day=kst.day,
        iso=_iso,
        size=size,
        printable=printable,
        when=datetime.fromisoformat,
    )
    jinja.filters.update(asked=turning.asked, plain_ask=turning.plain_ask, token=turning.token)
    jinja.filters.update(told=_told, remedy=_remedy, label=_label, both=_both, treated=_treated, kind=_kind)
    jinja.filters.update(drawn=_drawn, printable_lines=_printable_lines, reason=_reason)
    jinja.globals |= {"tone": tone, "recipe_words": recipe_words.said}
    return jinja


def page(template: str, values: Mapping[str, object]) -> str:
    """Render one template. Raises jinja2.UndefinedError for a name that the page was not given."""
    return environment().get_template(template).render(values)


def tone(state: str) -> str:
    """Return the look of a state, outcome or verdict: ok, warn, stop or nothing."""
    return next((look for look, states in TONES.items() if state.lower() in states), "")


def hidden(csrf: str) -> Markup:
    """Return the hidden fields of every form: the session's token, and a key that makes a double click one act."""
    return Markup('<input type="hidden" name="csrf" value="{}"><input type="hidden" name="once" value="{}">').format(
        csrf, secrets.token_urlsafe(12)
    )


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


def _printable_lines(text: str) -> str:
    """Return what somebody wrote over several lines, each made printable."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode() if character != "\\" else "\\\\"


def _iso(value: datetime | date) -> str:
    return value.astimezone(kst.KST).isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def label(language: Language, value: StrEnum) -> str:
    """Return the word for a state, verdict, decision, role or action in the language."""
    if isinstance(value, Role):
        pair = LABELS[value]
    elif isinstance(value, Action):
        pair = (ABOUT[value].ko, ABOUT[value].en)
    elif isinstance(value, Severity | Verdict):
        pair = VERDICTS[value.value]
    else:
        pair = state_label(value)
    return pair[0] if language is Language.KO else pair[1]


@pass_context
def _label(context: Context, value: StrEnum) -> str:
    return label(context["language"], value)


@pass_context
def _told(context: Context, error: Any) -> str:
    return str(error.ko if context["language"] is Language.KO else error.en)


@pass_context
def _remedy(context: Context, error: Any) -> str:
    return str(error.remedy_ko if context["language"] is Language.KO else error.remedy_en)


@pass_context
def _both(context: Context, pair: tuple[str, str]) -> str:
    return pair[0] if context["language"] is Language.KO else pair[1]


@pass_context
def _drawn(context: Context, svg: tuple[str, str]) -> Markup:
    """Insert a picture of `deid.figures` in the page's language."""
    return Markup(_both(context, svg))  # noqa: S704 - deid/plot.py escapes every label


@pass_context
def _kind(context: Context, name: str) -> str:
    """Return the word for a kind of file; one that has none is shown by its own name."""
    key = f"kinds.{name}"
    return say(context["language"], key) if has(key) else printable(name)


@pass_context
def _reason(context: Context, code: str) -> str:
    """Return the words of a reason code; nothing where it has none."""
    return reason_words.said(context["language"], code)


@pass_context
def _treated(context: Context, words: str) -> str:
    """Return what was done to a column, from the manifest's form `name(detail)`; an unknown form as it stands."""
    name, _, detail = words.removesuffix(")").partition("(")
    key = f"treatments.{name}"
    if context["language"] is Language.KO:
        for english, korean in DETAILS:
            detail = detail.replace(english, korean)
    return say(context["language"], key, detail=detail).strip() if has(key) else words


def other(language: Language) -> Language:
    """Return the language the switch offers."""
    return Language.EN if language is Language.KO else Language.KO
