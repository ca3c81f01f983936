"""Conditions as a recipe holds them, from ``where="sex == 'F' and age >= 40"`` or from a list. Nothing is evaluated."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from .failure import AnsimError

COMPARES = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
BACK = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
Where = str | Sequence[Any] | None


def conditions(where: Where) -> list[Any]:
    """Return conditions that all must hold. Raises `AnsimError` for what is no condition.

    A text is Python's own notation: names of columns, comparisons, ``in``, ``and``, ``or``, ``x is None``.
    """
    if where is None:
        return []
    if not isinstance(where, str):
        return [list(one) if isinstance(one, tuple) else one for one in where]
    try:
        tree = ast.parse(where, mode="eval").body
    except (SyntaxError, ValueError):
        raise _unclear(where) from None
    found = _condition(tree, where)
    return list(found["and"]) if isinstance(found, dict) and "and" in found else [found]


def _condition(node: ast.expr, text: str) -> Any:
    if isinstance(node, ast.BoolOp):
        inner = [_condition(one, text) for one in node.values]
        return {"and" if isinstance(node.op, ast.And) else "or": inner}
    if not isinstance(node, ast.Compare):
        raise _unclear(text)
    if len(node.ops) == 1:
        return _comparison(node.left, node.ops[0], node.comparators[0], text)
    parts = [node.left, *node.comparators]
    return {"and": [_comparison(parts[at], op, parts[at + 1], text) for at, op in enumerate(node.ops)]}


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, text: str) -> list[Any]:
    if _name(left) is None and _name(right) is not None and type(op) in COMPARES:
        return [_name(right), BACK[COMPARES[type(op)]], _value(left, text)]
    name = _name(left)
    if name is None:
        raise _unclear(text)
    if isinstance(op, ast.In):
        return [name, "in", list(_value(right, text))]
    if isinstance(op, ast.Is | ast.IsNot) and _value(right, text) is None:
        return [name, "null" if isinstance(op, ast.Is) else "not null", None]
    if type(op) not in COMPARES:
        raise _unclear(text)
    return [name, COMPARES[type(op)], _value(right, text)]


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        outer = _name(node.value)
        return None if outer is None else f"{outer}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def _value(node: ast.expr, text: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        raise _unclear(text) from None


def _unclear(text: str) -> AnsimError:
    return AnsimError(
        "client.where",
        ko=f"조건을 이해하지 못했습니다: {text[:100]}",
        en=f"This is no condition: {text[:100]}",
        remedy_ko='예: where="sex == \'F\' and age >= 40" 또는 where=[("sex", "==", "F")]',
        remedy_en='For example where="sex == \'F\' and age >= 40", or where=[("sex", "==", "F")]',
    )
