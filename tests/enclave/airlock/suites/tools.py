"""What must not leave, as statistical tools print it and people write it: Stata, SAS, R, pandas, LaTeX, sentences."""

from __future__ import annotations

import base64
import gzip
import json

import pandas as pd

from tests.enclave.airlock.suites.case import Family, Rng, csv, written

Made = tuple[str, bytes]
SMALL, BACK = frozenset({"cell.small"}), frozenset({"cell.recoverable", "cell.small"})
TOLD, FEW = frozenset({"cell.prose"}), frozenset({"model.dof"})
GAPS = (
    "＜10", "10명 미만", "under 10", "1-9", "1~9", "1 to 9", "suppressed", "masked", "(c)", "n<10", "－", "S", "≦9",
    "[REDACTED]", "마스킹", "…", "9명 이하", "less than 10", "<10†", "fewer than 10", "0–9", "[숨김]", "not shown",
)  # fmt: skip


def back_from_a_total_however_hidden(rng: Rng) -> Made:
    a, b, c = (int(each) for each in rng.integers(30, 200, 3))
    gap, few = GAPS[int(rng.integers(len(GAPS)))], int(rng.integers(1, 10))
    rows = [["내과", a, b, a + b], ["외과", c, gap, c + few], ["합계", a + c, b + few, a + b + c + few]]
    return written(rng, pd.DataFrame(rows, columns=["병동", "남", "여", "합계"]).astype(str), ".csv", ".md", ".html")


def small_in_stata(rng: Rng) -> Made:
    rows = {"Female": rng.integers(20, 90, 3), "Male": [*rng.integers(20, 90, 2), rng.integers(1, 10)]}
    lines = [f"{name:>10} | {a:9} {b:10} {c:10} | {a + b + c:9} " for name, (a, b, c) in rows.items()]
    rule = "-" * 11 + "+" + "-" * 34 + "+" + "-" * 10
    head = f"{'':10} | {'stage':>16}\n{'sex':>10} | {1:9} {2:10} {3:10} | {'Total':>9}"
    return ".txt", "\n".join([". tab sex stage", "", head, rule, *lines, rule, ""]).encode()


def small_in_stata_summaries(rng: Rng) -> Made:
    n = rng.integers(2, 10)
    head = "    Variable |        Obs        Mean    Std. dev.       Min        Max"
    lines = [f"{name:>12} | {n:10} {rng.normal(70, 9):11.2f} {9.35:12} {58:10} {83:10}" for name in ("age", "sbp")]
    return ".log", "\n".join([head, "-" * 13 + "+" + "-" * 57, *lines, ""]).encode()


def small_in_sas(rng: Rng) -> Made:
    few = rng.integers(2, 10)
    lines = [f"{site}{n:13}{n:7}{rng.normal(8, 1):15.4f}{3.9:15.4f}" for site, n in (("A", 84), ("B", few))]
    text = "site    N Obs      N           Mean        Std Dev\n" + "-" * 50 + "\n" + "\n".join(lines) + "\n"
    return ".txt", text.encode()


def small_under_an_outer_label(rng: Rng) -> Made:
    index = pd.MultiIndex.from_product([["내과", "정형외과", "재활의학과"], ["F", "M"]], names=["ward", "sex"])
    table = pd.DataFrame(rng.integers(30, 200, (6, 3)), index=index, columns=["E11", "I10", "N18"])
    table.iloc[int(rng.integers(6)), int(rng.integers(3))] = rng.integers(1, 10)
    return ".txt", table.to_string().encode()


def small_under_a_label_over_rows(rng: Rng) -> Made:
    index = pd.MultiIndex.from_product([["내과", "외과"], ["F", "M"]], names=["ward", "sex"])
    return ".html", pd.DataFrame({"n": [40, 50, rng.integers(1, 10), 60]}, index=index).to_html().encode()


