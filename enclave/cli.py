"""`ansim`: the command line of whoever holds the machine. It decides nothing: it calls the commands as the console.

Each group is imported when it is asked for, so that `ansim audit verify` needs neither database nor Polars.
Exit codes: 0 done · 2 wrong use or input · 3 denied · 4 not found · 5 conflict · 6 unavailable.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import click

from audit.errors import AuditError
from deid.errors import DeidError
from deid.lazy_group import LazyGroup
from enclave.errors import EnclaveError

GROUPS = {
    "account": "enclave.console.people:account",
    "anchor": "enclave.console.anchors:anchor",
    "audit": "enclave.console.audit_group:audit",
    "certificate": "enclave.console.ends:certificate",
    "dataset": "enclave.console.data:dataset",
    "db": "enclave.console.state:db",
    "deid": "deid.cli:deid",
    "drill": "enclave.console.drill:drill",
    "image": "enclave.console.image:image",
    "incident": "enclave.console.incident:incident",
    "organisation": "enclave.console.people:organisation",
    "packages": "enclave.console.packages:packages",
    "policy": "enclave.console.policies:policy",
    "project": "enclave.console.ends:project",
    "receive": "enclave.console.reception:receive",
    "report": "enclave.console.reports:report",
    "retention": "enclave.console.retention:retention",
    "request": "enclave.console.requests:request",
    "snapshot": "enclave.console.data:snapshot",
    "status": "enclave.console.state:status",
}
EXIT_CODES = {403: 3, 404: 4, 409: 5, 422: 2, 503: 6}


@click.command(cls=LazyGroup, places=GROUPS)
@click.option("--lang", type=click.Choice(["ko", "en"]), default="ko", help="출력 언어 (language of the output)")
@click.pass_context
def ansim(ctx: click.Context, lang: str) -> None:
    """안심: 데이터 안심구역 관리기 (manager of a secure data enclave)."""
    ctx.obj = lang


def main() -> None:
    """Run `ansim`; a refusal is printed with its code and what to do, and sets the exit code."""
    try:
        # Without its standalone mode click turns `ctx.exit(1)` into a returned 1, and the shell would see success.
        sys.exit(ansim(standalone_mode=False, obj="ko"))
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (EnclaveError, AuditError, DeidError) as error:
        click.echo(refusal(error, _language()), err=True)
        sys.exit(EXIT_CODES.get(getattr(error, "status", 0), 1))


def refusal(error: EnclaveError | AuditError | DeidError, lang: str) -> str:
    """Return an error as one paragraph: its code in brackets, what happened, what to do now."""
    what, remedy = (error.ko, error.remedy_ko) if lang == "ko" else (error.en, error.remedy_en)
    return f"[{error.code}] {what}\n{remedy}".rstrip()


def _language() -> str:
    """Return the language asked for; the context is gone when an error arrives at `main`."""
    words = sys.argv[1:]
    english = "--lang=en" in words or any(pair == ("--lang", "en") for pair in pairwise(words))
    return "en" if english else "ko"


if __name__ == "__main__":
    main()
