"""What the portal is made of: one frozen bundle that every route reads from `app.state.portal`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from enclave.airlock.quarantine import Quarantine
from enclave.commands.release import Depot
from enclave.commands.workspace import Means
from enclave.gate.client import Gate
from enclave.portal.choices import Choices
from enclave.portal.coverage import Coverage
from enclave.portal.emergency import Emergencies
from enclave.portal.lines_seen import LinesSeen
from enclave.portal.log_watch import LogWatch
from enclave.portal.oauth import Hub
from enclave.portal.session import Sessions
from enclave.portal.sight import Sight
from enclave.settings import Settings
from enclave.store import Store
from enclave.vault import Vault

ROOT = "/services/portal"
SERVICE = "portal"


@dataclass(frozen=True, kw_only=True)
class Portal:
    """The parts. `gate_secret`: what the gate shows on every call that comes from a workspace."""

    settings: Settings
    store: Store
    hub: Hub
    gate: Gate
    quarantine: Quarantine
    sight: Sight
    vault: Vault
    depot: Depot
    gate_secret: bytes
    emergency: Emergencies
    watch: LogWatch
    sessions: Sessions = field(default_factory=Sessions)
    choices: Choices = field(default_factory=Choices)
    lines_seen: LinesSeen = field(default_factory=LinesSeen)
    coverage: Coverage = field(default_factory=Coverage)
    root: str = ROOT

    def close(self) -> None:
        """Give connections back to the database."""
        self.store.close()

    def means(self) -> Means:
        """Return what a workspace plan is made with, read anew so that a new image or key counts at once.

        Raises: Unavailable if a key or the image is missing.
        """
        return Means.load(self.settings)

    @property
    def https(self) -> bool:
        """Whether browsers reach us over TLS; cookies are `Secure` then."""
        return self.settings.public_scheme == "https"

    @property
    def cookie(self) -> str:
        """The session cookie's name. `__Host-` (TLS only) keeps other hosts of the domain from planting one."""
        return "__Host-ansim-portal" if self.https else "ansim-portal"

    @property
    def cookie_path(self) -> str:
        """The cookies' path; `__Host-` demands the whole host."""
        return "/" if self.https else self.root

    @property
    def handshake_cookie(self) -> str:
        """The cookie of a sign-in under way; planted, it would sign a person in as somebody else."""
        return "__Host-ansim-handshake" if self.https else "ansim-handshake"

    @property
    def handshake_path(self) -> str:
        """Its path: no page but the callback needs it."""
        return "/" if self.https else f"{self.root}/oauth_callback"

    @property
    def host(self) -> str:
        """The only Host header under which pages are served."""
        return portal_origin(self.settings).partition("://")[2]

    def workspace_url(self, login: str) -> str:
        """Address of a person's running workspace, on its own origin."""
        scheme, _, rest = self.settings.public_url.partition("://")
        return f"{scheme}://{login}.{rest}/user/{login}/lab"

    @property
    def spawn_url(self) -> str:
        """Address at the hub that starts the visitor's workspace."""
        return f"{self.settings.public_url}/hub/spawn"


def portal_origin(settings: Settings) -> str:
    """Return the portal's own origin, e.g. `http://portal--service.ansim.localhost:8000`."""
    scheme, _, rest = settings.public_url.partition("://")
    return f"{scheme}://{SERVICE}--service.{rest}"


def build(settings: Settings, environment: Mapping[str, str] = os.environ) -> Portal:
    """Put the portal together from its settings and keys.

    Raises: FileNotFoundError naming the key file that is missing.
    """
    token = environment.get("JUPYTERHUB_API_TOKEN") or (settings.keys / "portal.token").read_text().strip()
    hub = Hub(
        public=f"{settings.public_url}/hub/",
        api=f"http://127.0.0.1:{settings.hub_port}/hub/api",
        client_id=f"service-{SERVICE}",
        token=token,
        callback=f"{portal_origin(settings)}{ROOT}/oauth_callback",
        wait_s=settings.hub_wait_s,
    )
    quarantine = Quarantine(settings.quarantine, limit=settings.max_file_bytes)
    vault = Vault.load(settings.vault_key)
    store, gate = Store(settings.url, wait_s=settings.database_wait_s), Gate.of(settings)
    emergency = Emergencies(settings, store, gate.revoke)
    store.first = emergency.settle
    return Portal(
        settings=settings,
        store=store,
        hub=hub,
        gate=gate,
        emergency=emergency,
        watch=LogWatch(settings),
        quarantine=quarantine,
        sight=Sight(quarantine),
        vault=vault,
        depot=Depot(quarantine, vault, settings.releases, settings.log, settings.release_days),
        gate_secret=read_secret(settings.gate_secret),
    )


def read_secret(path: Path) -> bytes:
    """Return a secret's bytes. Raises: ValueError if it is shorter than sixteen bytes, which is no secret."""
    secret = path.read_bytes().strip()
    if len(secret) < 16:  # noqa: PLR2004 - 128 bits
        raise ValueError(f"{path}: the secret is too short; make it again")
    return secret
