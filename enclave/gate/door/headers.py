"""Headers of every answer to a browser: ours are set, the notebook server's own are passed by name only.

What answers there is a program of the person's own user, so its headers are a stranger's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# JupyterLab needs 'unsafe-inline' and 'unsafe-eval': this stops beacons and frames, not script.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'self' blob:; "
    "worker-src 'self' blob:; form-action 'self'{form}; base-uri 'self'; object-src 'none'; frame-ancestors {frame}; "
    # Without `allow-downloads`: what a script or a link makes of what is on the page cannot be saved as a file.
    "sandbox allow-same-origin allow-scripts allow-forms"
)
# Each is bytes of a stranger's on the screen. No answer is kept by the browser, so nothing that is about keeping.
PASSED = {b"content-type", b"location", b"set-cookie"}
NO_DEVICES = (
    b"camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), hid=(), bluetooth=(), "
    b"payment=(), clipboard-read=(self)"
)
SET = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"origin-agent-cluster", b"?1"),
    (b"x-permitted-cross-domain-policies", b"none"),
    (b"permissions-policy", NO_DEVICES),
)
COOKIE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+=[\x21-\x3a\x3c-\x7e]*(;[\x20-\x3a\x3c-\x7e]*)*")
DOMAIN = re.compile(rb";\s*domain\s*=", re.IGNORECASE)


def of_answer(headers: Iterable[tuple[bytes, bytes]], *, framed: str = "'none'", form: str = "") -> Headers:
    """Return what the browser is told: the passed headers, then ours. `framed` is the CSP's frame-ancestors."""
    return [*of_stranger(headers), *SET, (b"content-security-policy", CSP.format(frame=framed, form=form).encode())]


def of_stranger(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return those headers of an answer that are passed on as they came; they are counted like its body."""
    return [(name.lower(), value) for name, value in headers if name.lower() in PASSED and _may_pass(name, value)]


def _may_pass(name: bytes, value: bytes) -> bool:
    if name.lower() != b"set-cookie":
        return True
    # For this host alone: with a Domain it would reach the hub and every neighbour.
    return bool(COOKIE.fullmatch(value)) and not DOMAIN.search(value)
