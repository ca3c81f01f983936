"""R61: outputs and attachments of a notebook are files; its code alone has none; nothing in it stays unread."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from enclave.airlock.parse import parse
from enclave.airlock.repairs.refused import RepairRefused
from enclave.airlock.repairs.registry import make
from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect

RULES = CheckRules()
PERSON = "900101-1234567"


def png() -> str:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return base64.encodebytes(out.getvalue()).decode()


def code(source: str = "summary()", *outputs: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": 1, "id": "0123abcd", "metadata": {}, "source": source,
            "outputs": list(outputs), **more}  # fmt: skip


def shown(mime: str, value: object, **more: object) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {mime: value}, "metadata": {}, **more}


def printed(text: object, **more: object) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text, **more}


def notebook(*cells: dict[str, Any], **more: object) -> bytes:
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
              "language_info": {"name": "python", "version": "3.13.1"}}  # fmt: skip
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5, **more}).encode()


def look(content: bytes, name: str = "work.ipynb") -> FileReport:
    return inspect(content, name, RULES)


def rules_of(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def placed(report: FileReport, rule: str) -> list[str]:
    return [finding.place for finding in report.findings if finding.rule == rule]


def test_a_notebook_of_code_alone_passes() -> None:
    report = look(
        notebook(code("import pandas as pd\npd.__version__"), {"cell_type": "markdown", "source": ["# 결과"]})
    )
    assert (report.findings, report.kind) == ((), "notebook")


TABLE = (
    "<table><thead><tr><th>region</th><th>n</th></tr></thead><tbody><tr><td>A</td><td>120</td></tr>{}</tbody></table>"
)
ROW = "<tr><td>B</td><td>{}</td></tr>"
OUTPUTS = {
    "a printed table": (printed(["  region    n\n", "0  A  120\n", "1  B   44\n", "2  C    4\n", "3  D  30\n"]),
                        "cell.small"),
    "a table of pandas": (shown("text/html", f"<div><style scoped>.a{{}}</style>{TABLE.format(ROW.format(4))}</div>"),
                          "cell.small"),
    "records as text": (printed("pid,alt\n" + "".join(f"{i},30.1\n" for i in range(20))), "row.id-column"),
    "a picture": (shown("image/png", png()), "image.eye"),
    "a figure": (shown("application/vnd.plotly.v1+json", {"data": [
        {"type": "scatter", "mode": "markers", "x": list(range(99)), "y": list(range(99))}], "layout": {}}),
        "figure.points"),
    "a drawing": (shown("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'><script>x</script></svg>"),
                  "figure.active"),
    "a page that acts": (shown("text/html", "<script>fetch('http://a')</script>"), "figure.active"),
    "a script": (shown("application/javascript", "alert(1)"), "notebook.output"),
    "a widget": (shown("application/vnd.jupyter.widget-view+json", {"model_id": "x"}), "notebook.output"),
    "an error": ({"output_type": "error", "ename": "KeyError", "evalue": PERSON,
                  "traceback": ["\x1b[31mKeyError\x1b[0m"]}, "id.rrn"),
    "a series as pandas prints it": (
        shown("text/plain", "region\nA    120\nB     44\nC      4\nName: count, dtype: int64"), "cell.small"),
    "something unknown": (shown("application/x-thing", PERSON), "notebook.output"),
    "numbers as JSON": (shown("application/json", [{"region": "A", "n": 120}, {"region": "B", "n": 4}]), "cell.small"),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTPUTS)
def test_an_output_is_checked_as_the_file_it_is_and_its_place_says_which(case: str) -> None:
    output, rule = OUTPUTS[case]
    report = look(notebook(code("a"), code("b", printed("fine\n"), output)))
    assert any(place.startswith("칸 2 출력 2") for place in placed(report, rule))
    (outputs,) = [finding for finding in report.findings if finding.rule == "notebook.outputs"]
    assert outputs.repairs == ("strip-outputs",)


HIDING = {
    "in code": notebook(code(f"x = '{PERSON}'")),
    "in a comment of the code": notebook(code(f"# {PERSON}")),
    "as escapes in code": notebook(code("x = '" + "".join(f"\\x{ord(c):02x}" for c in PERSON) + "'")),
    "in words": notebook({"cell_type": "markdown", "metadata": {}, "source": f"환자 {PERSON}"}),
    "in a raw cell": notebook({"cell_type": "raw", "metadata": {}, "source": [PERSON]}),
    "in an attachment": notebook({"cell_type": "markdown", "metadata": {}, "source": "a",
                                  "attachments": {"a.txt": {"text/plain": PERSON}}}),
    "in an attachment's name": notebook({"cell_type": "markdown", "metadata": {}, "source": "a",
                                         "attachments": {f"{PERSON}.txt": {"text/plain": "a"}}}),
    "in the notebook's metadata": notebook(metadata={"x": {"y": [PERSON]}}),
    "in the kernel's name": notebook(metadata={"kernelspec": {"display_name": PERSON}}),
    "in a cell's metadata": notebook(code(metadata={"tags": [PERSON]})),
    "in an output's metadata": notebook(code("a", shown("text/plain", "a", metadata={"a": PERSON}))),
    "in a cell's id": notebook(code(id=PERSON)),
    "as the count of a cell": notebook(code(execution_count=9001011234567)),
    "as the name of a stream": notebook(code("a", printed("a", name=PERSON))),
    "where no output of this kind has it": notebook(code("a", printed("a", data={"text/plain": PERSON}))),
    "in outputs of a cell that has none": notebook(
        {"cell_type": "markdown", "metadata": {}, "source": "a", "outputs": [printed(PERSON)]}),
    "in a key of nobody's": notebook(**{PERSON: 1}),
    "under a key of nobody's": notebook(secret=PERSON),
    "in base64 of a picture that is none": notebook(code("a", shown("text/html", f"<p title='{PERSON}'>a</p>"))),
}  # fmt: skip


@pytest.mark.parametrize("case", HIDING)
def test_an_identifier_anywhere_in_a_notebook_is_found(case: str) -> None:
    report = look(HIDING[case])
    assert "id.rrn" in rules_of(report)
    assert PERSON not in report.to_json()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b'{"nbformat": 3, "worksheets": []}', "parse.notebook"),
        (b'{"nbformat": 4, "cells": [1]}', "parse.notebook"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "parse.notebook"),
        (b'{"nbformat": 4, "cells": [], "cells": []}', "parse.json"),
        (notebook(code("a", shown("image/png", "no base64!"))), "parse.notebook"),
        (notebook(*[code("a", printed("b"))] * 300), "parse.parts"),
        (notebook(), "type.mismatch"),
    ],
    ids=["old", "no cells", "no text", "a key twice", "no picture", "too many cells", "called json"],
)
def test_a_notebook_that_is_none_is_refused(content: bytes, rule: str) -> None:
    assert rules_of(look(content, "a.json" if rule == "type.mismatch" else "a.ipynb")) == {rule}


FULL = notebook(
    code("a = 1\nb", printed("x"), shown("image/png", png()), metadata={"tags": ["t"]}, attachments={"a": 1}),
    {"cell_type": "markdown", "source": ["# 결과\n", "끝"], "attachments": {"a.png": {"image/png": png()}}},
    metadata={"widgets": {"state": PERSON}},
)


def test_stripped_of_outputs_a_notebook_keeps_its_code_and_nothing_else() -> None:
    ending, made = make(FULL, "a.ipynb", "strip-outputs", RULES)
    found = json.loads(made)
    assert ending == ".ipynb"
    assert ["".join(cell["source"]) for cell in found["cells"]] == ["a = 1\nb", "# 결과\n끝"]
    assert [cell.get("outputs", []) for cell in found["cells"]] == [[], []]
    assert not [cell for cell in found["cells"] if cell["metadata"] or "attachments" in cell]
    assert look(made).verdict is Verdict.PASS
    document = parse(made, "a.ipynb", RULES)
    assert (document.embedded, [part.label for part in document.parts]) == ((), ["칸 1 코드", "칸 2"])


def test_what_is_no_notebook_cannot_be_stripped() -> None:
    with pytest.raises(RepairRefused):
        make(b"{}", "a.ipynb", "strip-outputs", RULES)
