"""Asking to take files out (반출): look first with `preflight`, then `submit`, later `status`.

    from ansim import egress
    egress.preflight(["table.csv", "figure.png"])
    request = egress.submit(["table.csv"], purpose="논문 표 2", context="지역별 환자 수와 평균")
    egress.status(request.id)                      # where it stands, what was said, what to do now
    egress.requests()                              # all of mine in this project

    egress.repair("table.csv", how="suppress")     # table.repaired.csv, which passes
    egress.repair("means.csv", how="add-counts")   # how many people stand behind each row, by the file's recipe
    egress.repair("figure.png", how="add-context", context="200명, 점은 지역 평균")

`preflight` runs the very checks that reviewers will see; it decides nothing and sends nothing out.
"""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from .additions import add_context, add_counts, made_again, with_additions
from .failure import AnsimError
from .groups import Groups, grouped
from .outbox import Copied, copies
from .portal import ask
from .recipes import about, recall
from .show import VERDICTS, html_table, state, text_table, verdict
from .standing import Listing, lines
from .words import say

Code = str | Mapping[str, str]
Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
# The same submission from the same kernel carries the same key: running a cell twice makes one request.
_KEYS: dict[tuple[object, ...], str] = {}


@dataclass(frozen=True)
class Finding:
    """One rule that a file hits: ``severity`` WARN or BLOCK, where, a masked sample, ids for `repair`."""

    rule: str
    severity: str
    ko: str
    en: str
    place: str = ""
    sample: str = ""
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileResult:
    """What the checks say about one file: ``verdict`` PASS, WARN or BLOCK.

    ``recomputed``: whether the snapshot gives the same (``match``, ``mismatch``, ``none``), empty without a recipe.
    """

    name: str
    verdict: str
    findings: tuple[Finding, ...] = ()
    recomputed: str = ""


@dataclass(frozen=True)
class Preflight:
    """The checks of some files, shown as a table. ``policy``: the version (SHA-256) they were checked under."""

    files: tuple[FileResult, ...]
    policy: str = ""

    @property
    def ok(self) -> bool:
        """Whether no file is blocked."""
        return all(file.verdict != "BLOCK" for file in self.files)

    def __repr__(self) -> str:
        return f"{text_table(_head(), _rows(self.files))}\n{self._sum()}"

    def _repr_html_(self) -> str:
        return f"{_html(self.files)}<p>{escape(self._sum())}</p>"

    def _sum(self) -> str:
        under = say(f" 정책 {self.policy[:12]}.", f" Policy {self.policy[:12]}.") if self.policy else ""
        return self._said() + under

    def _said(self) -> str:
        blocked = sum(file.verdict == "BLOCK" for file in self.files)
        if blocked:
            return say(f"파일 {blocked}개를 고쳐야 합니다.", f"{blocked} file(s) must be changed.")
        return say("제출할 수 있습니다. 반출 여부는 심사자가 정합니다.", "Ready to submit. Reviewers decide.")


@dataclass(frozen=True)
class Request:
    """One request to take files out, as it stands."""

    id: str
    state: str
    files: tuple[FileResult, ...] = ()
    purpose: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def allowed(self) -> tuple[str, ...]:
        """What I may do with it now, as the portal says."""
        return tuple(map(str, self.told.get("allowed", ())))

    def __repr__(self) -> str:
        text = [f"{say('반출 신청', 'egress request')} {self.id}: {state(self.state)}", *lines(self.told)]
        return "\n".join([*text, text_table(_head(), _rows(self.files))] if self.files else text)

    def _repr_html_(self) -> str:
        head = f"<p>{say('반출 신청', 'egress request')} <b>{escape(self.id)}</b>: {escape(state(self.state))}</p>"
        note = "<br>".join(map(escape, lines(self.told)))
        return head + (f"<p>{note}</p>" if note else "") + (_html(self.files) if self.files else "")


def preflight(files: Files, *, code: Code = "") -> Preflight:
    """Check one file or several without submitting them. ``code``: as in `submit`. Raises `AnsimError`."""
    with copies(_paths(files)) as copied:
        body = {"files": [copy.path for copy in copied]} | _about(copied, code)
        found = ask("POST", "/egress/preflight", body)
        return Preflight(_results(found, copied), str(found.get("policy", {}).get("sha256", "")))


