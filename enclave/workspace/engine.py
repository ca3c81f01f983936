"""The plan in the words of the Docker engine: one exact create body, nothing left to defaults that matter.

The gate sends these bytes itself; what the hub asks for is only compared with them. Source of each barrier:
the Docker Engine API v1.41 (`POST /containers/create`); the profile in `seccomp.json` beside this file.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from enclave.workspace.plan import GATE_NAME, Mount, WorkspacePlan

PROBE_UID = 10001
# Inside a workspace: where its notebook server listens, and where the gate's doors to hub and portal are.
NOTEBOOK_PORT, HUB_PORT, PORTAL_PORT = 8888, 8081, 8085
PROBE_BYTES = 128 << 20
LABEL_WORKSPACE = "ansim.workspace"
LABEL_PLAN = "ansim.plan"
PERIOD_US = 100_000
SHM_BYTES = 64 << 20

# Fixed by us, never by a plan: where a notebook may write small things, all of it in memory and sized.
TMPFS = {
    "/tmp": "rw,noexec,nosuid,nodev,size=256m,mode=1777",  # noqa: S108 - inside the workspace, not on the host
    "/run": "rw,noexec,nosuid,nodev,size=16m,uid={uid},gid={uid},mode=700",
    "/home/analyst": "rw,noexec,nosuid,nodev,size=64m,uid={uid},gid={uid},mode=700",
}
ENVIRONMENT = {
    "HOME": "/home/analyst",
    "TMPDIR": "/tmp",  # noqa: S108 - inside the workspace
    "JUPYTER_RUNTIME_DIR": "/run/jupyter",
    "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
    "LANG": "C.UTF-8",
    # The workspace's own user id has no line in the image's list of users.
    "USER": "analyst",
    "LOGNAME": "analyst",
}
# What the driver's tools may do in a workspace that was given a device.
GPU_CAPABILITIES = ("compute", "utility")
# What the hub may add, by name. A text is the only value it may have (`{plan…}` is filled in); an empty one leaves
# the value to the hub, because only it knows its tokens and public addresses.
HUB_VARIABLES = {
    "JUPYTERHUB_USER": "{plan.login}",
    "JUPYTERHUB_SERVER_NAME": "",
    "JUPYTERHUB_API_URL": f"http://{{plan.gate_host}}:{HUB_PORT}/hub/api",
    "JUPYTERHUB_ACTIVITY_URL": f"http://{{plan.gate_host}}:{HUB_PORT}/hub/api/users/{{plan.login}}/activity",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/{plan.login}/",
    "JUPYTERHUB_SERVICE_URL": f"http://{{plan.listens_on}}:{NOTEBOOK_PORT}/user/{{plan.login}}/",
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


def tmpfs(uid: int) -> dict[str, str]:
    """Return the folders in memory with their options, owned by this user id."""
    return {place: options.format(uid=uid) for place, options in TMPFS.items()}


def environment_of(plan: WorkspacePlan) -> dict[str, str]:
    """Return the variables that we set ourselves; what the hub adds is checked by name.

    A host whose default runtime is NVIDIA's gives devices by environment, and an image may say `all`: so every
    workspace says itself which devices it has, and that is none unless the plan names some.
    """
    portal = {"ANSIM_API": f"http://{plan.gate_host}:{PORTAL_PORT}"} if plan.network else {}
    return {**ENVIRONMENT, **portal, **plan.environment, **_gpu_environment(plan)}


@cache
def seccomp_profile() -> str:
    """Return the text of our seccomp profile (the engine wants the text, not a path)."""
    return files("enclave.workspace").joinpath("seccomp.json").read_text("utf-8").strip()


def create_body(plan: WorkspacePlan, hub_environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the body of `POST /containers/create` for this plan.

    `hub_environment` are the variables that only the hub knows (its tokens); the gate checks them by name.
    """
    environment = {**environment_of(plan), **(hub_environment or {})}
    return {
        "Image": plan.image_id,
        "Cmd": ["jupyterhub-singleuser"],
        "User": f"{plan.uid}:{plan.uid}",
        "Hostname": "enclave",
        "WorkingDir": "/home/analyst/work",
        "Env": [f"{name}={value}" for name, value in sorted(environment.items())],
        "Labels": {LABEL_WORKSPACE: plan.workspace_id, LABEL_PLAN: plan.sha256},
        "NetworkDisabled": not plan.network,
        "HostConfig": _host_config(plan),
    }


