"""Files that may leave: tables, models, logs, reports and figures as papers have them, Korean and English."""

from __future__ import annotations

import io
import json
from itertools import pairwise

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.api as sm

from tests.enclave.airlock.suites.case import Family, Rng, csv, pipes, printed, written
from tests.enclave.airlock.suites.people import common, people

Made = tuple[str, bytes]
CLEAN: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None, "Type": None, "Format": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


def group_means(rng: Rng) -> Made:
    frame = common(people(rng), "region").groupby("region").agg(
        n=("patient", "size"), mean_age=("age", "mean"), sd_age=("age", "std"), mean_bmi=("bmi", "mean")
    )  # fmt: skip
    return written(rng, frame.round(1).reset_index())


def korean_groups(rng: Rng) -> Made:
    frame = common(people(rng), "region").groupby("region").agg(환자수=("patient", "size"), 평균나이=("age", "mean"))
    return written(rng, frame.round(1).reset_index().rename(columns={"region": "지역"}))


def cross_with_margins(rng: Rng) -> Made:
    frame = people(rng)
    frame = frame[frame["age"].between(40, 89)]
    table = pd.crosstab(frame["band"], frame["stage"], margins=True, margins_name="Total")
    return written(rng, table.reset_index().rename_axis(columns=None))


def sex_by_year(rng: Rng) -> Made:
    table = pd.crosstab(people(rng)["year"], people(rng)["sex"]).reset_index().rename_axis(columns=None)
    return written(rng, table.rename(columns={"year": "연도", "F": "여", "M": "남"}))


def well_suppressed(rng: Rng) -> Made:
    frame = common(people(rng, 6000), "city", 200)
    table = pd.crosstab(frame["city"], frame["smoking"], margins=True, margins_name="total").astype(object)
    rows = rng.choice(len(table) - 1, 2, replace=False)
    columns = rng.choice(3, 2, replace=False)
    for row in rows:
        for column in columns:
            table.iloc[row, column] = str(rng.choice(["*", "<10"])) if row == rows[0] else "*"
    return written(rng, table.reset_index().rename_axis(columns=None), ".csv", ".tsv", ".md", ".xlsx")


def rounded_counts(rng: Rng) -> Made:
    counts = common(people(rng), "code")["code"].value_counts()
    rounded = (5 * (counts / 5).round()).astype(int)
    return written(rng, rounded.rename_axis("icd10").reset_index(name="patients"))


def table_one(rng: Rng) -> Made:
    frame = people(rng, 2400)
    rows = [["N", "", *(str((frame["died"] == d).sum()) for d in (False, True))]]
    for name in ("sex", "smoking", "stage"):
        for value, group in frame.groupby(name):
            cells = [
                f"{((group['died'] == d).sum())} ({100 * (group['died'] == d).mean():.1f}%)" for d in (False, True)
            ]
            if all(int(cell.split()[0]) >= 10 for cell in cells):
                rows.append([name, str(value), *cells])
    for name in ("age", "bmi", "sbp"):
        cells = [f"{g[name].mean():.1f} ± {g[name].std():.1f}" for _, g in frame.groupby("died")]
        rows.append([name, "mean ± SD", *cells])
    return written(
        rng, pd.DataFrame(rows, columns=["characteristic", "level", "alive", "dead"]), ".csv", ".md", ".xlsx"
    )


def korean_table_one(rng: Rng) -> Made:
    frame = people(rng, 3000)
    rows = []
    for value, group in frame.groupby("sex"):
        rows.append([f"성별 {'여' if value == 'F' else '남'}", f"{len(group):,}명 ({100 * len(group) / 3000:.1f}%)"])
    for value, group in common(frame, "band").groupby("band"):
        rows.append([f"연령 {value}", f"{len(group):,}명 ({100 * len(group) / 3000:.1f}%)"])
    rows.append(["평균 체질량지수(kg/m²)", f"{frame['bmi'].mean():.1f} ± {frame['bmi'].std():.1f}"])
    return written(rng, pd.DataFrame(rows, columns=["특성", "전체 (n=3,000)"]), ".csv", ".md", ".xlsx")


