"""From bytes to a `Document`, inside the sealed child: by the registry's parsers, and on into files inside files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from enclave.airlock.checks.file_type import recognise
from enclave.airlock.checks.findings import block
from enclave.airlock.document import Document, Embedded, Part
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules

MAX_DEPTH, MAX_PARTS = 4, 500


def parse(content: bytes, name: str, rules: CheckRules) -> Document:
    """Recognise a file by its bytes and its name's ending, parse it, and all files in it.

    A file inside that cannot be read becomes a part that says so. Raises `ParseRefused` for the file itself.
    """
    return _Opening(rules).open(content, name, depth=0)


@dataclass
class _Opening:
    """One file being opened: how many parts it has had so far."""

    rules: CheckRules
    parts: int = 0

    def open(self, content: bytes, name: str, *, depth: int) -> Document:
        if not content:
            raise ParseRefused("parse.empty", "파일이 비어 있습니다.", "The file is empty.")
        return self._fill(recognise(content, name).parse(content, name, self.rules), depth)

    def _fill(self, document: Document, depth: int) -> Document:
        parts = [Part(part.label, self._fill(part.document, depth + 1)) for part in document.parts]
        self.parts += len(document.parts) + len(document.embedded)
        if self.parts > MAX_PARTS or (depth >= MAX_DEPTH and (parts or document.embedded)):
            raise _too_deep()
        parts += [Part(inner.label, self._open_inner(inner, depth + 1)) for inner in document.embedded]
        return replace(document, parts=tuple(parts), embedded=())

    def _open_inner(self, inner: Embedded, depth: int) -> Document:
        try:
            return self.open(inner.content, inner.name, depth=depth)
        except ParseRefused as refused:
            if refused.rule == "parse.parts":
                raise
            return Document("refused", findings=(block(refused.rule, refused.ko, refused.en),))


def _too_deep() -> ParseRefused:
    return ParseRefused(
        "parse.parts",
        f"파일 안에 파일이 너무 많거나 깊습니다({MAX_PARTS}개, {MAX_DEPTH}겹까지). 나누어 제출하세요.",
        f"Too many files inside the file, or too deep (at most {MAX_PARTS}, {MAX_DEPTH} levels). Split it.",
    )
