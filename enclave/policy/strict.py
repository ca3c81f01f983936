"""One value of a file that is read strictly: whole numbers and lists of texts, in one spelling. Pure."""

from __future__ import annotations

from collections.abc import Callable

from enclave.errors import Invalid


def read(name: str, value: object, *, is_list: bool, refused: Callable[[str, str, str], Invalid]) -> object:
    """Return the value of a field: a whole number, or a list as a sorted tuple that names each text once.

    `refused` makes the caller's error out of a code and a sentence in Korean and English; raised with `kind`.
    """
    if not is_list:
        if type(value) is not int:  # a bool is an int to isinstance, and 10.0 is not how a count is written
            raise refused("kind", f"‘{name}’은(는) 정수여야 합니다", f"‘{name}’ must be a whole number")
        return value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise refused("kind", f"‘{name}’은(는) 글자의 목록이어야 합니다", f"‘{name}’ must be a list of texts")
    return tuple(sorted(set(value)))


def spelled(value: object) -> str:
    """Return a value as TOML."""
    return "[" + ", ".join(f'"{each}"' for each in value) + "]" if isinstance(value, tuple) else str(value)