def ols_summary(rng: Rng) -> Made:
    frame = people(rng, 800)
    model = sm.OLS(frame["sbp"], sm.add_constant(frame[["age", "bmi", "hba1c"]])).fit()
    return ".txt", model.summary().as_text().encode()


def r_summary(rng: Rng) -> Made:
    frame = people(rng, int(rng.integers(400, 3000)))
    model = sm.OLS(frame["alt"], sm.add_constant(frame[["age", "bmi"]])).fit()
    lines = ["Call:", "lm(formula = alt ~ age + bmi, data = d)", "", "Coefficients:",
             "            Estimate Std. Error t value Pr(>|t|)"]  # fmt: skip
    names = ["(Intercept)", "age        ", "bmi        "]
    for name, beta, error, t, p in zip(names, model.params, model.bse, model.tvalues, model.pvalues, strict=True):
        lines.append(f"{name} {beta:10.4f} {error:10.4f} {t:7.3f} {p:.3g}")
    lines.append(f"\nResidual standard error: {model.mse_resid**0.5:.2f} on {int(model.df_resid)} degrees of freedom")
    lines.append(f"Multiple R-squared: {model.rsquared:.4f},\tAdjusted R-squared: {model.rsquared_adj:.4f}")
    return ".txt", "\n".join(lines).encode() + b"\n"


def odds_ratios(rng: Rng) -> Made:
    frame = people(rng, 3000)
    model = sm.Logit(frame["died"].astype(float), sm.add_constant(frame[["age", "bmi", "hba1c"]])).fit(disp=0)
    interval = np.exp(model.conf_int())
    table = pd.DataFrame({"term": model.params.index, "OR": np.exp(model.params).round(3).to_numpy(),
                          "CI 2.5%": interval[0].round(3).to_numpy(), "CI 97.5%": interval[1].round(3).to_numpy(),
                          "p": model.pvalues.map(lambda p: f"{p:.3g}").to_numpy()})  # fmt: skip
    return written(rng, table)


def hazard_ratios(rng: Rng) -> Made:
    terms = ["나이(10세당)", "남성", "흡연(현재)", "병기 III", "병기 IV", "BMI ≥ 25"]
    ratio = np.exp(rng.normal(0.3, 0.4, len(terms)))
    rows = [
        [t, f"{h:.2f}", f"{h * 0.8:.2f}–{h * 1.25:.2f}", f"{rng.random() / 5:.3f}"]
        for t, h in zip(terms, ratio, strict=True)
    ]
    return written(
        rng, pd.DataFrame(rows, columns=["변수", "HR", "95% 신뢰구간", "P값"]), ".csv", ".md", ".txt", ".xlsx"
    )


def coefficients_with_nobs(rng: Rng) -> Made:
    frame = people(rng, 1500)
    model = sm.OLS(frame["sbp"], sm.add_constant(frame[["age", "bmi"]])).fit()
    table = pd.DataFrame({"term": model.params.index, "coef": model.params.round(4).to_numpy(),
                          "std err": model.bse.round(4).to_numpy(), "nobs": 1500, "df_resid": 1497})  # fmt: skip
    return written(rng, table)


def metrics(rng: Rng) -> Made:
    found = {"auroc": 0.812, "auprc": 0.433, "f1": 0.51, "brier": 0.081, "n_test": int(rng.integers(400, 2000)),
             "ci": [0.79, 0.83], "model": "xgboost", "threshold": 0.35}  # fmt: skip
    found["auroc"] = round(float(rng.uniform(0.7, 0.9)), 4)
    return ".json", json.dumps({"validation": found, "split": "2021-2024"}, indent=2).encode()


def confusion(rng: Rng) -> Made:
    a, b, c, d = rng.integers(40, 900, 4)
    table = pd.DataFrame(
        {"": ["actual negative", "actual positive"], "predicted negative": [a, b], "predicted positive": [c, d]}
    )
    return written(rng, table, ".csv", ".md", ".txt", ".xlsx")


