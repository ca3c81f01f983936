"""The options of `ansim deid run` that say how much memory it may take and who does the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from deid.crew.address import Cluster
from deid.many.memory import parse_size

PEM = click.Path(path_type=Path)


@dataclass(frozen=True)
class Means:
    """With what a run is done: `memory` in bytes (None: what the recipe says), the `cluster` that helps, if any."""

    memory: int | None = None
    cluster: Cluster | None = None


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
    @click.option("--scheduler", help="여러 기계로 나눌 Dask 스케줄러, tls://기계:포트 (address of a Dask scheduler)")
    @click.option("--tls-ca", type=PEM, help="스케줄러를 믿게 하는 인증서, PEM (certificate authority)")
    @click.option("--tls-cert", type=PEM, help="이쪽 인증서, PEM (certificate of this side)")
    @click.option("--tls-key", type=PEM, help="이쪽 인증서의 개인키, PEM (its private key)")
    @click.option(
        "--unencrypted-network", is_flag=True,
        help="다른 기계와 암호화 없이 연결, 닫힌 망에서만 (allow tcp:// to another machine)",
    )  # fmt: skip
    @wraps(command)
    def with_means(*args: Any, memory: int | None, scheduler: str | None, **kwargs: Any) -> Any:
        ca, certificate, key = (kwargs.pop(name) for name in ("tls_ca", "tls_cert", "tls_key"))
        unencrypted = kwargs.pop("unencrypted_network")
        cluster = Cluster(scheduler, ca, certificate, key, unencrypted) if scheduler else None
        return command(*args, means=Means(memory, cluster), **kwargs)

    return with_means


def told_redone(redone: Mapping[tuple[str, str], int]) -> list[str]:
    """Say which parts failed on workers and were done by the run (`RunResult.redone`): a line for each error."""
    return [
        f"작업자에게서 실패해 여기서 다시 한 부분 (parts that failed on workers, done here): {table} {error} × {parts}"
        for (table, error), parts in sorted(redone.items())
    ]
