"""R37: source code says what it does. Nothing is folded into it that unpacks itself or runs what it hides.

Two readings: the text (runs of letters that encode something, heads of archives and programs), and for Python the
syntax tree (a call of `exec` or a loader over what was decoded, constants of bytes), which layout cannot disguise.
"""

from __future__ import annotations

import ast
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator

from enclave.airlock.checks.findings import block, line_place, mask, warn
from enclave.airlock.report import Finding

RUN_CHARS = 4096
RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,}|(?:\\x[0-9a-fA-F]{2}){8,}")
# Between the pieces of one long text: quotes, line ends, signs that join them.
JOIN, JOIN_CHARS = re.compile(r"[\s\"'\\+,;()\[\]#bBrR.-]*"), 80
MIXED_BITS = 3.2
HEX = re.compile(r"[0-9a-fA-F\\x]+")
# Heads of zip, gzip, xz, bzip2, pickles, ELF and Windows programs, as bytes written out and as base64.
HEADS = (
    r"PK\x03\x04", r"PK\003\004", r"\x50\x4b\x03\x04", r"\x1f\x8b\x08", r"\xfd7zXZ", r"\x7fELF", r"\x7f\x45\x4c\x46",
    "UEsDB", "H4sIA", "/Td6WFo", "QlpoO", "f0VMR", "TVqQAAM", "gASV", "gAN9", "gAJ9",
)  # fmt: skip
AFTER_HEAD = 64
SELF_UNPACKING = (
    re.compile(r"\b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?open\s*\("),
    re.compile(
        r"\b(?:exec|eval)\s*\(.{0,200}(?:b64decode|b85decode|a85decode|unhexlify|fromhex|decompress|rot13)", re.DOTALL
    ),
    re.compile(r"base64\s+(?:-d|-D|--decode).{0,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"),
    re.compile(
        r"\|\s*(?:base64\s+(?:-d|-D|--decode)|xxd\s+-r|uudecode)\b.{0,200}(?:tar|gunzip|unzip|python|perl|sh)\b"
    ),
    re.compile(r"(?:tail|sed|awk|dd)\b[^\n]{0,200}\$(?:0|\{0\}|BASH_SOURCE|\{BASH_SOURCE)"),
    re.compile(r"eval\s*\(\s*parse\s*\(\s*text\s*=.{0,200}(?:base64|rawToChar|memDecompress|unserialize)", re.DOTALL),
)
RUNNERS = {"exec", "eval", "compile", "loads", "load", "__import__", "FunctionType", "CodeType", "execfile", "run_path"}
DECODERS = {
    "b64decode", "b32decode", "b16decode", "b85decode", "a85decode", "urlsafe_b64decode", "standard_b64decode",
    "decodebytes", "unhexlify", "a2b_base64", "a2b_hex", "fromhex", "decompress", "decrypt", "open",
    "read_bytes", "read_text", "urlopen", "decode",
}  # fmt: skip
LOADERS = {"loads", "load"}
RUNS_TEXT = {("exec", ""), ("eval", ""), ("exec", "builtins"), ("eval", "builtins")}
LOADER_MODULES = {"marshal", "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib"}
DENSE_BYTES, DENSE_SHARE = 4096, 0.68
NUMBERS = re.compile(r"(?:(?:0x[0-9a-fA-F]{1,2}|\d{1,3})\s*,\s*){1000,}")
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\U000e0000-\U000e01ef]")
BYTES_CONSTANT = 2048
# PEP 263: Python reads a file as its first two lines say. In these encodings ASCII means itself, as a reviewer sees it.
CODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
AS_SHOWN = {
    "utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "cp949", "ms949", "uhc", "euc-kr",
}  # fmt: skip
MOST_PYTHON = 2_000_000


def check_source(text: str, *, python: bool) -> list[Finding]:
    """Return what is hidden in one source text; `python`: read its syntax tree too."""
    findings = [*_runs(text), *_heads(text), *_self_unpacking(text), *_dense(text), *_odd(text)]
    return [*findings, *_coding(text), *_tree(text)] if python else findings


def _runs(text: str) -> Iterator[Finding]:
    start = end = total = 0
    for found in [*RUN.finditer(text), None]:
        near = found is not None and found.start() - end <= JOIN_CHARS
        if found is not None and near and JOIN.fullmatch(text, end, found.start()) and total:
            end, total = found.end(), total + len(found.group())
            continue
        if total >= RUN_CHARS and _is_code(text[start:end]):
            yield _encoded(text, start, f"{total:,}자", f"{total:,} characters")
            return
        if found is not None:
            start, end, total = found.start(), found.end(), len(found.group())


def _is_code(run: str) -> bool:
    """Whether letters look drawn at random: names and words repeat themselves, encoded bytes hardly do."""
    letters = Counter(letter for letter in run if letter.isalnum() or letter in "+/")
    size = sum(letters.values()) or 1
    bits = -sum(count / size * math.log2(count / size) for count in letters.values())
    dense = len(zlib.compress(run.encode())) / len(run)
    return bits >= MIXED_BITS and (dense > 0.5 or (bool(HEX.fullmatch(run)) and dense > 0.4))  # noqa: PLR2004 - shares