def importances(rng: Rng) -> Made:
    names = ["age", "bmi", "sbp", "hba1c", "alt", "egfr", "ldl", "hdl", "smoking", "stage", "crp", "albumin"]
    values = rng.dirichlet(np.ones(len(names)))
    return written(rng, pd.DataFrame({"feature": names, "importance": values.round(4)}))


def correlations(rng: Rng) -> Made:
    table = people(rng)[["age", "bmi", "sbp", "hba1c", "alt"]].corr().round(3)
    return ".csv", csv(table, index=True)


def described(rng: Rng) -> Made:
    table = people(rng)[["age", "bmi", "sbp"]].describe().drop(["min", "max"]).round(2)
    return ".csv", csv(table, index=True)


def yearly_trend(rng: Rng) -> Made:
    table = people(rng, 9000).groupby("year").agg(n=("patient", "size"), deaths=("died", "sum")).reset_index()
    table["rate per 1000"] = (1000 * table["deaths"] / table["n"]).round(1)
    return written(rng, table)


def incidence(rng: Rng) -> Made:
    frame = common(people(rng, 12000), "band", 300)
    table = frame.groupby("band").agg(events=("died", "sum"), person_years=("years", "sum")).reset_index()
    table = table[table["events"] >= 10]
    table["incidence"] = (1000 * table["events"] / table["person_years"]).round(2)
    return written(rng, table.round(1))


def survival_by_year(rng: Rng) -> Made:
    frame = people(rng, 60_000)
    rows = []
    alive = 1.0
    for year in range(6):
        risk = int((frame["years"] > year).sum())
        events = int(((frame["years"] > year) & (frame["years"] <= year + 1) & frame["died"]).sum())
        alive *= 1 - events / risk
        rows.append([year + 1, risk, events, round(alive, 3)])
    return written(rng, pd.DataFrame(rows, columns=["year", "n.risk", "n.event", "survival"]))


def histogram(rng: Rng) -> Made:
    counts, edges = np.histogram(people(rng)["bmi"].clip(17, 32), bins=8)
    labels = [f"{low:.1f}–{high:.1f}" for low, high in pairwise(edges)]
    return written(rng, pd.DataFrame({"BMI": labels, "patients": counts}))


def calibration(rng: Rng) -> Made:
    predicted = np.sort(rng.beta(2, 8, 5000))
    parts = np.array_split(predicted, 10)
    table = pd.DataFrame({"decile": range(1, 11), "n": [len(p) for p in parts],
                          "mean predicted": [round(float(p.mean()), 3) for p in parts],
                          "observed": [round(float(p.mean() + rng.normal(0, 0.01)), 3) for p in parts]})  # fmt: skip
    return written(rng, table)


def korean_report(rng: Rng) -> Made:
    frame = common(people(rng), "region", 100)
    counts = frame["region"].value_counts()
    table = pipes(counts.rename_axis("지역").reset_index(name="환자수"), "지역별 환자 분포").decode()
    text = (
        f"{table}\n본 연구는 가명처리된 {len(frame):,}명의 자료를 분석하였다. 평균 나이는 {frame['age'].mean():.1f}세였고, "
        f"추적기간 중 {int(frame['died'].sum()):,}명이 사망하였다. 로지스틱 회귀에서 나이의 오즈비는 1.04 (95% CI 1.02–1.06)였다.\n"
    )
    return ".md", text.encode()


def english_report(rng: Rng) -> Made:
    frame = people(rng)
    table = pd.crosstab(frame["sex"], frame["smoking"]).reset_index().rename_axis(columns=None)
    text = pipes(table, "Smoking by sex").decode() + (
        f"\nOf {len(frame):,} patients included, {int(frame['died'].sum()):,} died during follow-up "
        f"(mean {frame['years'].mean():.1f} years). The adjusted hazard ratio was 1.32 (95% CI, 1.11 to 1.57; P = 0.002).\n"
    )
    return ".md", text.encode()


