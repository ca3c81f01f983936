"""Every command leaves one entry, every refusal one too, and every action of the vocabulary is reached from a door.

Read from the source, since no run calls all of them: how often a command opens a transaction that ends with an entry,
what it does before, and who calls what.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from enclave.actions import Action

ROOT = Path(__file__).parents[2]
COMMANDS = ROOT / "enclave/commands"
DOORS = ("enclave/portal", "enclave/console", "enclave/drill", "enclave/gate")
Function = ast.FunctionDef

# How many entries at the end, where it is not one, and why.
SEVERAL = {
    "effects.close_lost": (3, "one for each thing that it closes, of three kinds"),
    "log_key.hand_over_key": (2, "requested and done around the effect"),
    "release.build": (2, "done or failed: one of them"),
    "gpu_device.to_scrub": (0, "only says what is due"),
    "retention.waiting": (0, "only says what is due"),
    "incoming.submit": (0, "`egress.submit` does it"),
    "incoming.submit_packages": (0, "`egress.submit` does it"),
    "reviewing.return_request": (0, "`decide` of the same module does it"),
}
# What may stand before the transaction: it decides nothing and refuses nothing.
HARMLESS = {
    "intent", "replace", "len", "list", "sorted", "tuple", "set", "frozenset", "str", "new_id", "new_totp_secret",
    "Actor", "system", "DrillRun", "LogFilter", "_hidden", "password_matches", "_stored_hash", "fromkeys", "select",
    "where", "is_", "isoformat", "token_hex", "Ran", "append",
    "ValueError", "raise ValueError",  # a slip of the caller's, no refusal
}  # fmt: skip
# What is called before and records its refusals itself.
RECORDS = {
    "_look", "_concluded", "_ask", "decide", "prove_again", "_id", "_order", "build", "confirm_second_factor",
    "close_sample",
}  # fmt: skip


@cache
def functions(path: Path) -> dict[str, Function]:
    return {each.name: each for each in ast.parse(path.read_text()).body if isinstance(each, Function)}


def commands() -> dict[str, Function]:
    """Every public function of the commands that is given the store."""
    found = {}
    for path in sorted(COMMANDS.glob("*.py")):
        for name, function in functions(path).items():
            arguments = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
            if "store" in arguments and not name.startswith("_"):
                found[f"{path.stem}.{name}"] = function
    return found


def opened(block: ast.With) -> set[str]:
    return {called(each.context_expr) for each in block.items}


def called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


# What reviews of samples share, whatever is looked at: its entries are those of the command that calls it.
SHARED = functions(COMMANDS / "samples.py")


def writes(function: Function, local: dict[str, Function], seen: frozenset[str]) -> int:
    """How many transactions with an entry a function opens, with the private functions of its module and `SHARED`."""
    blocks = [each for each in ast.walk(function) if isinstance(each, ast.With)]
    others = {called(each) for each in ast.walk(function)} & local.keys() - seen
    below = (writes(local[name], local, seen | others) for name in others if name.startswith("_") or name in SHARED)
    return sum("write" in opened(each) for each in blocks) + sum(below)


def before(function: Function) -> Iterator[str]:
    """What a command calls before anything is recorded, where a refusal would leave no entry."""
    for statement in function.body:
        blocks = [each for each in ast.walk(statement) if isinstance(each, ast.With)]
        if any(opened(each) & {"write", "prepare", "read"} for each in blocks):
            return
        for each in ast.walk(statement):
            if isinstance(each, ast.Call):
                yield called(each)
            elif isinstance(each, ast.Raise):
                yield f"raise {called(each.exc) if each.exc else ''}"


COMMANDS_FOUND = commands()


@pytest.mark.parametrize("name", COMMANDS_FOUND)
def test_a_command_ends_with_one_entry(name: str) -> None:
    local = SHARED | functions(COMMANDS / f"{name.partition('.')[0]}.py")
    wanted, _ = SEVERAL.get(name, (1, ""))
    assert writes(COMMANDS_FOUND[name], local, frozenset({name.partition(".")[2]})) == wanted


@pytest.mark.parametrize("name", COMMANDS_FOUND)
def test_a_command_refuses_nothing_before_it_can_record_it(name: str) -> None:
    assert set(before(COMMANDS_FOUND[name])) - HARMLESS - RECORDS == set()


def test_the_tables_speak_of_commands_that_there_are() -> None:
    assert SEVERAL.keys() - COMMANDS_FOUND.keys() == set()
    assert len(COMMANDS_FOUND) > 120


def names(tree: ast.AST) -> set[str]:
    found = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    return found | {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}


def reached() -> set[str]:
    """The names used by the doors, and by whatever of the enclave these lead to."""
    known: dict[str, set[str]] = {}
    for path in (ROOT / "enclave").rglob("*.py"):
        if path.relative_to(ROOT).as_posix().startswith(DOORS):
            continue
        for statement in ast.parse(path.read_text()).body:
            for name in defined(statement):
                known.setdefault(name, set()).update(names(statement))
    doors = [path for door in DOORS for path in (ROOT / door).rglob("*.py")]
    todo = set().union(*(names(ast.parse(path.read_text())) for path in doors))
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo |= known.get(name, set())
    return found


def defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    return {each.id for each in targets if isinstance(each, ast.Name)}


def users() -> dict[str, set[str]]:
    """By action: the functions and tables of the commands in which it stands."""
    found: dict[str, set[str]] = {}
    for path in COMMANDS.glob("*.py"):
        for statement in ast.parse(path.read_text()).body:
            for action in names(statement) & Action.__members__.keys():
                found.setdefault(action, set()).update(defined(statement))
    return found


def test_every_action_is_recorded_by_a_command_that_a_door_leads_to() -> None:
    there, found = reached(), users()
    assert [action.value for action in Action if not found.get(action.name, set()) & there] == []
    assert "no_such_function" not in there
