"""`python3 -m images.builder workspace|naive`: what images/*/build call. Standard library only."""

from __future__ import annotations

import argparse
import sys
import time

from images.builder import naive, workspace
from images.builder.errors import BuildError
from images.builder.places import Places


def main(arguments: list[str]) -> int:
    """Build what is asked for and say what it is. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="images/builder", description=__doc__)
    parser.add_argument("image", choices=["workspace", "naive"])
    parser.add_argument("--force", action="store_true", help="build although nothing changed")
    parser.add_argument("--refresh", action="store_true", help="fetch Debian's packages anew (security updates)")
    parser.add_argument("--cuda", action="store_true", help="the image for GPU hosts (several GB; not built by set-up)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be built and downloaded, do nothing")
    options, started = parser.parse_args(arguments), time.monotonic()
    places = Places.of_this_machine(cuda=options.cuda)
    if options.dry_run:
        sys.stdout.write(workspace.foreseen(places) + "\n")
        return 0
    try:
        loaded = workspace.ensure(places, force=options.force, refresh=options.refresh)
        loaded = naive.ensure(places) if options.image == "naive" else loaded
    except BuildError as error:
        sys.stderr.write(f"{options.image}: {error.what}\n  → {error.now}\n")
        return 1
    seconds, size_mb = time.monotonic() - started, loaded.size_bytes / 1e6
    sys.stdout.write(f"{options.image}: {loaded.id[7:19]} {size_mb:.0f} MB {seconds:.1f} s ({places.record})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
