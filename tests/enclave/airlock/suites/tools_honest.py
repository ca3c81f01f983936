"""Honest results as statistical tools print them, and words and codes that only look like something else."""

from __future__ import annotations

import pandas as pd

from tests.enclave.airlock.office import docx, grid, paragraph
from tests.enclave.airlock.suites.case import Family, Rng, written

Made = tuple[str, bytes]


def codes_of_diabetes(rng: Rng) -> Made:
    codes = ["E10", "E11", "E12", "E13", "E14"]  # ICD-10: letters and digits that float() may take for an exponent
    return written(rng, pd.DataFrame({"진단코드": codes, "환자수": rng.integers(20, 900, 5)}))


def baseline_of_tableone(rng: Rng) -> Made:
    a, b, women, men = (int(each) for each in rng.integers(120, 400, 4))
    text = f"""                      Missing      Overall            0            1 P-Value
n                                 {2 * (a + b):6d}       {2 * a:6d}       {2 * b:6d}
age, mean (SD)              0  61.2 (9.1)  60.8 (9.0)   62.0 (9.3)   0.030
sex, n (%)   F                 {women + men} (48.4)   {women} (48.8)   {men} (47.5)   0.660
"""
    return ".txt", text.encode()


def crossed_by_noughts_and_ones(rng: Rng) -> Made:
    lines = [
        f"  {stage:4}{a:5} {b:4}"
        for stage, (a, b) in zip(("I", "II", "III", "IV"), rng.integers(12, 99, (4, 2)), strict=True)
    ]
    return ".txt", "\n".join(["     ", "          0    1", *lines, ""]).encode()


def report_on_a_classifier(rng: Rng) -> Made:
    a, b = (int(each) for each in rng.integers(30, 600, 2))
    rows = [["0", 0.97, 0.99, 0.98, a], ["1", 0.75, 0.5, 0.6, b], ["accuracy", 0.95, 0.95, 0.95, 0.95]]
    return written(
        rng,
        pd.DataFrame(rows, columns=["class", "precision", "recall", "f1-score", "support"]).astype(str),
        ".csv",
        ".md",
    )


def importance_by_splits(rng: Rng) -> Made:
    table = pd.DataFrame({"feature": list("abcd"), "gain": rng.integers(300, 4000, 4), "split": [41, 30, 9, 4]})
    return written(rng, table)


def models_by_size(rng: Rng) -> Made:
    table = pd.DataFrame({"model": ["M1", "M2", "M3"], "n_params": [3, 5, 8], "AIC": rng.normal(800, 9, 3).round(1)})
    return written(rng, table.assign(n=640))


def words_of_a_study(rng: Rng) -> Made:
    said = (
        "중앙값은 3.2년이었다.", "두 명의 판독자가 독립적으로 판독하였다.", "5-fold CV, 3 arms, 2 visits",
        "Interquartile range 22-26.", "F(2, 637) = 52.1, p < 0.001", "batch_size: 8\nnum_workers: 4",
        "12,412명 중 9.7%가 사망하였다.", "Residual |  190.69482       637  .299364",
    )  # fmt: skip
    return ".md", f"# 방법\n\n{said[int(rng.integers(len(said)))]}\n".encode()


def districts(rng: Rng) -> Made:
    places = ["서울 강남구", "서울 송파구", "부산 해운대구", "성남시 분당구", "수원시 영통구"]
    return written(rng, pd.DataFrame({"시군구": places, "환자수": rng.integers(20, 300, 5)}))


def codes_with_names(rng: Rng) -> Made:
    names = ["2형 당뇨병", "본태성 고혈압", "급성 심근경색증", "폐암", "만성 신장병 5기", "위암", "협심증"]
    return written(rng, pd.DataFrame({"code": ["E11.9", "I10", "I21.9", "C34", "N18.5", "C16", "I20"], "name": names}))


def concepts_with_counts(rng: Rng) -> Made:
    ids = 3_000_000 + rng.choice(900_000, 30, replace=False)
    return written(rng, pd.DataFrame({"concept_id": ids, "n_persons": rng.integers(20, 900, 30)}))


def counts_of_four_digits(rng: Rng) -> Made:
    by = ("연도별", "진단별", "원인별", "차수별")[int(rng.integers(4))]
    table = pd.DataFrame(rng.integers(3000, 6000, (8, 4)), columns=["2019", "2020", "2021", "2022"])
    return ".docx", docx(
        paragraph(f"표 1. {by} 환자 수")
        + grid([["", *table.columns], *([f"과 {row[0]}", *map(str, row[1:])] for row in table.itertuples())])
    )


def pieces_of_pages(rng: Rng) -> Made:
    table = pd.DataFrame({"year": [2020, 2021], "n": rng.integers(30, 900, 2)}).to_html(index=False)
    return ".html", (table if rng.random() < 0.5 else f"<div>\n<style scoped>\n</style>\n{table}\n</div>").encode()


def log_of_training(rng: Rng) -> Made:
    lines = [f"epoch={n} batch_size=8 n=4 loss={1 / (n + 1):.4f} auc={0.9 - 0.3 / (n + 1):.3f}" for n in range(40)]
    return ".log", "\n".join(lines).encode()


def code_of_many_lines(rng: Rng) -> Made:
    lines = [f"df['x{n}'] = df['x{n}'].fillna(0)" for n in range(30)] + [f"gen y{n} = x{n} * 2" for n in range(30)]
    return ".py", "\n".join(lines).encode()


def variances_of_a_mixed_model(rng: Rng) -> Made:
    rows = [
        (" subject  (Intercept)", 0.412, 0.642),
        (" site     (Intercept)", 0.031, 0.176),
        (" Residual            ", 1.2, 1.1),
    ]
    lines = "\n".join(f"{name} {a + rng.random() / 10:.3f}    {b:.3f}" for name, a, b in rows)
    return ".txt", f"Random effects:\n Groups   Name        Variance Std.Dev.\n{lines}\n".encode()


def matrix_of_large_counts(rng: Rng) -> Made:
    (a, b), (c, d) = rng.integers(12, 500, (2, 2))
    return ".log", f"Confusion matrix:\n[[{a:3} {b:3}]\n [{c:3} {d:3}]]\n\nkernel\n[[0 1]\n [1 2]]\n".encode()


def number_of_a_hotline(rng: Rng) -> Made:
    return ".md", "# 문의\n\n데이터안심구역 안내: 1577-0000 (평일 9시-18시)\n\n열량 1800-2000 kcal\n".encode()


HONEST_TOOLS: dict[str, Family] = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
