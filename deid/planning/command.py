"""`ansim deid plan`: look at a source, propose, ask where in doubt, and write the recipe."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from deid import recipe as recipes
from deid.errors import OutputError
from deid.planning.draft import LEFT_OUT, Head, recipe_text
from deid.planning.measure import Survey, settle
from deid.planning.role import LABELS, TablePlan
from deid.planning.safeguards import asks_for_sample, privacy_reasons, sample_reason
from deid.planning.tables import OMOP_JOIN, nameless, plan_tables, slug
from deid.planning.where import Where, lists, where
from deid.planning.wizard import ask_about, on_terminal
from deid.refusal import errors_to_exit_codes

LEGAL_BASIS = "개인정보 보호법 제28조의2(통계작성, 과학적 연구, 공익적 기록보존을 위한 가명정보 처리)"


@dataclass(frozen=True)
class _Wish:
    """What the command line said."""

    where: Where
    out: Path
    dataset: str
    provider: str
    subject: str | None
    k: int
    share: float
    ask: bool
    everything: bool


@click.command("plan")
@click.argument("source", required=False)
@click.option("--database-env", metavar="NAME", help="데이터베이스 URL이 든 환경 변수 (variable that holds its URL)")
@click.option("--database-key", metavar="FILE", help="데이터베이스 URL이 든 파일, 0600 (key file that holds its URL)")
@click.option("--table", "tables", multiple=True, help="데이터베이스의 표, 여러 번 (schema.name) [모두]")
@click.option("--out", type=click.Path(path_type=Path), help="쓸 계획 파일 (recipe to write) [SOURCE의 이름.yaml]")
@click.option("--dataset", help="데이터셋 식별자 (data set id)")
@click.option("--provider", help="제공기관 식별자 (providing organisation)")
@click.option("--subject", help="환자를 가리키는 열 (column that names the patient)")
@click.option("--k", type=click.IntRange(2, 1000), default=5, show_default=True, help="집단의 최소 환자 수 (k)")
@click.option(
    "--max-suppressed",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="지워도 되는 행의 비율 (share)",
)
@click.option("--yes", is_flag=True, help="묻지 않고 제안대로 (ask nothing, take the proposal)")
@click.option("--ask-all", is_flag=True, help="모든 열을 물음 (ask about every column)")
@click.option("--force", is_flag=True, help="있는 계획 파일을 덮어씀 (overwrite)")
def plan(  # noqa: PLR0913, PLR0917 - one parameter for each option
    source: str | None,
    database_env: str | None,
    database_key: str | None,
    tables: tuple[str, ...],
    out: Path | None,
    dataset: str | None,
    provider: str | None,
    subject: str | None,
    k: int,
    max_suppressed: float,
    *,
    yes: bool,
    ask_all: bool,
    force: bool,
) -> None:
    """SOURCE(파일, 폴더)나 데이터베이스를 살펴 가명처리 계획을 씁니다 (profile a source and write a recipe)."""
    asking = not yes and sys.stdin.isatty()
    with errors_to_exit_codes():
        at = where(source, database_env, database_key, tables)
        name = slug(dataset or at.name)
        target = out or Path(f"{name}.yaml")
        if target.exists() and not force:
            raise _taken(target)
        who = slug(provider or (str(click.prompt("제공기관 (provider)", default="hospital")) if asking else "hospital"))
        _propose(_Wish(at, target, name, who, subject, k, max_suppressed, asking, ask_all))


def _propose(wish: _Wish) -> None:
    console = Console(stderr=True)
    with console.status("자료를 살피는 중 (looking at the source) …"):
        looked = wish.where.peeks()
        tables, left_out = plan_tables(looked, subject=wish.subject), nameless(looked)
    if wish.ask:
        _show_columns(console, tables)
        tables = [ask_about(each, on_terminal, everything=wish.everything) for each in tables]
    title = slug(wish.where.name) if wish.where.address else wish.where.name
    head = Head(wish.dataset, (title, title), wish.provider, LEGAL_BASIS, wish.k, wish.share)
    with console.status("위험을 재는 중 (measuring the risk) …"):
        settled, found = settle(head, tables, wish.where.folder)
    _show_columns(console, settled)
    _show_risk(console, found, wish.k)
    _show_safeguards(console, settled, wish.k)
    for name in left_out:
        console.print(f"{name}: {LEFT_OUT[0]} {OMOP_JOIN[0]}\n  ({LEFT_OUT[1]} {OMOP_JOIN[1]})", markup=False)
    for path, word in lists(wish.where.path) if wish.where.path else ():
        console.print(
            f"{path.name}: 표가 아니라 목록입니다. 계획에 {word}: {path.name} 을 적으세요.\n"
            f"  (a list and no table: name it in the recipe, {word}: {path.name})",
            markup=False,
        )
    wish.out.write_text(recipe_text(head, settled, found.links, left_out), encoding="utf-8")
    recipes.load(wish.out)  # what was written is what a run reads
    folder, private = wish.where.folder, " --private …" if asks_for_sample(settled) else ""
    click.echo(str(wish.out))
    click.echo(
        f"읽고 고친 뒤 실행 (read it, mend it, run it): ansim deid run {wish.out} --source {folder} --out … --keys … "
        f"--signing-key …{private}",
        err=True,
    )


def _show_columns(console: Console, tables: list[TablePlan]) -> None:
    for table in tables:
        rows = f"{'처음 ' if table.sampled else ''}{table.rows:,}행"
        shown = Table(title=f"{table.name} · {table.file} · {table.origin.format} · {rows}", show_lines=False)
        for heading in ("열 (column)", "역할 (role)", "처리 (treatment)", "이유 (reason)"):
            shown.add_column(heading, overflow="fold")
        for each in table.columns:
            role = f"{LABELS[each.role][0]} ({LABELS[each.role][1]}){' ?' if each.doubtful else ''}"
            shown.add_row(
                each.source, role, f"{each.option.words[0]}\n({each.option.words[1]})", "\n".join(each.reason)
            )
        console.print(shown)


def _show_risk(console: Console, found: Survey, k: int) -> None:
    shown = Table(title="같은 조합이 자기뿐인 환자 (patients alone in their combination)")
    for heading in (
        "표 (table)",
        "환자 (patients)",
        "처리 전 (before)",
        "처리 뒤 (after)",
        f"k={k}로 빠질 행 (rows lost)",
    ):
        shown.add_column(heading)
    for each in found.tables:
        before = "–" if each.before is None else f"{each.before.unique_share:.1%}"
        after = "–" if each.after is None else f"{each.after.unique_share:.1%}"
        shown.add_row(each.table, f"{each.patients:,}", before, after, f"{each.lost:.1%}")
    console.print(shown)


def _show_safeguards(console: Console, tables: list[TablePlan], k: int) -> None:
    said = [("text_sample", sample_reason())] if asks_for_sample(tables) else []
    said += [
        (f"{table.name}.privacy", words)
        for table in tables
        if any(each.is_quasi for each in table.columns)
        for words in privacy_reasons(table, k)
    ]
    for name, (ko, en) in said:
        console.print(f"{name}: {ko}\n  ({en})", markup=False)


def _taken(target: Path) -> OutputError:
    return OutputError(
        "deid.plan-exists",
        f"{target}이(가) 이미 있어 쓰지 않았습니다.",
        f"{target} is there already and was left alone.",
        remedy_ko="--out으로 다른 이름을 주거나, 덮어쓰려면 --force를 쓰세요.",
        remedy_en="Give another name with --out, or overwrite it with --force.",
    )
