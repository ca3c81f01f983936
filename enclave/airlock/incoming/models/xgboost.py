"""XGBoost models, as JSON or UBJSON: `learner` and `version`, and in them nothing but numbers and short names.

After XGBoost's own schema (doc/model.schema). A model's numbers may themselves say something about people; that is for
the review, not for this reader.
"""

from __future__ import annotations

from typing import Any

from enclave.airlock.incoming.models.model import Model, damaged, strict
from enclave.airlock.incoming.models.ubjson import Numbers, UbjsonReader

TOP = {"learner", "version", "Config"}
LEARNER = {
    "attributes",
    "feature_names",
    "feature_types",
    "gradient_booster",
    "learner_model_param",
    "objective",
    "learner_train_param",
    "metrics",
}
BOOSTERS = {"gbtree", "gblinear", "dart"}
MAX_TEXT, MAX_TEXTS = 1_000, 200_000


def is_xgboost(found: object) -> bool:
    """Whether a JSON value has a model's two fields."""
    return isinstance(found, dict) and {"learner", "version"} <= set(found)


def read_json(content: bytes) -> Model:
    """Read a model saved as JSON. Raises `ParseRefused` (`import.model`)."""
    return _read(strict(content, "XGBoost"))


def read_ubj(content: bytes) -> Model:
    """Read a model saved as UBJSON. Raises `ParseRefused` (`import.model`)."""
    try:
        found = UbjsonReader(content).whole()
    except (ValueError, RecursionError) as error:
        raise damaged("XGBoost (ubj)", str(error)[:100]) from error
    return _read(found)


def _read(found: Any) -> Model:
    if not is_xgboost(found) or not set(found) <= TOP or not isinstance(found["learner"], dict):
        raise damaged("XGBoost", "it has other parts than a model")
    learner = found["learner"]
    booster = learner.get("gradient_booster")
    if not set(learner) <= LEARNER or not isinstance(booster, dict) or booster.get("name") not in BOOSTERS:
        raise damaged("XGBoost", "its learner has other parts than a model's")
    texts = tuple(_texts(found))
    if max(map(len, texts), default=0) > MAX_TEXT or len(texts) > MAX_TEXTS:
        raise damaged("XGBoost", "it holds long texts")
    return Model("xgboost", _trees(booster), texts)


def _trees(booster: dict[str, Any]) -> int:
    model = booster.get(
        "model", booster.get("gbtree", {}).get("model", {}) if isinstance(booster.get("gbtree"), dict) else {}
    )
    trees = model.get("trees", []) if isinstance(model, dict) else []
    return len(trees) if isinstance(trees, list) else 0


def _texts(value: Any) -> list[str]:
    found, waiting = [], [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str) and not _is_number(here):
            found.append(here)
        elif isinstance(here, dict):
            waiting.extend([*here.keys(), *here.values()])
        elif isinstance(here, list) and not isinstance(here, Numbers):
            waiting.extend(here)
    return found


def _is_number(text: str) -> bool:
    try:
        float(text.strip("[]"))
    except ValueError:
        return False
    return True