def flow_text(rng: Rng) -> Made:
    whole = int(rng.integers(8_000, 20_000))
    first, second = int(rng.integers(500, 2000)), int(rng.integers(100, 700))
    return ".txt", (
        f"Assessed for eligibility (n = {whole:,})\n  Excluded (n = {first + second:,})\n    - missing laboratory values "
        f"(n = {first:,})\n    - follow-up under 30 days (n = {second:,})\nIncluded (n = {whole - first - second:,})\n"
    ).encode()


def training_log(rng: Rng) -> Made:
    loss = 0.7 * np.exp(-np.arange(40) / 12) + rng.normal(0, 0.004, 40) + 0.2
    lines = [
        f"epoch {n + 1:3d}  loss {value:.4f}  val_loss {value + 0.03:.4f}  lr 0.0010" for n, value in enumerate(loss)
    ]
    return ".log", "\n".join(lines).encode() + b"\n"


def parameters(rng: Rng) -> Made:
    return ".json", json.dumps({"max_depth": int(rng.integers(3, 9)), "eta": 0.05, "subsample": 0.8, "seed": 42,
                                "n_estimators": int(rng.integers(100, 900)), "objective": "binary:logistic"}).encode()  # fmt: skip


def costs(rng: Rng) -> Made:
    frame = common(people(rng), "band", 100)
    table = frame.groupby("band").agg(n=("cost", "size"), total_cost=("cost", "sum"), mean_cost=("cost", "mean"))
    return written(rng, table.round(0).astype(int).reset_index())


def hba1c_by_arm(rng: Rng) -> Made:
    frame = people(rng, int(rng.integers(300, 500)))
    table = frame.groupby("smoking").agg(
        **{"n": ("age", "size"), "HbA1c (%)": ("hba1c", "mean"), "SD": ("hba1c", "std")}
    )
    return written(rng, table.round(1).reset_index())


def anova(rng: Rng) -> Made:
    total = int(rng.integers(600, 4000))
    rows = [["stage", 3, 812.4, 270.8, 6.31, 0.0003], ["sex", 1, 55.2, 55.2, 1.29, 0.2563]]
    rows.append(["Residual", total, round(42.9 * total, 1), 42.9, "", ""])
    return written(
        rng, pd.DataFrame(rows, columns=["source", "df", "sum_sq", "mean_sq", "F", "PR(>F)"]), ".csv", ".md", ".xlsx"
    )


def code_frequencies(rng: Rng) -> Made:
    counts = common(people(rng), "code", 30)["code"].value_counts().rename_axis("상병코드").reset_index(name="건수")
    counts["비율(%)"] = (100 * counts["건수"] / counts["건수"].sum()).round(1)
    return written(rng, counts)


def dictionary(rng: Rng) -> Made:
    rows = [["patient", "환자 가명번호", "text"], ["sex", "성별", "category"], ["age", "나이(10세 구간)", "category"],
            ["sbp", "수축기 혈압(mmHg)", "number"], ["visit_day", "방문일(이동됨)", "date"]]  # fmt: skip
    order = rng.permutation(len(rows))
    return written(
        rng, pd.DataFrame([rows[n] for n in order], columns=["variable", "label", "type"]), ".csv", ".md", ".tsv"
    )


def p_values(rng: Rng) -> Made:
    genes = ["TP53", "BRCA1", "EGFR", "KRAS", "PIK3CA", "APC", "PTEN", "MYC", "RB1", "CDKN2A", "BRAF", "NRAS"]
    rows = [
        [g, f"{rng.normal():.3f}", f"{10 ** -rng.uniform(1, 12):.2e}", f"{10 ** -rng.uniform(0, 9):.2e}"] for g in genes
    ]
    return written(rng, pd.DataFrame(rows, columns=["gene", "log2FC", "p", "q"]))


def thresholds(rng: Rng) -> Made:
    steps = np.linspace(0.1, 0.9, 9).round(1)
    table = pd.DataFrame({"threshold": steps, "sensitivity": (1 - steps**1.5).round(3), "specificity": (steps**0.6).round(3),
                          "PPV": (0.2 + 0.6 * steps).round(3)})  # fmt: skip
    return written(rng, table)