def _heads(text: str) -> Iterator[Finding]:
    for head in HEADS:
        at = text.find(head)
        while at >= 0:
            follows = text[at : at + len(head) + AFTER_HEAD]
            if "\\x" in head or "\\0" in head or RUN.match(follows):
                yield block(
                    "import.embedded",
                    "글 안에 압축 파일이나 프로그램의 머리가 있습니다(R37). 담긴 것을 파일로 따로 올리세요.",
                    "The text holds the head of an archive or a program (R37). Upload what it holds as files.",
                    place=line_place(text.count("\n", 0, at)),
                )
                return
            at = text.find(head, at + 1)


def _self_unpacking(text: str) -> Iterator[Finding]:
    for pattern in SELF_UNPACKING:
        if found := pattern.search(text):
            yield _unpacks(text.count("\n", 0, found.start()))
            return


def _dense(text: str) -> Iterator[Finding]:
    raw = text.encode(errors="replace")
    if len(raw) >= DENSE_BYTES and len(zlib.compress(raw)) / len(raw) > DENSE_SHARE:
        yield _encoded(text, 0, "거의 전부", "nearly all of it")
    if found := NUMBERS.search(text):
        yield warn(
            "import.numbers",
            f"작은 수 {found.group().count(','):,}개가 이어져 있습니다. 부호화된 내용인지 확인하세요(R37).",
            f"{found.group().count(','):,} small numbers in a row: is this encoded content? (R37)",
            place=line_place(text.count("\n", 0, found.start())),
        )


def _odd(text: str) -> Iterator[Finding]:
    if found := INVISIBLE.search(text):
        yield block(
            "import.invisible",
            "보이지 않거나 글의 방향을 바꾸는 글자가 있습니다. 심사자가 보는 코드와 실행되는 코드가 달라집니다.",
            "Invisible characters, or marks that turn the text around: what is read is not what runs.",
            place=line_place(text.count("\n", 0, found.start())),
        )


def _coding(text: str) -> Iterator[Finding]:
    for line, said in enumerate(re.split(r"\r\n|\r|\n", text, maxsplit=2)[:2]):
        found = CODING.match(said)
        name = found.group(1).lower().replace("_", "-") if found else ""
        if name and name not in AS_SHOWN and not name.startswith("utf-8-"):
            yield block(
                "import.coding",
                f"파이썬이 다른 인코딩({name[:20]})으로 읽습니다. 보이는 코드가 실행되도록 UTF-8로 저장하세요.",
                f"Python would read it in another encoding ({name[:20]}) than you. Save it as UTF-8.",
                place=line_place(line),
            )


def _tree(text: str) -> Iterator[Finding]:
    if len(text) > MOST_PYTHON:
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        yield warn("import.syntax", "파이썬 문법에 맞지 않습니다.", "This is not valid Python.")
        return
    except (RecursionError, MemoryError):
        yield block("import.syntax", "너무 깊이 겹친 코드입니다.", "The code is nested too deeply.")
        return
    yield from _nodes(tree, text)


def _nodes(tree: ast.AST, text: str) -> Iterator[Finding]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if found := next((node for node in calls if _name(node.func) in RUNS_TEXT and not _is_constant(node)), None):
        yield warn(
            "import.exec",
            "글을 코드로 실행합니다(exec, eval). 무엇을 실행하는지 확인하세요.",
            "Text is run as code (exec, eval): see what it runs.",
            place=line_place(found.lineno - 1),
        )
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes) and len(node.value) >= BYTES_CONSTANT:
            yield _encoded(
                text, 0, f"바이트 상수 {len(node.value):,}개", f"a constant of {len(node.value):,} bytes", node.lineno
            )
            return
        if isinstance(node, ast.Call) and _runs_what_it_decodes(node):
            yield _unpacks(node.lineno - 1)
            return


def _runs_what_it_decodes(node: ast.Call) -> bool:
    name, owner = _name(node.func)
    if name not in RUNNERS or (name in LOADERS and owner not in LOADER_MODULES):
        return False
    if name == "loads" and owner in LOADER_MODULES:
        return owner == "marshal" or _decodes(node)
    return name not in LOADERS and _decodes(node)


def _is_constant(node: ast.Call) -> bool:
    return bool(node.args) and isinstance(node.args[0], ast.Constant)


def _decodes(node: ast.Call) -> bool:
    arguments = [*node.args, *(one.value for one in node.keywords)]
    inner = [each for argument in arguments for each in ast.walk(argument) if isinstance(each, ast.Call)]
    return any(_name(each.func)[0] in DECODERS for each in inner)


def _name(function: ast.expr) -> tuple[str, str]:
    """Return what is called, and on what if that is a plain name."""
    if isinstance(function, ast.Attribute):
        return function.attr, function.value.id if isinstance(function.value, ast.Name) else ""
    return (function.id, "") if isinstance(function, ast.Name) else ("", "")


def _unpacks(line: int) -> Finding:
    return block(
        "import.self-unpacking",
        "풀거나 읽은 내용을 곧바로 실행하는 코드입니다(R37). 실행할 코드를 파일로 함께 올리고 import로 쓰세요.",
        "The code runs what it has just decoded or read (R37). Upload that code as files and import it.",
        place=line_place(line),
    )


def _encoded(text: str, start: int, ko: str, en: str, line: int = 0) -> Finding:
    return block(
        "import.encoded",
        f"부호화된 것으로 보이는 내용이 있습니다({ko}, R37). 담긴 것을 파일로 따로 올리세요.",
        f"Something is encoded in the text ({en}, R37). Upload what it holds as files.",
        place=line_place(line - 1 if line else text.count("\n", 0, start)),
        sample=mask(text[start : start + 20]),
    )