def submit(  # noqa: PLR0913 - the words of one form, all but the files by name
    files: Files,
    *,
    purpose: str,
    context: str,
    receiver: str = "",
    redo: str = "",
    again: bool = False,
    code: Code = "",
    supporting: Sequence[str] = (),
    groups: Groups | None = None,
    details: Mapping[str, Any] | None = None,
) -> Request:
    """Ask to take files out: ``purpose``: what for, ``context``: what they contain and how they were made.

    Files of `ansim.table` and `ansim.model` carry their recipe by themselves. ``code``: the name of the submitted
    script or notebook that made the other files, or by file ``{"figure.png": "plot.py"}``.

    ``supporting``: names of submitted files that reviewers read and that do not leave, as a code book.
    ``groups``: files that share an explanation and what was done to protect people, as in `ansim.groups`.
    ``details``: ``relation`` to the approved purpose, ``use``, ``retention``, ``safety_plan``,
    ``receiver_organisation`` and, for a receiver abroad, ``receiver_country`` with ``transfer``.

    ``receiver``: who gets it, by login (you, if left out); ``redo``: the id of a returned request that this replaces.
    The same files with the same texts are one request however often this runs, unless ``again``. Raises `AnsimError`.
    """
    purpose, context = _said("purpose", purpose), _said("context", context)
    with copies(_paths(files)) as copied:
        bodies, place = grouped(groups or {}, {copy.name: copy.path for copy in copied})
        said = _noted(_about(copied, code), place, _supporting(copied, supporting))
        context = with_additions(context, [(copy.name, copy.sha256) for copy in copied])
        words = [
            code if isinstance(code, str) else dict(code),
            list(supporting),
            dict(groups or {}),
            dict(details or {}),
        ]
        told = json.dumps([*words, *sorted(map(_recipe_of, copied))], default=list)
        same = (purpose, context, receiver, redo, told, tuple((copy.name, copy.sha256) for copy in copied))
        if again or same not in _KEYS:
            _KEYS[same] = str(uuid.uuid4())
        names = [copy.path for copy in copied]
        body = {"files": names, "purpose": purpose, "context": context, "key": _KEYS[same]} | said
        rest = {"receiver": receiver, "request_id": redo, "groups": bodies, "details": dict(details or {})}
        body |= {name: value for name, value in rest.items() if value}
        return _request(ask("POST", "/egress/submit", body), copied)


def repair(
    file: str | os.PathLike[str],
    how: str = "suppress",
    *,
    counts: Sequence[int] | None = None,
    context: str = "",
) -> Path:
    """Write a repaired copy beside ``file`` and return its path: ``table.csv`` gives ``table.repaired.csv``.

    ``how``: an id that a finding offers (``suppress``, ``round``, ``regroup`` …); a table of `ansim.table` is made
    again with its small cells hidden, so that it can still be recomputed. ``add-counts`` takes ``counts`` where
    the file has no recipe; ``add-context`` attaches ``context`` to the file itself. The original stays as it is; an
    earlier repaired copy is replaced. Raises `AnsimError` where this repair does not fit the file.
    """
    original = Path(file)
    if how == "add-counts":
        return add_counts(original, counts)
    if how == "add-context":
        return add_context(original, context)
    again = made_again(original, how)
    if again is not None:
        return again
    with copies([original]) as copied:
        found = ask("POST", "/egress/repair", {"file": copied[0].path, "repair": how})
    ending = Path(str(found.get("name", ""))).suffix
    # Only the ending is the portal's to say: the folder and the stem are the original's.
    path = original.with_name(f"{original.stem}.repaired{ending if ending.isascii() else ''}")
    path.write_bytes(base64.b64decode(str(found.get("content", ""))))
    return path


def status(request_id: str) -> Request:
    """Return a request as it stands now. Raises `AnsimError`."""
    return _request(ask("GET", f"/egress/{_id(request_id)}"), ())


def withdraw(request_id: str) -> Request:
    """Take one's own request back before it leaves. Raises `AnsimError`."""
    return _request(ask("POST", f"/egress/withdraw/{_id(request_id)}", {}), ())


def comment(request_id: str, text: str) -> Request:
    """Answer the checkers, in a comment that everybody who sees the request can read. Raises `AnsimError`."""
    return _request(ask("POST", f"/egress/comment/{_id(request_id)}", {"text": text}), ())


def requests() -> Listing:
    """Return my own requests of this project, newest first, shown as a table. Raises `AnsimError`."""
    return Listing(tuple(listed()))


def listed() -> list[dict[str, Any]]:
    """Return my own requests of this project, newest first, as the portal tells them. Raises `AnsimError`."""
    return list(ask("GET", "/egress/requests").get("requests", ()))


def _id(request_id: str) -> str:
    if not request_id or not all(mark.isascii() and (mark.isalnum() or mark in "-_") for mark in request_id):
        raise AnsimError("client.request-id", ko="신청 번호가 아닙니다.", en="This is not the id of a request.")
    return request_id


def _paths(files: Files) -> list[Path]:
    given = [files] if isinstance(files, str | os.PathLike) else list(files)
    return [Path(path) for path in given]


