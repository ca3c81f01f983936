"""Generations of the master key: a new one from time to time, old ones kept sealed or destroyed (키 교체와 파기).

After a rotation every pseudonym, shift and surrogate is new: nobody can follow a person from a snapshot before it into
one after it. While an old generation is kept, its snapshots can be explained and built again; once it is destroyed,
nobody can, not even the hospital (추가정보의 파기). An empty file remains, so that the number is not used again and
set-up does not make a new key in its place.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from deid.errors import KeyFileError
from deid.keys import MASTER_BYTES, find_generation, generation_files, key_id, master_path, read_master, write_master


@dataclass(frozen=True)
class Generation:
    """One generation: its number, the id that manifests name ("" once destroyed), and whether runs use it."""

    number: int
    id: str
    current: bool


def generations(folder: Path) -> list[Generation]:
    """List the generations in a key folder, oldest first. Raises `KeyFileError` for a file that cannot be read."""
    files = generation_files(folder)
    newest = max(files, default=0)
    return [
        Generation(number, key_id(read_master(path)) if path.stat().st_size else "", number == newest)
        for number, path in files.items()
    ]


def rotate(folder: Path) -> Generation:
    """Make the next generation; runs use it from now on, the old ones stay. Raises `KeyFileError` if there is none yet.

    Two rotations at once make one generation: the second raises `FileExistsError`.
    """
    number, newest = find_generation(folder, None)
    read_master(newest)
    path = write_master(master_path(folder, number + 1))
    return Generation(number + 1, key_id(read_master(path)), current=True)


def destroy(folder: Path, generation: int) -> None:
    """Overwrite an old generation and leave an empty file. Raises `KeyFileError` for the newest, or one not there.

    On flash memory, on copy-on-write file systems and in backups older blocks can survive an overwriting: keep the
    folder on an encrypted volume of its own, and destroy the copies too.
    """
    number, path = find_generation(folder, generation)
    read_master(path)
    if number == max(generation_files(folder)):
        raise KeyFileError(
            "deid.key-current",
            f"{number}세대는 지금 쓰는 키라서 파기할 수 없습니다.",
            f"Generation {number} is the one in use and cannot be destroyed.",
            remedy_ko="먼저 ansim deid keys rotate로 새 세대를 만드세요.",
            remedy_en="Make a new generation first: ansim deid keys rotate.",
        )
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(MASTER_BYTES))
        file.flush()
        os.fsync(file.fileno())
        file.truncate(0)
        os.fsync(file.fileno())
