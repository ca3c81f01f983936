"""The yes/no form of any rule, derived once: what a page offers and what a command enforces cannot differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from enclave.errors import EnclaveError

P = ParamSpec("P")


def allows(check: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Return whether `check(...)` passes; only the enclave's own errors count as a no."""
    try:
        check(*args, **kwargs)
    except EnclaveError:
        return False
    return True