def _about(copied: Sequence[Copied], code: Code) -> dict[str, Any]:
    """Return what is said about the copies: the recipes remembered for these bytes, and the code that made them."""
    paths = {copy.name: copy.path for copy in copied}
    given = {name: code for name in paths if name != code} if isinstance(code, str) else dict(code)
    by = {name: of for name, of in given.items() if of}
    strange = sorted({*by, *by.values()} - set(paths))
    if strange:
        raise AnsimError(
            "client.code",
            ko=f"함께 제출하지 않은 파일입니다: {', '.join(strange)}",
            en=f"Not among the submitted files: {', '.join(strange)}",
            remedy_ko="만든 코드도 files에 넣으세요.",
            remedy_en="Put the code among the files, too.",
        )
    hashes = {copy.path: copy.sha256 for copy in copied}
    said = about(hashes, {paths[name]: paths[of] for name, of in by.items()})
    return {"about": said} if said else {}


def _supporting(copied: Sequence[Copied], names: Sequence[str]) -> set[str]:
    paths = {copy.name: copy.path for copy in copied}
    strange = sorted(set(names) - set(paths))
    if isinstance(names, str) or strange:
        raise AnsimError(
            "client.supporting",
            ko=f"함께 제출하지 않은 파일입니다: {', '.join(strange)}",
            en=f"Not among the submitted files: {', '.join(strange)}",
            remedy_ko='files에도 넣으세요. 예: supporting=["codebook.md"]',
            remedy_en='Put them among the files, too. For example supporting=["codebook.md"]',
        )
    return {paths[name] for name in names}


def _noted(said: dict[str, Any], place: Mapping[str, str], supporting: set[str]) -> dict[str, Any]:
    """Return what is said about the copies together with the group of each, and which of them only support others."""
    found: dict[str, dict[str, Any]] = {path: dict(one) for path, one in said.get("about", {}).items()}
    for path, name in place.items():
        found.setdefault(path, {})["group"] = name
    for path in supporting:
        found.setdefault(path, {})["role"] = "supporting"
    return {"about": found} if found else said


def _recipe_of(copy: Copied) -> str:
    return json.dumps([copy.name, recall(copy.sha256)], sort_keys=True)


def _said(field_name: str, text: str) -> str:
    if not text.strip():
        raise AnsimError(
            f"client.{field_name}",
            ko=f"{'반출 목적(purpose)' if field_name == 'purpose' else '내용 설명(context)'}을 적어 주세요.",
            en=f"Please give the {field_name}.",
            remedy_ko="심사자는 이 글을 보고 판단합니다.",
            remedy_en="Reviewers decide by it.",
        )
    return text.strip()


def _request(found: dict[str, Any], copied: Sequence[Copied]) -> Request:
    texts = {name: str(found.get(name, "")) for name in ("id", "state", "purpose")}
    return Request(files=_results(found, copied), told=found, **texts)


def _results(found: dict[str, Any], copied: Sequence[Copied]) -> tuple[FileResult, ...]:
    # The portal answers with the names it was sent; people know their own.
    own = {copy.path: copy.name for copy in copied}
    return tuple(
        FileResult(
            own.get(str(file.get("name")), str(file.get("name"))),
            str(file.get("verdict", "")),
            tuple(_finding(one) for one in file.get("findings", ())),
            _recomputed(file),
        )
        for file in found.get("files", ())
    )


def _recomputed(file: dict[str, Any]) -> str:
    return next((str(one["status"]) for one in file.get("evidence", ()) if one.get("kind") == "recompute"), "")


def _finding(found: dict[str, Any]) -> Finding:
    names = ("rule", "severity", "ko", "en", "place", "sample")
    offered = tuple(str(each) for each in found.get("repairs", ()))
    return Finding(**{name: str(found.get(name, "")) for name in names}, repairs=offered)


def _head() -> tuple[str, ...]:
    ko = ("판정", "파일", "규칙", "위치", "가린 값", "설명")
    en = ("verdict", "file", "rule", "place", "masked", "explanation")
    return ko if say("ko", "en") == "ko" else en


def _rows(files: Sequence[FileResult]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for file in files:
        rows += [
            (verdict(one.severity), file.name, one.rule, one.place, one.sample, say(one.ko, one.en))
            for one in file.findings
        ] or [(verdict(file.verdict), file.name, "", "", "", _nothing(file))]
    return rows


def _nothing(file: FileResult) -> str:
    if file.recomputed == "match":
        return say("스냅샷에서 다시 계산한 값과 모두 같습니다.", "Every number was found again on the snapshot.")
    return say("문제를 찾지 못했습니다.", "Nothing was found.")


def _html(files: Sequence[FileResult]) -> str:
    grades = [one.severity for file in files for one in file.findings or (Finding("", file.verdict, "", ""),)]
    return html_table(_head(), _rows(files), [VERDICTS.get(grade, ("", "", ""))[2] for grade in grades])
