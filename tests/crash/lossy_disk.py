"""A disk that loses its cache: what was written and not flushed is gone when the power is cut.

`serve` serves an image as the one file of a FUSE file system. A loop device over that file sends it the block layer's
writes and, for every fsync that reaches a disk, a flush. Until then the writes are kept in memory alone. Whoever asks
for a cut has a share of their blocks thrown away, drawn by chance (a disk writes its cache in any order), and every
later write goes nowhere, as with dm-flakey's `drop_writes`. The protocol is that of linux/fuse.h, 7.31; nothing but
the kernel is needed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import select
import stat
import struct
from collections.abc import Callable
from multiprocessing.connection import Connection

BLOCK = 4096
LIBC = ctypes.CDLL(None, use_errno=True)
IN, OUT = struct.Struct("=IIQQIIIHH"), struct.Struct("=IiQ")
ATTR = struct.Struct("=6Q10I")
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE = 1, 2, 3, 4, 14, 15, 16
STATFS, RELEASE, FSYNC, FLUSH, INIT, INTERRUPT, DESTROY, BATCH_FORGET = 17, 18, 20, 25, 26, 36, 38, 42
ROOT, FILE = 1, 2
DIRECT_IO, BIG_WRITES, MAX_PAGES = 1, 1 << 5, 1 << 22
MAX_WRITE = 1 << 20
DAY = 86_400


class Disk:
    """The image and, above it, the blocks that no flush has reached."""

    def __init__(self, image: str, seed: int) -> None:
        self._image = os.open(image, os.O_RDWR)
        self.size = os.fstat(self._image).st_size
        self._cache: dict[int, bytes] = {}
        self._chance = random.Random(seed)
        self._dead = False

    def read(self, offset: int, size: int) -> bytes:
        size = min(size, self.size - offset)
        data = bytearray(os.pread(self._image, size, offset))
        for block in range(offset // BLOCK, (offset + size + BLOCK - 1) // BLOCK):
            if (kept := self._cache.get(block)) is not None:
                start = block * BLOCK - offset
                low, high = max(0, -start), min(BLOCK, size - start)
                data[start + low : start + high] = kept[low:high]
        return bytes(data)

    def write(self, offset: int, data: bytes) -> None:
        if self._dead:
            return
        at = 0
        while at < len(data):
            block, inside = divmod(offset + at, BLOCK)
            piece = data[at : at + BLOCK - inside]
            if len(piece) < BLOCK:
                whole = self.read(block * BLOCK, BLOCK)
                self._cache[block] = whole[:inside] + piece + whole[inside + len(piece) :]
            else:
                self._cache[block] = piece
            at += len(piece)

    def flush(self) -> None:
        for block, data in self._cache.items():
            os.pwrite(self._image, data, block * BLOCK)
        self._cache.clear()

    def cut(self, share: float) -> int:
        """Lose this share of the cache; return how many blocks are gone."""
        lost = [block for block in sorted(self._cache) if self._chance.random() < share]
        for block in lost:
            del self._cache[block]
        self.flush()
        self._dead = True
        return len(lost)


class Server:
    """Answers the kernel; one request at a time, so that a flush comes after what was written before it."""

    def __init__(self, device: int, disk: Disk) -> None:
        self._device, self._disk = device, disk
        self._doors: dict[int, Callable[[int, bytes], bytes]] = {
            INIT: self._init,
            LOOKUP: lambda *_: struct.pack("=4Q2I", FILE, 0, DAY, DAY, 0, 0) + self._attr(FILE),
            GETATTR: lambda node, _: struct.pack("=QII", DAY, 0, 0) + self._attr(node),
            SETATTR: lambda node, _: struct.pack("=QII", DAY, 0, 0) + self._attr(node),
            OPEN: lambda *_: struct.pack("=QII", 1, DIRECT_IO, 0),
            READ: lambda _, body: self._disk.read(*struct.unpack_from("=QI", body, 8)),
            WRITE: self._write,
            FSYNC: lambda *_: self._flush(),
            FLUSH: lambda *_: b"",
            RELEASE: lambda *_: b"",
            DESTROY: lambda *_: b"",
            STATFS: lambda *_: struct.pack("=5Q4I24x", 0, 0, 0, 0, 0, BLOCK, 255, BLOCK, 0),
        }

    def one(self) -> bool:
        """Answer one request; return False when the file system was unmounted."""
        try:
            request = os.read(self._device, MAX_WRITE + BLOCK)
        except OSError as error:
            return error.errno in {errno.EINTR, errno.ENOENT, errno.EAGAIN}
        _, opcode, unique, node, *_ = IN.unpack_from(request)
        if opcode in {FORGET, BATCH_FORGET, INTERRUPT}:
            return True
        door = self._doors.get(opcode)
        body = b"" if door is None else door(node, request[IN.size :])
        answer = OUT.pack(OUT.size + len(body), -errno.ENOSYS if door is None else 0, unique) + body
        os.write(self._device, answer)
        return True

    def _init(self, _node: int, body: bytes) -> bytes:
        _, minor, ahead, _ = struct.unpack_from("=4I", body)
        flags = BIG_WRITES | MAX_PAGES
        return struct.pack("=4I2H2I2HI28x", 7, min(minor, 31), ahead, flags, 16, 12, MAX_WRITE, 1, 256, 0, 0)

    def _attr(self, node: int) -> bytes:
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o600
        size = 0 if node == ROOT else self._disk.size
        return ATTR.pack(node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, BLOCK, 0)

    def _write(self, _node: int, body: bytes) -> bytes:
        offset, size = struct.unpack_from("=QI", body, 8)
        self._disk.write(offset, body[40 : 40 + size])
        return struct.pack("=II", size, 0)

    def _flush(self) -> bytes:
        self._disk.flush()
        return b""


def serve(mountpoint: str, image: str, seed: int, line: Connection) -> None:
    """Serve until the file system is unmounted; on the line: "ready", then for each share to lose the blocks lost."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if LIBC.mount(b"lossy-disk", mountpoint.encode(), b"fuse", ctypes.c_ulong(2), options):
        raise OSError(ctypes.get_errno(), "mount")
    disk = Disk(image, seed)
    server, alive = Server(device, disk), True
    line.send("ready")
    while alive:
        ready, _, _ = select.select([device, line], [], [])
        if device in ready:
            alive = server.one()
        else:
            line.send(disk.cut(line.recv()))
