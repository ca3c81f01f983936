"""The reference library of C3D in a process of its own, one for all files of a test run.

ezc3d, SimpleITK and gdcm are made by SWIG and share one table of types: where ezc3d is loaded beside SimpleITK, one of
them crashes. So the tests write a wish as a line of JSON, and read an answer.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Parameters = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Read:
    """What ezc3d finds in a file: samples, parameters by group and name, first and last frame."""

    points: np.ndarray
    analogs: np.ndarray
    parameters: dict[str, dict[str, Any]]
    frames: tuple[int, int]


def write(path: Path, points: np.ndarray, analogs: np.ndarray, fixed: Parameters, added: Parameters) -> None:
    """Write a file: the parameters that every file has (`fixed`), and more."""
    data = {"points": points.tolist(), "analogs": analogs.tolist()}
    _asked("written", str(path), data, fixed, added)


def add(path: Path, to: Path, group: str, name: str, value: Sequence[Any]) -> None:
    """Write a file anew to `to`, with one parameter more."""
    _asked("more", str(path), str(to), group, name, value)


def read(path: Path) -> Read:
    """Read a file."""
    found = _asked("found", str(path))
    data, frames = found["data"], found["frames"]
    return Read(np.array(data["points"]), np.array(data["analogs"]), found["parameters"], (frames[0], frames[1]))


@cache
def _process() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", __name__]
    made = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(made.communicate)
    return made


def _asked(verb: str, *wish: Any) -> Any:
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([verb, *wish]) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, "ezc3d ended"
    return json.loads(answer)


def _answers() -> None:
    import ezc3d

    def written(path: str, data: dict[str, Any], fixed: Parameters, added: Parameters) -> None:
        file = ezc3d.c3d()
        for group, parameters in fixed.items():
            for name, value in parameters.items():
                file["parameters"][group][name]["value"] = value
        for name, samples in data.items():
            file["data"][name] = np.array(samples)
        for group, parameters in added.items():
            for name, value in parameters.items():
                file.add_parameter(group, name, _value(value))
        file.write(path)

    def more(path: str, to: str, group: str, name: str, value: list[Any]) -> None:
        file = ezc3d.c3d(path)
        file.add_parameter(group, name, value)
        file.write(to)

    def found(path: str) -> dict[str, Any]:
        file = ezc3d.c3d(path)
        points = file["header"]["points"]
        return {
            "data": {name: np.asarray(file["data"][name]).tolist() for name in ("points", "analogs")},
            "parameters": {
                group: {name: _plain(one["value"]) for name, one in parameters.items() if "value" in one}
                for group, parameters in file["parameters"].items()
            },
            "frames": [points["first_frame"], points["last_frame"]],
        }

    verbs = {"written": written, "more": more, "found": found}
    for line in sys.stdin:
        verb, *wish = json.loads(line)
        sys.stdout.write(json.dumps(verbs[verb](*wish)) + "\n")
        sys.stdout.flush()


def _value(value: list[Any]) -> Any:
    """A table of numbers as ezc3d wants it."""
    return np.array(value) if isinstance(value[0], list) else value


def _plain(value: Any) -> list[Any]:
    return np.asarray(value).tolist() if isinstance(value, np.ndarray) else list(value)


if __name__ == "__main__":
    _answers()
