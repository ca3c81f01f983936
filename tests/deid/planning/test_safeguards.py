"""Numbers that join, diversity, the sample of texts: proposed with reasons, measured before they are asked, and run."""

from __future__ import annotations

from random import Random

import pytest
from click.testing import CliRunner

from deid import cli, engine, recipe
from deid.planning.draft import Head, recipe_text
from deid.planning.measure import settle
from deid.planning.role import Role, TablePlan
from deid.planning.tables import plan_tables
from deid.planning.where import Where
from tests.deid.factory import NOW, Hospital, table
from tests.deid.planning.test_plan import csv_of, people

HEAD = Head("clinic", ("시험", "test"), "testhospital", "시험", 5, 0.05)


def planned(clinic: Hospital) -> tuple[dict[str, TablePlan], recipe.Recipe]:
    tables, found = settle(HEAD, plan_tables(Where(clinic.source, None).peeks()), clinic.source)
    return {each.name: each for each in tables}, clinic.recipe(recipe_text(HEAD, tables, found.links))


def run(clinic: Hospital, plan: recipe.Recipe) -> engine.RunResult:
    return engine.run(plan, clinic.source, clinic.out, clinic.keys, now=NOW)


def claims(clinic: Hospital, *, strange: str = "") -> None:
    """Claims of patients, and their lines, which have the claim's number and a number whose name says nothing."""
    rows = [{"환자번호": f"{31000000 + n // 2}", "청구번호": f"C{2024000000 + n * 7}"} for n in range(200)]
    clinic.write("claims.csv", csv_of([row | {"성별": "남여"[n % 2]} for n, row in enumerate(rows)]))
    lines = [row | {"zq": f"{70000000 + n * 3}", "구분": "가"} for n, row in enumerate(rows)]
    lines[3] |= {"청구번호": strange} if strange else {}
    clinic.write("lines.csv", csv_of(lines))
    clinic.write("paid.csv", csv_of([{"환자번호": row["환자번호"], "zq": row["zq"]} for row in lines]))


def test_numbers_that_join_tables_keep_their_form_and_still_join(clinic: Hospital) -> None:
    claims(clinic)
    tables, plan = planned(clinic)
    for name, column, kind in (("claims", "청구번호", "chart"), ("lines", "zq", "digits"), ("paid", "zq", "digits")):
        proposed = tables[name].column(column)
        assert (proposed.role, proposed.fields["treatment"]) == (Role.KEY, "surrogate")
        assert proposed.fields["kind"] == kind
        assert all(proposed.reason)
    result = run(clinic, plan)
    numbers = {name: set(table(result, name)["record"]) for name in ("claims", "lines")}
    assert numbers["claims"] == numbers["lines"]
    assert all(len(number) == 11 and number[1:].isdigit() for number in numbers["claims"])
    assert not numbers["claims"] & {f"C{2024000000 + n * 7}" for n in range(200)}
    assert set(table(result, "lines")["zq"]) == set(table(result, "paid")["zq"])


def test_where_one_tables_numbers_have_no_surrogate_all_have_the_same_pseudonym(clinic: Hospital) -> None:
    claims(clinic, strange="청구-미상")
    tables, plan = planned(clinic)
    for name in ("claims", "lines"):
        assert tables[name].column("청구번호").fields["treatment"] == "pseudonym"
    result = run(clinic, plan)
    assert len(set(table(result, "claims")["record"]) & set(table(result, "lines")["record"])) == 199


def sick(status: str, count: int = 400) -> str:
    random = Random(3)
    rows = [
        {
            "환자번호": f"{31000000 + n}",
            "성별": random.choice("남여"),
            "알코올": status or random.choice(["안 함", "가끔", "자주"]),
        }
        for n in range(count)
    ]
    return csv_of(rows)


@pytest.mark.parametrize(("status", "asked"), [("", True), ("자주", False)])
def test_diversity_is_asked_where_it_holds_and_given_up_with_its_reason_where_not(
    clinic: Hospital, status: str, asked: bool
) -> None:
    clinic.write("sick.csv", sick(status))
    tables, plan = planned(clinic)
    column = tables["sick"].column("알코올")
    assert column.role is Role.SENSITIVE
    section = plan.tables[0].privacy
    assert section is not None
    assert section.k == 5
    assert [(one.column, one.kind, one.l) for one in section.diverse] == ([(column.name, "distinct", 2)] * asked)
    assert tables["sick"].given_up == (() if asked else (column.name,))
    text = (clinic.root / "recipe.yaml").read_text(encoding="utf-8")
    assert ("is left out" in text) is not asked
    gates = {verdict["gate"] for verdict in run(clinic, plan).manifest.gates}
    assert ("l" in gates) is asked


def test_who_publishes_free_text_is_told_that_people_must_look_at_a_sample(clinic: Hospital) -> None:
    clinic.write("notes.csv", csv_of(people(200)))
    out = clinic.root / "plan.yaml"
    done = CliRunner().invoke(cli.deid, ["plan", str(clinic.source), "--yes", "--out", str(out)])
    assert done.exit_code == 0, done.output
    text, shown = out.read_text(encoding="utf-8"), "".join(done.stderr.split())
    for reason in ("사람이 표본을 보고", "only when people found nothing", "이상(k)", "information loss"):
        assert reason in text
        assert "".join(reason.split()) in shown
    asked = recipe.load(out).gates.text_sample
    assert asked is not None
    assert (asked.size, asked.min_recall, asked.confidence) == (200, 0.98, 0.95)
    assert "--private" in done.stderr


def test_without_free_text_nobody_is_asked_for_a_sample(clinic: Hospital) -> None:
    clinic.write("sick.csv", sick(""))
    _, plan = planned(clinic)
    assert plan.gates.text_sample is None
    assert run(clinic, plan).snapshot.is_dir()


@pytest.mark.parametrize(("common", "asked"), [(("I10", "E119"), True), (("I10", "I10"), False)])
def test_diversity_is_asked_of_diagnoses_too_and_rare_ones_count_as_one(
    clinic: Hospital, common: tuple[str, str], asked: bool
) -> None:
    # Common diagnoses of each class, and a few that are rare: where all others are the same the rare ones are gone.
    rng = Random(5)
    codes = [rng.choice(common) for _ in range(396)] + ["C50", "G20", "Q87", "E75"]
    rows = [
        {"환자번호": f"{31000000 + n}", "성별": "남여"[n % 2] if asked else "남", "상병코드": code}
        for n, code in enumerate(codes)
    ]
    clinic.write("sick.csv", csv_of(rows))
    tables, plan = planned(clinic)
    column = tables["sick"].column("상병코드")
    assert (column.role, "rare" in column.fields) == (Role.SENSITIVE, True)
    assert tables["sick"].diverse == ((column.name,) if asked else ())
    text = (clinic.root / "recipe.yaml").read_text(encoding="utf-8")
    assert ("rare values that are joined count as one" in text) is asked
    gates = {verdict["gate"] for verdict in run(clinic, plan).manifest.gates}
    assert ("l" in gates) is asked
