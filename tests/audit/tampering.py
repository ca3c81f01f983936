"""Ways to tamper with an evidence bundle: each does its damage, then lists the files anew as a careful forger would.

Of each: what it does, and the code and words of our refusal. `FOREIGN`, `FOREIGN_WITH_TILES`: those that break what
verifiers which others wrote look at as well, the signature and the tree.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.canonical import encode
from audit.note import Checkpoint, Signer
from audit.tiles import Edge, Tile
from tests.audit.logs import SIGNER, VKEY, entries

PROOF = "proofs/255.tlog-proof"


def put(folder: Path, name: str, data: bytes | str) -> None:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def relist(folder: Path, **changes: object) -> None:
    """Write the manifest anew so that it fits the tampered files, as a careful forger would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = [
        [path.relative_to(folder).as_posix(), sha256(path.read_bytes()).hexdigest()]
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    ]
    put(folder, "manifest.json", encode(manifest | changes) + b"\n")


def lines(folder: Path, change) -> None:
    data = (folder / "entries.jsonl").read_bytes().splitlines()
    change(data)
    put(folder, "entries.jsonl", b"\n".join(data) + b"\n")
    relist(folder)


def swap(data) -> None:
    data[0], data[1] = data[1], data[0]


def other_proof(folder: Path) -> None:
    put(folder, PROOF, (folder / "proofs/256.tlog-proof").read_bytes())
    relist(folder)


def wrong_path(folder: Path) -> None:
    text = (folder / PROOF).read_text().split("\n")
    text[2], text[3] = text[3], text[2]
    put(folder, PROOF, "\n".join(text))
    relist(folder)


def other_checkpoint(folder: Path) -> None:
    edge = Edge()
    edge.extend(entries(590))
    text = (folder / PROOF).read_text()
    note = SIGNER.sign(str(Checkpoint(SIGNER.name, edge.size, edge.root())))
    put(folder, PROOF, text[: text.index("\n\n") + 2] + note)
    relist(folder)


def resigned(folder: Path) -> None:
    stranger = Signer(VKEY.name, Ed25519PrivateKey.generate())
    note = stranger.sign((folder / "checkpoint").read_text().split("\n\n")[0] + "\n")
    put(folder, "checkpoint", note)
    put(folder, "policy", f"log {stranger.vkey}\nquorum none\n")
    relist(folder)


def resigned_only(folder: Path) -> None:
    stranger = Signer(VKEY.name, Ed25519PrivateKey.generate())
    put(folder, "checkpoint", stranger.sign((folder / "checkpoint").read_text().split("\n\n")[0] + "\n"))
    relist(folder)


def key_added(folder: Path) -> None:
    """Leave the published key in the policy, add one, and sign with that, in every proof too."""
    stranger, before = Signer(VKEY.name, Ed25519PrivateKey.generate()), (folder / "checkpoint").read_text()
    note = stranger.sign(before.split("\n\n")[0] + "\n")
    for path in [folder / "checkpoint", *(folder / "proofs").iterdir()]:
        path.write_text(path.read_text().replace(before, note))
    put(folder, "policy", f"log {stranger.vkey}\n{(folder / 'policy').read_text()}")
    relist(folder)


def bigger(folder: Path) -> None:
    put(folder, "checkpoint", (folder / "checkpoint").read_text().replace("\n600\n", "\n601\n"))
    relist(folder)


def forged_line(data) -> None:
    data[3] = data[3].replace(b'"outcome":"done"', b'"outcome":"failed"')


def linked(folder: Path) -> None:
    (folder / "README.txt").rename(folder.parent / "README.txt")
    (folder / "README.txt").symlink_to(folder.parent / "README.txt")


def renumbered(folder: Path) -> None:
    relist(folder, ranges=[[251, 261], [599, 599]])
    for index in range(260, 249, -1):
        (folder / f"proofs/{index}.tlog-proof").rename(folder / f"proofs/{index + 1}.tlog-proof")
    relist(folder, ranges=[[251, 261], [599, 599]])


def without_quorum(folder: Path) -> None:
    """Make the policy ask for nobody: with the published policy the verifier does not look at this one."""
    text = (folder / "policy").read_text()
    put(folder, "policy", text[: text.index("quorum")] + "quorum nobody\n")
    relist(folder)