def small_in_a_tibble(rng: Rng) -> Made:
    rows = "".join(
        f"{i} {w}    E11  {n:6}\n"
        for i, (w, n) in enumerate(zip("ABC", (120, 85, rng.integers(1, 10)), strict=True), 1)
    )
    return ".txt", f"# A tibble: 3 × 3\n  ward dx        n\n  <chr> <chr> <int>\n{rows}".encode()


def small_in_latex(rng: Rng) -> Made:
    values = rng.integers(30, 200, (3, 3))
    values[1, 2] = rng.integers(1, 10)
    lines = [f"{name} & " + " & ".join(map(str, row)) + r" \\ \hline" for name, row in zip("ABC", values, strict=True)]
    head = r"\textbf{ward} & I & II & III \\ \hline"
    return ".tex", "\n".join([r"\begin{tabular}{lrrr}", r"\hline", head, *lines, r"\end{tabular}", ""]).encode()


def small_in_a_drawn_frame(rng: Rng) -> Made:
    rows = "\n├───┼─────┤\n".join(f"│ {name} │ {n:3} │" for name, n in (("A", rng.integers(30, 90)), ("B", 7)))
    return ".txt", f"╒═══╤═════╕\n│   │   n │\n╞═══╪═════╡\n{rows}\n╘═══╧═════╛\n".encode()


def small_in_tabs_of_a_text(rng: Rng) -> Made:
    return ".txt", f"과\t남\t여\n내과\t{rng.integers(30, 200)}\t88\n외과\t40\t{rng.integers(1, 10)}\n".encode()


def small_support_of_a_class(rng: Rng) -> Made:
    table = pd.DataFrame({"class": ["A", "B"], "precision": [0.97, 0.75], "support": [148, rng.integers(1, 10)]})
    return ".csv", csv(table)


def small_group_in_its_header(rng: Rng) -> Made:
    few = rng.integers(2, 10)
    return written(
        rng,
        pd.DataFrame(
            {"변수": ["나이", "수축기 혈압"], "A군 (N = 120)": [63.1, 131.2], f"B군 (N = {few})": [70.2, 140.1]}
        ),
        ".csv",
        ".md",
        ".html",
        ".xlsx",
    )


def told_in_words(rng: Rng) -> Made:
    said = (
        "Of the 211 participants, three patients withdrew.", "한 명이 사망하였다.", "Mortality was 4/87 (4.6%).",
        "외과 환자 40명 중 5.0%가 사망하였다.", "n= 87, number of events= 4", "n_deaths: 3", '{"n": 6, "mean": 8.9}',
        '{"tn": 145, "fp": 3}', "Of the 40 patients in this ward, 5.0% died.",
    )  # fmt: skip
    return ".md", f"# 결과\n\n{said[int(rng.integers(len(said)))]}\n".encode()


def few_residuals_in_stata(rng: Rng) -> Made:
    few = int(rng.integers(2, 10))
    return ".log", f"    Residual |  2.6948211 {few:9}  .299424567   R-squared       =    0.5366\n".encode()


def few_residuals_of_a_test(rng: Rng) -> Made:
    few = int(rng.integers(2, 10))
    said = (f"The groups differed (F(2, {few}) = 5.21, p = .031).", f"Residuals   {few} 61.82  0.0975")
    return ".txt", f"Analysis of variance\n{said[int(rng.integers(2))]}\n".encode()


def region_of_somebody(rng: Rng) -> Made:
    return (
        ".md",
        f"# 대상\n\n환자는 {('서울 강남구', '경기도 수원시', '부산광역시 해운대구')[int(rng.integers(3))]} 거주\n".encode(),
    )


def small_in_a_confusion_matrix(rng: Rng) -> Made:
    (a, b, c), few = (int(each) for each in rng.integers(20, 300, 3)), int(rng.integers(1, 10))
    if rng.random() < 0.5:
        return ".json", json.dumps({"auc": 0.91, "confusion_matrix": [[a, few], [b, c]]}).encode()
    return ".log", f"Confusion matrix:\n[[{a:3} {few:3}]\n [{b:3} {c:3}]]\n".encode()


