"""What ACRO says about outputs, as a researcher's session makes them: run in ACRO's own environment.

`python acro_peer.py FOLDER`: reads FOLDER/jobs.json, a list of `{"kind", "data"}` (`data`: CSV of microdata with the
columns a, b, v; for `file` the finished output), and prints a JSON list of ACRO's statuses (pass, review, fail).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
os.environ["TQDM_DISABLE"] = "1"


def status(kind: str, path: Path) -> str:
    import pandas as pd
    from acro import ACRO

    session = ACRO(suppress=False)
    if kind == "file":
        session.custom_output(str(path), "made by hand")
    else:
        data = pd.read_csv(path)
        if kind == "crosstab":
            session.crosstab(data["a"], data["b"], margins=True)
        elif kind in {"mean", "sum"}:
            session.pivot_table(data, index=["a"], values=["v"], aggfunc=kind)
        else:
            terms = data[["x", "z"]].assign(constant=1.0)
            session.ols(data["v"], terms)
    (record,) = session.results.results.values()
    return str(record.status)


def main() -> None:
    folder = Path(sys.argv[1])
    jobs = json.loads((folder / "jobs.json").read_text())
    found = []
    for job in jobs:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found.append(status(job["kind"], folder / job["data"]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
