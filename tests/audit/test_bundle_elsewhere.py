"""The bundle on a machine without the repository: its own verifier, in a container with Python and `cryptography`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from audit.verify import verify_bundle
from tests.audit import empty_machine
from tests.audit.logs import VKEY
from tests.audit.tampering import TAMPERINGS, TAMPERINGS_WITH_TILES

pytestmark = pytest.mark.docker
KINDS = ("file changed", "entry forged", "proof gone", "cosignature of another time", "re-signed with another key")
# Runs each bundle's own program, as a person would, and says what came of it.
EACH = """
import json, pathlib, subprocess, sys
def verify(folder):
    command = [sys.executable, "-I", "-B", str(folder / "verify.py"), "--key", sys.argv[1]]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    return [done.returncode, done.stdout, done.stderr]
print(json.dumps({folder.name: verify(folder) for folder in pathlib.Path("/evidence").iterdir()}))
"""


def test_nothing_of_ours_is_on_that_machine(tmp_path) -> None:
    found = "import importlib.util as u, shutil; print([u.find_spec(n) for n in ('audit', 'sqlalchemy', 'enclave')]"
    done = empty_machine.run(tmp_path, "-c", f"{found}, shutil.which('openssl'), shutil.which('sh'))")
    assert (done.stdout, done.stderr) == ("[None, None, None] None None\n", "")


def test_every_bundle_is_judged_there_as_here(sound, sound_with_tiles, tmp_path) -> None:
    tmp_path.chmod(0o755)
    kinds = {name: (sound, TAMPERINGS[name][0]) for name in KINDS}
    kinds["hash above"] = (sound_with_tiles, TAMPERINGS_WITH_TILES["hash above"][0])
    kinds |= {"sound": (sound, lambda _: None), "sound with tiles": (sound_with_tiles, lambda _: None)}
    for name, (folder, tamper) in kinds.items():
        tamper(Path(shutil.copytree(folder, tmp_path / name)))
    done = empty_machine.run(tmp_path, "-c", EACH, str(VKEY))
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told.keys() == kinds.keys()
    for name, (code, said, trouble) in told.items():
        here = verify_bundle(tmp_path / name, VKEY)
        assert (code, trouble) == (0 if here.ok else 1, ""), name
        # There is nothing to check a time stamp with: that alone is said otherwise, in amber.
        theirs, ours = ([line for line in text.splitlines()[:-1] if "시점" not in line and "있었습니다" not in line]
                        for text in (said, here.text("ko")))  # fmt: skip
        assert theirs == ours, name
    assert "△ 시점확인 토큰을 확인할 프로그램이 없습니다" in told["sound"][1]
    assert {name for name, (code, *_) in told.items() if code == 0} == {"sound", "sound with tiles"}
