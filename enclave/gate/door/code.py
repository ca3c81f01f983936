"""Which code a message from the browser would run, and its record before it may."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from enclave.errors import EnclaveError
from enclave.gate.door.kernel_message import Malformed, Message
from enclave.gate.door.meter import CODES_HOUR, Spent
from enclave.gate.door.visit import Doorway
from enclave.gate.spool import Draft

CHANNELS = {"shell", "control", "stdin"}
# The debugger's requests that only look or go on; every other one may run what it carries.
LOOKING = {
    "initialize",
    "attach",
    "launch",
    "configurationDone",
    "debugInfo",
    "inspectVariables",
    "richInspectVariables",
    "threads",
    "stackTrace",
    "scopes",
    "variables",
    "source",
    "modules",
    "continue",
    "next",
    "stepIn",
    "stepOut",
    "pause",
    "terminate",
    "disconnect",
}


@dataclass(frozen=True)
class Code:
    """A text that would be run, or could be; `source` is execute, expression, debug, input, terminal or file."""

    source: str
    text: str


async def recorded(doorway: Doorway, code: Code, channel: str) -> bool:
    """Record a text before it runs; False if that cannot be: then it must not run."""
    data = code.text.encode(errors="replace")
    details: dict[str, str | int | bool] = {
        "channel": channel,
        "source": code.source,
        "sha256": hashlib.sha256(data).hexdigest(),
        "characters": len(code.text),
    }
    try:
        if not doorway.book.admit_code(len(data)):
            doorway.tell_spent(Spent("code", "hour", CODES_HOUR))
            return False
        await doorway.recorder.record(Draft(doorway.plan.workspace_id, "code", details, data))
    except (EnclaveError, OSError):
        return False
    return True


def code_of(message: Message) -> list[Code]:
    """Return what this request would run. Raises `Malformed`: it is none that a front end sends."""
    if message.channel not in CHANNELS or message.kind not in REQUESTS or not message.id:
        raise Malformed("request")
    content = message.content
    if not isinstance(content, dict):
        raise Malformed("content")
    read = REQUESTS[message.kind]
    return [code for code in read(content) if code.text] if read else []


def _execute(content: dict[str, Any]) -> list[Code]:
    code, expressions = content.get("code", ""), content.get("user_expressions") or {}
    if not isinstance(code, str) or not isinstance(expressions, dict):
        raise Malformed("code")
    values = [value if isinstance(value, str) else json.dumps(value) for value in expressions.values()]
    return [Code("execute", code), Code("expression", "\n".join(values))]


def _debug(content: dict[str, Any]) -> list[Code]:
    command = content.get("command")
    if not isinstance(command, str):
        raise Malformed("command")
    if command in LOOKING:
        return []
    arguments = content.get("arguments")
    if command == "evaluate" and isinstance(arguments, dict) and isinstance(arguments.get("expression"), str):
        return [Code("debug", arguments["expression"])]
    if command == "dumpCell" and isinstance(arguments, dict) and isinstance(arguments.get("code"), str):
        return [Code("debug", arguments["code"])]
    return [Code("debug", f"{command} {json.dumps(arguments, ensure_ascii=False)}")]


def _input(content: dict[str, Any]) -> list[Code]:
    # What a program asks for may be the next command of a debugger.
    value = content.get("value", "")
    if not isinstance(value, str):
        raise Malformed("value")
    return [Code("input", value)]


# Every request that a front end sends; `apply_request` (a pickled function) and what is unknown are not among them.
REQUESTS: dict[str, Callable[[dict[str, Any]], list[Code]] | None] = {
    "execute_request": _execute,
    "debug_request": _debug,
    "input_reply": _input,
    "complete_request": None,
    "inspect_request": None,
    "history_request": None,
    "is_complete_request": None,
    "kernel_info_request": None,
    "comm_info_request": None,
    "comm_open": None,
    "comm_msg": None,
    "comm_close": None,
    "interrupt_request": None,
    "shutdown_request": None,
    "usage_request": None,
    "create_subshell_request": None,
    "delete_subshell_request": None,
    "list_subshell_request": None,
}
