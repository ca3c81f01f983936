"""Made-up patients, from whom both suites compute their tables: nobody's data, but tables with real shapes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.enclave.airlock.suites.case import Rng

REGIONS = [
    "서울",
    "경기",
    "부산",
    "대구",
    "인천",
    "광주",
    "대전",
    "울산",
    "전남",
    "전북",
    "경남",
    "강원",
    "제주",
    "세종",
]
CITIES = ["Seoul", "Busan", "Daegu", "Incheon", "Gwangju", "Daejeon", "Ulsan", "Sejong"]
CODES = ["I10", "E11.9", "J44.9", "N18.3", "I48.0", "C34.9", "K74.6", "M05.9", "G20", "I50.9", "E78.5", "F32.1"]


def people(rng: Rng, count: int = 4000) -> pd.DataFrame:
    """Return ``count`` people: two sexes, ages, skewed regions, a stage, laboratory values, costs, an end."""
    age = np.clip(rng.normal(63, 14, count), 20, 95).round().astype(int)
    sex = rng.choice(["F", "M"], count)
    risk = 1 / (1 + np.exp(-(-4.2 + 0.04 * (age - 60) + 0.3 * (sex == "M"))))
    follow = rng.exponential(4.0, count).clip(0.05, 10).round(2)
    return pd.DataFrame({
        "patient": [f"{rng.integers(1 << 62):032x}"[-32:] for _ in range(count)],
        "sex": sex,
        "age": age,
        "band": pd.cut(age, [19, 49, 59, 69, 79, 120], labels=["20-49", "50-59", "60-69", "70-79", "80+"]).astype(str),
        "region": rng.choice(REGIONS, count, p=_skewed(len(REGIONS))),
        "city": rng.choice(CITIES, count, p=_skewed(len(CITIES))),
        "code": rng.choice(CODES, count, p=_skewed(len(CODES))),
        "stage": rng.choice(["I", "II", "III", "IV"], count, p=[0.42, 0.3, 0.18, 0.1]),
        "smoking": rng.choice(["never", "former", "current"], count, p=[0.55, 0.27, 0.18]),
        "year": rng.integers(2016, 2025, count),
        "bmi": rng.normal(24.3, 3.2, count).round(1),
        "sbp": rng.normal(131, 16, count).round(),
        "hba1c": rng.normal(6.8, 1.1, count).round(1),
        "alt": np.exp(rng.normal(3.2, 0.5, count)).round(),
        "cost": np.exp(rng.normal(13.6, 1.0, count)).round(),
        "died": rng.random(count) < risk,
        "years": follow,
    })  # fmt: skip


def common(frame: pd.DataFrame, column: str, least: int = 60) -> pd.DataFrame:
    """Keep the categories of a column that many people share, as a careful author does."""
    counts = frame[column].value_counts()
    return frame[frame[column].isin(counts[counts >= least].index)]


def rrn(rng: Rng) -> str:
    """Return a resident number whose check digit is right."""
    front = f"{rng.integers(40, 99)}{rng.integers(1, 13):02d}{rng.integers(1, 28):02d}{rng.integers(1, 3)}{rng.integers(10000, 99999)}"
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    check = (11 - sum(int(d) * w for d, w in zip(front, weights, strict=True)) % 11) % 10
    return f"{front[:6]}-{front[6:]}{check}"


def _skewed(count: int) -> list[float]:
    parts = np.exp(-0.35 * np.arange(count))
    return list(parts / parts.sum())
