"""PDF: real figures pass; dots, scripts, attachments, layers, locked files and other letters than are seen do not."""

from __future__ import annotations

import io

import matplotlib as mpl
import pypdfium2
import pytest
from matplotlib.backends.backend_pdf import PdfPages
from PIL import Image

from enclave.airlock.figures.rasterise import rasterise
from enclave.airlock.report import FileReport, Severity, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect
from tests.enclave.airlock import drawn

RULES = CheckRules()


def look(content: bytes) -> FileReport:
    return inspect(content, "figure.pdf", RULES)


def stopped(content: bytes) -> set[str]:
    return {one.rule for one in look(content).findings if one.severity is Severity.BLOCK}


def pdf(stream: str, *, catalog: str = "", font: str = "/BaseFont/Helvetica", more: str = "") -> bytes:
    """A PDF of one page, written by hand; ``more``: further objects, numbered from 6 on."""
    bodies = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream",
        f"<</Type/Font/Subtype/Type1{font}>>",
        *([more] if more else []),
    ]
    out = "%PDF-1.7\n"
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        f"{out}xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<</Root 1 0 R/Size {len(bodies) + 1}>>\nstartxref\n{len(out)}\n%%EOF\n"
    ).encode("latin-1")


def words(text: str, *, mode: int = 0) -> str:
    return f"BT /F 18 Tf {mode} Tr 20 150 Td ({text}) Tj ET"


PROSE = "The incidence of diabetes was higher among older women"


@pytest.mark.parametrize("kind", [3, 42])
@pytest.mark.parametrize("name", drawn.HONEST)
def test_an_honest_figure_needs_only_a_person(name: str, kind: int) -> None:
    with mpl.rc_context({"pdf.fonttype": kind}):
        report = look(drawn.saved(drawn.HONEST[name](), "pdf"))
    assert report.verdict is Verdict.WARN, report.findings


@pytest.mark.parametrize(
    "figure",
    [drawn.scatter(), drawn.scatter(many=11), drawn.scatter(size=1), drawn.scatter(marker="s"), drawn.strip()],
    ids=["dots", "eleven dots", "tiny dots", "squares", "dots on one line"],
)
def test_a_scatter_plot_of_persons_is_stopped_and_can_be_made_pixels(figure) -> None:
    content = drawn.saved(figure, "pdf")
    finding = next(one for one in look(content).findings if one.rule == "figure.points")
    assert (finding.severity, finding.repairs) == (Severity.BLOCK, ("rasterise",))
    assert {one.rule for one in inspect(rasterise(content), "figure.png", RULES).findings} == {"image.eye"}


def test_a_line_of_two_hundred_corners_is_stopped() -> None:
    assert stopped(drawn.saved(drawn.long_line(), "pdf")) == {"figure.values"}


def test_a_plain_page_of_prose_needs_only_a_person() -> None:
    assert {one.rule for one in look(pdf(words(PROSE))).findings} == {"image.eye"}


@pytest.mark.parametrize(
    "content",
    [
        pdf(words("900101-1234568")),
        pdf(words("900101-1234568", mode=3)),
        pdf(f"1 1 1 rg {words('900101-1234568')}"),
        pdf(words("900101-1234568").replace("20 150", "2000 1500")),
    ],
    ids=["plain", "invisible", "white", "off the page"],
)
def test_an_identifier_is_found_wherever_it_stands(content: bytes) -> None:
    assert "id.rrn" in stopped(content)


@pytest.mark.parametrize(
    ("catalog", "more", "rule"),
    [
        ("/OpenAction<</S/JavaScript/JS(app.alert(1))>>", "", "figure.active"),
        ("/OpenAction<</S/J#61vaScript/JS(app.alert(1))>>", "", "figure.active"),
        ("/AA<</WC 6 0 R>>", "<</S/Launch/F(x.exe)>>", "figure.active"),
        ("/AcroForm<</Fields[]/XFA 6 0 R>>", "<<>>", "figure.active"),
        ("/Names<</EmbeddedFiles<</Names[(a)6 0 R]>>>>", "<</Type/Filespec/F(a.csv)>>", "pdf.attached"),
    ],
    ids=["a script", "a script in other spelling", "a program", "a form", "an attachment"],
)
def test_what_acts_or_is_attached_is_stopped(catalog: str, more: str, rule: str) -> None:
    assert rule in stopped(pdf(words(PROSE), catalog=catalog, more=more))


def test_layers_that_can_be_switched_are_pointed_at() -> None:
    content = pdf(words(PROSE), catalog="/OCProperties<</OCGs[6 0 R]/D<<>>>>", more="<</Type/OCG/Name(x)>>")
    assert {one.rule: one.severity for one in look(content).findings if one.rule.startswith("pdf")} == {
        "pdf.hidden": Severity.WARN
    }


@pytest.mark.parametrize(
    "content",
    [
        pdf(words(PROSE)) + b"PK\x03\x04 a zip behind its end",
        pdf(words("900101-1234568")) + b"%%EOF\n",
    ],
    ids=["behind the end", "an earlier version"],
)
def test_what_lies_around_or_before_the_last_version_is_stopped(content: bytes) -> None:
    assert "pdf.layers" in stopped(content)


def other_letters() -> bytes:
    shown = "/".join(f"{chr(ord('a') + (n * 7 + 3) % 26)}" for n in range(26))
    encoding = f"/Encoding<</Type/Encoding/BaseEncoding/WinAnsiEncoding/Differences[97/{shown}]>>"
    cmap = "".join(f"<{97 + n:02x}> <{97 + n:04x}>\n" for n in range(26))
    head = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange"
    unicode = f"{head}\n26 beginbfchar\n{cmap}endbfchar endcmap end"
    more = f"<</Length {len(unicode)}>>\nstream\n{unicode}\nendstream"
    lines = "".join(
        words(f"{PROSE.lower()} {number}").replace("20 150", f"10 {250 - 30 * number}") for number in range(3)
    )
    return pdf(lines, font=f"/BaseFont/Helvetica{encoding}/ToUnicode 6 0 R", more=more)


def test_a_font_that_draws_other_letters_than_it_says_is_stopped() -> None:
    assert "pdf.text" in stopped(other_letters())


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b"%PDF-1.7\n", "parse.pdf"), (b"%PDF-1.7\n" + b"1 0 obj<<>>endobj" * 99, "parse.pdf")],
)
def test_what_is_no_pdf_is_refused(content: bytes, rule: str) -> None:
    assert stopped(content) == {rule}


def test_more_than_twenty_pages_are_refused() -> None:
    out = io.BytesIO()
    with PdfPages(out) as pages:
        for _ in range(21):
            pages.savefig(drawn.Figure())
    assert stopped(out.getvalue()) == {"parse.pages"}
    with pytest.raises(ValueError, match="20 pages"):
        rasterise(out.getvalue())


def test_pages_are_made_one_picture_below_each_other() -> None:
    out = io.BytesIO()
    with PdfPages(out) as pages:
        pages.savefig(drawn.bars())
        pages.savefig(drawn.forest())
    picture = Image.open(io.BytesIO(rasterise(out.getvalue())))
    assert (picture.width, picture.height) == (1600, 2 * 1201 + 20)


def test_the_small_pdf_of_these_tests_is_one() -> None:
    assert pypdfium2.PdfDocument(pdf(words(PROSE)))[0].get_textpage().get_text_range() == PROSE
