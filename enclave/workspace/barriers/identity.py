"""Barriers of identity: a workspace is its person's alone, for as long as they may."""

from __future__ import annotations

from enclave.workspace.barriers.barrier import Area, listed

PERSONS = listed(
    Area.IDENTITY,
    "",
    "1.5.05 1.5.06 3.2.01",
    "R11 R18",
    ("id.no-session", "로그인 없이 작업공간 열람", "a workspace without signing in"),
    ("id.other-session", "남의 작업공간 열람", "somebody else's workspace"),
    ("id.wrong-token", "위조·만료 토큰", "forged and withdrawn tokens"),
    ("id.system-account", "모의침투 계정으로 로그인", "signing in with the drill's account"),
    ("id.operator", "운영자의 작업공간 열람", "an operator opening a workspace"),
    ("id.start-for-others", "남의 작업공간 시작·정지", "starting or stopping somebody else's workspace"),
)
SEATS = listed(
    Area.IDENTITY,
    "",
    "1.5.05 2.1.01",
    "R17 R28",
    ("id.unattended", "아무도 인증하지 않은 화면", "a screen at which nobody proved who they are"),
    ("id.other-seat", "다른 주소에서 쓰는 훔친 토큰", "a stolen token used from another address"),
)
ENDS = listed(
    Area.IDENTITY,
    "",
    "1.4.02 1.5.04 1.5.05",
    "R5 R15 R31",
    ("id.no-pledge", "서약 없이 시작", "starting without a pledge"),
    ("id.project-over", "끝난 과제에서 시작", "starting in a project that is over"),
    ("id.account-over", "끝난 계정으로 시작", "starting with an account that has ended"),
)

IDENTITY = (*PERSONS, *SEATS, *ENDS)
