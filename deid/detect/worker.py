"""A process that masks a share of many texts: JSON on standard input, JSON on standard output.

`python -m deid.detect.worker` reads `{"texts": [...], "keys": {type: hex}}` and writes [masked text, finds] for each.
A plain child process is used rather than `multiprocessing`, which would import the caller's main module again and hand
secrets through pickles; keys go through the pipe and appear on no command line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deid.detect.examine import Seen
from deid.detect.found import Found
from deid.detect.replace import mask

Masked = tuple[str, list[Seen]]
_ROOT = Path(__file__).parent.parent.parent


def mask_in_processes(texts: Sequence[str], keys: Mapping[str, bytes], processes: int) -> list[Masked]:
    """Return `texts` masked, and what was seen, in order; raises `CalledProcessError` if a child process fails."""
    shares = [texts[start::processes] for start in range(processes)]
    # Threads only wait for pipes here; the work is in the children.
    with ThreadPoolExecutor(processes) as pool:
        answers = list(pool.map(lambda share: _ask(share, keys), shares))
    masked: list[Masked] = [("", [])] * len(texts)
    for start, answer in enumerate(answers):
        masked[start::processes] = answer
    return masked


def _ask(texts: Sequence[str], keys: Mapping[str, bytes]) -> list[Masked]:
    question = json.dumps({"texts": list(texts), "keys": {kind: key.hex() for kind, key in keys.items()}})
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    child = subprocess.run(
        [sys.executable, "-m", "deid.detect.worker"],
        input=question.encode(),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )
    return [(text, [Seen(Found(*span), doubt) for *span, doubt in seen]) for text, seen in json.loads(child.stdout)]


def main() -> None:
    """Answer one question on standard input."""
    question = json.load(sys.stdin.buffer)
    keys = {kind: bytes.fromhex(key) for kind, key in question["keys"].items()}
    answers = [mask(text, keys) for text in question["texts"]]
    sys.stdout.write(json.dumps([(text, [_plain(one) for one in seen]) for text, seen in answers]))


def _plain(one: Seen) -> tuple[int, int, str, float, str]:
    return one.span.start, one.span.end, one.span.type, one.span.score, one.doubt


if __name__ == "__main__":
    main()
