"""My turn at a GPU: ``ansim.gpu()`` says where I stand; ``.request(minutes=…)`` and ``.release()`` change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

from .portal import ask
from .words import say

_SEOUL = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Gpu:
    """Where I stand. ``state`` is ``""`` without a turn, else ``waiting``, ``granted`` or ``ending``.

    ``here``: this very workspace has the device. ``place``: 1 is next.
    """

    profile: str
    state: str
    here: bool
    place: int | None
    expected_at: datetime | None
    claim_by: datetime | None
    expires_at: datetime | None
    soon: bool
    last: tuple[str, str] | None

    def request(self, minutes: int = 120) -> Gpu:
        """Take a place in the queue. Raises `AnsimError`."""
        return _gpu(ask("POST", "/gpu/request", {"minutes": minutes}))

    def release(self) -> Gpu:
        """Leave the queue or give the device back; a workspace that has it **is stopped**. Raises `AnsimError`."""
        return _gpu(ask("POST", "/gpu/release", {}))

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        lines = [escape(line) for line in self._lines()]
        return "<p>" + "<br>".join(f"<b>{line}</b>" if self.soon and not i else line for i, line in enumerate(lines))

    def _lines(self) -> list[str]:
        told = {"": self._none, "waiting": self._waiting, "granted": self._granted}.get(self.state, _ending)
        return told()

    def _none(self) -> list[str]:
        if self.profile == "none":
            return [say("이 과제에는 GPU가 배정되어 있지 않습니다.", "This project has no GPU profile.")]
        hint = say(
            "신청: ansim.gpu().request(minutes=120)",
            "To ask for one: ansim.gpu().request(minutes=120)",
        )
        lines = [say("신청한 GPU가 없습니다.", "You have asked for no GPU."), hint]
        if self.last:
            lines.append(say(f"지난 차례: {self.last[0]}", f"Last turn: {self.last[1]}"))
        return lines

    def _waiting(self) -> list[str]:
        when = _moment(self.expected_at) or say("쓸 수 있는 장치가 없음", "no device in service")
        return [say(f"대기 {self.place}번째, 예상 {when}", f"Waiting: number {self.place}, expected {when}")]

    def _granted(self) -> list[str]:
        until, by = _moment(self.expires_at), _moment(self.claim_by)
        if not self.here:
            return [
                say(
                    f"배정되었습니다. {by}까지 작업공간을 닫았다가 다시 열면 GPU가 붙습니다.",
                    f"Granted. Close this workspace and open it again by {by}, and the GPU is in it.",
                )
            ]
        stops = say(
            f"{until}까지 씁니다. 그때 작업공간이 멈춥니다. 파일은 남습니다.",
            f"Yours until {until}. The workspace stops then; files stay.",
        )
        return [say("곧 끝납니다. 지금 저장하세요.", "Over soon. Save your work now."), stops] if self.soon else [stops]


def gpu() -> Gpu:
    """Say where I stand in the queue for a GPU. Raises `AnsimError`."""
    return _gpu(ask("GET", "/gpu"))


def _ending() -> list[str]:
    return [say("회수하고 있습니다.", "It is being taken back.")]


def _gpu(found: dict[str, Any]) -> Gpu:
    turn, last = found.get("turn") or {}, found.get("last")
    return Gpu(
        profile=str(found.get("profile", "none")),
        state=str(turn.get("state", "")),
        here=bool(turn.get("here")),
        place=turn.get("place"),
        expected_at=_read(turn.get("expected_at")),
        claim_by=_read(turn.get("claim_by")),
        expires_at=_read(turn.get("expires_at")),
        soon=bool(turn.get("soon")),
        last=(str(last["ko"]), str(last["en"])) if last else None,
    )


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _moment(value: datetime | None) -> str:
    return value.astimezone(_SEOUL).strftime("%m-%d %H:%M") if value else ""
