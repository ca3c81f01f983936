"""`ansim deid budget` and `ansim deid aggregate`: a data set's privacy budget, and figures published from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import polars as pl

from deid import keys as key_files
from deid.aggregates import ledger
from deid.aggregates.publish import check_columns, results_of
from deid.aggregates.spec import Spec, load
from deid.errors import OutputError, SourceError
from deid.refusal import errors_to_exit_codes
from deid.snapshot import verify
from deid.versions.keystore import open_store
from deid.versions.tables import open_table

ANY_PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("budget")
@click.argument("ledger_file", metavar="LEDGER", type=ANY_PATH)
@click.option("--dataset", help="새 원장의 데이터셋 (data set of a new ledger)")
@click.option("--epsilon", type=click.FloatRange(min=1e-6, max=1000), help="새 원장의 총예산 (total of a new ledger)")
def budget(ledger_file: Path, dataset: str | None, epsilon: float | None) -> None:
    """데이터셋의 차분 프라이버시 예산을 정하거나 봅니다 (set or show a data set's privacy budget)."""
    if (dataset is None) != (epsilon is None):
        raise click.UsageError("--dataset과 --epsilon은 함께 씁니다 (they go together).")
    with errors_to_exit_codes():
        if dataset is not None and epsilon is not None:
            ledger.create(ledger_file, dataset, epsilon, _now())
        found = ledger.read(ledger_file)
        click.echo(f"{found.dataset}: ε {found.spent:g} / {found.epsilon:g} ({found.charges})")


@click.command("aggregate")
@click.argument("request", type=ANY_PATH)
@click.argument("snapshot", type=FOLDER)
@click.argument("out", type=ANY_PATH)
@click.option("--ledger", "ledger_file", type=ANY_PATH, required=True, help="예산 원장 (the data set's ledger)")
@click.option("--key", type=ANY_PATH, required=True, help="공개키, PEM (public key)")
@click.option("--snapshot-keys", "store", type=FOLDER, required=True, help="스냅샷 키 보관소 (key store of snapshots)")
@click.option("--seal-key", "seal", type=ANY_PATH, required=True, help="보관소 키 (the store's key)")
def aggregate(  # noqa: PLR0913 - click hands over each option by its name
    request: Path, snapshot: Path, out: Path, *, ledger_file: Path, key: Path, store: Path, seal: Path
) -> None:
    """SNAPSHOT에서 REQUEST의 집계를 차분 프라이버시로 구해 OUT에 씁니다 (differentially private aggregates, JSON)."""
    with errors_to_exit_codes():
        spec = load(request)
        folder = snapshot.resolve()
        manifest = verify(folder, key_files.load_public(key))
        if manifest.dataset != spec.dataset or spec.table not in manifest.tables:
            raise _other_data(spec)
        frame = open_table(folder, manifest, open_store(store, seal).of(manifest), spec.table)
        check_columns(spec, frame)
        if out.exists():
            raise _there_already(out)
        note = {"at": _now(), "spec": spec.sha256, "snapshot": manifest.id, "queries": len(spec.queries)}
        after = ledger.charge(ledger_file, spec.dataset, spec.epsilon, note)
        out.write_text(_page(spec, manifest.id, frame, after), encoding="utf-8")
        click.echo(f"{out}: ε {spec.epsilon:g}; {after.dataset} {after.spent:g} / {after.epsilon:g}")


def _page(spec: Spec, snapshot: str, frame: pl.LazyFrame, after: ledger.Budget) -> str:
    body = {
        "aggregates": 1,
        "dataset": spec.dataset,
        "table": spec.table,
        "snapshot": snapshot,
        "request_sha256": spec.sha256,
        "protects": "one patient, added or removed with all rows",
        "rows_per_patient": spec.rows_per_patient,
        "epsilon": float(f"{spec.epsilon:.12g}"),
        "delta": 0.0,
        "budget": {"epsilon": after.epsilon, "spent": after.spent, "left": after.left},
        "results": results_of(spec, frame),
    }
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _now() -> str:
    # The command line is a door: here, and not further in, the clock is read.
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")  # noqa: TID251 - see above


def _other_data(spec: Spec) -> SourceError:
    return SourceError(
        (spec.file, 0, -1),
        "dataset",
        ("요청의 데이터셋이나 표가 스냅샷에 없습니다.", "the snapshot is not of this data set, or has no such table."),
        remedy=("요청의 dataset과 table을 확인하세요.", "Check the request's dataset and table."),
    )


def _there_already(out: Path) -> OutputError:
    return OutputError(
        "deid.output",
        f"{out}이(가) 이미 있습니다. 예산은 쓰이지 않았습니다.",
        f"There is {out} already. Nothing was spent.",
        remedy_ko="다른 이름을 주세요.",
        remedy_en="Give another name.",
    )
