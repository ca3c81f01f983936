"""LightGBM models as text (`save_model`): a head, trees of `name=numbers`, feature importances, parameters."""

from __future__ import annotations

import re

from enclave.airlock.incoming.models.model import Model, damaged

START = "tree\n"
LINE = re.compile(r"[a-z_]+=[^\n]*")
NUMBERS = re.compile(r"[-+0-9.eEinfa:| \[\]]*")
# Lines of words: names of features, the objective, what the command line was.
WORDS = re.compile(r"(feature_names|feature_infos|objective|tree_sizes|monotone_constraints|pandas_categorical)=?")
PARAMETER = re.compile(r"\[[a-z0-9_]+: [^\]\n]*\]")
IMPORTANCE = re.compile(r"[^\n=]{1,200}=\d+")
MAX_WORDS = 2_000_000


def is_lightgbm(text: str) -> bool:
    """Whether a text begins as LightGBM's models do."""
    return text.startswith(START) and "version=v" in text[:200]


def read_lightgbm(text: str) -> Model:
    """Read every line. Raises `ParseRefused` (`import.model`) for one that belongs to no part of a model."""
    trees, part, words = 0, "head", []
    for line in text.replace("\r\n", "\n").split("\n")[1:]:
        stripped = line.strip()
        if stripped.startswith("Tree="):
            trees, part = trees + 1, "tree"
        elif stripped in {"end of trees", "feature_importances:", "parameters:", "end of parameters"}:
            part = stripped
        elif stripped and not _fits(stripped, part):
            raise damaged("LightGBM", f"a line belongs to no part of a model ({part})")
        elif not NUMBERS.fullmatch(stripped.partition("=")[2]):
            words.append(stripped)
    if not trees or sum(map(len, words)) > MAX_WORDS:
        raise damaged("LightGBM", "it has no trees" if not trees else "it holds long texts")
    return Model("lightgbm", trees, tuple(words))


def _fits(line: str, part: str) -> bool:
    if part == "tree":
        return bool(LINE.fullmatch(line)) and bool(NUMBERS.fullmatch(line.partition("=")[2]))
    if part == "feature_importances:":
        return bool(IMPORTANCE.fullmatch(line))
    if part == "parameters:":
        return bool(PARAMETER.fullmatch(line))
    return bool(LINE.fullmatch(line)) or bool(WORDS.match(line)) or line.startswith("pandas_categorical:")