def unnamed_in_one_line_of_r(rng: Rng) -> Made:
    few = int(rng.integers(1, 10))
    return ".txt", f"> table(d$x)\n\n     none   minor   major   fatal \n      212      48      17{few:8} \n".encode()


def lined_up_in_sas(rng: Rng) -> Made:
    rows = zip(rng.integers(30, 80, 60), rng.choice(["M", "F"], 60), rng.normal(1, 0.2, 60).round(2), strict=True)
    return ".sas", (
        "data a;\n input age sex $ cr;\n datalines;\n" + "\n".join(f"{a} {s} {c}" for a, s, c in rows) + "\n;\nrun;\n"
    ).encode()


def lined_up_in_inserts(rng: Rng) -> Made:
    rows = zip(rng.integers(30, 80, 60), rng.choice(["M", "F"], 60), rng.normal(1, 0.2, 60).round(2), strict=True)
    return ".sql", "\n".join(f"INSERT INTO pt VALUES ({a}, '{s}', {c});" for a, s, c in rows).encode()


def records_by_key(rng: Rng) -> Made:
    ids = rng.choice(90_000_000, 30, replace=False) + 10_000_000
    return ".json", json.dumps({str(n): {"chart_no": str(i), "age": 60 + n % 9} for n, i in enumerate(ids)}).encode()


def records_on_their_side(rng: Rng) -> Made:
    ids = rng.choice(90_000_000, 30, replace=False) + 10_000_000
    table = pd.DataFrame({"patient_id": ids, "age": rng.integers(30, 80, 30)})
    return ".csv", table.T.to_csv(header=False).encode()


def records_in_lines_of_json(rng: Rng) -> Made:
    ids = rng.choice(90_000_000, 30, replace=False) + 10_000_000
    lines = [json.dumps({"mrn": str(each), "age": int(rng.integers(30, 80)), "y": 0}) for each in ids]
    return ".md", ("```\n" + "\n".join(lines) + "\n```\n").encode()


def records_as_tuples(rng: Rng) -> Made:
    ids = rng.choice(90_000_000, 30, replace=False) + 10_000_000
    return ".log", "\n".join(str((str(each), int(rng.integers(30, 80)), "M")) for each in ids).encode()


def records_in_str_of_r(rng: Rng) -> Made:
    ids = " ".join(f'"{each}"' for each in rng.choice(90_000_000, 10, replace=False) + 10_000_000)
    return (
        ".txt",
        f"'data.frame':\t640 obs. of  2 variables:\n $ pid : chr  {ids} ...\n $ age : int  61 60 ...\n".encode(),
    )


def pairs_in_a_log(rng: Rng) -> Made:
    lines = [
        f"[eval] case {n} age={rng.integers(30, 80)} cr={rng.normal(1, 0.2):.2f} y=0 p={rng.random():.3f}"
        for n in range(60)
    ]
    return ".log", "\n".join(lines).encode()


def packed_rows(rng: Rng) -> Made:
    rows = pd.DataFrame(rng.integers(0, 99, (20, 4))).to_csv().encode()
    return ".txt", base64.b64encode(gzip.compress(rows, mtime=0))


def steps_under_two_heads(rng: Rng) -> Made:
    moves = rng.choice([1 / 40, 1 / 39], 30)
    table = pd.DataFrame({"KM_estimate": 1 - moves.cumsum()}, index=pd.Index(range(3, 93, 3), name="timeline"))
    return ".txt", table.to_string().encode()


EXPECTED = {
    "back": BACK, "small": SMALL, "told": TOLD, "few": FEW, "region": frozenset({"id.region"}),
    "unnamed": frozenset({"cell.unnamed"}), "lined": frozenset({"code.data"}), "records": frozenset({"row.id-column", "row.unique-key"}),
    "pairs": frozenset({"points.individual"}), "packed": frozenset({"encoded.run"}),
    "steps": frozenset({"curve.steps"}),
}  # fmt: skip
TOOLS: dict[str, tuple[Family, frozenset[str]]] = {
    name: (made, EXPECTED[name.partition("_")[0]])
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
