"""The plan in the words of the Docker engine: one exact create body, nothing left to defaults that matter.

The gate sends these bytes itself; what the hub asks for is only compared with them. Source of each barrier:
the Docker Engine API v1.41 (`POST /containers/create`); the profile in `seccomp.json` beside this file.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from enclave.workspace.plan import Mount, WorkspacePlan

USER = "10001:10001"
NOTEBOOK_PORT = 8888
LABEL_WORKSPACE = "ansim.workspace"
LABEL_PLAN = "ansim.plan"
PERIOD_US = 100_000
SHM_BYTES = 64 << 20

# Fixed by us, never by a plan: where a notebook may write small things, all of it in memory and sized.
TMPFS = {
    "/tmp": "rw,noexec,nosuid,nodev,size=256m,mode=1777",  # noqa: S108 - inside the workspace, not on the host
    "/run": "rw,noexec,nosuid,nodev,size=16m,uid=10001,gid=10001,mode=700",
    "/home/analyst": "rw,noexec,nosuid,nodev,size=64m,uid=10001,gid=10001,mode=700",
}
ENVIRONMENT = {
    "HOME": "/home/analyst",
    "TMPDIR": "/tmp",  # noqa: S108 - inside the workspace
    "JUPYTER_RUNTIME_DIR": "/run/jupyter",
    "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
    "LANG": "C.UTF-8",
}
# What the hub may add, by name. A text is the only value it may have (`{plan…}` is filled in); an empty one leaves
# the value to the hub, because only it knows its tokens and public addresses.
HUB_VARIABLES = {
    "JUPYTERHUB_USER": "{plan.login}",
    "JUPYTERHUB_SERVER_NAME": "",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
    "JUPYTERHUB_ACTIVITY_URL": "http://127.0.0.1:8081/hub/api/users/{plan.login}/activity",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/{plan.login}/",
    "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{NOTEBOOK_PORT}/user/{{plan.login}}/",
    "JUPYTERHUB_BASE_URL": "/",
    "JUPYTERHUB_ROOT_DIR": "/home/analyst/work",
    "JUPYTERHUB_API_TOKEN": "",
    "JPY_API_TOKEN": "",
    "JUPYTERHUB_CLIENT_ID": "",
    "JUPYTERHUB_COOKIE_OPTIONS": "",
    "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED": "",
    "JUPYTERHUB_HOST": "",
    "JUPYTERHUB_OAUTH_CALLBACK_URL": "",
    "JUPYTERHUB_OAUTH_SCOPES": "",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES": "",
    "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES": "",
    "JUPYTERHUB_PUBLIC_URL": "",
    "JUPYTERHUB_PUBLIC_HUB_URL": "",
    "JUPYTERHUB_DEFAULT_URL": "",
}


@cache
def seccomp_profile() -> str:
    """Return the text of our seccomp profile (the engine wants the text, not a path)."""
    return files("enclave.workspace").joinpath("seccomp.json").read_text("utf-8").strip()


def create_body(plan: WorkspacePlan, hub_environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the body of `POST /containers/create` for this plan.

    `hub_environment` are the variables that only the hub knows (its tokens); the gate checks them by name.
    """
    environment = {**ENVIRONMENT, **plan.environment, **(hub_environment or {})}
    return {
        "Image": plan.image_id,
        "Cmd": ["jupyterhub-singleuser"],
        "User": USER,
        "Hostname": "enclave",
        "WorkingDir": "/home/analyst/work",
        "Env": [f"{name}={value}" for name, value in sorted(environment.items())],
        "Labels": {LABEL_WORKSPACE: plan.workspace_id, LABEL_PLAN: plan.sha256},
        "NetworkDisabled": True,
        "HostConfig": _host_config(plan),
    }


def _host_config(plan: WorkspacePlan) -> dict[str, Any]:
    return {
        **_isolation(),
        "Mounts": [_bind(mount) for mount in plan.mounts],
        "Tmpfs": dict(TMPFS),
        "ShmSize": SHM_BYTES,
        "Memory": plan.memory_bytes,
        # Equal to Memory: no swap, so nothing of the data reaches a swap device.
        "MemorySwap": plan.memory_bytes,
        "CpuPeriod": PERIOD_US,
        "CpuQuota": plan.cpus * PERIOD_US,
        "PidsLimit": plan.pids,
        "DeviceRequests": _gpus(plan.gpu_uuids),
        # Never by the engine: the last lines of a workspace that died are read before it is removed.
        "AutoRemove": False,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
        "RestartPolicy": {"Name": "no"},
    }


def _isolation() -> dict[str, Any]:
    return {
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true", "seccomp=" + seccomp_profile()],
        "ReadonlyRootfs": True,
        "Privileged": False,
        "Init": True,
        "IpcMode": "private",
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "nofile", "Soft": 4096, "Hard": 4096},
        ],
    }


def _bind(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        # Engine 20.10 leaves a mount below a read-only bind writable; NonRecursive leaves it out.
        "BindOptions": {"NonRecursive": True, "Propagation": "rprivate"},
    }


def _gpus(uuids: tuple[str, ...]) -> list[dict[str, Any]]:
    # By uuid, never by count: count=1 gives device 0 to everybody. Not tried on real hardware.
    if not uuids:
        return []
    return [{"Driver": "", "DeviceIDs": list(uuids), "Capabilities": [["gpu"]], "Options": {}}]
