"""The privacy budget of a data set, and what was spent of it: lines of JSON, each holding the hash of the one before.

Budgets add up over every aggregate ever published from a data set, whatever its version (sequential composition: Dwork
and Roth, The Algorithmic Foundations of Differential Privacy, 2014, theorem 3.14). A charge is on disk before any noise
is drawn: a run that dies has spent and published nothing, never the other way round.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from deid.errors import BudgetRefused

FIRST = "0" * 64
CHANGED = (
    "원장 파일이 손상되었거나 고쳐졌습니다. 쓰지 말고 데이터 관리자에게 알리세요.",
    "The ledger was damaged or edited. Do not use it; tell the data steward.",
)


@dataclass(frozen=True)
class Budget:
    """Where a data set stands: what may be spent in all, and what was spent in how many charges."""

    dataset: str
    epsilon: float
    spent: float
    charges: int

    @property
    def left(self) -> float:
        """What may still be spent."""
        return float(Decimal(str(self.epsilon)) - Decimal(str(self.spent)))


def create(path: Path, dataset: str, epsilon: float, at: str) -> Budget:
    """Open a ledger with a total budget. Raises `BudgetRefused` where there is one already."""
    line = _line({"ledger": 1, "dataset": dataset, "epsilon": epsilon, "at": at, "previous": FIRST})
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise _refused(
            "exists",
            (f"원장 {path.name}이(가) 이미 있습니다.", f"There is a ledger {path.name} already."),
            ("있는 원장을 쓰세요. 예산은 새로 만들 수 없습니다.", "Use it: a budget cannot be made anew."),
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return Budget(dataset, epsilon, 0.0, 0)


def read(path: Path) -> Budget:
    """Add up a ledger. Raises `BudgetRefused` if it is not there or not as it was written."""
    try:
        return _summed(path.name, path.read_bytes())
    except OSError as error:
        raise _missing(path) from error


def charge(path: Path, dataset: str, epsilon: float, note: dict[str, Any]) -> Budget:
    """Spend `epsilon`, with a note of what for, or raise `BudgetRefused` and spend nothing. Safe against other runs."""
    try:
        file = path.open("r+b")
    except OSError as error:
        raise _missing(path) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        data = file.read()
        budget = _summed(path.name, data)
        _check(path, budget, dataset, epsilon)
        last = data.splitlines(keepends=True)[-1]
        file.write(_line({**note, "epsilon": epsilon, "previous": hashlib.sha256(last).hexdigest()}))
        file.flush()
        os.fsync(file.fileno())
    return Budget(dataset, budget.epsilon, _sum(budget.spent, epsilon), budget.charges + 1)


def _check(path: Path, budget: Budget, dataset: str, epsilon: float) -> None:
    if budget.dataset != dataset:
        raise _refused(
            "dataset",
            (
                f"원장 {path.name}은(는) {budget.dataset}의 것이고 {dataset}의 것이 아닙니다.",
                f"Ledger {path.name} is of {budget.dataset}, not of {dataset}.",
            ),
            ("그 데이터셋의 원장을 쓰세요.", "Use the ledger of that data set."),
        )
    if Decimal(str(budget.spent)) + Decimal(str(epsilon)) > Decimal(str(budget.epsilon)):
        raise _refused(
            "exceeded",
            (
                f"ε {epsilon:g}이(가) 필요하지만 {budget.epsilon:g} 중 {budget.left:g}만 남았습니다.",
                f"ε {epsilon:g} is needed; of {budget.epsilon:g} only {budget.left:g} is left.",
            ),
            (
                "질의를 줄이거나 ε을 낮추세요. 예산을 늘리는 것은 데이터 소유자의 결정입니다.",
                "Ask fewer queries or give them less ε. A larger budget is the data owner's decision.",
            ),
        )


def _summed(name: str, data: bytes) -> Budget:
    damaged = _refused("damaged", (f"원장 {name}이(가) 온전하지 않습니다.", f"Ledger {name} is not whole."), CHANGED)
    previous, spent = FIRST, 0.0
    lines = data.splitlines(keepends=True)
    bodies = []
    for line in lines:
        body = _body(line)
        if body is None or body.get("previous") != previous:
            raise damaged
        bodies.append(body)
        previous = hashlib.sha256(line).hexdigest()
    if not bodies or "dataset" not in bodies[0]:
        raise damaged
    for body in bodies[1:]:
        spent = _sum(spent, body["epsilon"])
    return Budget(str(bodies[0]["dataset"]), float(bodies[0]["epsilon"]), spent, len(bodies) - 1)


def _body(line: bytes) -> dict[str, Any] | None:
    """Read one line; None unless it is spelled as `_line` spells it and names a price."""
    try:
        body = json.loads(line)
    except ValueError:
        return None
    priced = isinstance(body, dict) and isinstance(body.get("epsilon"), float | int)
    return body if priced and _line(body) == line else None


def _sum(first: float, second: float) -> float:
    # Ten times 0.1 is 1: what people wrote is what adds up.
    return float(Decimal(str(first)) + Decimal(str(second)))


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, allow_nan=False).encode() + b"\n"


def _missing(path: Path) -> BudgetRefused:
    return _refused(
        "missing",
        (f"원장 {path.name}을(를) 열 수 없습니다.", f"Ledger {path.name} cannot be opened."),
        (
            "ansim deid budget으로 데이터셋의 예산을 먼저 정하세요.",
            "Set the data set's budget first: ansim deid budget.",
        ),
    )


def _refused(code: str, message: tuple[str, str], remedy: tuple[str, str]) -> BudgetRefused:
    return BudgetRefused(f"deid.budget-{code}", *message, remedy_ko=remedy[0], remedy_en=remedy[1])