def cosigned_wrongly(folder: Path) -> None:
    """Take the first cosignature for another time: it no longer covers what it says."""
    text, signatures = (folder / "checkpoint").read_text().split("\n\n")
    ours, theirs, *rest = signatures.splitlines()
    dash, name, blob = theirs.split(" ")
    data = bytearray(b64decode(blob))
    data[11] ^= 1
    changed = f"{dash} {name} {b64encode(data).decode()}"
    put(folder, "checkpoint", "\n".join([f"{text}\n", ours, changed, *rest, ""]))
    relist(folder)


def unsigned_by_the_log(folder: Path) -> None:
    text, signatures = (folder / "checkpoint").read_text().split("\n\n")
    put(folder, "checkpoint", "\n".join([f"{text}\n", *signatures.splitlines()[1:], ""]))
    relist(folder)


def stamp_of_another(folder: Path) -> None:
    """Change one byte of the hash that the token covers."""
    stamp = (folder / "checkpoint.tsr").read_bytes()
    covered = sha256(((folder / "checkpoint").read_text().split("\n\n")[0] + "\n").encode()).digest()
    assert covered in stamp
    put(folder, "checkpoint.tsr", stamp.replace(covered, sha256(b"another").digest()))
    relist(folder)


TAMPERINGS = {
    "manifest missing": (lambda f: (f / "manifest.json").unlink(), "bundle.file-missing", "manifest.json"),
    "manifest not JSON": (lambda f: put(f, "manifest.json", "{"), "bundle.manifest", "JSON"),
    "manifest of another version": (lambda f: relist(f, v=2), "bundle.manifest", "malformed: v=2"),
    "manifest without ranges": (lambda f: relist(f, ranges="all"), "bundle.manifest", "malformed: ranges"),
    "manifest with a broken range": (lambda f: relist(f, ranges=[[5]]), "bundle.manifest", "ranges, [5]"),
    "manifest with a range backwards": (lambda f: relist(f, ranges=[[9, 5]]), "bundle.manifest", "[9, 5]"),
    "manifest with overlapping ranges": (
        lambda f: relist(f, ranges=[[1, 5], [5, 9]]),
        "bundle.manifest",
        "(1, 5) → [5, 9]",
    ),
    "manifest without files": (lambda f: relist(f, files={}), "bundle.manifest", "malformed: files"),
    "manifest with a nameless file": (lambda f: relist(f, files=[["x"]]), "bundle.manifest", "files, ['x']"),
    "manifest without a selection": (lambda f: relist(f, selection=[]), "bundle.manifest", "malformed: selection"),
    "manifest with a number for a text": (lambda f: relist(f, selection={"a": 1}), "bundle.manifest", "selection, a"),
    "file missing": (lambda f: (f / PROOF).unlink(), "bundle.file-missing", PROOF),
    "file changed": (lambda f: put(f, "README.txt", "x"), "bundle.file-changed", "README.txt"),
    "file added": (lambda f: put(f, "more.txt", "x"), "bundle.file-extra", "more.txt"),
    "file made a link": (linked, "bundle.file-link", "README.txt"),
    "verifier changed": (lambda f: put(f, "verify.py", "print('ok')"), "bundle.file-changed", "verify.py"),
    "policy malformed": (lambda f: (put(f, "policy", "quorum none\n"), relist(f)), "bundle.policy", "policy"),
    "policy with two logs": (
        lambda f: (put(f, "policy", f"log {VKEY}\nlog {VKEY}\nquorum none\n"), relist(f)),
        "bundle.policy",
        "policy",
    ),
    "policy with a broken key": (
        lambda f: (put(f, "policy", "log x+y+z\nquorum none\n"), relist(f)),
        "bundle.policy",
        "line 1",
    ),
    "re-signed with another key": (resigned, "bundle.key", "not the trusted one"),
    "key added to the policy": (key_added, "audit.untrusted-key", "no signature of the trusted key"),
    "checkpoint re-signed": (resigned_only, "audit.untrusted-key", "no signature of the trusted key"),
    "checkpoint claims more": (bigger, "audit.bad-signature", "does not match"),
    "checkpoint gone": (lambda f: ((f / "checkpoint").unlink(), relist(f)), "bundle.file-missing", "checkpoint"),
    "line removed": (lambda f: lines(f, list.pop), "bundle.count", "has 11 lines"),
    "line doubled": (lambda f: lines(f, lambda d: d.append(d[0])), "bundle.count", "has 13 lines"),
    "last line cut": (
        lambda f: (put(f, "entries.jsonl", (f / "entries.jsonl").read_bytes()[:-1]), relist(f)),
        "bundle.cut",
        "cut off",
    ),
    "range beyond the log": (lambda f: relist(f, ranges=[[250, 260], [600, 600]]), "bundle.range", "beyond"),
    "line not canonical": (
        lambda f: lines(f, lambda d: d.__setitem__(2, b" " + d[2])),
        "bundle.entry-form",
        "Entry 252",
    ),
    "entry twice": (
        lambda f: lines(f, lambda d: d.__setitem__(1, d[0])),
        "bundle.entry-twice",
        "Entry 251 repeats 250",
    ),
    "entry forged": (lambda f: lines(f, forged_line), "bundle.not-in-log", "Entry 253"),
    "entries exchanged": (lambda f: lines(f, swap), "bundle.not-in-log", "Entry 250"),
    "indexes shifted": (renumbered, "bundle.proof-other", "251.tlog-proof"),
    "proof malformed": (lambda f: (put(f, PROOF, "x"), relist(f)), "bundle.proof-form", "entry 255"),
    "proof of another entry": (other_proof, "bundle.proof-other", PROOF),
    "proof under another checkpoint": (other_checkpoint, "bundle.proof-checkpoint", PROOF),
    "proof with a wrong path": (wrong_path, "bundle.not-in-log", "Entry 255"),
    "proof gone": (lambda f: ((f / PROOF).unlink(), relist(f)), "bundle.proof-missing", "Entry 255 has no proof"),
    "file named twice": (
        lambda f: relist(f, files=[["policy", "0"], ["policy", "1"]]),
        "bundle.manifest",
        "2 × policy",
    ),
    "policy with a quorum of nobody": (without_quorum, "bundle.policy", "quorum of a name"),
    "cosignature of another time": (cosigned_wrongly, "audit.bad-signature", "audit.test/w1"),
    "log's own signature taken off": (unsigned_by_the_log, "audit.untrusted-key", "no signature of the trusted key"),
    "time stamp of another text": (stamp_of_another, "audit.bad-stamp", "not of this checkpoint"),
    "time stamp that is none": (
        lambda f: (put(f, "checkpoint.tsr", b"0"), relist(f)),
        "audit.stamp-unreadable",
        "cannot be read",
    ),
    "certificate that is none": (
        lambda f: (put(f, "tsa.pem", "x"), relist(f)),
        "audit.stamp-certificate",
        "certificate",
    ),
}
FOREIGN = (
    "re-signed with another key",
    "checkpoint re-signed",
    "checkpoint claims more",
    "checkpoint gone",
    "log's own signature taken off",
    "line removed",
    "line doubled",
    "range beyond the log",
    "entry twice",
    "line not canonical",
    "entry forged",
    "entries exchanged",
    "indexes shifted",
    "proof malformed",
    "proof of another entry",
    "proof with a wrong path",
    "proof gone",
)


def flip(folder: Path, tile: Tile, at: int) -> None:
    path = folder / tile.path
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))
    relist(folder)


TAMPERINGS_WITH_TILES = {
    "hash of an entry": (lambda f: flip(f, Tile(0, 0, 256), 250 * 32), "bundle.tile-wrong", "entry 250"),
    "hash of a neighbour": (lambda f: flip(f, Tile(0, 1, 256), 99 * 32), "bundle.tile-wrong", "entry 256"),
    "hash above": (lambda f: flip(f, Tile(1, 0, 2), 32), "bundle.tile-wrong", "entry 250"),
    "tile gone": (lambda f: ((f / Tile(0, 1, 256).path).unlink(), relist(f)), "bundle.tile-missing", "entry 256"),
    "tile cut short": (
        lambda f: (put(f, Tile(0, 0, 256).path, (f / Tile(0, 0, 256).path).read_bytes()[:4096]), relist(f)),
        "bundle.tile-missing",
        "entry 250",
    ),
    "entry forged": (lambda f: lines(f, forged_line), "bundle.not-in-log", "Entry 253"),
}
FOREIGN_WITH_TILES = tuple(TAMPERINGS_WITH_TILES)
