"""The parts of a recipe that say what is known of people and of the provider: `known:` files and the `profile:`.

Nothing of these files is published. They are read at the run and searched for in free texts (`detect/known`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from deid.detect.known.kinds import KINDS
from deid.detect.known.profile import FEWEST_DIGITS, LONGEST_TEMPLATE, Profile, is_template
from deid.recipe_yaml import Node, read
from deid.schemas.kinds import Kind

ENCODINGS = ("utf-8", "utf-8-sig", "cp949")
# What a column of people may hold; departments and wards are the profile's.
PEOPLE = tuple(kind for kind in KINDS if kind not in {"department", "ward"})


@dataclass(frozen=True)
class KnownFile:
    """A CSV file beside the tables: columns to their kind. With `subject`, values of that patient; else of staff."""

    file: str
    encoding: str
    subject: str | None
    domain: str | None
    columns: Mapping[str, str]
    node: Node


@dataclass(frozen=True)
class Known:
    """All that is known: `files`, and the provider's profile with the SHA-256 of its file ("" without one).

    `columns` is the profile's map of the provider's own column names to what they identify by (R110). `waived` is the
    reason, in Korean and English, for which there is no profile; `missed` names the file of what reviewers marked as
    missed (`marks.py`), "" for none.
    """

    files: tuple[KnownFile, ...] = ()
    profile: Profile = field(default_factory=Profile)
    profile_file: str = ""
    profile_sha256: str = ""
    columns: Mapping[str, Kind] = field(default_factory=dict)
    waived: tuple[str, str] | None = None
    missed: str = ""


def parse_missed(node: Node | None) -> str:
    """Read `missed:`, a plain file name. Raises `RecipeError`."""
    return "" if node is None else _plain_name(node)


def parse_known(files: Node | None, profile: Node | None, folder: Path, domains: tuple[str, ...]) -> Known:
    """Read both parts; `folder` is the recipe's own, `domains` those of the tables' patients. Raises `RecipeError`.

    Files whose values are linked to notes need a profile, or a waiver with its reason (R110).
    """
    parsed = tuple(_file(node, domains) for node in files.items()) if files else ()
    if profile is None:
        if files is not None and parsed:
            _refuse_without_profile(files)
        return Known(parsed)
    if profile.is_mapping():
        return Known(parsed, waived=_waiver(profile))
    path = folder / _plain_name(profile)
    try:
        data = path.read_bytes()
    except OSError:
        profile.fail(
            "profile", f"기관 프로필 {path.name}을(를) 읽을 수 없습니다.", f"profile {path.name} cannot be read.",
            remedy=("계획과 같은 폴더에 두세요.", "Put it into the recipe's folder."),
        )  # fmt: skip
    root = read(path, data)
    said = parse_profile(root)
    return Known(parsed, said, path.name, hashlib.sha256(data).hexdigest(), _column_map(root))


def _refuse_without_profile(files: Node) -> NoReturn:
    files.fail(
        "no-profile",
        "글을 등록 자료와 이어 찾는데 기관 프로필(profile)이 없습니다.",
        "notes are linked to known values, and there is no provider's profile.",
        remedy=(
            "profile: 에 기관 프로필을 주거나, 없이 하는 까닭을 profile: {waived: …}에 적으세요.",
            "Name the provider's profile in profile:, or say in profile: {waived: …} why there is none.",
        ),
    )


def _waiver(node: Node) -> tuple[str, str]:
    reason = node.fields(("waived",))["waived"]
    if not reason.is_mapping():
        return reason.text(), reason.text()
    both = reason.fields(("ko", "en"))
    return both["ko"].text(), both["en"].text()


def parse_profile(root: Node) -> Profile:
    """Read a provider's profile. Raises `RecipeError` at the place in the profile's own file."""
    lists = ("record_numbers", "organisations", "departments", "wards")
    fields = root.fields(("profile",), (*lists, "columns"))
    fields["profile"].integer(1, 1)
    values = {name: tuple(_text(item, name) for item in fields[name].items()) for name in lists if name in fields}
    return Profile(**values)


def _column_map(root: Node) -> dict[str, Kind]:
    fields = root.fields(("profile",), tuple(name for name in root.pairs() if name != "profile"))
    pairs = fields["columns"].pairs() if "columns" in fields else {}
    return {name: Kind(value.one_of(tuple(Kind))) for name, (_, value) in pairs.items()}


def _text(node: Node, name: str) -> str:
    value = node.text()
    if name == "record_numbers" and not is_template(value):
        node.fail(
            "template",
            f"번호 틀에는 #(숫자)이 {FEWEST_DIGITS}개 이상, 글자는 {LONGEST_TEMPLATE}개까지 영문·숫자·기호로 씁니다.",
            f"a template needs {FEWEST_DIGITS} or more # (digits), at most {LONGEST_TEMPLATE} characters, ASCII only.",
        )
    return value


def _file(node: Node, domains: tuple[str, ...]) -> KnownFile:
    fields = node.fields(("file", "columns"), ("encoding", "subject", "domain"))
    columns = {name: kind.one_of(PEOPLE) for name, (_, kind) in fields["columns"].pairs().items()}
    subject = fields["subject"].text() if "subject" in fields else None
    domain = fields["domain"].one_of(domains) if "domain" in fields else None
    if subject and domain is None and len(domains) != 1:
        node.fail("missing", "domain을 적으세요(환자 가명 영역이 여럿입니다).", "say the domain: there are several.")
    encoding = fields["encoding"].one_of(ENCODINGS) if "encoding" in fields else "utf-8"
    whose = (domain or domains[0]) if subject else None
    return KnownFile(_plain_name(fields["file"]), encoding, subject, whose, columns, node)


def _plain_name(node: Node) -> str:
    value = node.text()
    if Path(value).name != value or value.startswith("."):
        node.fail("file", "폴더 없이 파일 이름만 쓰세요.", "a plain file name without folders is expected.")
    return value
