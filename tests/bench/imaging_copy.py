"""Plain copying: every file read, hashed and written; `python imaging_copy.py IN OUT PART OF` prints CPU seconds."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path


def main(source: Path, out: Path, part: int, of: int) -> None:
    files = sorted(path for path in source.rglob("*") if path.is_file())[part::of]
    cpu = time.process_time()
    for path in files:
        data = path.read_bytes()
        target = out / f"{hashlib.sha256(data).hexdigest()}.dcm"
        target.write_bytes(data)
    print(time.process_time() - cpu)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
