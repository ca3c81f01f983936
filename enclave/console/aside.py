"""Doing one thing in a child that has become a folder's owner, while this process stays root for what only root may."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from enclave.console.acting import step_down
from enclave.errors import EnclaveError, Unavailable


def as_owner(folder: Path, act: Callable[[], Any]) -> Any:
    """Return what `act` returns (as JSON), done as the folder's owner.

    Raises the `EnclaveError` that it raised, with its texts; `Unavailable` (`console.aside`) if it broke off.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            step_down(folder)
            answer: dict[str, Any] = {"value": act()}
        except EnclaveError as error:
            answer = {"error": [error.code, error.ko, error.en, error.remedy_ko, error.remedy_en]}
        except BaseException as error:  # noqa: BLE001 - told to the parent, which fails
            answer = {"error": ["console.aside", str(error)[:300], str(error)[:300], "", ""]}
        with os.fdopen(writing, "w") as told:
            json.dump(answer, told)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    os.waitpid(child, 0)
    found = json.loads(text) if text else {"error": ["console.aside", "중단됨", "it broke off", "", ""]}
    if "error" in found:
        code, ko, en, remedy_ko, remedy_en = found["error"]
        raise Unavailable(code, ko=ko, en=en, remedy_ko=remedy_ko, remedy_en=remedy_en)
    return found["value"]
