"""A real S3 server on loopback for tests: SeaweedFS, with versions and object lock."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.ports import free_ports

WEED = Path(sys.executable).with_name("weed")
ACCESS, SECRET = "test-access", "test-secret-0123456789"
SERVERS = ("master", "volume", "filer", "s3")


class StoreServer:
    """The server at `endpoint`, and its administrator's own client."""

    def __init__(self, endpoint: str, pid: int) -> None:
        self.endpoint, self.pid = endpoint, pid
        self.client: Any = botocore.session.Session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=endpoint,
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, connect_timeout=5),
        )

    def bucket(self, name: str, *, locked: bool = True) -> str:
        self.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
        return name

    def versions(self, bucket: str) -> list[tuple[str, str]]:
        found = self.client.list_object_versions(Bucket=bucket)
        return [(each["Key"], each["VersionId"]) for each in found.get("Versions", [])]

    def refuses(self, call: str, **values: object) -> bool:
        """Whether the server refuses the call (and not merely fails to answer it)."""
        try:
            getattr(self.client, call)(**values)
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"] in {403, 409}
        return False

    def kept_until(self, bucket: str, key: str) -> datetime:
        return self.client.get_object_retention(Bucket=bucket, Key=key)["Retention"]["RetainUntilDate"]


@contextmanager
def serving(folder: Path) -> Iterator[StoreServer]:
    """Run the server with its data below `folder`."""
    ports = free_ports(2 * len(SERVERS))
    config = folder / "s3.json"
    right = {"name": "test", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}], "actions": ["Admin"]}
    config.write_text(json.dumps({"identities": [right]}))
    (folder / "data").mkdir()
    command = [WEED, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'data'}", "-filer", "-s3"]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=500", f"-s3.config={config}", "-s3.iam=false"]
    for at, name in enumerate(SERVERS):
        command += [f"-{name}.port={ports[2 * at]}", f"-{name}.port.grpc={ports[2 * at + 1]}"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        server = StoreServer(f"http://127.0.0.1:{ports[6]}", process.pid)
        _wait(server, process, folder)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(server: StoreServer, process: subprocess.Popen[bytes], folder: Path) -> None:
    while process.poll() is None:
        try:
            server.client.list_buckets()
            server.bucket("ready")
            server.client.put_object(Bucket="ready", Key="x", Body=b"x")
        except (BotoCoreError, ClientError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError((folder / "server.log").read_text(errors="replace")[-2000:])
