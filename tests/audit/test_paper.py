"""A checkpoint on paper: what is printed reads back, and every later rewriting of the log is seen against it."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from click.testing import CliRunner
from PIL import Image

from audit import paper, papercheck
from audit.cli import audit
from audit.errors import NoteError
from audit.note import open_checkpoint
from audit.tiles import Tile
from tests.audit.logs import SIGNER, VKEY, entries, publish

EXAMPLE = (
    "\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> str:
    """The sheet of the log of 600 when it had 530 entries."""
    folder = tmp_path_factory.mktemp("then")
    publish(folder, entries(530))
    return paper.sheet((folder / "checkpoint").read_bytes(), VKEY).text


def codes(typed: str, folder) -> list[tuple[str, bool, bool]]:
    return [(claim.code, claim.ok, claim.amber) for claim in papercheck.compare(typed, folder, VKEY).claims]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_what_a_scanner_reads_is_what_was_signed(log_of_600, form) -> None:
    page = paper.sheet((log_of_600 / "checkpoint").read_bytes(), VKEY)
    if form == "png":
        picture = page.png()
    else:
        resvg = pytest.importorskip("resvg_py")
        picture = bytes(resvg.svg_to_bytes(svg_string=page.svg(module_px=6)))
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
    assert code.text == page.text
    assert open_checkpoint(code.text.encode(), VKEY).size == 600


def test_a_sheet_fits_on_a_line_of_a_report_and_holds_the_logs_signature_alone(log_of_600) -> None:
    note = (log_of_600 / "checkpoint").read_bytes()
    page = paper.sheet(note + EXAMPLE.strip("\n").encode() + b"\n", VKEY)
    assert page.text == note.decode()
    assert len(page.text.encode()) < 250
    assert len(page.lines) == 4
    assert "▀" in page.blocks()


def test_no_sheet_is_printed_of_a_checkpoint_that_the_log_did_not_sign(log_of_600) -> None:
    note = (log_of_600 / "checkpoint").read_bytes().replace(b"\n600\n", b"\n601\n")
    with pytest.raises(NoteError):
        paper.sheet(note, VKEY)


HELD = [("paper.signature", True, False), ("paper.prefix", True, False)]


@pytest.mark.parametrize(
    "typed",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff\n  " + text.replace("— ", "- ").replace("\n530\n", "\n 5 30 \n").rstrip("\n"),
        lambda text: text.replace("— ", "").replace("\n\n", "\n"),
        lambda text: "\n".join(" ".join(line) if at == 2 else line for at, line in enumerate(text.split("\n"))),
    ],
    ids=["as printed", "Windows", "spaced", "without dash", "root in letters"],
)
def test_a_kept_checkpoint_is_found_to_be_the_beginning_of_the_log(kept, log_of_600, typed) -> None:
    assert codes(typed(kept), log_of_600) == HELD


def test_three_lines_without_a_signature_are_compared_and_marked(kept, log_of_600) -> None:
    typed = "\n".join(kept.splitlines()[:3])
    assert codes(typed, log_of_600) == [("paper.unsigned", True, True), ("paper.prefix", True, False)]


def other_letter(letter: str) -> str:
    return "B" if letter == "A" else "A"


def test_a_slip_of_the_hand_is_told_from_a_rewriting_by_its_places(kept, log_of_600) -> None:
    name, size, root = kept.splitlines()[:3]
    typed = f"{name}\n{size}\n{root[:6]}{other_letter(root[6])}{root[7:]}\n"
    report = papercheck.compare(typed, log_of_600, VKEY)
    assert [claim.code for claim in report.failures] == ["paper.mistyped"]
    assert "7번째" in report.failures[0].ko


def rewritten(folder, data) -> None:
    data[3] = data[3].replace(b"done", b"dune")
    publish(folder, data)


def cut(folder, data) -> None:
    publish(folder, data[:500])


def of_another_name(folder, data) -> None:
    publish(folder, data, signer=type(SIGNER)("ansim.test/other", SIGNER.private))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (rewritten, "paper.rewritten"),
        (cut, "paper.log-shorter"),
        (of_another_name, "audit.untrusted-key"),
    ],
)
def test_a_log_that_changed_after_the_sheet_was_printed_is_refused(kept, tmp_path, change, code) -> None:
    change(tmp_path / "log", entries(600))
    report = papercheck.compare(kept, tmp_path / "log", VKEY)
    assert [claim.code for claim in report.failures] == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace("\n530\n", "\n531\n"), "audit.bad-signature"),
        (lambda text: text.replace("ansim.test/log\n", "other.test/log\n", 1), "audit.bad-signature"),
        (lambda text: "", "audit.bad-checkpoint"),
        (lambda text: "\n".join(text.splitlines()[:2]), "audit.bad-checkpoint"),
        (lambda text: text.splitlines()[0] + "\n530\nroot\n", "audit.bad-checkpoint"),
        (lambda text: "other.test/log\n" + "\n".join(text.splitlines()[1:3]), "paper.other-log"),
        (lambda text: text[:-9] + "\n", "audit.bad-signature"),
    ],
    ids=["size", "name", "nothing", "two lines", "no root", "other log", "signature cut"],
)
def test_a_sheet_that_proves_nothing_is_refused_with_its_own_code(kept, log_of_600, change, code) -> None:
    report = papercheck.compare(change(kept), log_of_600, VKEY)
    assert [claim.code for claim in report.failures] == [code]


def test_damaged_or_missing_tiles_prove_nothing(kept, log) -> None:
    tile = log / Tile(0, 2, 88).path
    tile.write_bytes(bytes(88 * 32))
    assert codes(kept, log)[-1][:2] == ("log.root", False)
    tile.unlink()
    assert codes(kept, log)[-1][:2] == ("log.file-missing", False)


def test_the_commands_print_and_compare(log_of_600, tmp_path) -> None:
    def run(*arguments: object, typed: str | None = None):
        return CliRunner().invoke(audit, [str(item) for item in arguments], input=typed)

    shown = run("print", log_of_600, "--key", VKEY)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("ansim.test/log\n600\n")
    assert shown.stderr.startswith("△"), "no witness has seen it"
    assert run("print", log_of_600, "--key", VKEY, "--svg", tmp_path / "qr.svg").exit_code == 0
    assert (tmp_path / "qr.svg").read_text().startswith("<svg")
    typed = "\n".join(shown.stdout.splitlines()[:5])
    assert run("compare", log_of_600, "--key", VKEY, typed=typed).exit_code == 0
    done = run("compare", log_of_600, "--key", VKEY, "--lang", "en", typed=typed.replace("600", "601"))
    assert done.exit_code == 1
    assert "signature does not match" in done.output
    other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert run("print", log_of_600, "--key", other).exit_code == 1
    assert run("compare", log_of_600, "--key", "nothing.pub", typed=typed).exit_code == 2