def centroids(rng: Rng) -> Made:
    table = pd.DataFrame(rng.normal(0, 1, (4, 5)).round(3), columns=["age_z", "bmi_z", "sbp_z", "alt_z", "hba1c_z"])
    table.insert(0, "cluster", ["A", "B", "C", "D"])
    table.insert(1, "size", rng.integers(200, 1500, 4))
    return written(rng, table)


def pyramid(rng: Rng) -> Made:
    frame = people(rng, 8000)
    table = pd.crosstab(frame["band"], frame["sex"]).reset_index().rename_axis(columns=None)
    return written(rng, table.rename(columns={"band": "연령대", "F": "여성", "M": "남성"}))


def latex(rng: Rng) -> Made:
    counts = common(people(rng), "band", 100)["band"].value_counts()
    body = "\n".join(f"{band} & {count} & {100 * count / counts.sum():.1f} \\\\" for band, count in counts.items())
    return ".txt", f"\\begin{{tabular}}{{lrr}}\nAge & $n$ & \\% \\\\ \\hline\n{body}\n\\end{{tabular}}\n".encode()


def response_rates(rng: Rng) -> Made:
    sizes = rng.integers(150, 400, 3)
    events = [int(size * share) for size, share in zip(sizes, rng.uniform(0.2, 0.6, 3), strict=True)]
    rates = [f"{100 * e / s:.1f}%" for e, s in zip(events, sizes, strict=True)]
    return written(rng, pd.DataFrame({"arm": ["placebo", "5 mg", "10 mg"], "n": sizes, "response rate": rates}))


def sensitivity_runs(rng: Rng) -> Made:
    names = ["primary", "complete cases", "excluding first year", "propensity matched", "E-value", "negative control"]
    table = pd.DataFrame(
        {"analysis": names, "estimate": rng.normal(-0.2, 0.05, 6).round(3), "se": rng.uniform(0.02, 0.08, 6).round(3)}
    )
    return written(rng, table)


def missing(rng: Rng) -> Made:
    names = ["bmi", "sbp", "hba1c", "ldl", "egfr", "crp"]
    table = pd.DataFrame({"변수": names, "결측 비율(%)": rng.uniform(3, 30, 6).round(1)})
    return written(rng, table)


def printed_python(rng: Rng) -> Made:
    frame = common(people(rng), "stage").groupby("stage").agg(n=("age", "size"), mean=("age", "mean")).round(2)
    return ".log", b"INFO  loaded 4000 rows\nINFO  grouping by stage\n\n" + printed(frame.reset_index(), "stage")


def bar_figure(rng: Rng) -> Made:
    counts = common(people(rng), "city", 60)["city"].value_counts()
    return _figure(lambda axes: axes.bar(range(len(counts)), counts.to_numpy()), "png")


def line_figure(rng: Rng) -> Made:
    return _figure(
        lambda axes: axes.plot(np.arange(10), np.cumprod(rng.uniform(0.9, 0.99, 10)), drawstyle="steps"), "jpg"
    )


def forest_figure(rng: Rng) -> Made:
    means = rng.normal(0, 0.3, 7)
    return _figure(lambda axes: axes.errorbar(means, range(7), xerr=0.2, fmt="s"), "png")


def vector_bars(rng: Rng) -> Made:
    counts = common(people(rng), "city", 60)["city"].value_counts()
    return _figure(lambda axes: axes.bar(range(len(counts)), counts.to_numpy()), "svg")


def vector_line(rng: Rng) -> Made:
    return _figure(lambda axes: axes.plot(np.arange(8), np.cumprod(rng.uniform(0.9, 0.99, 8))), "pdf")


def _figure(draw: object, kind: str) -> Made:
    mpl.rcParams["svg.fonttype"] = "none"
    figure, axes = plt.subplots(figsize=(4, 3))
    draw(axes)  # type: ignore[operator]
    axes.set_xlabel("group")
    axes.set_ylabel("patients")
    out = io.BytesIO()
    figure.savefig(out, format=kind, dpi=80, metadata=CLEAN.get(kind))
    plt.close(figure)
    return f".{kind}", out.getvalue()


HONEST: dict[str, Family] = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
