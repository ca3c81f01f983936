"""Jupyter notebooks (nbformat 4): each output and attachment is a file of its own, each code cell is code (R61).

What a notebook holds beside cells and outputs (metadata, states of widgets, other keys) is read as text: it leaves with
the file and no notebook view shows it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from enclave.airlock.checks.findings import block, mended_by, warn
from enclave.airlock.document import Document, Embedded, Part
from enclave.airlock.parsers.code import code_document
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.parsers.strict_json import read_json
from enclave.airlock.parsers.text import all_tables
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

MAJOR = 4
ENDINGS = {
    "image/png": ".png", "image/jpeg": ".jpg", "application/pdf": ".pdf", "image/svg+xml": ".svg", "text/html": ".html",
}  # fmt: skip
BINARY = frozenset({".png", ".jpg", ".pdf"})
WORDS = frozenset({"text/plain", "text/markdown", "text/latex"})
ACTIVE = re.compile(r"application/(?:javascript|vnd\.(?:bokehjs|holoviews|jupyter\.widget)).*|text/javascript")
JSON = re.compile(r"application/(?:[\w.+-]+\+)?json")
# What is read of each thing; anything else in it is beside the point, and looked at as such.
KNOWN = {
    "notebook": frozenset({"cells"}),
    "code": frozenset({"source", "outputs"}),
    "markdown": frozenset({"source", "attachments"}),
    "raw": frozenset({"source", "attachments"}),
    "stream": frozenset({"text"}),
    "error": frozenset({"ename", "evalue", "traceback"}),
    "display_data": frozenset({"data"}),
    "execute_result": frozenset({"data"}),
}
# Keys of every notebook, with what they hold when nobody has put anything else there.
PLAIN = {
    "nbformat": re.compile("4"), "nbformat_minor": re.compile(r"\d"), "cell_type": re.compile("code|markdown|raw"),
    "output_type": re.compile("stream|error|display_data|execute_result"), "name": re.compile("stdout|stderr"),
    "execution_count": re.compile(r"None|\d{1,4}"), "metadata": re.compile(r"\{\}"),
    "id": re.compile(r"[0-9a-f]{8}|cell-\d{1,4}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}  # fmt: skip
ORDINARY = frozenset({"kernelspec", "language_info"})
NAME = re.compile(r"(?:[A-Za-z.+/ _()-]|\d{1,3}(?!\d)){0,40}")
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
STRIP = "strip-outputs"


def parse_notebook(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read a notebook. Raises `ParseRefused`."""
    del name
    found = read_json(decode(content))
    if not isinstance(found, dict) or found.get("nbformat") != MAJOR or not isinstance(found.get("cells"), list):
        raise damaged()
    notebook = _Notebook(rules)
    try:
        notebook.read(found)
    except (TypeError, AttributeError, KeyError):
        raise damaged() from None
    return notebook.document()


def damaged() -> ParseRefused:
    """Return the refusal of what is no notebook of the current format."""
    return ParseRefused(
        "parse.notebook",
        "노트북(nbformat 4)이 아니거나 손상되었습니다. JupyterLab에서 열어 다시 저장하세요.",
        "Not a notebook of nbformat 4, or damaged. Open it in JupyterLab and save it again.",
    )


