"""YAML read so that every complaint can point at file, line and column.

PyYAML's `compose` keeps the marks that `safe_load` throws away. No tag is ever constructed: scalars stay text until
somebody asks for a number. Refused: duplicate keys, aliases (a recipe says what it means where it means it).
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import yaml

from deid.errors import RecipeError

INTEGER, FLOAT, BOOLEAN, NULL = (f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))


class Node:
    """One YAML value with its place. Every accessor raises `RecipeError` at that place."""

    def __init__(self, path: Path, node: yaml.Node) -> None:
        self.path = path
        self.node = node

    @property
    def file(self) -> str:
        """Name of the recipe's file."""
        return self.path.name

    @property
    def folder(self) -> Path:
        """Where the recipe lies, and files it names beside it."""
        return self.path.parent

    def fail(self, code: str, ko: str, en: str, *, remedy: tuple[str, str] | None = None) -> NoReturn:
        """Raise `RecipeError` at this value's place."""
        mark = self.node.start_mark
        fix = remedy or ("가명처리 계획의 이 위치를 고치세요.", "Mend the recipe at this place.")
        raise RecipeError((self.file, mark.line + 1, mark.column + 1), code, ko, en, remedy=fix)

    def text(self) -> str:
        """Read a non-empty scalar as written."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag == NULL or not self.node.value.strip():
            self.fail("kind", "글이 와야 합니다.", "text is expected here.")
        return str(self.node.value)

    def one_of(self, allowed: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.text()
        if value not in allowed:
            words = ", ".join(allowed)
            self.fail(
                "word", f"'{value}'은(는) 알 수 없습니다. 가능: {words}.", f"'{value}' is unknown; one of: {words}."
            )
        return value

    def integer(self, low: int, high: int) -> int:
        """Read a whole number within bounds (inclusive)."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag != INTEGER:
            self.fail("kind", "정수가 와야 합니다.", "a whole number is expected here.")
        return int(self._within(int(yaml.SafeLoader("").construct_yaml_int(self.node)), low, high))

    def number(self, low: float, high: float) -> float:
        """Read a finite number within bounds (inclusive)."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag not in {INTEGER, FLOAT}:
            self.fail("kind", "수가 와야 합니다.", "a number is expected here.")
        return self._within(float(yaml.SafeLoader("").construct_yaml_float(self.node)), low, high)

    def flag(self) -> bool:
        """Read true or false."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag != BOOLEAN:
            self.fail("kind", "true 또는 false가 와야 합니다.", "true or false is expected here.")
        return bool(yaml.SafeLoader("").construct_yaml_bool(self.node))

    def items(self) -> list[Node]:
        """Give the members of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("kind", "목록이 와야 합니다.", "a list is expected here.")
        return [Node(self.path, item) for item in self.node.value]

    def pairs(self) -> dict[str, tuple[Node, Node]]:
        """Give the members of a mapping: key text to (key, value). Duplicate keys are refused."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("kind", "'이름: 값' 묶음이 와야 합니다.", "a mapping is expected here.")
        found: dict[str, tuple[Node, Node]] = {}
        for key, value in self.node.value:
            name = Node(self.path, key).text()
            if name in found:
                Node(self.path, key).fail("twice", f"'{name}'이(가) 두 번 나옵니다.", f"'{name}' appears twice.")
            found[name] = (Node(self.path, key), Node(self.path, value))
        return found

    def fields(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Node]:
        """Read a mapping with known keys only, all required ones present."""
        pairs = self.pairs()
        known = {*required, *optional}
        for name, (key, _) in pairs.items():
            if name not in known:
                words = ", ".join((*required, *optional))
                key.fail(
                    "unknown",
                    f"'{name}'은(는) 없는 항목입니다. 가능: {words}.",
                    f"'{name}' is unknown; one of: {words}.",
                )
        for name in required:
            if name not in pairs:
                self.fail("missing", f"'{name}' 항목이 빠졌습니다.", f"'{name}' is missing.")
        return {name: value for name, (_, value) in pairs.items()}

    def is_flag(self) -> bool:
        """Whether this is true or false."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == BOOLEAN

    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def _within(self, value: float, low: float, high: float) -> float:
        if not low <= value <= high:
            self.fail("range", f"{low}에서 {high} 사이여야 합니다.", f"must be between {low} and {high}.")
        return value


def content(path: Path) -> bytes:
    """Return the bytes of a recipe's file. Raises `RecipeError` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        fix = ("경로를 확인하세요.", "Check the path.")
        raise RecipeError((path.name, 1, 1), "missing", "읽을 수 없습니다.", "cannot be read.", remedy=fix) from error


def read(path: Path, data: bytes) -> Node:
    """Compose one YAML document. Raises `RecipeError` for anything that is not one."""
    file = path.name
    fix = ("YAML 문법을 확인하세요(UTF-8).", "Check the YAML syntax (UTF-8).")
    try:
        root = yaml.compose(data.decode("utf-8"), Loader=_NoAliases)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecipeError((file, line, 1), "encoding", "UTF-8이 아닙니다.", "not UTF-8.", remedy=fix) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (file, mark.line + 1, mark.column + 1) if mark else (file, 1, 1)
        what = error.problem or "syntax"
        raise RecipeError(place, "yaml", f"YAML 오류: {what}", f"YAML error: {what}", remedy=fix) from error
    except yaml.YAMLError as error:
        raise RecipeError((file, 1, 1), "yaml", "YAML이 아닙니다.", "not YAML.", remedy=fix) from error
    if root is None:
        raise RecipeError((file, 1, 1), "empty", "비어 있습니다.", "is empty.", remedy=fix)
    return Node(path, root)


class _NoAliases(yaml.SafeLoader):
    """Refuses `*alias`: nothing in a recipe may be far from where it acts."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed in a recipe", mark)
        return super().compose_node(parent, index)
