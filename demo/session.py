"""One person at a browser, as a program: signs in at the hub, opens the portal, starts and uses a workspace.

Every step goes through the doors that people use; nothing here touches a database or a file of the enclave.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import httpx

from demo.forms import first_form, form_to
from demo.local_names import LoopbackTransport
from demo.people import Person
from demo.show import StepFailedError

# How long a hub may need to notice that a server has ended, in seconds.
STOPPING_S = 20


class Session:
    """Cookies and addresses of one signed-in person.

    `hub` is the public origin of the hub (`http://ansim.localhost:8000`), `code` gives the TOTP digits of the moment.
    """

    def __init__(self, person: Person, hub: str, code: Callable[[], str]) -> None:
        self.person = person
        self.hub = hub.rstrip("/")
        self.code = code
        self.http = httpx.Client(transport=LoopbackTransport(), follow_redirects=True, timeout=120)
        scheme, rest = self.hub.split("://")
        self.portal = f"{scheme}://portal--service.{rest}/services/portal"
        self.workspace = f"{scheme}://{person.login}.{rest}/user/{person.login}"

    def sign_in(self) -> None:
        """Fill in the hub's login form. Raises: StepFailedError with the page's own words."""
        page = self._get(f"{self.hub}/hub/login")
        form = first_form(page.text)
        values = dict(form.hidden) | {"username": self.person.login, "password": self.person.password}
        values |= {name: self.code() for name in form.fields if "otp" in name}
        answer = self.http.post(urljoin(str(page.url), form.action or str(page.url)), data=values)
        if answer.status_code >= httpx.codes.BAD_REQUEST or "/hub/login" in str(answer.url):
            raise StepFailedError(f"{self.person.login}: {said(answer)}", "계정과 2차 인증 번호를 확인하세요.")
        self._get(f"{self.portal}/")

    def start_workspace(self, *, wait_s: float = 60) -> float:
        """Ask the hub for the workspace and wait until it answers; returns the seconds it took.

        Raises: StepFailedError with the reason that the hub shows.
        """
        started = time.monotonic()
        answer = self._ask_to_start()
        if answer.status_code not in {201, 202} and "already running" not in answer.text:
            raise StepFailedError(said(answer), "포털의 '내 과제'에서 시작 조건을 확인하세요.")
        while time.monotonic() - started < wait_s:
            # A page, not the API: only a page sends the browser round through the hub's sign-in.
            ready = self.http.get(f"{self.workspace}/lab")
            if ready.status_code == httpx.codes.LOCKED:
                self.unlock()
            if ready.status_code == httpx.codes.OK and str(ready.url).startswith(self.workspace):
                return time.monotonic() - started
            time.sleep(0.1)
        raise StepFailedError(f"작업공간이 {wait_s:.0f}초 안에 열리지 않았습니다.", "process/hub.log 를 보세요.")

    def _ask_to_start(self) -> httpx.Response:
        address = f"{self.hub}/hub/api/users/{self.person.login}/server"
        for _ in range(STOPPING_S):
            # Trap: a body without the key `user_options` is taken as the user options; an empty one is none.
            answer = self.http.post(address, headers=self._xsrf(self.hub), json={})
            # Trap: a hub that is only now noticing that the last server has ended ("pending stop") answers 500.
            if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                break
            time.sleep(1)
        return answer

    def unlock(self) -> httpx.Response:
        """Open the screen of the running workspace with password and code, as the desk page does."""
        mine = self.api("GET", "/workspaces").json()["workspaces"]
        place = next(each["id"] for each in mine if each["state"] == "running")
        form = {"csrf": self.portal_headers()["X-CSRF-Token"], "password": self.person.password, "code": self.code()}
        return self.http.post(f"{self.portal}/desk/{place}/unlock", data=form, headers={"X-Ansim-By": "script"})

    def stop_workspace(self) -> None:
        """Stop the workspace; nothing happens when none runs."""
        self.http.delete(f"{self.hub}/hub/api/users/{self.person.login}/server", headers=self._xsrf(self.hub))

    def save_notebook(self, name: str, cells: list[str]) -> str:
        """Put a notebook with these code cells into the work folder; returns the address to open it."""
        content = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{i}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": c,
                }
                for i, c in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return self.put_notebook(name, content)

    def put_notebook(self, name: str, content: dict[str, Any]) -> str:
        """Put a whole notebook (nbformat 4, as JSON) into the work folder; returns the address to open it."""
        answer = self.http.put(
            f"{self.workspace}/api/contents/{name}",
            headers=self._xsrf(self.workspace),
            json={"type": "notebook", "format": "json", "content": content},
        )
        answer.raise_for_status()
        return f"{self.workspace}/lab/tree/{name}"

    def new_kernel(self) -> str:
        """Start a kernel; returns its id."""
        answer = self.http.post(f"{self.workspace}/api/kernels", headers=self._xsrf(self.workspace), json={})
        answer.raise_for_status()
        return str(answer.json()["id"])

    def api(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """Call the portal's REST interface as this person; `path` begins below `/api/v1`."""
        headers = self.portal_headers() | ({"Idempotency-Key": key} if key else {})
        return self.http.request(method, f"{self.portal}/api/v1{path}", headers=headers, json=body)

    def page(self, path: str) -> str:
        """Open a page of the portal. Raises: StepFailedError."""
        return self._get(f"{self.portal}{path}").text

    def send(self, page: str, end: str, **typed: str) -> str:
        """Fill in the page's form whose address ends so and send it; returns the page it led to.

        A code of the second factor is typed where the form asks for one. Raises: StepFailedError: there is no such
        form, or it was refused.
        """
        form = form_to(page, end)
        if form is None:
            raise StepFailedError(f"{self.person.login}: …{end[-40:]} 양식이 없습니다.", "포털에서 같은 화면을 여세요.")
        code = {"code": self.code()} if "code" in form.required else {}
        answer = self.http.post(urljoin(self.portal, form.action), data=form.hidden | code | typed)
        if answer.is_error:
            raise StepFailedError(f"{self.person.login} {end[-40:]}: {refusal_of(answer.text)}", "포털에서 확인하세요.")
        return answer.text

    def portal_headers(self) -> dict[str, str]:
        """Return the headers that a REST call with cookies must carry."""
        me = self.http.get(f"{self.portal}/api/v1/me")
        if me.status_code == httpx.codes.UNAUTHORIZED:
            # The portal was started anew: a page, not the API, goes round through the hub, which still knows them.
            self._get(f"{self.portal}/")
            me = self.http.get(f"{self.portal}/api/v1/me")
        if me.status_code == httpx.codes.FORBIDDEN and me.json()["code"] == "seat.elsewhere":
            # Somebody signed in to this account in another browser: one account, one seat.
            worked = any(cookie.domain == httpx.URL(self.workspace).host for cookie in self.http.cookies.jar)
            self.http.cookies.clear()
            self.sign_in()
            if worked:
                self.http.get(f"{self.workspace}/lab")  # a page brings the browser's sign-in there, too
            me = self._get(f"{self.portal}/api/v1/me")
        return {"X-CSRF-Token": me.json()["csrf_token"]}

    def cookies_for(self, url: str) -> str:
        """Return the Cookie header that this person's browser would send to the address."""
        request = httpx.Request("GET", url)
        self.http.cookies.set_cookie_header(request)
        return str(request.headers.get("cookie", ""))

    def _get(self, url: str) -> httpx.Response:
        answer = self.http.get(url)
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            raise StepFailedError(f"{url}: {said(answer)}", "process/ 폴더의 기록을 보세요.")
        return answer

    def _xsrf(self, origin: str) -> dict[str, str]:
        # The hub and each notebook server set their own `_xsrf` cookie, on their own host and path.
        host, path = httpx.URL(origin).host, httpx.URL(origin).path or "/hub/"
        found = [c for c in self.http.cookies.jar if c.name == "_xsrf" and c.domain == host and path in (c.path + "/")]
        if not found:
            found = [c for c in self.http.cookies.jar if c.name == "_xsrf" and c.domain == host]
        return {"X-XSRFToken": found[0].value or ""} if found else {}


def refusal_of(page: str) -> str:
    """Return what a page says of a refusal, or the beginning of its text."""
    found = re.search(r'role="alert"[^>]*>(.*?)</div>', page, re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", found[1] if found else page[:300])
    return " ".join(words.split())


def said(answer: httpx.Response) -> str:
    """Say what a refusal said, for people: the JSON's Korean text, or the status and the beginning of the text."""
    try:
        body = answer.json()
    except ValueError:
        return f"HTTP {answer.status_code} {answer.url.path}"
    if isinstance(body, dict):
        for field in ("ko", "message", "detail"):
            if body.get(field):
                return f"HTTP {answer.status_code} {body[field]}"
    return f"HTTP {answer.status_code} {body}"
