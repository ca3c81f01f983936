"""How much may be shown of a project's data, and who says so. Pure.

Every providing organisation may say it for its data; what is shown cannot be told apart by whose data it came from,
so of several the strictest counts. An organisation that said nothing has said what is usual. Nobody who uses the data
and nobody who runs the platform sets a limit: it is a rule about the data (korea.md R13).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass

from enclave.actor import Actor
from enclave.errors import Denied, Invalid
from enclave.policy.project import ProjectFacts, check_may_decide_columns
from enclave.workspace.plan import DISPLAY_BOUNDS, Display

# Below this the notebook itself no longer works: its own messages are larger.
SMALLEST_MESSAGE = 4 << 10
LABELS = {
    "message_bytes": ("메시지 하나(바이트)", "one message (bytes)"),
    "content_bytes": ("파일 하나(바이트)", "one file (bytes)"),
    "hour_bytes": ("한 시간(바이트)", "an hour (bytes)"),
    "day_bytes": ("하루(바이트)", "a day (bytes)"),
    "hour_rows": ("한 시간(표의 행)", "an hour (rows of tables)"),
    "day_rows": ("하루(표의 행)", "a day (rows of tables)"),
    "hour_pictures": ("한 시간(그림)", "an hour (pictures)"),
    "day_pictures": ("하루(그림)", "a day (pictures)"),
}
ORDERED = (("hour_bytes", "day_bytes"), ("hour_rows", "day_rows"), ("hour_pictures", "day_pictures"))


@dataclass(frozen=True)
class Scale:
    """What is usual in this installation, and the most anybody may allow."""

    usual: Display
    widest: Display

    @classmethod
    def of(cls, usual: Display, times: int) -> Scale:
        """Return the scale on which a limit may be up to `times` as wide as usual."""
        return cls(usual, Display(**{name: min(value * times, DISPLAY_BOUNDS[1]) for name, value in _each(usual)}))


def in_force(providers: AbstractSet[str], said: Mapping[str, Display], scale: Scale) -> Display:
    """Return the limits of a project: of what its providers said, or of what is usual, field by field the strictest."""
    voices = [said.get(provider, scale.usual) for provider in providers] or [scale.usual]
    return Display(
        **{name: min(widest, *(getattr(each, name) for each in voices)) for name, widest in _each(scale.widest)}
    )


def check_may_set_display(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` unless the actor is a data steward of a provider, outside the project and its organisation."""
    own = actor.organisation_id if actor.organisation_id in project.providers else ""
    check_may_decide_columns(actor, project, own)


def check_limits(limits: Display, scale: Scale) -> None:
    """Raise `Denied` (`display.too-wide`) above the installation's bound, `Invalid` for limits that make no sense."""
    wide = [name for name, most in _each(scale.widest) if getattr(limits, name) > most]
    if wide:
        raise Denied(
            "display.too-wide",
            ko=f"이 설치에서 허용하는 한도를 넘습니다: {_named(wide, scale, 0)}",
            en=f"Wider than this installation allows: {_named(wide, scale, 1)}",
            remedy_ko="한도 안에서 정하거나, 설치 전체의 한도를 바꾸려면 운영자와 협의하세요.",
            remedy_en="Stay within the bound; to change it for the whole installation talk to an operator.",
        )
    if limits.message_bytes < SMALLEST_MESSAGE or any(value < 0 for _, value in _each(limits)):
        raise _no_sense(
            f"메시지 하나는 {SMALLEST_MESSAGE:,}바이트 이상, 나머지는 0 이상이어야 합니다.",
            f"One message needs at least {SMALLEST_MESSAGE:,} bytes, and nothing may be below zero.",
        )
    turned = [hour for hour, day in ORDERED if getattr(limits, hour) > getattr(limits, day)]
    if turned:
        raise _no_sense(
            f"한 시간의 한도가 하루의 한도보다 큽니다: {', '.join(LABELS[name][0] for name in turned)}",
            f"The limit of an hour is larger than that of a day: {', '.join(LABELS[name][1] for name in turned)}",
        )


def _each(limits: Display) -> list[tuple[str, int]]:
    return list(asdict(limits).items())


def _named(names: list[str], scale: Scale, language: int) -> str:
    return ", ".join(f"{LABELS[name][language]} ≤ {getattr(scale.widest, name):,}" for name in names)


def _no_sense(ko: str, en: str) -> Invalid:
    return Invalid(
        "display.limits", ko=ko, en=en, remedy_ko="값을 고쳐 다시 보내세요.", remedy_en="Mend the value and send again."
    )