class _Notebook:
    """Gathers parts and files as the cells go by."""

    def __init__(self, rules: CheckRules) -> None:
        self.rules = rules
        self.parts: list[Part] = []
        self.files: list[Embedded] = []
        self.findings: dict[Finding, None] = {}
        self.besides: list[str] = []
        self.outputs = 0

    def read(self, found: Mapping[str, Any]) -> None:
        self._beside(found, "notebook")
        for number, cell in enumerate(found["cells"], 1):
            self._cell(cell, f"칸 {number}")

    def document(self) -> Document:
        if self.outputs:
            self.findings[_has_outputs(self.outputs)] = None
        text = "\n".join(self.besides)
        return Document(
            "notebook", text=text, parts=tuple(self.parts), embedded=tuple(self.files), findings=tuple(self.findings)
        )

    def _cell(self, cell: Mapping[str, Any], label: str) -> None:
        self._beside(cell, cell["cell_type"])
        source = _joined(cell["source"])
        if source.strip() and cell["cell_type"] == "code":
            self.parts.append(Part(f"{label} 코드", code_document(source, self.rules)))
        else:
            self._text(source, label)
        attached = cell.get("attachments", {}) if cell["cell_type"] != "code" else {}
        for number, (name, data) in enumerate(attached.items(), 1):
            self.outputs += 1
            self.besides.append(name)
            self._bundle(data, f"{label} 첨부 {number}")
        for number, output in enumerate(cell.get("outputs", ()) if cell["cell_type"] == "code" else (), 1):
            self.outputs += 1
            self._output(output, f"{label} 출력 {number}")

    def _output(self, output: Mapping[str, Any], label: str) -> None:
        self._beside(output, output["output_type"])
        if output["output_type"] == "stream":
            self._text(_joined(output["text"]), label)
        elif output["output_type"] == "error":
            self._text("\n".join([output["ename"], output["evalue"], *map(str, output["traceback"])]), label)
        else:
            self._bundle(output["data"], label)

    def _bundle(self, data: Mapping[str, Any], label: str) -> None:
        for mime, value in data.items():
            if mime in WORDS:
                self._text(_joined(value), label)
            elif mime in ENDINGS:
                self._file(ENDINGS[mime], _joined(value), label)
            elif JSON.fullmatch(mime) and not ACTIVE.fullmatch(mime):
                self.files.append(Embedded(label, "output.json", json.dumps(value).encode()))
            else:
                self.findings[_not_taken(mime, label)] = None
                self.besides.append(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

    def _text(self, text: str, label: str) -> None:
        plain = ANSI.sub("", text)
        if plain.strip():
            self.parts.append(Part(label, Document("text", tuple(all_tables(plain, self.rules)), plain)))

    def _file(self, ending: str, text: str, label: str) -> None:
        content = text.encode()
        if ending in BINARY:
            try:
                content = base64.b64decode("".join(text.split()), validate=True)
            except (binascii.Error, ValueError):
                raise damaged() from None
        elif ending == ".html" and "<html" not in text[:1000].lower():
            content = b"<!DOCTYPE html>\n" + content  # an output is a piece of a page
        if content.strip():
            self.files.append(Embedded(label, f"output{ending}", content))

    def _beside(self, holder: Mapping[str, Any], what: str) -> None:
        rest = {key: value for key, value in holder.items() if key not in KNOWN[what] and not _is_plain(key, value)}
        said = rest.get("metadata", {}) if what == "notebook" else {}
        if said:
            self.besides += _strings({key: said[key] for key in ORDINARY & set(said)})
            rest["metadata"] = {key: value for key, value in said.items() if key not in ORDINARY}
        if any(rest.values()):
            self.besides.append(json.dumps(rest, ensure_ascii=False))
            self.findings[_metadata()] = None


def _is_plain(key: str, value: object) -> bool:
    return key in PLAIN and PLAIN[key].fullmatch(str(value)) is not None


def _joined(value: object) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    if isinstance(value, str):
        return value
    raise TypeError("no text")


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and not NAME.fullmatch(each):
            yield each


def _has_outputs(count: int) -> Finding:
    return mended_by(
        warn(
            "notebook.outputs",
            f"출력과 첨부가 {count}개 있습니다. 하나하나 파일로 점검했습니다. 코드만 필요하면 출력을 지우세요.",
            f"There are {count} outputs and attachments, each checked as a file. For code alone, strip them.",
        ),
        STRIP,
    )


def _not_taken(mime: str, label: str) -> Finding:
    shown = mime if re.fullmatch(r"[\w./+-]{1,60}", mime) else "?"
    return mended_by(
        block(
            "notebook.output",
            f"이 종류의 출력({shown})은 받지 않습니다. 출력을 지우거나 표·그림으로 바꾸세요.",
            f"Outputs of this kind ({shown}) are not taken. Strip them, or show a table or picture.",
            place=label,
        ),
        STRIP,
    )


def _metadata() -> Finding:
    return mended_by(
        warn(
            "notebook.metadata",
            "노트북에 화면에 보이지 않는 정보(메타데이터)가 있습니다. 점검에는 포함했습니다.",
            "The notebook holds metadata that no view shows. They were checked with the rest.",
        ),
        STRIP,
    )
