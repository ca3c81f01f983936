"""Views as JSON: moments in ISO 8601, enumerations by value, `may` as the sorted list `allowed`; no paths, no keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from enclave.errors import EnclaveError

# What a view may carry for the pages and no program outside is told.
INSIDE_ONLY = frozenset({"manifest", "path", "bytes", "packed"})


def told(view: Any) -> Any:
    """Return a view of `enclave.queries` as JSON values."""
    if isinstance(view, EnclaveError):
        return view.as_json()
    if is_dataclass(view) and not isinstance(view, type):
        return _object(view)
    if isinstance(view, Mapping):
        return {str(name): told(value) for name, value in view.items()}
    return [told(each) for each in view] if isinstance(view, tuple | list | frozenset) else _plain(view)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return None if isinstance(value, bytes | Path) else value


def _object(view: Any) -> dict[str, Any]:
    names = [field.name for field in fields(view) if field.name not in INSIDE_ONLY | {"may"}]
    answer = {name: told(getattr(view, name)) for name in names}
    if hasattr(view, "may"):
        answer["allowed"] = sorted(view.may)
    return answer
