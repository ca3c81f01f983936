"""Regressions that carry their recipe, estimated by statsmodels (ACRO's words: ols, logit, probit).

    ansim.model("ols", "value ~ patients.age + C(patients.sex)", "nafld/labs", join="patients").save("model1.csv")

The file holds one line for each term and the model's own numbers. The checker estimates the same model on the signed
snapshot and compares every number.
"""

from __future__ import annotations

from typing import Any

from .conditions import Where, conditions
from .failure import AnsimError
from .formulas import formula
from .frames import PERSON, Data, coded, load, source, table_of
from .made import Made
from .tabulating import FORMAT, Bands, fixed, used_columns

HEAD = ("term", "coef", "std err", "statistic", "p", "low", "high")
NAMES = {"ols": "OLS", "logit": "Logit", "probit": "Probit", "poisson": "Poisson"}


def model(  # noqa: PLR0913 - the words of a model, all but the first by name
    name: str,
    formula_: str,
    data: Data,
    *,
    where: Where = None,
    join: str | None = None,
    bands: Bands | None = None,
    decimals: int = 4,
    base: int = 1,
) -> Made:
    """Estimate ``ols``, ``logit``, ``probit`` or ``poisson``. ``C(column)`` is a category; texts always are.

    ``where``, ``join``, ``bands``, ``base``: as in `ansim.table`. Raises `AnsimError`.
    """
    if name not in NAMES:
        raise AnsimError(
            "client.model", ko=f"모르는 모형입니다: {name}", en=f"No such model: {name} ({', '.join(NAMES)})"
        )
    found = table_of(data)
    dataset, _, table_name = found.name.partition("/")
    response, terms, categories = formula(formula_)
    recipe: dict[str, Any] = {
        "format": FORMAT,
        "kind": "model",
        "snapshot": source(dataset).snapshot,
        "dataset": dataset,
        "table": table_name,
        "join": join,
        "filter": conditions(where),
        "bands": {key: {"column": of, "cuts": list(cuts), "right": False} for key, (of, cuts) in (bands or {}).items()},
        "model": name,
        "response": response,
        "terms": terms,
        "categories": categories,
        "rounding": {"counts": base, "decimals": decimals},
    }
    frame = load(found, recipe, used_columns(recipe, {response, *(one for term in terms for one in term)}))
    for one in {one for term in terms for one in term} - set(recipe["bands"]):
        if not _is_number(frame[one]):
            categories.setdefault(one, None)
    return Made(HEAD, _estimate(recipe, frame), recipe)


def ols(formula_: str, data: Data, **more: Any) -> Made:
    """Estimate a linear regression. Raises `AnsimError`."""
    return model("ols", formula_, data, **more)


def logit(formula_: str, data: Data, **more: Any) -> Made:
    """Estimate a logistic regression. Raises `AnsimError`."""
    return model("logit", formula_, data, **more)


def probit(formula_: str, data: Data, **more: Any) -> Made:
    """Estimate a probit regression. Raises `AnsimError`."""
    return model("probit", formula_, data, **more)


def poisson(formula_: str, data: Data, **more: Any) -> Made:
    """Estimate a Poisson regression. Raises `AnsimError`."""
    return model("poisson", formula_, data, **more)


def _is_number(column: Any) -> bool:
    import pandas as pd  # noqa: PLC0415 - loaded only when it is asked for

    return bool(pd.api.types.is_numeric_dtype(column))


def _estimate(recipe: dict[str, Any], frame: Any) -> tuple[tuple[str, ...], ...]:
    import numpy as np  # noqa: PLC0415 - loaded only when it is asked for
    import statsmodels.api as sm  # noqa: PLC0415 - loaded only when it is asked for

    chosen, codes = _chosen(recipe, frame)
    names, columns = ["(intercept)"], [np.ones(len(chosen))]
    for term in recipe["terms"]:
        product = [("", np.ones(len(chosen)))]
        for factor in term:
            parts = _factor(recipe, chosen, factor, codes)
            product = [(f"{a}:{b}".removeprefix(":"), x * y) for a, x in product for b, y in parts]
        names += [label for label, _ in product]
        columns += [values for _, values in product]
    y = chosen[recipe["response"]].astype(float).to_numpy()
    made = getattr(sm, NAMES[recipe["model"]])(y, np.column_stack(columns))
    fit = made.fit() if recipe["model"] == "ols" else made.fit(disp=0, maxiter=100)
    return _rows(recipe, chosen, names, fit)


def _chosen(recipe: dict[str, Any], frame: Any) -> tuple[Any, dict[str, tuple[Any, list[str]]]]:
    """Return the rows with every value there, and of categories the codes and labels of these rows."""
    import numpy as np  # noqa: PLC0415 - loaded only when it is asked for

    names = dict.fromkeys([recipe["response"], *(one for term in recipe["terms"] for one in term)])
    levels = {n: coded(frame, n, recipe["bands"]) for n in names if n in recipe["categories"] or n in recipe["bands"]}
    there = np.ones(len(frame), dtype=bool)
    for name in names:
        there &= levels[name][0] >= 0 if name in levels else frame[name].notna().to_numpy()
    return frame[there], {name: (codes[there], labels) for name, (codes, labels) in levels.items()}


def _factor(recipe: dict[str, Any], frame: Any, name: str, levels: dict[str, Any]) -> list[tuple[str, Any]]:
    if name not in levels:
        return [(name, frame[name].astype(float).to_numpy())]
    codes, labels = levels[name]
    present = sorted(set(codes.tolist()))
    base = recipe["categories"].get(name)
    first = labels[present[0]] if base is None else base
    return [(f"{name}={labels[code]}", (codes == code).astype(float)) for code in present if labels[code] != first]


def _rows(recipe: dict[str, Any], frame: Any, names: list[str], fit: Any) -> tuple[tuple[str, ...], ...]:
    decimals, base = recipe["rounding"]["decimals"], recipe["rounding"]["counts"]
    low, high = fit.conf_int().T
    numbers = zip(names, fit.params, fit.bse, fit.tvalues, fit.pvalues, low, high, strict=True)
    rows = [(name, *(fixed(float(one), decimals) for one in values)) for name, *values in numbers]
    people = frame[PERSON].nunique() if PERSON in frame else len(frame)
    own = [(name, str((2 * n + base) // (2 * base) * base)) for name, n in (("n", len(frame)), ("persons", people))]
    own += [("residual df", str(int(fit.df_resid))), ("log-likelihood", fixed(float(fit.llf), decimals))]
    ols_ = recipe["model"] == "ols"
    own.append(("R2" if ols_ else "pseudo R2", fixed(float(fit.rsquared if ols_ else fit.prsquared), decimals)))
    return (*rows, *((name, value, *[""] * (len(HEAD) - 2)) for name, value in own))
