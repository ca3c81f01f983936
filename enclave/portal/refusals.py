"""The portal's own errors: what a door can get wrong. Everything else comes from the commands."""

from __future__ import annotations

from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound, Unavailable


class SignInNeeded(EnclaveError):  # noqa: N818 - the verdict in words, as in `enclave.errors`
    """Nobody is signed in (HTTP 401); a page sends the browser to the hub instead."""

    status = 401


class SeatElsewhere(Denied):
    """Signed in, but the account is used at another seat; a page leads to the one where it can be moved here."""


def seat_elsewhere(error: Denied) -> SeatElsewhere:
    """Return the policy's refusal as the one that leads to the seat page."""
    texts = {"ko": error.ko, "en": error.en, "remedy_ko": error.remedy_ko, "remedy_en": error.remedy_en}
    return SeatElsewhere(error.code, **texts)


def sign_in_needed() -> SignInNeeded:
    """Return the answer to a request without a live session."""
    return SignInNeeded(
        "portal.sign-in",
        ko="로그인하지 않았거나, 오래 쓰지 않아 로그아웃되었습니다.",
        en="You are not signed in, or were signed out after a while without activity.",
        remedy_ko="다시 로그인한 뒤 계속하세요. 보내던 양식은 브라우저의 뒤로 가기로 되찾을 수 있습니다.",
        remedy_en="Sign in again. Your browser's back button returns to the form you were sending.",
    )


def stale_form() -> Denied:
    """Return the refusal of a form that does not belong to this session."""
    return Denied(
        "portal.form",
        ko="이 양식은 지금 로그인한 창에서 연 것이 아니어서 처리하지 않았습니다.",
        en="This form was not opened in the session that is signed in now, so nothing was done.",
        remedy_ko="앞 화면으로 돌아가 새로 고친 뒤 다시 보내세요.",
        remedy_en="Go back, reload the page and send it again.",
    )


def unreadable_form() -> Invalid:
    """Return the answer to a body that is no form."""
    return Invalid(
        "portal.form-unreadable",
        ko="보낸 양식을 읽을 수 없습니다.",
        en="The form that was sent cannot be read.",
        remedy_ko="화면을 새로 고친 뒤 다시 입력하세요.",
        remedy_en="Reload the page and fill it in again.",
    )


def about_no_file() -> Invalid:
    """Return the answer to a submission that says something about a file it does not hold."""
    return Invalid(
        "portal.about",
        ko="함께 제출하지 않은 파일에 대한 설명(recipe, code)이 있습니다.",
        en="Something is said about a file (recipe, code) that is not part of this submission.",
        remedy_ko="만든 코드도 같은 신청의 파일에 넣으세요.",
        remedy_en="Put the code that made it among the files of the same request.",
    )


def bad_handshake() -> Denied:
    """Return the refusal of a sign-in that did not begin in this browser, or took over ten minutes."""
    return Denied(
        "portal.handshake",
        ko="이 브라우저에서 시작한 로그인이 아니거나 10분이 지났습니다.",
        en="This sign-in did not begin in this browser, or began more than ten minutes ago.",
        remedy_ko="처음 화면에서 다시 로그인하세요.",
        remedy_en="Start again from the first page.",
    )


def hub_away() -> Unavailable:
    """Return the answer when the hub cannot be asked who somebody is."""
    return Unavailable(
        "portal.hub-away",
        ko="로그인 서버가 응답하지 않습니다.",
        en="The hub, which signs people in, does not answer.",
        remedy_ko="잠시 뒤 다시 시도하고, 계속되면 운영자에게 알리세요.",
        remedy_en="Try again in a moment; if it persists tell the operator.",
    )


def no_such_page() -> NotFound:
    """Return the answer to an address that leads nowhere."""
    return NotFound(
        "portal.no-such-page",
        ko="이 주소의 화면이나 자료가 없습니다.",
        en="There is nothing at this address.",
        remedy_ko="메뉴에서 다시 찾아보세요.",
        remedy_en="Look for it from the menu.",
    )


def two_cookies() -> Denied:
    """Return the refusal of a request that carries our session cookie twice: one of them was planted."""
    return Denied(
        "portal.two-cookies",
        ko="로그인 쿠키가 두 개 있어 어느 쪽이 본인인지 알 수 없습니다.",
        en="There are two sign-in cookies, so it is not clear which one is yours.",
        remedy_ko="이 사이트의 쿠키를 지우고 다시 로그인하세요. 되풀이되면 보안 담당자에게 알리세요.",
        remedy_en="Delete this site's cookies and sign in again; if it happens again tell the security officer.",
    )


def broken() -> EnclaveError:
    """Return what a person is told about a defect of ours: no trace, a code, and that it is in the service log."""
    return EnclaveError(
        "portal.defect",
        ko="포털이 이 요청을 처리하다가 멈췄습니다. 자세한 내용은 서비스 기록에 남았습니다.",
        en="The portal stopped while handling this request. The details are in the service log.",
        remedy_ko="같은 일이 되풀이되면 시각과 함께 운영자에게 알리세요.",
        remedy_en="If it happens again, tell the operator at what time.",
    )


def damaged_report() -> Unavailable:
    """Return the answer when a snapshot's report is missing or not the one its manifest names."""
    return Unavailable(
        "portal.report",
        ko="이 스냅샷의 위험 보고서를 열 수 없습니다. 파일이 없거나 바뀌었습니다.",
        en="This snapshot's risk report cannot be opened: it is missing or was changed.",
        remedy_ko="제공기관의 데이터 관리자에게 알리세요. 스냅샷을 다시 만들어야 할 수 있습니다.",
        remedy_en="Tell the data steward; the snapshot may have to be built again.",
    )


def gone() -> Conflict:
    """Return the answer to a form about something that is not in the page any more."""
    return Conflict(
        "portal.gone",
        ko="양식이 가리키는 항목이 그사이 없어졌습니다.",
        en="What this form is about is no longer there.",
        remedy_ko="화면을 새로 고치세요.",
        remedy_en="Reload the page.",
    )


def other_plan() -> Conflict:
    """Return the answer to a report about a start that is not the last one."""
    return Conflict(
        "workspace.other-plan",
        ko="이 작업공간은 그사이 다른 계획으로 다시 요청되었습니다.",
        en="This workspace has been asked for again since, from another plan.",
        remedy_ko="작업공간을 닫고 다시 여세요.",
        remedy_en="Stop the workspace and start it again.",
    )