def placed(body: dict[str, Any], address: str, gateway: str) -> dict[str, Any]:
    """Return a create body for a bridge with what the gate alone knows: the workspace's address and the doors'."""
    host = {**body["HostConfig"], "ExtraHosts": [f"{GATE_NAME}:{gateway}"]}
    endpoint = {host["NetworkMode"]: {"IPAMConfig": {"IPv4Address": address}}}
    return {**body, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": endpoint}}


def probe_body(image: str, network: str, arguments: list[str]) -> dict[str, Any]:
    """Return the create body of a self-test's container: a workspace's barriers, another program, no mounts."""
    return {
        "Image": image,
        "Entrypoint": ["python3"],
        "Cmd": arguments,
        "User": f"{PROBE_UID}:{PROBE_UID}",
        "Hostname": "probe",
        "WorkingDir": "/tmp",  # noqa: S108 - inside the container
        "HostConfig": {
            **_isolation(network),
            "Tmpfs": tmpfs(PROBE_UID),
            "PidsLimit": 64,
            "Memory": PROBE_BYTES,
            "MemorySwap": PROBE_BYTES,
            "AutoRemove": False,
        },
    }


def _host_config(plan: WorkspacePlan) -> dict[str, Any]:
    return {
        **_isolation(plan.network),
        "Mounts": [_bind(mount) for mount in plan.mounts],
        "Tmpfs": tmpfs(plan.uid),
        "ShmSize": SHM_BYTES,
        "Memory": plan.memory_bytes,
        # Equal to Memory: no swap, so nothing of the data reaches a swap device.
        "MemorySwap": plan.memory_bytes,
        "CpuPeriod": PERIOD_US,
        "CpuQuota": plan.cpus * PERIOD_US,
        "PidsLimit": plan.pids,
        "DeviceRequests": _gpus(plan),
        # Never by the engine: the last lines of a workspace that died are read before it is removed.
        "AutoRemove": False,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
        "RestartPolicy": {"Name": "no"},
    }


def _isolation(network: str) -> dict[str, Any]:
    # A resolver that is not there: the engine's own would ask the host's (CVE-2024-29018).
    resolver = {"Dns": ["127.0.0.1"], "DnsOptions": ["timeout:1", "attempts:1"]}
    return {
        "NetworkMode": network or "none",
        **(resolver if network else {}),
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


def _gpus(plan: WorkspacePlan) -> list[dict[str, Any]]:
    # By uuid, never by count: count=1 gives device 0 to everybody. Not tried on real hardware.
    if not plan.gpu_uuids:
        return []
    if plan.gpu_driver == "cdi":
        names = [f"nvidia.com/gpu={uuid}" for uuid in plan.gpu_uuids]
        return [{"Driver": "cdi", "DeviceIDs": names, "Capabilities": [], "Options": {}}]
    wanted = ["gpu", *GPU_CAPABILITIES]
    return [{"Driver": "nvidia", "DeviceIDs": list(plan.gpu_uuids), "Capabilities": [wanted], "Options": {}}]


def _gpu_environment(plan: WorkspacePlan) -> dict[str, str]:
    # With CDI the device comes from its specification: to the older mechanism, which reads this, there is none.
    if not plan.gpu_uuids or plan.gpu_driver == "cdi":
        return {"NVIDIA_VISIBLE_DEVICES": "void"}
    return {
        "NVIDIA_VISIBLE_DEVICES": ",".join(plan.gpu_uuids),
        "NVIDIA_DRIVER_CAPABILITIES": ",".join(GPU_CAPABILITIES),
    }
