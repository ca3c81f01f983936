"""Runs inside the probe container of the bridge's self-test: tries everything it is told and prints what answered.

Standard library only; the gate passes this file's text to `python3 -c`. In: JSON with `tcp`, `udp` and `dns`, each
[[address, port], …]; out: one line of JSON with those that were reached (udp is counted at the other end).
"""

from __future__ import annotations

import contextlib
import errno
import json
import select
import socket
import sys
import time

WAIT_S = 3.0
# One question for an address, with a name that nobody has.
QUESTION = bytes.fromhex("123401000001000000000000") + b"\x05probe\x05ansim\x07example\x00\x00\x01\x00\x01"
Places = list[tuple[str, int]]


def tcp(places: Places) -> Places:
    """Return where a connection was accepted."""
    waiting, reached = {}, []
    for address, port in places:
        link = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        link.settimeout(0)
        if link.connect_ex((address, port)) in {0, errno.EINPROGRESS}:
            waiting[link.fileno()] = (link, (address, port))
    end = time.monotonic() + WAIT_S
    poll = select.poll()
    for number in waiting:
        poll.register(number, select.POLLOUT)
    while waiting and time.monotonic() < end:
        for number, _ in poll.poll(200):
            link, place = waiting.pop(number)
            poll.unregister(number)
            if link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                reached.append(place)
            link.close()
    return reached


def dns(places: Places) -> Places:
    """Return where somebody who can resolve names answered: 2 and 5 mean that nobody was asked further."""
    with contextlib.ExitStack() as stack:
        links = {stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)): place for place in places}
        for link, place in links.items():
            with contextlib.suppress(OSError):
                link.sendto(QUESTION, place)
        time.sleep(WAIT_S / 2)
        return [place for link, place in links.items() if _resolved(link)]


def _resolved(link: socket.socket) -> bool:
    try:
        answer = link.recv(512, socket.MSG_DONTWAIT)
    except OSError:
        return False
    return len(answer) > 3 and answer[3] & 15 not in {2, 5}  # noqa: PLR2004 - the second byte of the flags


def udp(places: Places) -> None:
    """Send a word to each."""
    for address, port in places:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link, contextlib.suppress(OSError):
            link.sendto(b"ansim-probe", (address, port))


if __name__ == "__main__":
    asked = {key: [(str(a), int(p)) for a, p in places] for key, places in json.loads(sys.argv[1]).items()}
    udp(asked["udp"])
    sys.stdout.write(json.dumps({"tcp": tcp(asked["tcp"]), "dns": dns(asked["dns"])}) + "\n")
