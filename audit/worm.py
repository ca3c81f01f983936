"""A copy of the log that nobody can delete: an S3-compatible store with object lock in COMPLIANCE mode.

Every object is written with a retention date that neither its owner nor the store's administrator can shorten. What
they can still do is hide an object behind a delete marker or a newer version: so copies are counted, and brought back
by `fetch`, by version. The copy is the log folder itself, file by file under one prefix, verified like any log. Works
with whatever speaks S3 with versions and object lock; the client is botocore, AWS's own, without the rest of it: what
it says is sent by `audit.exchange`, because its own limits of time are for each read.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5, sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, Self

from audit.anchors import POLICY_FILE, Anchors
from audit.errors import CopyError, Text
from audit.exchange import Ask, Limits, NoAnswerError, exchange
from audit.folder import read_tile
from audit.reader import LogReader
from audit.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile, tiles_of

COMPLIANCE = "COMPLIANCE"
_ANCHORS = "anchors/"
_TRIES = 3
# More than the largest bundle of entries (256 of 65,535 bytes) or page of a list.
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Copied:
    """What one run brought to the store: files written, their bytes, the entries now covered, kept at least until.

    `hidden` counts files of the log that somebody hid in the store, by a delete marker or a newer version.
    """

    files: int
    bytes: int
    size: int
    until: datetime
    hidden: int


class _Version(NamedTuple):
    """One version of an object, or a delete marker (`deleted`)."""

    version_id: str
    size: int
    etag: str
    at: datetime
    deleted: bool
    latest: bool


@dataclass(frozen=True)
class Bucket:
    """Where the copy lies and with what right: `prefix` ends with `/` or is empty; `days` is how long it is kept.

    `wait_s`: seconds in which each call is answered whole; one that is not is tried twice more, and then the run ends.
    """

    endpoint: str
    bucket: str
    prefix: str
    region: str
    access_key: str
    secret_key: str
    days: int
    wait_s: float = 60

    def copy(self, reader: LogReader, folder: Path, anchors: Anchors, *, now: datetime) -> Copied:
        """Write what the store does not have yet of the published log and its kept checkpoints.

        Raises `CopyError`: `audit.copy-unlocked` (the bucket does not lock its objects, or did not lock this one),
        `audit.copy-failed` (the store refused or cannot be reached; what was written stays).
        """
        until = now + timedelta(days=self.days)
        files = size = 0
        with _Calls(self) as calls:
            calls.check_locks()
            there = calls.versions()
            for name, data in _files(reader, folder, anchors):
                if not _has(there.get(name, []), name, data):
                    calls.put(name, data, until)
                    files, size = files + 1, size + len(data)
            written = calls.written or {CHECKPOINT: there[CHECKPOINT][-1].version_id}
            for name in {CHECKPOINT, next(iter(written))} & written.keys():
                calls.check_kept(name, written[name], now)
        return Copied(files, size, reader.size, until, sum(_is_hidden(name, found) for name, found in there.items()))

    def fetch(self, target: Path, *, as_of: datetime | None = None) -> int:
        """Bring the copy back into a new folder (`log` and `anchors` below it); return the number of files.

        Tiles come as they were first written; the checkpoint and what is kept beside the log as they last were, or
        last were at `as_of`. Raises `CopyError`, `FileExistsError`.
        """
        target.mkdir()
        count = 0
        with _Calls(self) as calls:
            for name, found in sorted(calls.versions().items()):
                version = _wanted(name, found, as_of)
                if version is None:
                    continue
                place = place_of(target, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(calls.get(name, version))
                count += 1
        return count


def place_of(target: Path, name: str) -> Path:
    """Return where a file of the store comes to lie; raise `CopyError` for a name that leads out of `target`."""
    below = target / "log" if not name.startswith(_ANCHORS) else target / "anchors"
    place = below / name.removeprefix(_ANCHORS)
    if not place.resolve().is_relative_to(below.resolve()):
        raise CopyError("audit.copy-failed", _failed(ascii(name)))
    return place


def _wanted(name: str, found: list[_Version], as_of: datetime | None) -> _Version | None:
    """Return the version to bring back; `found` is oldest first."""
    real = [each for each in found if not each.deleted and (as_of is None or each.at <= as_of)]
    if not real:
        return None
    # A tile is written once: whatever stands above its first version was put there to hide it.
    return real[0] if Tile.parse(name) else real[-1]


def _has(found: list[_Version], name: str, data: bytes) -> bool:
    """Say whether the store has this content of a file: a tile by its size, anything else by its newest version."""
    version = _wanted(name, found, None)
    if version is None or version.size != len(data):
        return False
    if Tile.parse(name):
        return True
    return version.etag == md5(data, usedforsecurity=False).hexdigest() and not found[-1].deleted


def _is_hidden(name: str, found: list[_Version]) -> bool:
    # The same content again is no hiding: a store that hung does each try of a call once it goes on.
    return found[-1].deleted or (Tile.parse(name) is not None and len({each.etag for each in found}) > 1)


def _files(reader: LogReader, folder: Path, anchors: Anchors) -> Iterator[tuple[str, bytes]]:
    """Yield the files in the order in which a copy that stops half-way is still a log: the checkpoint last."""
    kept = reader.kept // WIDTH
    for tile in tiles_of(reader.size):
        # What was purged here stays in the store until its lock there ends.
        if tile.level != ENTRIES or tile.number >= kept:
            yield tile.path, read_tile(folder, tile)
    for size in anchors.sizes():
        yield _ANCHORS + anchors.path(size).name, anchors.note(size)
        token = anchors.stamp(size)
        if token is not None:
            yield f"{_ANCHORS}{size}.tsr", token
    policy = anchors.folder / POLICY_FILE
    if policy.exists():
        yield _ANCHORS + POLICY_FILE, policy.read_bytes()
    yield CHECKPOINT, reader.note


class _Calls:
    """The few calls to the store that are needed; what it says no to becomes a `CopyError`."""

    def __init__(self, bucket: Bucket) -> None:
        # Only where a store is configured: the library takes half a second and 30 MB.
        import botocore.session  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        self._bucket = bucket
        # Name and version of what was written by these calls.
        self.written: dict[str, str] = {}
        session = botocore.session.Session()
        # Nothing of this machine's environment decides where the log goes.
        session.set_config_variable("profile", None)
        self._client: Any = session.create_client(
            "s3",
            region_name=bucket.region,
            endpoint_url=bucket.endpoint,
            aws_access_key_id=bucket.access_key,
            aws_secret_access_key=bucket.secret_key,
            config=Config(
                retries={"max_attempts": _TRIES, "mode": "standard"},
                s3={"addressing_style": "path"},
            ),
        )
        self._client.meta.events.register("before-send.s3", self._send)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def check_locks(self) -> None:
        found = self._ask("get_object_lock_configuration").get("ObjectLockConfiguration", {})
        if found.get("ObjectLockEnabled") != "Enabled":
            raise CopyError("audit.copy-unlocked", _unlocked(self._bucket.bucket))

    def check_kept(self, name: str, version_id: str, now: datetime) -> None:
        """Ask the store itself whether it locked what it took."""
        found = self._ask("get_object_retention", Key=self._key(name), VersionId=version_id).get("Retention", {})
        kept = found.get("RetainUntilDate")
        if found.get("Mode") != COMPLIANCE or kept is None or kept <= now:
            raise CopyError("audit.copy-unlocked", _unlocked(self._bucket.bucket))

    def versions(self) -> dict[str, list[_Version]]:
        """Return every version of every object below the prefix, oldest first."""
        found: dict[str, list[_Version]] = {}
        more: dict[str, str] = {}
        while True:
            page = self._ask("list_object_versions", Prefix=self._bucket.prefix, **more)
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                version = _Version(
                    each["VersionId"],
                    each.get("Size", 0),
                    each.get("ETag", "").strip('"'),
                    each["LastModified"],
                    "ETag" not in each,
                    each["IsLatest"],
                )
                found.setdefault(each["Key"].removeprefix(self._bucket.prefix), []).append(version)
            if not page.get("IsTruncated"):
                # Times are whole seconds: within one, S3 says only which is the latest.
                for each in found.values():
                    each.reverse()
                    each.sort(key=lambda one: (one.latest, one.at))
                return found
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}

    def put(self, name: str, data: bytes, until: datetime) -> None:
        answer = self._ask(
            "put_object",
            Key=self._key(name),
            Body=data,
            ChecksumSHA256=b64encode(sha256(data).digest()).decode(),
            ObjectLockMode=COMPLIANCE,
            ObjectLockRetainUntilDate=until,
        )
        self.written[name] = str(answer.get("VersionId", ""))

    def get(self, name: str, version: _Version) -> bytes:
        body = self._ask("get_object", Key=self._key(name), VersionId=version.version_id)["Body"]
        data: bytes = body.read()
        return data

    def _send(self, request: Any, **_: object) -> Any:
        """Send what botocore prepared (`AWSPreparedRequest`), and return the answer as its own sending would."""
        from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - as above
        from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415 - as above

        headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in _HOP}
        body = request.body or b""
        data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
        try:
            answer = exchange(Ask(request.method, request.url, data, headers), Limits(self._bucket.wait_s, _MOST_BYTES))
        except NoAnswerError as error:
            # One of those that botocore tries again.
            raise ReadTimeoutError(endpoint_url=self._bucket.endpoint) from error
        return AWSResponse(request.url, answer.status, answer.headers, _Whole(answer.body))

    def _key(self, name: str) -> str:
        return self._bucket.prefix + name

    def _ask(self, call: str, **values: object) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

        try:
            answer: dict[str, Any] = getattr(self._client, call)(Bucket=self._bucket.bucket, **values)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == "ObjectLockConfigurationNotFoundError":
                raise CopyError("audit.copy-unlocked", _unlocked(self._bucket.bucket)) from error
            raise CopyError("audit.copy-failed", _failed(f"{call}: {code}")) from error
        except BotoCoreError as error:
            raise CopyError("audit.copy-failed", _failed(f"{call}: {type(error).__name__}")) from error
        return answer


class _Whole(BytesIO):
    """A body that was read whole, as botocore wants to read it."""

    def stream(self) -> Iterator[bytes]:
        """Yield all of it."""
        yield self.read()


# About the connection, which is ours; none of them is signed.
_HOP = frozenset({"expect", "connection", "content-length", "transfer-encoding"})


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _unlocked(bucket: str) -> Text:
    return Text(
        f"저장소 {bucket}은(는) 객체를 잠그지 않습니다: 지울 수 없는 사본이 되지 않습니다.",
        f"The bucket {bucket} does not lock its objects: a copy in it could be deleted.",
        "객체 잠금(Object Lock)을 켠 새 버킷을 만들어 설정하세요.",
        "Make a new bucket with object lock enabled and put it into the settings.",
    )


def _failed(detail: str) -> Text:
    return Text(
        f"사본 저장소가 응하지 않거나 거절했습니다({detail}).",
        f"The store of the copy did not answer or refused ({detail}).",
        "주소, 버킷, 접근 키(keys/worm.toml)와 저장소의 상태를 확인하세요.",
        "Check address, bucket, access key (keys/worm.toml) and the store itself.",
    )
