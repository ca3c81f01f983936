"""What a hub that was taken over may write: every field of the engine's create call and every call it has.

Source: Docker Engine API v1.41 (`POST /containers/create`: ContainerConfig, HostConfig with Resources,
NetworkingConfig; the paths of all other calls).
"""

from __future__ import annotations

from typing import Any

DEVICE = {"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}
RATE = [{"Path": "/dev/sda", "Rate": 1}]
BIND = {"Type": "bind", "Source": "/", "Target": "/host"}
VOLUME = {"Type": "volume", "Source": "x", "Target": "/x", "VolumeOptions": {"DriverConfig": {"Name": "local"}}}

# Field -> values that would give more than the plan gives (or take a limit away).
HOST: dict[str, list[Any]] = {
    "CpuShares": [1 << 20],
    "Memory": [0, -1, True, 1.5, 1 << 62, 10**400, "1g"],
    "CgroupParent": ["/", "docker", "../.."],
    "BlkioWeight": [1000],
    "BlkioWeightDevice": [[{"Path": "/dev/sda", "Weight": 1000}]],
    "BlkioDeviceReadBps": [RATE],
    "BlkioDeviceWriteBps": [RATE],
    "BlkioDeviceReadIOps": [RATE],
    "BlkioDeviceWriteIOps": [RATE],
    "CpuPeriod": [0, 1000],
    "CpuQuota": [-1, 0],
    "CpuRealtimePeriod": [1_000_000],
    "CpuRealtimeRuntime": [950_000],
    "CpusetCpus": ["0-1"],
    "CpusetMems": ["0"],
    "Devices": [[DEVICE]],
    "DeviceCgroupRules": [["a *:* rwm"], ["c 1:1 r"]],
    "DeviceRequests": [
        [{"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}],
        [{"Driver": "cdi", "DeviceIDs": ["vendor/class=0"]}],
        None,
    ],
    "KernelMemory": [1 << 40],
    "KernelMemoryTCP": [1 << 40],
    "MemoryReservation": [1 << 40],
    "MemorySwap": [-1, 1 << 50],
    "MemorySwappiness": [100],
    "NanoCpus": [64_000_000_000],
    "NanoCPUs": [64_000_000_000],
    "OomKillDisable": [True],
    "Init": [False, None, 1, "true"],
    "PidsLimit": [-1, 0, None],
    "Ulimits": [[], None, [{"Name": "core", "Soft": -1, "Hard": -1}]],
    "CpuCount": [64],
    "CpuPercent": [100],
    "IOMaximumIOps": [1],
    "IOMaximumBandwidth": [1],
    "Binds": [["/:/host"], ["/var/run/docker.sock:/s"], ["x:/x:z"], []],
    "ContainerIDFile": ["/etc/passwd"],
    "LogConfig": [
        {"Type": "syslog", "Config": {"syslog-address": "udp://192.0.2.9:514"}},
        {"Type": "none", "Config": {}},
    ],
    "NetworkMode": ["host", "bridge", "default", "container:x", "ansim-other", ""],
    "PortBindings": [{"8888/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8888"}]}],
    "RestartPolicy": [{"Name": "always"}, {"Name": "no", "MaximumRetryCount": 9}],
    "AutoRemove": [True],
    "VolumeDriver": ["evil"],
    "VolumesFrom": [["ansim-w2"], ["ansim-w2:rw"]],
    "Mounts": [[BIND], [VOLUME], [], None, [{"Type": "tmpfs", "Target": "/x"}], [{"Type": "npipe", "Target": "/x"}]],
    "CapAdd": [["SYS_ADMIN"], ["ALL"], []],
    "CapDrop": [[], None, ["NET_RAW"], ["all"]],
    "Capabilities": [["CAP_SYS_ADMIN"]],
    "CgroupnsMode": ["host", "private"],
    "Dns": [["192.0.2.9"]],
    "DnsOptions": [["ndots:9"]],
    "DnsSearch": [["leak.example"]],
    "ExtraHosts": [["a:192.0.2.9"]],
    "GroupAdd": [["docker"], ["0"]],
    "IpcMode": ["host", "shareable", "container:x", "none"],
    "Cgroup": ["container:x"],
    "Links": [["ansim-w2:x"]],
    "OomScoreAdj": [-1000],
    "PidMode": ["host", "container:x"],
    "Privileged": [True, 1, "true"],
    "PublishAllPorts": [True],
    "ReadonlyRootfs": [False, None],
    "SecurityOpt": [
        ["seccomp=unconfined"],
        ["apparmor=unconfined"],
        ["label=disable"],
        ["systempaths=unconfined"],
        [],
        None,
    ],
    "StorageOpt": [{"size": "1T"}],
    "Tmpfs": [{"/tmp": "exec"}, {}, {"/tmp": "rw,suid,dev,exec"}, None],
    "UTSMode": ["host"],
    "UsernsMode": ["host"],
    "ShmSize": [1 << 40],
    "Sysctls": [{"net.ipv4.ip_forward": "1"}, {"kernel.core_pattern": "|/x"}],
    "Runtime": ["nvidia", "runc", "io.containerd.runc.v2"],
    "ConsoleSize": [[0, 0]],
    "Isolation": ["hyperv"],
    "MaskedPaths": [[], None],
    "ReadonlyPaths": [[], None],
    "Annotations": [{"x": "y"}],  # of later versions
    "CgroupSpec": ["x"],
}
CONFIG: dict[str, list[Any]] = {
    "Hostname": ["other", ""],
    "Domainname": ["x"],
    "User": ["0", "", "root", "10001:0"],
    "AttachStdin": [True],
    "AttachStdout": [True],
    "AttachStderr": [True],
    "ExposedPorts": [{"8888/tcp": {}}],
    "Tty": [True],
    "OpenStdin": [True],
    "StdinOnce": [True],
    "Env": [[], None, ["LD_PRELOAD=/outbox/x"], "PATH=/outbox"],
    "Cmd": [["sh"], "sh", [], None],
    "Healthcheck": [{"Test": ["CMD", "x"]}],
    "ArgsEscaped": [True],
    "Image": ["sha256:" + "2" * 64, "evil", ""],
    "Volumes": [{"/x": {}}],
    "WorkingDir": ["/outbox"],
    "Entrypoint": [["/bin/sh"], "", None],
    "NetworkDisabled": [False, None, 0],
    "MacAddress": ["02:42:ac:11:00:02"],
    "OnBuild": [["RUN x"]],
    "Labels": [{}, None, {"com.docker.compose.project": "x"}],
    "StopSignal": ["SIGKILL"],
    "StopTimeout": [0],
    "Shell": [["/bin/sh"]],
    "HostConfig": [None, {}, []],
    "NetworkingConfig": [{"EndpointsConfig": {"bridge": {}}}, {"EndpointsConfig": {}}],
}
EVIL: list[tuple[str, str, Any]] = [
    *(("HostConfig", field, value) for field, values in HOST.items() for value in values),
    *(("", field, value) for field, values in CONFIG.items() for value in values),
]

CALLS = """
GET /containers/json | POST /containers/create | GET /containers/ID/json | GET /containers/ID/top
GET /containers/ID/logs | GET /containers/ID/changes | GET /containers/ID/export | GET /containers/ID/stats
POST /containers/ID/resize | POST /containers/ID/start | POST /containers/ID/stop | POST /containers/ID/restart
POST /containers/ID/kill | POST /containers/ID/update | POST /containers/ID/rename | POST /containers/ID/pause
POST /containers/ID/unpause | POST /containers/ID/attach | GET /containers/ID/attach/ws | POST /containers/ID/wait
DELETE /containers/ID | HEAD /containers/ID/archive | GET /containers/ID/archive | PUT /containers/ID/archive
POST /containers/prune | POST /containers/ID/copy | POST /containers/ID/exec | POST /exec/ID/start
POST /exec/ID/resize | GET /exec/ID/json | GET /images/json | POST /build | POST /build/prune | POST /build/cancel
POST /images/create | GET /images/ID/json | GET /images/ID/history | POST /images/ID/push | POST /images/ID/tag
DELETE /images/ID | GET /images/search | POST /images/prune | POST /auth | GET /info | GET /version | GET /_ping
HEAD /_ping | POST /commit | GET /events | GET /system/df | GET /images/ID/get | GET /images/get | POST /images/load
GET /volumes | POST /volumes/create | GET /volumes/ID | DELETE /volumes/ID | POST /volumes/prune | GET /networks
GET /networks/ID | DELETE /networks/ID | POST /networks/create | POST /networks/ID/connect
POST /networks/ID/disconnect | POST /networks/prune | GET /plugins | GET /plugins/privileges | POST /plugins/pull
GET /plugins/ID/json | DELETE /plugins/ID | POST /plugins/ID/enable | POST /plugins/ID/disable
POST /plugins/ID/upgrade | POST /plugins/create | POST /plugins/ID/push | POST /plugins/ID/set | GET /nodes
GET /nodes/ID | DELETE /nodes/ID | POST /nodes/ID/update | GET /swarm | POST /swarm/init | POST /swarm/join
POST /swarm/leave | POST /swarm/update | GET /swarm/unlockkey | POST /swarm/unlock | GET /services
POST /services/create | GET /services/ID | DELETE /services/ID | POST /services/ID/update | GET /services/ID/logs
GET /tasks | GET /tasks/ID | GET /tasks/ID/logs | GET /secrets | POST /secrets/create | GET /secrets/ID
DELETE /secrets/ID | POST /secrets/ID/update | GET /configs | POST /configs/create | GET /configs/ID
DELETE /configs/ID | POST /configs/ID/update | GET /distribution/ID/json | POST /session | POST /grpc
POST /checkpoints | GET /containers/ID/checkpoints | POST /containers/ID/checkpoints
"""
EVERY_CALL = [
    (line.split()[0], line.split()[1]) for part in CALLS.splitlines() for line in part.split("|") if line.strip()
]
ALLOWED = {
    ("POST", "/containers/create"),
    ("GET", "/containers/ID/json"),
    ("GET", "/containers/ID/logs"),
    ("POST", "/containers/ID/start"),
    ("POST", "/containers/ID/stop"),
    ("POST", "/containers/ID/wait"),
    ("DELETE", "/containers/ID"),
    ("GET", "/version"),
    ("GET", "/_ping"),
}
