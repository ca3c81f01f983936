"""What a hub that was taken over would put into a create request, each into an otherwise perfect one.

Source: Docker Engine API v1.41, `POST /containers/create`.
"""

from __future__ import annotations

from typing import Any

WIDER: tuple[tuple[str, Any], ...] = (
    ("HostConfig.Privileged", True),
    ("HostConfig.CapAdd", ["SYS_ADMIN"]),
    ("HostConfig.CapDrop", []),
    ("HostConfig.NetworkMode", "host"),
    ("HostConfig.NetworkMode", "bridge"),
    ("HostConfig.PidMode", "host"),
    ("HostConfig.IpcMode", "host"),
    ("HostConfig.UTSMode", "host"),
    ("HostConfig.UsernsMode", "host"),
    ("HostConfig.CgroupnsMode", "host"),
    ("HostConfig.Binds", ["/:/host"]),
    ("HostConfig.Mounts", []),
    ("HostConfig.VolumesFrom", ["ansim-other"]),
    ("HostConfig.Devices", [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}]),
    ("HostConfig.DeviceCgroupRules", ["a *:* rwm"]),
    ("HostConfig.DeviceRequests", [{"Count": -1, "Capabilities": [["gpu"]]}]),
    ("HostConfig.SecurityOpt", ["seccomp=unconfined"]),
    ("HostConfig.SecurityOpt", []),
    ("HostConfig.ReadonlyRootfs", False),
    ("HostConfig.MaskedPaths", []),
    ("HostConfig.ReadonlyPaths", []),
    ("HostConfig.Sysctls", {"kernel.core_pattern": "|/x"}),
    ("HostConfig.Runtime", "nvidia"),
    ("HostConfig.CgroupParent", "/"),
    ("HostConfig.Memory", 0),
    ("HostConfig.PidsLimit", -1),
    ("HostConfig.Tmpfs", {"/tmp": "rw,exec,suid,dev"}),
    ("HostConfig.LogConfig", {"Type": "syslog", "Config": {"syslog-address": "tcp://192.0.2.1"}}),
    ("HostConfig.PortBindings", {"8888/tcp": [{"HostPort": "80"}]}),
    ("HostConfig.ExtraHosts", ["leak:192.0.2.1"]),
    ("HostConfig.Dns", ["192.0.2.1"]),
    ("NetworkDisabled", False),
    ("NetworkingConfig", {"EndpointsConfig": {"bridge": {}}}),
    ("User", "0:0"),
    ("Entrypoint", ["/bin/sh"]),
    ("Cmd", ["sleep", "1"]),
    ("Image", "sha256:" + "1" * 64),
    ("Volumes", {"/host": {}}),
    ("Hostname", "other"),
)


def widened(body: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """Return the body with one place changed; the body itself stays as it is."""
    first, _, rest = place.partition(".")
    if not rest:
        return {**body, first: value}
    return {**body, first: widened(body.get(first, {}), rest, value)}
