"""The hub's one question-and-answer door to the enclave: the core API on the portal's unix socket.

The hub decides nothing. Every refusal comes back as the `EnclaveError` that the portal raised, with its reason in
Korean and English. A portal that hangs keeps its socket, so every call has an end, from its beginning to the last byte
of the answer; what it was told before that, it reads when it goes on.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from enclave.errors import Unavailable, answered
from enclave.settings import Settings


class Core:
    """Asks the core API. Every method raises the `EnclaveError` that was answered, or `Unavailable`.

    `wait_s`: seconds in which a call is answered whole; `plan_s`: a plan, for which the project views of a large
    snapshot may have to be made; `tell_s`: what is only told, while somebody waits for their page.
    """

    def __init__(self, path: Path, *, wait_s: float = 20, plan_s: float = 100, tell_s: float = 5) -> None:
        self._path, self._wait_s, self._plan_s, self._tell_s = path, wait_s, plan_s, tell_s

    @classmethod
    def here(cls) -> Core:
        """Return the portal of this machine's settings."""
        settings = Settings.load()
        limits = {name: getattr(settings, f"portal_{name}") for name in ("wait_s", "plan_s", "tell_s")}
        return cls(settings.core_socket, **limits)

    async def log_in(self, login: str, password: str, code: str, **where: str) -> str:
        """Check an account with its second factor, `where`: `ip` and `browser`; returns the login as we write it."""
        body = {"login": login, "password": password, "code": code, **where}
        return str((await self._ask("/login", body))["login"])

    async def log_in_by_claim(self, subject: str, **where: str) -> str:
        """Return the account that an identity provider's claim names; `where`: `ip` and `browser`."""
        return str((await self._ask("/login/oidc", {"subject": subject, **where}))["login"])

    async def plan(self, login: str, ip: str) -> tuple[bytes, bytes]:
        """Ask for the start of this person's workspace at an address; returns the plan and its signature (base64)."""
        answer = await self._ask(f"/workspaces/{login}/plan", {"ip": ip}, self._plan_s)
        return answer["plan"].encode(), answer["signature"].encode()

    async def tell(self, login: str, what: str, **facts: str) -> None:
        """Report what became of a workspace: `started`, `failed` or `stopped`."""
        await self._ask(f"/workspaces/{login}/{what}", facts)

    async def event(self, event: str, login: str, ip: str, **facts: str) -> None:
        """Report something the hub saw, e.g. `logout`; `route-refused` says which route."""
        await self._ask("/events", {"event": event, "login": login, "ip": ip, **facts}, self._tell_s)

    async def _ask(self, path: str, body: dict[str, str], most_s: float = 0) -> dict[str, Any]:
        transport = httpx.AsyncHTTPTransport(uds=str(self._path))
        try:
            async with (
                asyncio.timeout(most_s or self._wait_s),
                httpx.AsyncClient(transport=transport, base_url="http://core", timeout=None) as client,  # noqa: S113 - the whole has its end
            ):
                response = await client.post(path, json=body)
                answer: dict[str, Any] = response.json()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise _unreachable(error) from error
        if response.is_success:
            return answer
        raise answered(response.status_code, answer)


def _unreachable(error: Exception) -> Unavailable:
    return Unavailable(
        "core.unreachable",
        ko=f"포털이 응답하지 않습니다 ({type(error).__name__}).",
        en=f"The portal does not answer ({type(error).__name__}).",
        remedy_ko="잠시 뒤 다시 시도하고, 계속되면 운영자에게 알려 주십시오.",
        remedy_en="Try again in a moment; if it persists tell the operator.",
    )
