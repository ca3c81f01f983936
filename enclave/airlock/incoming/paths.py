"""Which paths a member of an import may have: one plain way down from a folder, with one spelling."""

from __future__ import annotations

import unicodedata

from enclave.airlock.parsers.refused import ParseRefused

MAX_DEPTH, MAX_PART, MAX_PATH = 12, 100, 400
ARCHIVES = (".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".tar", ".tgz", ".tbz2", ".txz")


def packed_stem(name: str) -> str:
    """Return an archive's name without its ending; empty for what is no source archive by its name."""
    ending = next((each for each in ARCHIVES if name.lower().endswith(each)), "")
    return name[: -len(ending)] if ending else ""


def safe_path(path: str) -> str:
    """Return a member's path if it is a plain way down from a folder; raises `ParseRefused` (`import.path`)."""
    parts = path.split("/")
    plain = (
        path == unicodedata.normalize("NFC", path)
        and len(path) <= MAX_PATH
        and len(parts) <= MAX_DEPTH
        and all(_is_plain(part) for part in parts)
    )
    if not plain:
        raise ParseRefused(
            "import.path",
            f"압축 파일 안의 경로 {path[:80]!a}은(는) 받지 않습니다(절대 경로, .., 링크, 이상한 글자, 너무 긴 이름).",
            f"The path {path[:80]!a} in the archive is not taken (absolute, .., odd characters, too long).",
        )
    return path


def _is_plain(part: str) -> bool:
    odd = any(unicodedata.category(letter)[0] in "CZ" and letter != " " for letter in part) or set(part) & set(
        '\\:*?"<>|'
    )
    return 0 < len(part) <= MAX_PART and not odd and part == part.strip(" ").rstrip(".")
