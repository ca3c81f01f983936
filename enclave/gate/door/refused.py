"""What the door says when a way is closed: why, and the way that is open (the egress request), Korean first.

A page for whoever looks at it; JSON for programs (`message` is the field that JupyterLab shows). No text here is
made from what was asked.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass

from enclave.gate.door.visit import Answer, Visit


@dataclass(frozen=True)
class Words:
    """One explanation in two languages: what happened, what to do now."""

    ko: str
    en: str
    remedy_ko: str
    remedy_en: str


EGRESS_KO = "결과를 가지고 나가려면 노트북에서 반출을 신청하십시오: ansim.egress.submit([…], purpose=…, context=…)"
EGRESS_EN = "To take results out, ask for egress in a notebook: ansim.egress.submit([…], purpose=…, context=…)"
CLOSED = Words("이 경로는 안심구역에서 닫혀 있습니다.", "This way is closed in the enclave.", EGRESS_KO, EGRESS_EN)
SEE_KO = "데이터는 노트북에서 코드로 보고, 결과만 반출 신청으로 내보내십시오."
SEE_EN = "Look at data with code in a notebook, and send only results out by an egress request."

WORDS = {
    "files": Words(
        "작업공간의 파일은 내려받을 수 없습니다.", "Files of a workspace cannot be downloaded.", EGRESS_KO, EGRESS_EN
    ),
    "export": Words(
        "노트북을 다른 형식으로 내보낼 수 없습니다.", "A notebook cannot be exported.", EGRESS_KO, EGRESS_EN
    ),
    "contents": Words(
        "이 방식으로는 파일을 열 수 없습니다. 글과 노트북만 열립니다.",
        "A file cannot be opened in this way. Only texts and notebooks open.",
        SEE_KO,
        SEE_EN,
    ),
    "upload": Words(
        "파일은 작업공간에 바로 올릴 수 없습니다. 여기서 쓴 글과 노트북만 저장됩니다.",
        "Files cannot be uploaded into a workspace. Only texts and notebooks written here are saved.",
        "포털의 ‘반입’ 화면에서 올리면 심사 뒤 /imports 에 나타납니다. 노트북이라면 큰 출력을 지우고 저장하십시오.",
        "Upload it on the portal's import page; once approved it appears under /imports. If this is a notebook, clear "
        "large outputs and save again.",
    ),
    "too-large": Words(
        "이 파일은 화면으로 보기에는 너무 큽니다.", "This file is too large to be shown.", SEE_KO, SEE_EN
    ),
    "display": Words(
        "이 시간 또는 오늘 화면에 표시할 수 있는 양을 다 썼습니다. 커널은 계속 실행됩니다.",
        "What may be shown in this hour or today is used up. Kernels go on running.",
        "다음 시간이나 내일 다시 보거나, 결과를 반출 신청으로 내보내십시오.",
        "Look again in the next hour or tomorrow, or send results out by an egress request.",
    ),
    "missing": Words(
        "이런 파일은 작업공간 이미지에 없습니다.",
        "The workspace's image has no such file.",
        "주소를 확인하고, 화면이 깨졌으면 새로 고치십시오.",
        "Check the address; reload if the page is broken.",
    ),
    "locked": Words(
        "화면이 잠겼습니다. 커널은 계속 실행됩니다.",
        "The screen is locked. Kernels go on running.",
        "작업공간 화면에서 비밀번호와 인증 번호를 넣어 잠금을 푸십시오.",
        "Unlock it on the workspace's page with your password and code.",
    ),
    "seat": Words(
        "이 작업공간은 다른 자리(단말)에서 쓰도록 정해져 있습니다. 이 시도는 기록되었습니다.",
        "This workspace is bound to another seat (terminal). The attempt has been recorded.",
        "이 자리에서 쓰려면 포털에 로그인해 2차 인증으로 자리를 옮기십시오.",
        "To use it here, sign in to the portal and move your seat with a second factor.",
    ),
    "foreign": Words(
        "다른 사이트의 화면에서 온 요청은 받지 않습니다.",
        "A request made by a page of another site is not taken.",
        "포털의 작업공간 화면에서 여십시오.",
        "Open the workspace from the portal.",
    ),
    "unreachable": Words(
        "작업공간의 서버가 응답하지 않습니다.",
        "The workspace's server does not answer.",
        "잠시 뒤 다시 시도하고, 계속되면 작업공간을 다시 시작하십시오.",
        "Try again in a moment; if it persists start the workspace again.",
    ),
    "busy": Words(
        "지금 이 작업공간으로 보내는 요청이 너무 많습니다.",
        "Too many requests are being sent to this workspace.",
        "잠시 뒤 다시 시도하십시오.",
        "Try again in a moment.",
    ),
    "not-recorded": Words(
        "기록할 수 없어서 실행하지 않았습니다.",
        "This was not run because it could not be recorded.",
        "잠시 뒤 다시 시도하고, 계속되면 운영자에게 알려 주십시오.",
        "Try again in a moment; if it persists tell the operator.",
    ),
}
PAGE = """<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>안심구역</title>
<meta name="viewport" content="width=device-width"><style>
body{{font:16px/1.6 system-ui,sans-serif;color:#1b2430;background:#f5f6f8;margin:0;word-break:keep-all}}
main{{max-width:38rem;margin:10vh auto;padding:1.5rem 2rem 2rem;background:#fff;border:1px solid #d6dae1;border-radius:8px}}
header{{color:#17594a;font-weight:700;margin-bottom:1rem}}h1{{font-size:1.35rem;margin:0 0 .5rem}}a{{color:#17594a}}
.way{{display:inline-block;margin-right:1rem}}.first{{background:#17594a;color:#fff;padding:.45rem 1rem;border-radius:6px;text-decoration:none}}
:focus-visible{{outline:3px solid #b45309;outline-offset:2px}}[lang=en]{{color:#4a5564}}
{framed}section[lang=en]{{border-top:1px solid #e3e6eb;margin-top:1.5rem;padding-top:1rem}}
</style></head><body><main><header>안심 <small>데이터안심구역</small></header><h1>{ko}</h1><p>{remedy_ko}</p>
<p class="top"><a class="way first" href="{link}">내 반출 신청 보기</a><a class="way" href="{back}">작업공간으로 돌아가기</a></p><p>{recorded_ko}</p>
<section lang="en"><p><strong>{en}</strong></p><p>{remedy_en}</p>
<p class="top"><a class="way" href="{link}">My egress requests</a><a class="way" href="{back}">Back to the workspace</a></p><p>{recorded_en}</p></section>
</main></body></html>"""  # noqa: E501 - one page
RECORDED = ("이 시도는 기록되었습니다.", "This attempt has been recorded.")


def explain(visit: Visit, status: int, why: str, *, event: tuple[str, dict[str, str]] | None = None) -> Answer:
    """Return the answer that explains `why` (a key of `WORDS`, else "closed") to a person or to a program."""
    words = WORDS.get(why, CLOSED)
    link = f"{visit.doorway.addresses.portal}/projects/{visit.doorway.plan.project_id}"
    if visit.wants_html:
        back = f"{visit.doorway.origin}/user/{visit.doorway.plan.login}/lab"
        recorded_ko, recorded_en = RECORDED if event else ("", "")
        # Inside the desk's frame no link leads out; the desk's own bar does.
        framed = ".top{display:none}" if visit.header(b"sec-fetch-dest") in {"iframe", "frame"} else ""
        said = words.__dict__ | {
            "framed": framed,
            "link": link,
            "back": back,
            "recorded_ko": recorded_ko,
            "recorded_en": recorded_en,
        }
        texts = {name: html.escape(value) for name, value in said.items()}
        return Answer(status, PAGE.format(**texts).encode(), event=event)
    message = f"{words.ko} {words.remedy_ko} ({words.en} {words.remedy_en})"
    body = {"code": f"gate.{why}", "message": message, **words.__dict__, "link": link}
    return Answer(status, json.dumps(body).encode(), "application/json", event=event)
