"""Attacks on identity: a workspace without a session, with somebody else's, by an account that may not.

Only the drill's own accounts are played.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from enclave.drill.opening import ELSEWHERE, SEAT
from enclave.drill.place import Place, Verdict, attack, broken, judged
from enclave.drill.wire import head, send

PATHS = ("/lab", "/api/contents", "/api/kernels", "/api/status", "/api/sessions", "/lab/api/settings", "/api/me", "/")
SHUT = {302, 303, 307, 401, 403, 404, 405}
LOCKED = 423


@attack("id.no-session")
def no_session(place: Place) -> Verdict:
    """The workspace's addresses without any session."""
    door, login = place.door, place.login
    answers: dict[str, object] = {path: door.ask(login, "GET", path, token=None).status for path in PATHS}
    answers["start a kernel"] = door.ask(login, "POST", "/api/kernels", {}, token=None).status
    answers["shut down"] = door.ask(login, "POST", "/api/shutdown", {}, token=None).status
    return judged(answers, lambda answer: answer in SHUT)


@attack("id.other-session")
def other_session(place: Place) -> Verdict:
    """The workspace's addresses with the neighbour's token, and the neighbour's with one's own."""
    door = place.door
    answers: dict[str, object] = {
        f"{path} as {place.neighbour}": door.ask(place.login, "GET", path, token=place.neighbour_token).status
        for path in PATHS
    }
    answers |= {f"neighbour's {p}": door.ask(place.neighbour, "GET", p, token=place.token).status for p in PATHS}
    answers["kernel of neighbour"] = door.ask(place.neighbour, "POST", "/api/kernels", {}, token=place.token).status
    return judged(answers, lambda answer: answer in SHUT)


@attack("id.wrong-token")
def wrong_token(place: Place) -> Verdict:
    """Tokens that are forged, changed in one place, empty, in the address, or of another kind."""
    door, login = place.door, place.login
    changed = place.token[:-1] + ("0" if place.token[-1] != "0" else "1")
    answers: dict[str, object] = {
        name: door.ask(login, "GET", "/api/contents", token=token).status
        for name, token in {"forged": "0" * 64, "changed": changed, "short": "x", "login": login}.items()
    }
    said = door.headers(door.host_of(login), token=None)
    target = f"GET /user/{login}/api/contents"
    answers["in the address"] = send(door.address, head(f"{target}?token={'0' * 64}", said)).status
    answers["basic"] = send(door.address, head(target, said | {"Authorization": "Basic ZHJpbGw6IQ=="})).status
    answers["cookie"] = send(door.address, head(target, said | {"Cookie": f"jupyterhub-user-{login}=forged"})).status
    return judged(answers, lambda answer: answer in SHUT)


@attack("id.system-account")
def system_account(place: Place) -> Verdict:
    """Signing in at the hub as one of the drill's accounts."""
    door, answers = place.door, {}
    for login in (place.login, place.neighbour):
        for password in ("!", "", login):
            page = send(door.address, head("GET /hub/login", door.headers(door.public, token=None)))
            cookies = "; ".join(cookie.partition(";")[0] for cookie in page.header("set-cookie"))
            token = re.search(rb'name="_xsrf" value="([^"]*)"', page.body)
            fields = {
                "username": login,
                "password": password,
                "otp": "000000",
                "_xsrf": token[1].decode() if token else "",
            }
            body = urlencode(fields).encode()
            said = door.headers(door.public, token=None) | {"Cookie": cookies, "Content-Length": str(len(body))}
            said |= {"Content-Type": "application/x-www-form-urlencoded"}
            answer = send(door.address, head("POST /hub/login", said, body))
            signed = any("jupyterhub-hub-login" in cookie for cookie in answer.header("set-cookie"))
            answers[f"{login} with {password!r}"] = "SIGNED IN" if signed else answer.status
    return judged(dict(answers), lambda answer: answer in {200, 400, 401, 403})


@attack("id.start-for-others")
def start_for_others(place: Place) -> Verdict:
    """Starting and stopping somebody else's workspace at the hub, with the token of one's own."""
    door, other = place.door, place.neighbour
    answers: dict[str, object] = {}
    for method, path in (("POST", "server"), ("DELETE", "server"), ("GET", "server/progress"), ("POST", "activity")):
        said = door.headers(door.public, token=place.token) | {
            "Content-Length": "2",
            "Content-Type": "application/json",
        }
        answers[f"{method} {path}"] = send(
            door.address, head(f"{method} /hub/api/users/{other}/{path}", said, b"{}")
        ).status
    for somebody in ("operator", "nobody-there"):
        answers[f"drill's own token for {somebody}"] = door.hub("POST", f"/users/{somebody}/server", {}).status
    return judged(answers, lambda answer: answer in {400, 403, 404})


@attack("id.unattended")
def unattended(place: Place) -> Verdict:
    """A workspace that was started while nobody had proved who they are: its screen is locked from the beginning."""
    answers: dict[str, object] = dict(place.notes["before"])
    return judged(answers, lambda answer: answer == LOCKED)


@attack("id.other-seat")
def other_seat(place: Place) -> Verdict:
    """A token that is right, used from another address, and with words that say otherwise."""
    door = place.door
    answers: dict[str, object] = {}
    lies: dict[str, dict[str, str]] = {
        "plain": {},
        "forwarded": {"X-Forwarded-For": SEAT},
        "real": {"X-Real-IP": SEAT, "Forwarded": f"for={SEAT}"},
    }
    for what, lie in lies.items():
        for path in ("api/status", "api/contents", "lab"):
            said = door.headers(door.host_of(place.login)) | lie
            line = f"GET /user/{place.login}/{path}"
            answers[f"{what} {path}"] = send(door.address, head(line, said), source=ELSEWHERE).status
    own = send(
        door.address, head(f"GET /user/{place.login}/api/status", door.headers(door.host_of(place.login)))
    ).status
    outcome, evidence = judged(dict(answers), lambda answer: answer in {302, 303, 401, 403})
    if own != 200:  # noqa: PLR2004 - else the token opens nothing anywhere, and nothing was shown
        return broken(f"from its own seat it is answered {own}")
    return outcome, f"{evidence}; from its seat {own}"
