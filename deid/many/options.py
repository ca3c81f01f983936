"""The options of `ansim deid run` that say how much memory it may take and who does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from deid.many.memory import parse_size


@dataclass(frozen=True)
class Means:
    """With what a run is done: `memory` in bytes (None: what the recipe says), the Dask `scheduler` (None: nobody)."""

    memory: int | None = None


class Size(click.ParamType):  # type: ignore[type-arg]
    """An amount of memory, such as 700MB or 4GB; at least 500MB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return bytes, or fail as click does."""
        found = value if isinstance(value, int) else parse_size(value)
        if found is None:
            self.fail(f"{value!r}: 700MB, 4GB … (≥ 500MB)", param, ctx)
        return found


def means_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as `means`."""

    @click.option("--memory", type=Size(), help="쓸 수 있는 메모리, 예: 700MB (memory the run may take)")
    @wraps(command)
    def with_means(*args: Any, memory: int | None, **kwargs: Any) -> Any:
        return command(*args, means=Means(memory), **kwargs)

    return with_means
