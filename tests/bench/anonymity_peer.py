"""Run in the peers' own environment: `python anonymity_peer.py FOLDER` with data.csv and ladders.json; prints JSON.

anjana: full-domain with suppression. pycanon: checks k. anonypy: Mondrian.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd


def main(folder: Path) -> None:
    asked = json.loads((folder / "ladders.json").read_text())
    data = pd.read_csv(folder / "data.csv")
    print(json.dumps({**_anjana(data, asked), **_pycanon(data, asked), **_anonypy(data, asked)}))


def _anjana(data: pd.DataFrame, asked: dict) -> dict:
    from anjana.anonymity import k_anonymity

    quasi = list(asked["ladders"])
    rungs = {
        column: {level: np.array([ladder[level] for ladder in table]) for level in range(len(table[0]))}
        for column, table in asked["ladders"].items()
    }
    text = data[quasi].astype(str)
    start = time.process_time()
    result = k_anonymity(text, [], quasi, asked["k"], asked["percent"], rungs)
    seconds = time.process_time() - start
    lost = np.zeros(len(result))
    for column, table in asked["ladders"].items():
        leaves = len(table)
        widths = {}
        for level in range(len(table[0])):
            names, counts = np.unique([rung[level] for rung in table], return_counts=True)
            widths |= {name: (count - 1) / (leaves - 1) for name, count in zip(names, counts, strict=True)}
        lost += result[column].map(widths).to_numpy(float) / len(quasi)
    return {"anjana_s": seconds, "anjana_loss": float((lost.sum() + len(data) - len(result)) / len(data))}


def _pycanon(data: pd.DataFrame, asked: dict) -> dict:
    from pycanon.anonymity import k_anonymity

    start = time.process_time()
    found = k_anonymity(data, list(asked["ladders"]))
    return {"pycanon_s": time.process_time() - start, "pycanon_k": int(found)}


def _anonypy(data: pd.DataFrame, asked: dict) -> dict:
    from anonypy import Preserver

    quasi, sensitive = list(asked["ladders"]), asked["sensitive"]
    frame = data[[*quasi, sensitive]]
    # Words must be categories: as numbers anonypy cuts below the median, and where most rows hold the least value of a
    # column of two that half is empty, so that it never cuts there.
    words = {column: frame[column].astype(str).astype("category") for column in [*asked["words"], sensitive]}
    frame = frame.assign(**words)
    start = time.process_time()
    rows = Preserver(frame, quasi, sensitive).anonymize_k_anonymity(k=asked["k"])
    seconds = time.process_time() - start
    groups = [(row["count"], {column: _told(row[column], column in words) for column in quasi}) for row in rows]
    return {"anonypy_s": seconds, "anonypy_groups": groups}


def _told(value: object, words: bool) -> list:
    """Read what anonypy writes: `a,b` of a category, `low-high` or one number, each in a list."""
    text = str(value[0] if isinstance(value, list) else value)
    return text.split(",") if words else [float(end) for end in re.findall(r"\d+(?:\.\d+)?", text)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
