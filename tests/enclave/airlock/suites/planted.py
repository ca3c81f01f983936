"""Tables and models that must not leave, each with one thing wrong: carelessness, and attempts to get past the checks."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import statsmodels.api as sm

from tests.enclave.airlock.suites.case import Family, Rng, csv, pipes, printed, written
from tests.enclave.airlock.suites.people import common, people

Made = tuple[str, bytes]
COUNT_NAMES = (
    "n",
    "N",
    "count",
    "No. of patients",
    "patients",
    "freq",
    "환자수",
    "명수",
    "대상자 수",
    "인원(명)",
    "건수",
    "사례수",
)
SMALL, BACK = frozenset({"cell.small"}), frozenset({"cell.recoverable"})
SHARE, FEW = frozenset({"cell.share"}), frozenset({"model.dof"})
POINTS = frozenset({"points.individual", "row.no-counts", "row.per-subject", "row.unique-key", "row.too-many"})
RECORDS = frozenset({"row.id-column", "row.pseudonym", "row.unique-key", "row.too-many"})


def small_group(rng: Rng) -> Made:
    counts = people(rng, 600)["region"].value_counts()
    counts.iloc[-1] = rng.integers(1, 10)
    name = COUNT_NAMES[int(rng.integers(len(COUNT_NAMES)))]
    return written(rng, counts.rename_axis("region").reset_index(name=name))


def small_cross_cell(rng: Rng) -> Made:
    table = pd.crosstab(people(rng, 900)["code"], people(rng, 900)["stage"]) + 12
    table.iloc[int(rng.integers(len(table))), int(rng.integers(4))] = int(rng.integers(1, 10))
    return written(rng, table.reset_index().rename_axis(columns=None))


def small_with_share(rng: Rng) -> Made:
    a, b = int(rng.integers(80, 300)), int(rng.integers(1, 10))
    cells = [f"{v} ({100 * v / (a + b):.1f}%)" for v in (a, b)]
    return written(rng, pd.DataFrame({"부작용": ["없음", "있음"], "n (%)": cells}), ".csv", ".md", ".xlsx", ".ipynb")


def small_in_words_of_table(rng: Rng) -> Made:
    rows = [["예", f"{rng.integers(100, 900)}명"], ["아니오", f"{rng.integers(1, 10)}명"]]
    return written(rng, pd.DataFrame(rows, columns=["응답", "응답자수"]), ".csv", ".md", ".tsv")


def small_of_whole(rng: Rng) -> Made:
    rows = [[f"site {c}", f"{rng.integers(30, 60)}/120", f"{rng.integers(1, 9)}/118"] for c in "ABC"]
    return written(
        rng, pd.DataFrame(rows, columns=["site", "events treated", "events control"]), ".csv", ".md", ".xlsx"
    )


def small_bound(rng: Rng) -> Made:
    rows = [["A", int(rng.integers(40, 90))], ["B", f"<{rng.integers(2, 5)}"], ["C", int(rng.integers(40, 90))]]
    return written(rng, pd.DataFrame(rows, columns=["group", "patients"]), ".csv", ".md", ".tsv")


def small_in_describe(rng: Rng) -> Made:
    frame = people(rng, int(rng.integers(3, 9)))
    return ".csv", csv(frame[["age", "bmi"]].describe().drop(["min", "max"]).round(2), index=True)


def small_in_json_tree(rng: Rng) -> Made:
    tree = {"cohort": {"by_stage": [{"stage": s, "n": int(v)} for s, v in zip("1234", [310, 122, 60, 0], strict=True)]}}
    tree["cohort"]["by_stage"][3]["n"] = int(rng.integers(1, 10))
    return ".json", json.dumps(tree, indent=1).encode()


def small_in_value_counts(rng: Rng) -> Made:
    counts = people(rng, 500)["region"].value_counts()
    counts.iloc[-1] = int(rng.integers(1, 10))
    return ".log", f"INFO counting\n\nregion\n{counts.to_string(header=False)}\nName: count, dtype: int64\n".encode()


def small_among_rates(rng: Rng) -> Made:
    frame = (
        common(people(rng), "band", 30)
        .groupby("band")
        .agg(n=("died", "size"), deaths=("died", "sum"), rate=("died", "mean"))
    )
    frame.iloc[0, 1] = int(rng.integers(1, 8))
    return written(rng, frame.round(3).reset_index())


def small_survivors(rng: Rng) -> Made:
    risk = [int(v) for v in (420, 300, 180, 60, rng.integers(2, 9))]
    rows = [[year, n, max(10, n // 9), round(0.95**year, 3)] for year, n in enumerate(risk)]
    return written(rng, pd.DataFrame(rows, columns=["time", "at_risk", "events", "KM_estimate"]))


def small_as_float(rng: Rng) -> Made:
    counts = [float(v) for v in (*rng.integers(50, 900, 4), rng.integers(1, 10))]
    return written(rng, pd.DataFrame({"drug": list("abcde"), "users": counts, "n_users": counts}))


def small_below_title(rng: Rng) -> Made:
    lines = ["Table 3. Adverse events,,", "event,treated,control", f"rash,{rng.integers(30, 90)},{rng.integers(30, 90)}",
             f"shock,{rng.integers(1, 9)},{rng.integers(12, 40)}", f"fever,{rng.integers(30, 90)},{rng.integers(30, 90)}"]  # fmt: skip
    return ".csv", "\n".join(lines).encode() + b"\n"


def small_upright(rng: Rng) -> Made:
    lines = ["measure,F,M", f"n,{rng.integers(100, 300)},{rng.integers(1, 10)}", "mean age,55.1,61.0", "sd,9.4,10.2"]
    return ".csv", "\n".join(lines).encode() + b"\n"


def small_without_a_name(rng: Rng) -> Made:
    values = [int(v) for v in (*rng.integers(60, 900, 5), *rng.integers(1, 10, 2))]
    frame = pd.DataFrame({"지역": ["서울", "부산", "대구", "광주", "인천", "세종", "제주"], "지표": values})
    return written(rng, frame, ".csv", ".tsv", ".md", ".xlsx")


def small_in_prose(rng: Rng) -> Made:
    few = int(rng.integers(2, 9))
    texts = (f"Among women over 80, {few} patients died within a year.", f"세종에서는 {few}명이 사망하였다.",
             f"The rarest stratum (n = {few}) was dropped later.", f"이상반응은 {few}건이었고 모두 70대였다.")  # fmt: skip
    return (".txt", ".md")[int(rng.integers(2))], f"Results\n\n{texts[int(rng.integers(4))]}\n".encode()


def one_gap_under_a_total(rng: Rng) -> Made:
    values = [int(v) for v in rng.integers(41, 900, 5)]
    values[int(rng.integers(5))] = hidden = int(rng.integers(1, 10))
    cells = ["*" if v == hidden else str(v) for v in values] + [str(sum(values))]
    total = ("Total", "합계", "All", "전체", "계")[int(rng.integers(5))]
    return written(rng, pd.DataFrame({"group": [*"ABCDE", total], "n": cells}))


def one_gap_in_a_cross_table(rng: Rng) -> Made:
    table = pd.crosstab(people(rng, 3000)["smoking"], people(rng, 3000)["sex"]) + 11
    table.iloc[0, 0] = int(rng.integers(1, 10))
    table["total"] = table.sum(axis=1)
    table.loc["total"] = table.sum()
    table = table.astype(object)
    table.iloc[0, 0] = ("*", "<10", "", "NA", "비공개")[int(rng.integers(5))]
    return written(rng, table.reset_index().rename_axis(columns=None), ".csv", ".tsv", ".md", ".xlsx", ".ipynb")


def two_gaps_too_few(rng: Rng) -> Made:
    values = [int(v) for v in rng.integers(41, 900, 4)] + [int(rng.integers(1, 4)), int(rng.integers(1, 4))]
    cells = [str(v) for v in values[:4]] + ["*", "*", str(sum(values))]
    return written(rng, pd.DataFrame({"group": [*"ABCDEF", "total"], "환자수": cells}))


def gap_under_a_subtotal(rng: Rng) -> Made:
    a, b, c, d, e = (int(v) for v in rng.integers(31, 400, 5))
    few = int(rng.integers(1, 10))
    rows = [["종로", a], ["중구", "*"], ["용산", b], ["소계", a + b + few], ["해운대", c], ["수영", d], ["사하", e], ["소계", c + d + e],
            ["합계", a + b + c + d + e + few]]  # fmt: skip
    return written(rng, pd.DataFrame(rows, columns=["구", "환자수"]), ".csv", ".tsv", ".md", ".xlsx")


def gap_in_a_cube(rng: Rng) -> Made:
    few, rows = int(rng.integers(1, 10)), []
    cube = {(r, s): int(rng.integers(31, 300)) for r in ("North", "South", "East") for s in ("F", "M")}
    cube["East", "M"] = few
    for region in ("North", "South", "East"):
        rows += [[region, s, "*" if cube[region, s] == few else cube[region, s]] for s in ("F", "M")]
        rows.append([region, "All", cube[region, "F"] + cube[region, "M"]])
    return written(rng, pd.DataFrame(rows, columns=["region", "sex", "n"]), ".csv", ".tsv", ".md", ".xlsx")


def gap_beside_an_unnamed_total(rng: Rng) -> Made:
    rows = [[f"arm {n}", *(int(v) for v in rng.integers(21, 200, 3))] for n in range(4)]
    rows[3][2] = few = int(rng.integers(1, 10))
    rows = [[*row, sum(row[1:])] for row in rows]
    rows[3][2] = "*" if few else ""
    return written(
        rng, pd.DataFrame(rows, columns=["arm", "none", "mild", "severe", "enrolled"]), ".csv", ".md", ".xlsx"
    )


def gap_shown_by_its_share(rng: Rng) -> Made:
    values = [int(v) for v in rng.integers(41, 160, 3)] + [int(rng.integers(2, 9))]
    whole = sum(values)
    cells = [str(v) for v in values[:3]] + ["*"]
    share = [f"{100 * v / whole:.1f}" for v in values]
    return written(rng, pd.DataFrame({"stage": ["I", "II", "III", "IV"], "n": cells, "percent": share}))


def gap_with_its_share_in_brackets(rng: Rng) -> Made:
    values = [int(v) for v in rng.integers(41, 160, 3)] + [int(rng.integers(2, 9))]
    whole = sum(values)
    cells = [f"{'*' if v < 10 else v} ({100 * v / whole:.1f}%)" for v in values]
    rows = [*zip(["I", "II", "III", "IV"], cells, strict=True), ("total", f"{whole} (100%)")]
    return written(rng, pd.DataFrame(rows, columns=["stage", "n (%)"]), ".csv", ".md", ".xlsx")


def gap_shown_by_another_table(rng: Rng) -> Made:
    regions = ["North", "South", "East", "West"]
    first = pd.DataFrame({"region": regions, "F": rng.integers(41, 200, 4), "M": rng.integers(41, 200, 4)})
    first.loc[2, "M"] = int(rng.integers(1, 10))
    whole = first["F"] + first["M"]
    young = (whole * rng.uniform(0.3, 0.6, 4)).astype(int)
    second = pd.DataFrame({"region": regions, "under 65": young, "65 and over": whole - young})
    shown = first.astype(object)
    shown.loc[2, "M"] = "*"
    return ".md", pipes(shown, "By sex") + b"\n" + pipes(second, "By age")


def share_of_the_rows_whole(rng: Rng) -> Made:
    sizes = [int(v) for v in rng.integers(30, 90, 4)]
    events = [int(v) for v in (*rng.integers(11, 25, 3), rng.integers(1, 5))]
    rates = [f"{100 * e / s:.1f}%" for e, s in zip(events, sizes, strict=True)]
    return written(rng, pd.DataFrame({"arm": list("ABCD"), "n": sizes, "event rate": rates}))


def share_of_the_heads_whole(rng: Rng) -> Made:
    whole = int(rng.integers(60, 400))
    values = [int(v) for v in (whole * rng.uniform(0.2, 0.8, 3)).astype(int)] + [int(rng.integers(1, 7))]
    shares = [f"{100 * v / whole:.1f}" for v in values]
    return written(rng, pd.DataFrame({"symptom": ["fever", "cough", "rash", "stroke"], f"percent (N={whole})": shares}))


def share_of_the_columns_whole(rng: Rng) -> Made:
    wholes = [int(v) for v in rng.integers(41, 160, 2)]
    rows = [["N", *map(str, wholes)]]
    for name in ("male", "smoker", "diabetes"):
        rows.append([f"{name} (%)", *(f"{100 * int(w * rng.uniform(0.3, 0.6)) / w:.1f}" for w in wholes)])
    rows.append(["stroke (%)", *(f"{100 * int(rng.integers(1, 4)) / w:.1f}" for w in wholes)])
    return written(rng, pd.DataFrame(rows, columns=["characteristic", "case", "control"]), ".csv", ".md", ".tsv")


def few_degrees_summary(rng: Rng) -> Made:
    frame = people(rng, int(rng.integers(8, 13)))
    return ".txt", sm.OLS(
        frame["sbp"], sm.add_constant(frame[["age", "bmi", "hba1c"]])
    ).fit().summary().as_text().encode()


def few_degrees_in_r(rng: Rng) -> Made:
    few = int(rng.integers(2, 10))
    return ".txt", (f"lm(formula = y ~ x)\n\nResidual standard error: 3.2 on {few} degrees of freedom\nMultiple R-squared:"
                    f" 0.91\nF-statistic: 41 on 3 and {few} DF,  p-value: 0.0002\n").encode()  # fmt: skip


def few_degrees_table(rng: Rng) -> Made:
    few = int(rng.integers(1, 10))
    table = pd.DataFrame(
        {"term": ["Intercept", "age", "bmi"], "coef": rng.normal(0, 1, 3).round(3), "nobs": few + 3, "df_resid": few}
    )
    return written(rng, table)


def extremes(rng: Rng) -> Made:
    table = people(rng)[["age", "bmi", "cost"]].describe().round(1)
    return ".csv", csv(table, index=True)


def extremes_by_group(rng: Rng) -> Made:
    table = (
        common(people(rng), "city")
        .groupby("city")
        .agg(n=("age", "size"), 최소나이=("age", "min"), 최대나이=("age", "max"))
    )
    table.columns = [["n", "min age", "max age"], ["n", "최소값", "최대값"]][int(rng.integers(2))]
    return written(rng, table.reset_index())


def percentiles_of_few(rng: Rng) -> Made:
    groups = [people(rng, int(rng.integers(11, 19))) for _ in range(3)]
    rows = [[f"g{n}", len(g), *np.percentile(g["cost"], [25, 50, 75]).round(0)] for n, g in enumerate(groups)]
    return written(rng, pd.DataFrame(rows, columns=["group", "n", "p25", "median", "p75"]))


def survival_steps(rng: Rng) -> Made:
    times = np.sort(rng.exponential(900, 60)).round().astype(int)
    survival = np.cumprod(1 - 1 / np.arange(90, 30, -1)).round(4)
    return written(rng, pd.DataFrame({"day": times, "survival": survival}))


def roc_points(rng: Rng) -> Made:
    tpr = np.cumsum(rng.random(60) < 0.6) / 40
    return written(rng, pd.DataFrame({"fpr": (np.arange(60) / 59).round(4), "tpr": np.clip(tpr, 0, 1).round(4)}))


def scattered_points(rng: Rng) -> Made:
    frame = people(rng, int(rng.integers(40, 200)))[["age", "bmi", "sbp"]]
    return written(rng, frame.rename(columns={"age": "x", "bmi": "y", "sbp": "z"}))


def residuals(rng: Rng) -> Made:
    fitted = rng.normal(120, 12, 80).round(2)
    return written(rng, pd.DataFrame({"fitted": fitted, "residual": rng.normal(0, 9, 80).round(3)}))


def records_with_id(rng: Rng) -> Made:
    name = ("patient_id", "환자번호", "subject", "MRN", "case no", "연구번호")[int(rng.integers(6))]
    frame = people(rng, int(rng.integers(15, 90)))
    frame.insert(0, name, [f"S{1000 + n * 7}" for n in range(len(frame))])
    return written(rng, frame[[name, "sex", "age", "hba1c"]].rename(columns={"subject": "subject_id"}))


def records_with_pseudonyms(rng: Rng) -> Made:
    frame = people(rng, int(rng.integers(8, 60)))[["patient", "sex", "age"]]
    frame["patient"] = [
        f"{int(rng.integers(1, 1 << 62)):016x}{int(rng.integers(1, 1 << 62)):016x}" for _ in range(len(frame))
    ]
    return written(rng, frame.rename(columns={"patient": ("k", "group", "label")[int(rng.integers(3))]}))


def records_without_id(rng: Rng) -> Made:
    return written(
        rng, people(rng, int(rng.integers(1100, 1500)))[["sex", "age", "region", "bmi"]], ".csv", ".tsv", ".json"
    )


def some_records(rng: Rng) -> Made:
    return written(rng, people(rng, int(rng.integers(120, 600)))[["sex", "age", "bmi", "sbp", "died"]])


def head_in_a_log(rng: Rng) -> Made:
    frame = people(rng, 9)[["patient", "sex", "age", "hba1c"]]
    frame["patient"] = [
        f"{int(rng.integers(1 << 60, 1 << 62)):016x}{int(rng.integers(1 << 60, 1 << 62)):016x}" for _ in range(9)
    ]
    return ".log", b"INFO first rows\n" + printed(frame, "df.head(9)")


def dominated_sums(rng: Rng) -> Made:
    top = [round(float(v), 2) for v in (*rng.uniform(0.1, 0.5, 3), rng.uniform(0.9, 0.99))]
    name = ("top2_share", "largest share", "상위 2개 기관 비중")[int(rng.integers(3))]
    return written(
        rng,
        pd.DataFrame(
            {"region": list("ABCD"), "n": rng.integers(40, 90, 4), "cost": rng.integers(10**7, 10**8, 4), name: top}
        ),
    )


def mixed_rounding(rng: Rng) -> Made:
    values = [int(5 * v) for v in rng.integers(5, 90, 11)] + [int(5 * rng.integers(5, 90) + 2)]
    return written(rng, pd.DataFrame({"group": [f"g{n}" for n in range(12)], "n": values}))


def small_remainder(rng: Rng) -> Made:
    whole = [int(v) for v in rng.integers(60, 200, 3)]
    part = [whole[0] - int(rng.integers(1, 9)), whole[1] // 2, whole[2] // 3]
    return written(rng, pd.DataFrame({"arm": list("ABC"), "n": whole, "events": part}))


def empty_cells(rng: Rng) -> Made:
    values = [int(v) for v in rng.integers(30, 300, 4)] + [0]
    return written(rng, pd.DataFrame({"region": list("ABCDE"), "patients": values}))


EXPECTED = {
    "small": SMALL, "one": BACK, "two": BACK, "gap": BACK, "share": SHARE, "few": FEW, "records": RECORDS,
}  # fmt: skip
SPECIAL = {
    "small_without_a_name": frozenset({"cell.unnamed"}), "small_in_prose": frozenset({"cell.prose"}),
    "small_remainder": frozenset({"cell.rest"}), "extremes": frozenset({"value.extreme"}),
    "extremes_by_group": frozenset({"value.extreme"}), "percentiles_of_few": frozenset({"value.percentile"}),
    "survival_steps": frozenset({"curve.steps"}), "roc_points": frozenset({"curve.steps"}), "scattered_points": POINTS,
    "residuals": POINTS, "some_records": POINTS | RECORDS, "head_in_a_log": RECORDS,
    "dominated_sums": frozenset({"cell.dominance"}), "mixed_rounding": frozenset({"cell.rounding"}),
    "empty_cells": frozenset({"cell.zero"}),
}  # fmt: skip
TABLES: dict[str, tuple[Family, frozenset[str]]] = {
    name: (made, SPECIAL.get(name) or EXPECTED[name.partition("_")[0]])
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
