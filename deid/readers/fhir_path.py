"""A small part of FHIRPath (HL7, N1), enough to make columns of resources: what a recipe's column names are.

    birthDate                                           subject.reference
    name.where(use='official').family                   name[0].given.join(' ')
    code.coding.where(system='http://loinc.org').code   identifier.where(type.coding.code='MR').value

Elements are those of the JSON (`valueQuantity.value`, not `value.ofType(Quantity)`). A path gives one value; where a
resource has several, `first()`, `last()`, `[n]`, `where(…)` or `join('…')` says which: nothing is chosen silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

TEXT = r"(?:[^'\\]|\\.)*"
STEP = re.compile(
    rf"(?P<index>\[(?P<at>\d{{1,6}})\])"
    rf"|\.?(?P<take>first|last)\(\)"
    rf"|\.?where\((?P<field>\w+(?:\.\w+)*)\s*=\s*'(?P<value>{TEXT})'\)"
    rf"|\.?join\('(?P<between>{TEXT})'\)"
    rf"|\.?(?P<name>[A-Za-z]\w*)"
)
BESIDE = ("extension", "modifierExtension")


class PathError(Exception):
    """Not a path of the kind above, or not one value; `reason` is `syntax`, `several` or `parts`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Step:
    """One step: `element` by name, `at` a position (-1 the last), `where` an element has a value, `join` by a text.

    `beside` says that what follows is an extension, which a primitive keeps beside itself (`_birthDate`).
    """

    kind: str
    name: str = ""
    value: str = ""
    at: int = 0
    beside: bool = False


@dataclass(frozen=True)
class Path:
    """A parsed path; `generic` is its elements alone, joined by dots."""

    steps: tuple[Step, ...]
    generic: str

    def value(self, resource: dict[str, Any]) -> Any:
        """Give the one primitive value, None if there is none. Raises `PathError` (`several`, `parts`)."""
        nodes: list[Any] = [resource]
        for step in self.steps:
            nodes = _stepped(nodes, step)
        if not nodes:
            return None
        if len(nodes) > 1:
            raise PathError("several")
        if isinstance(nodes[0], dict):
            raise PathError("parts")
        return nodes[0]


def parse(text: str) -> Path:
    """Parse a path. Raises `PathError` (`syntax`)."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        found = STEP.match(text, position)
        # A dot stands between elements and before functions, and nowhere else.
        dotted = text[position] == "."
        if found is None or (dotted if not steps else not (dotted or found["index"])):
            raise PathError("syntax")
        steps.append(_step(found))
        position = found.end()
    elements = [step.name for step in steps if step.kind == "element"]
    joins = [number for number, step in enumerate(steps, start=1) if step.kind == "join"]
    if not elements or steps[0].kind != "element" or (joins and joins != [len(steps)]):
        raise PathError("syntax")
    for number, step in enumerate(steps[1:]):
        if step.name in BESIDE:
            steps[number] = replace(steps[number], beside=True)
    return Path(tuple(steps), ".".join(elements))


def _step(found: re.Match[str]) -> Step:
    if found["index"]:
        return Step("at", at=int(found["at"]))
    if found["take"]:
        return Step("at", at=0 if found["take"] == "first" else -1)
    if found["field"]:
        return Step("where", found["field"], _unquoted(found["value"]))
    if found["name"]:
        return Step("element", found["name"])
    return Step("join", value=_unquoted(found["between"]))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _stepped(nodes: list[Any], step: Step) -> list[Any]:
    if step.kind == "element":
        return [*_children(nodes, step.name), *(_children(nodes, f"_{step.name}") if step.beside else ())]
    if step.kind == "at":
        return nodes[step.at :][:1]
    if step.kind == "where":
        return [node for node in nodes if step.value in _texts(node, step.name)]
    return [step.value.join(str(node) for node in nodes)] if nodes else []


def _children(nodes: list[Any], name: str) -> Iterator[Any]:
    for node in nodes:
        child = node.get(name) if isinstance(node, dict) else None
        if isinstance(child, list):
            yield from (item for item in child if item is not None)
        elif child is not None:
            yield child


def _texts(node: Any, field: str) -> list[str]:
    nodes = [node]
    for name in field.split("."):
        nodes = list(_children(nodes, name))
    return [str(value) for value in nodes]


def leaves(node: Any, path: str = "") -> Iterator[str]:
    """Give the generic path of every primitive value of a resource (a few times over, if there are several)."""
    if isinstance(node, dict):
        for name, child in node.items():
            # `_birthDate` holds what belongs to `birthDate` beside its value.
            yield from leaves(child, f"{path}.{name.removeprefix('_')}" if path else name.removeprefix("_"))
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item, path)
    elif node is not None:
        yield path
