"""Where everything lies and listens: `config.toml` in the enclave's home, every value with a default.

Read once by each process; frozen. A key that is not known is refused by name, so that a misspelt limit never
silently becomes the default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from enclave.errors import Invalid
from enclave.workspace.topology import Topology

DEFAULT_HOME = Path("/var/lib/ansim")
GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings; in `config.toml` they stand at top level under these names (paths are not settings).

    Ports are TCP ports on 127.0.0.1, but `public_port`, which is the one in people's addresses. Sizes are bytes,
    durations carry their unit in the name. `display_*` is how much may reach one person's screen from one project
    where no provider said otherwise; a data steward may set up to `display_widest_times` as much.
    """

    home: Path = DEFAULT_HOME
    run_folder: Path = Path("/run/ansim")
    public_host: str = "ansim.localhost"
    public_scheme: str = "http"
    public_port: int = 8000
    proxy_port: int = 0
    proxy_api_port: int = 8001
    hub_port: int = 8081
    portal_port: int = 8085
    # The portal's and the console's; on PostgreSQL the sequencer and whoever owns the tables sign in as other roles.
    database_url: str = ""
    database_log_url: str = ""
    database_owner_url: str = ""
    # How many seconds are waited for what may hang; each counts from the call to the last byte of its answer, but
    # `database_wait_s` to the next byte (ten times as long in all).
    database_wait_s: int = 5
    # The gate for the container engine: for a question; for an order that starts or ends something.
    engine_ask_s: int = 20
    engine_order_s: int = 45
    # The hub for the portal: an answer; a workspace's plan (less than the hub gives a start); what it is only told.
    portal_wait_s: int = 20
    portal_plan_s: int = 100
    portal_tell_s: int = 5
    # The portal for the hub.
    hub_wait_s: int = 10
    # Portal and hub for the gate: an answer; a stop (longer than its order to the engine); mounting, copying gigabytes.
    gate_wait_s: int = 30
    gate_stop_s: int = 60
    gate_work_s: int = 300
    # The portal for a time stamp; for one call to the store of the copy (tried three times).
    tsa_wait_s: int = 30
    worm_wait_s: int = 60
    app_user: str = "ansim-app"
    hub_user: str = "ansim-hub"
    log_user: str = "ansim-log"
    database_group: str = "ansim-db"
    log_origin: str = "ansim.localhost/log"
    image: str = ""
    memory_bytes: int = 2 * GIB
    cpus: int = 1
    pids: int = 256
    workspace_hours: int = 12
    # Views are decrypted into memory: how much of it they may take together.
    views_bytes: int = 4 * GIB
    plan_minutes: int = 10
    # How many trusted proxies (TLS) stand before our own: their entries in X-Forwarded-For are counted off.
    trusted_proxies: int = 0
    idle_lock_minutes: int = 10
    clipboard_chars: int = 0
    max_file_bytes: int = 64 << 20
    # What may come in at once, and whether what ClamAV has not searched is stopped (0: only marked).
    max_import_bytes: int = 512 << 20
    clamd_socket: Path = Path("/run/clamav/clamd.ctl")
    scan_required: int = 0
    max_files: int = 20
    release_days: int = 7
    # Code named by a request is run again: for how long at most, and whether what is not reproduced is stopped.
    rerun_seconds: int = 900
    rerun_blocks: bool = False
    display_message_bytes: int = 1 << 20
    display_content_bytes: int = 1 << 20
    display_hour_bytes: int = 32 << 20
    display_day_bytes: int = 128 << 20
    display_hour_rows: int = 5_000
    display_day_rows: int = 20_000
    display_hour_pictures: int = 200
    display_day_pictures: int = 1_000
    display_widest_times: int = 4
    # How long the log keeps entries, by class. Less than the law asks counts as what it asks.
    keep_access_years: int = 2
    keep_rights_years: int = 3
    keep_data_years: int = 3
    stray_seconds: int = 300
    topology: str = Topology.SEALED
    bridge_subnets: str = "10.213.0.0/16"
    gpu_injection: str = "nvidia"
    gpu_image: str = ""
    gpu_lease_hours: int = 8
    gpu_claim_minutes: int = 30
    gpu_fair_days: int = 7
    grace_days: int = 7
    cull_hours: int = 4
    # A time server (host or host:port) whose word on the clock is recorded each hour; none: the kernel's.
    ntp_server: str = ""
    # Hour of the day in Seoul at which the attack drill runs; -1: only when it is asked for.
    drill_hour: int = 4
    # Time-stamping authority (RFC 3161) that is asked once a day, from this hour in Seoul on; empty: none is.
    tsa_url: str = ""
    tsa_hour: int = 3
    # S3-compatible store with object lock for a copy that nobody can delete, kept for so many days; empty: none.
    worm_endpoint: str = ""
    worm_bucket: str = ""
    worm_prefix: str = "ansim/"
    worm_region: str = "us-east-1"
    worm_days: int = 1100
    # Mail relay (host or host:port) of the closed network that is told of overdue reviews, once a day; empty: none.
    mail_relay: str = ""
    mail_from: str = ""
    # Addresses with commas between them.
    mail_to: str = ""
    oidc: Mapping[str, Any] | None = None

    @classmethod
    def load(cls, home: Path | None = None) -> Settings:
        """Read `config.toml` under `home` (else `$ANSIM_HOME`, else /var/lib/ansim); no file means all defaults.

        Raises `Invalid` naming the key that is unknown or of the wrong kind, or the line that is no TOML.
        """
        folder = home or Path(os.environ.get("ANSIM_HOME") or DEFAULT_HOME)
        path = folder / "config.toml"
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        except tomllib.TOMLDecodeError as error:
            raise _invalid(path, str(error)) from error
        return cls(home=folder, **{key: _value(path, key, value) for key, value in values.items()})

    @property
    def url(self) -> str:
        """The database's address; SQLite under `db/` unless `database_url` says otherwise."""
        return self.database_url or f"sqlite:///{self.db / 'ansim.sqlite'}"

    @property
    def log_url(self) -> str:
        """The database's address for the sequencer."""
        return self.database_log_url or self.url

    @property
    def owner_url(self) -> str:
        """The database's address for whoever owns the tables: upgrades, and the order to purge."""
        return self.database_owner_url or self.url

    @property
    def db(self) -> Path:
        """Folder of the database (ansim-app; the sequencer writes it through the group `database_group`)."""
        return self.home / "db"

    @property
    def log(self) -> Path:
        """Folder of the log: tiles, checkpoints (ansim-log; world readable)."""
        return self.home / "log"

    @property
    def anchors(self) -> Path:
        """Folder of the checkpoints seen outside, with the policy of witnesses (ansim-app; world readable)."""
        return self.home / "anchors"

    @property
    def witness(self) -> Path:
        """Folder that is carried to a witness and back (ansim-app)."""
        return self.home / "witness"

    @property
    def keys(self) -> Path:
        """Folder of the services' keys, each 0600 of its user; `*.pub` readable."""
        return self.home / "keys"

    @property
    def source(self) -> Path:
        """Folder of the hospitals' raw files (root 0700); no workspace plan can name it."""
        return self.home / "source"

    @property
    def deid_keys(self) -> Path:
        """Folder of the pseudonymisation keys (root 0700)."""
        return self.home / "deid-keys"

    @property
    def snapshot_keys(self) -> Path:
        """Folder of the snapshots' wrapped keys (root; readable for the portal's group; no plan can name it)."""
        return self.home / "snapshot-keys"

    @property
    def snapshot_seal(self) -> Path:
        """The key that seals that folder (root; readable for the portal's group); backed up apart from it."""
        return self.keys / "snapshot-seal.key"

    @property
    def snapshots(self) -> Path:
        """Folder of the published snapshots, encrypted (root; readable for the portal's group)."""
        return self.home / "snapshots"

    @property
    def views(self) -> Path:
        """Folder of the project views: approved columns only, decrypted into memory while they are used (ansim-app)."""
        return self.home / "views"

    @property
    def mounted(self) -> Path:
        """Folder where the gate fastens the views that workspaces mount (root 0700)."""
        return self.home / "mounted"

    @property
    def volumes(self) -> Path:
        """Folder of the workspaces' own volumes (root; loop images)."""
        return self.home / "volumes"

    @property
    def staging(self) -> Path:
        """Folder through which the gate hands collected files to the portal."""
        return self.home / "staging"

    @property
    def assets(self) -> Path:
        """Folder of the images' own files for browsers, which the gate serves (root 0700; made again if it goes)."""
        return self.home / "assets"

    @property
    def spool(self) -> Path:
        """Folder of what the gate saw and the portal has not yet recorded (root 0700)."""
        return self.home / "spool"

    @property
    def emergency(self) -> Path:
        """Folder of what was done while nothing could be recorded, until it is (ansim-app 0700)."""
        return self.home / "emergency"

    @property
    def quarantine(self) -> Path:
        """Folder of the submitted files, by hash (ansim-app 0700)."""
        return self.home / "quarantine"

    @property
    def imports(self) -> Path:
        """Folder of the approved imports, laid out, each under the hash of its content (ansim-app 0700)."""
        return self.home / "imports"

    @property
    def packages(self) -> Path:
        """Folder of the approved sets of packages, installed, each under the hash of its content (root)."""
        return self.home / "packages"

    @property
    def wheels(self) -> Path:
        """Folder of the enclave's own wheel mirror with its `index.json`: candidates, not approvals (root)."""
        return self.home / "wheels"

    @property
    def releases(self) -> Path:
        """Folder of the encrypted packages (ansim-app 0700)."""
        return self.home / "releases"

    @property
    def hub(self) -> Path:
        """Folder of the hub's own state (ansim-hub 0700)."""
        return self.home / "hub"

    @property
    def process(self) -> Path:
        """Folder of process ids and process logs."""
        return self.home / "process"

    @property
    def core_socket(self) -> Path:
        """The portal's core API for the hub."""
        return self.run_folder / "core.sock"

    @property
    def gate_socket(self) -> Path:
        """The gate's own commands."""
        return self.run_folder / "gate.sock"

    @property
    def engine_socket(self) -> Path:
        """The engine's API as the gate filters it."""
        return self.run_folder / "engine.sock"

    @property
    def plan_key(self) -> Path:
        """Ed25519 key that signs workspace plans (PEM, PKCS 8; ansim-app); public half beside it as `plan.pub`."""
        return self.keys / "plan.key"

    @property
    def certificate_key(self) -> Path:
        """Ed25519 key that signs certificates of destruction and of use (PEM; ansim-app); public half beside it."""
        return self.keys / "certificate.key"

    @property
    def certificates(self) -> Path:
        """Folder of the issued certificates, each as JSON and as a page to print (ansim-app)."""
        return self.home / "certificates"

    @property
    def tsa_certificate(self) -> Path:
        """Certificates of the time-stamping authority to trust (PEM; readable)."""
        return self.keys / "tsa.pem"

    @property
    def worm_key(self) -> Path:
        """Access to the store of the copy: TOML with `access_key` and `secret_key` (ansim-app 0600)."""
        return self.keys / "worm.toml"

    @property
    def vault_key(self) -> Path:
        """AES-256 key that seals TOTP secrets, keys of releases and volumes, and recorded texts (ansim-app)."""
        return self.keys / "vault.key"

    @property
    def snapshot_public_key(self) -> Path:
        """Ed25519 public key that snapshots must be signed with (PEM)."""
        return self.keys / "snapshot.pub"

    @property
    def gate_secret(self) -> Path:
        """Secret shared by gate and portal: what comes from a workspace carries it."""
        return self.keys / "gate.secret"

    @property
    def drill_token(self) -> Path:
        """The attack drill's own secret at the hub (ansim-hub; the drill reads it as root)."""
        return self.keys / "drill.token"

    @property
    def drill(self) -> Path:
        """Folder of the attack drill's lock and notes (root 0700)."""
        return self.home / "drill"

    @property
    def front_port(self) -> int:
        """Where the proxy listens: `proxy_port`, or `public_port` unless a TLS proxy stands before it."""
        return self.proxy_port or self.public_port

    @property
    def public_url(self) -> str:
        """Address people type, without a path; no port where it is the scheme's own."""
        usual = {"http": 80, "https": 443}.get(self.public_scheme)
        port = "" if self.public_port == usual else f":{self.public_port}"
        return f"{self.public_scheme}://{self.public_host}{port}"


_KINDS = {"int": int, "str": str, "Path": str, "Mapping[str, Any] | None": dict}


def _value(path: Path, key: str, value: object) -> Any:
    known = {field.name: str(field.type) for field in fields(Settings) if field.name != "home"}
    if key not in known:
        raise _invalid(path, f"‘{key}’ is not a setting")
    kind = _KINDS[known[key]]
    if key == "topology" and value not in list(Topology):
        raise _invalid(path, f"‘topology’ is one of {', '.join(Topology)}, not {value!r}")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _invalid(path, f"‘{key}’ must be {kind.__name__}, not {value!r}")
    return Path(str(value)) if known[key] == "Path" else value


def _invalid(path: Path, what: str) -> Invalid:
    return Invalid(
        "settings.invalid",
        ko=f"설정 파일 {path}: {what}",
        en=f"Settings file {path}: {what}",
        remedy_ko="해당 줄을 고친 뒤 다시 시작하세요.",
        remedy_en="Mend that line and start again.",
    )
