"""Honest results as statistical tools print them, and words and codes that only look like something else."""

from __future__ import annotations

import pandas as pd

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


HONEST_TOOLS: dict[str, Family] = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
