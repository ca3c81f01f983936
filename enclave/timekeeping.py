"""How right this machine's clock is: by a time server that is named (SNTP, RFC 4330), else by the kernel's own word.

`adjtimex(2)` tells what a running NTP daemon has told the kernel; the server is asked once an hour and never obeyed:
setting the clock is the daemon's part.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import closing
from dataclasses import dataclass, replace

from enclave import clock

KERNEL = "kernel"
SNTP_PORT = 123
TIMEOUT_S = 3
# Seconds from 1900, where NTP begins, to 1970.
SINCE_1900 = 2_208_988_800
_LIBC = ctypes.CDLL(None, use_errno=True)
_TIME_ERROR, _STA_UNSYNC, _STA_NANO = 5, 0x40, 0x2000


@dataclass(frozen=True)
class Reading:
    """The clock at one moment. `offset_ms`: how far it is behind its source; `jumped_ms`: by a step since the last."""

    source: str
    synchronised: bool
    offset_ms: int
    jumped_ms: int = 0


class _Timex(ctypes.Structure):
    # struct timex of linux/timex.h; what follows `tai` is of no use here.
    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance", "sec", "usec", "tick")),
        ("rest", ctypes.c_long * 20),
    )


class Timekeeper:
    """Reads the clock and notices its steps: wall clock and the clock that nobody sets go on by the same amount."""

    def __init__(self, server: str = "") -> None:
        self._server = server
        self._last = (clock.now(), clock.steady())

    def jumped_ms(self) -> int:
        """Return by how much the wall clock was set since the last look (0 below 100 ms); forward is positive."""
        wall, steady = clock.now(), clock.steady()
        walked = (wall - self._last[0]).total_seconds() - (steady - self._last[1])
        self._last = (wall, steady)
        return round(walked * 1000) if abs(walked) >= 0.1 else 0  # noqa: PLR2004 - above what scheduling makes of it

    def reading(self) -> Reading:
        """Return what the server, or the kernel, says; one that does not answer leaves the clock unsynchronised."""
        return replace(_asked(self._server) if self._server else _kernel(), jumped_ms=self.jumped_ms())


def _kernel() -> Reading:
    told = _Timex()
    state = _LIBC.adjtimex(ctypes.byref(told))
    if state < 0:
        return Reading(KERNEL, synchronised=False, offset_ms=0)
    unit = 1_000_000 if told.status & _STA_NANO else 1000
    synchronised = state != _TIME_ERROR and not told.status & _STA_UNSYNC
    return Reading(KERNEL, synchronised, round(told.offset / unit))


def _asked(server: str) -> Reading:
    host, _, port = server.partition(":")
    try:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as line:
            line.settimeout(TIMEOUT_S)
            line.connect((host, int(port or SNTP_PORT)))
            sent = clock.now().timestamp()
            # Version 4, client; the server gives our time stamp back, so that no other answer passes for it.
            line.send(struct.pack("!B39xQ", 0x23, _stamp(sent)))
            answer = line.recv(512)
            received = clock.now().timestamp()
    except (OSError, ValueError):
        return Reading(server, synchronised=False, offset_ms=0)
    first, stratum, echo, came, went = struct.unpack("!BB22xQQQ", answer[:48]) if len(answer) >= 48 else (0,) * 5  # noqa: PLR2004
    # Leap indicator 3 and stratum 0: the server itself does not know the time.
    if echo != _stamp(sent) or first >> 6 == 3 or not 0 < stratum < 16:  # noqa: PLR2004 - RFC 4330 §4
        return Reading(server, synchronised=False, offset_ms=0)
    offset = ((_seconds(came) - sent) + (_seconds(went) - received)) / 2
    return Reading(server, synchronised=True, offset_ms=round(offset * 1000))


def _stamp(seconds: float) -> int:
    return int((seconds + SINCE_1900) * (1 << 32)) & (1 << 64) - 1


def _seconds(stamp: int) -> float:
    return stamp / (1 << 32) - SINCE_1900
