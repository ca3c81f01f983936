"""Files of one request in groups, each with its own explanation and what was done to protect people (묶음).

egress.submit(["t1.csv", "t2.csv", "fig.png"], purpose="…", context="…", groups={
    "표": {"files": ["t1.csv", "t2.csv"], "context": "지역별 환자 수", "controls": "10명 미만 가림"},
    "그림": {"files": ["fig.png"], "context": "평균의 추이", "controls": "점마다 30명 이상"},
})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .failure import AnsimError

Groups = Mapping[str, Mapping[str, Any]]


def grouped(groups: Groups, paths: Mapping[str, str]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return the groups as the portal takes them, and the group of each file; ``paths``: copies by a file's own name.

    Raises `AnsimError` for a group without its two texts, and unless each submitted file is in exactly one group.
    """
    if not groups:
        return [], {}
    bodies: list[dict[str, str]] = []
    place: dict[str, str] = {}
    for name, said in groups.items():
        texts = {key: str(said.get(key, "")).strip() for key in ("context", "controls")}
        files = said.get("files", ())
        files = [files] if isinstance(files, str) else list(files)
        if not name.strip() or not files or not all(texts.values()):
            raise _unclear(name, "files, context, controls가 모두 있어야 합니다", "needs files, context and controls")
        for file in files:
            if file not in paths:
                raise _unclear(name, f"함께 제출하지 않은 파일입니다: {file}", f"{file} is not among the files")
            if paths[file] in place:
                raise _unclear(name, f"다른 묶음에도 있는 파일입니다: {file}", f"{file} is in another group, too")
            place[paths[file]] = name
        bodies.append({"name": name, **texts})
    if left := sorted(name for name, path in paths.items() if path not in place):
        raise _unclear("", f"어느 묶음에도 없는 파일입니다: {', '.join(left)}", f"in no group: {', '.join(left)}")
    return bodies, place


def _unclear(name: str, ko: str, en: str) -> AnsimError:
    shown = f"{name[:40]}: " if name else ""
    return AnsimError(
        "client.groups",
        ko=f"{shown}{ko}.",
        en=f"{shown}{en}.",
        remedy_ko='예: groups={"표": {"files": ["t.csv"], "context": "…", "controls": "…"}}',
        remedy_en='For example groups={"tables": {"files": ["t.csv"], "context": "…", "controls": "…"}}',
    )
