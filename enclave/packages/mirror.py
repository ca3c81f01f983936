"""The operator's side of the wheel mirror: what lies in the folder, read into the index. Never run by the portal.

A wheel's own metadata say what it needs and under which licence (PEP 427, 566, 639). When a file was uploaded only the
package index knows: `look_up` asks pip, which asks the index that this machine is configured for, and then the same
pages of that index for the day (`enclave.packages.uploaded`).
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from enclave.errors import Invalid, Unavailable
from enclave.packages.asked import read
from enclave.packages.index import PLATFORMS, PYTHON_FULL, Index, Wheel
from enclave.packages.uploaded import Uploaded, pages_of, uploads

SHORT = 200


def scan(folder: Path, image: Mapping[str, str], known: Index | None = None) -> Index:
    """Return the index of the wheels in a folder; `known` keeps what no file says (dates, wheels not here yet).

    `image`: what the workspace image holds, versions by name.
    """
    before = {wheel.sha256: wheel for wheel in (known.wheels if known else ())}
    found = {wheel.sha256: wheel for path in sorted(folder.glob("*.whl")) if (wheel := _read(path))}
    kept = {sha256: replace(wheel, present=False) for sha256, wheel in before.items() if sha256 not in found}
    dated = [
        replace(wheel, uploaded_on=before[sha256].uploaded_on) if sha256 in before else wheel
        for sha256, wheel in found.items()
    ]
    return Index((*dated, *kept.values()), {canonicalize_name(name): version for name, version in image.items()})


def look_up(requirements: Sequence[str], index: Index) -> Index:
    """Return the index with what these requirements come to on the package index of this machine; nothing is installed.

    Names and versions only: from an address, a path or git, pip would run what it finds to learn its metadata. With
    each wheel stands the day of its upload where the package index says it; wheels of the same packages that were in
    the index without one get theirs. Raises `Invalid` (`packages.asked`), and `Unavailable` (`packages.no-answer`) when
    pip finds no set, with its last words.
    """
    _check_names(requirements)
    with tempfile.TemporaryDirectory() as folder:
        fixed = Path(folder) / "image.txt"
        fixed.write_text("".join(f"{name}=={version}\n" for name, version in index.image.items()))
        report, log = Path(folder) / "report.json", Path(folder) / "pip.log"
        command = ["install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report), "-c", str(fixed)]
        _pip([*command, "--log", str(log), "--target", f"{folder}/none", *platform(), *requirements])
        found = json.loads(report.read_text())["install"]
        told = uploads(pages_of(log.read_text(errors="replace")))
    known = {wheel.sha256 for wheel in index.wheels}
    new = [wheel for one in found if (wheel := _reported(one)) and wheel.sha256 not in known]
    wheels = (*index.wheels, *(wheel for wheel in new if wheel.name not in index.image))
    return Index(tuple(_dated(wheel, told.get(wheel.sha256)) for wheel in wheels), index.image)


def fetch(pins: Iterable[str], folder: Path) -> None:
    """Download wheels into the mirror, each by its hash, with the machine's own pip. Raises `Unavailable`."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write("".join(f"{pin}\n" for pin in pins))
        lock.flush()
        _pip(["download", "--quiet", "--no-deps", "--require-hashes", "-r", lock.name, "-d", str(folder), *platform()])
    for path in folder.glob("*.whl"):
        path.chmod(0o644)


def _check_names(requirements: Sequence[str]) -> None:
    """Raise `Invalid` for what is no plain requirement: a line that somebody sent is copied here by hand."""
    for text in requirements:
        lines = read(text)
        problem = next((each.problem for each in lines if each.problem), None)
        if problem is not None or "\n" in text or not text.strip():
            _, ko, en = problem or ("", "한 줄에 하나씩 적으세요", "one to a word")
            raise Invalid(
                "packages.asked",
                ko=f"{text[:SHORT]!a}은(는) 찾아볼 수 없습니다. {ko}.",
                en=f"{text[:SHORT]!a} cannot be looked up: {en}.",
                remedy_ko="이름과 버전만 적으세요(예: lifelines>=0.30).",
                remedy_en="Give names and versions alone, such as lifelines>=0.30.",
            )


def platform() -> list[str]:
    """Return pip's words for the workspace image's Python and C library."""
    named = [f"--platform={name}" for name in (*PLATFORMS, "any")]
    kinds = ["--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]
    return ["--only-binary=:all:", f"--python-version={PYTHON_FULL}", *kinds, *named]


def _pip(arguments: Sequence[str]) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    try:
        subprocess.run([*pip, *arguments], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        last = said[-1][:SHORT] if said else ""
        raise Unavailable(
            "packages.no-answer",
            ko=f"pip이 패키지를 찾거나 내려받지 못했습니다: {last}",
            en=f"pip could not find or download the packages: {last}",
            remedy_ko="이 기계의 pip 설정(pip config list)과 네트워크를 확인하세요.",
            remedy_en="See pip's configuration (pip config list) and the network of this machine.",
        ) from error


def _read(path: Path) -> Wheel | None:
    """Return what a wheel says of itself; None for a file that is no wheel by its name."""
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return None
    try:
        with zipfile.ZipFile(path) as wheel:
            places = [entry for entry in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", entry)]
            told = HeaderParser().parsestr(wheel.read(places[0]).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, IndexError, OSError) as error:
        raise Invalid(
            "packages.wheel",
            ko=f"{path.name}은(는) 온전한 휠이 아닙니다.",
            en=f"{path.name} is not a whole wheel.",
            remedy_ko="파일을 지우고 다시 가져오세요.",
            remedy_en="Remove the file and fetch it again.",
        ) from error
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Wheel(
        name=canonicalize_name(name),
        version=str(version),
        file=path.name,
        sha256=sha256,
        requires=tuple(told.get_all("Requires-Dist", ())),
        requires_python=told.get("Requires-Python", ""),
        licence=_licence(told.get("License-Expression", ""), told.get("License", ""), told.get_all("Classifier", [])),
        summary=told.get("Summary", "")[:SHORT],
        size=path.stat().st_size,
        present=True,
    )


def _dated(wheel: Wheel, told: Uploaded | None) -> Wheel:
    if told is None:
        return wheel
    return replace(wheel, uploaded_on=wheel.uploaded_on or told.on, size=wheel.size or told.size)


def _reported(one: Mapping[str, Any]) -> Wheel | None:
    """Return the wheel of one line of pip's report; its address is not kept."""
    told, info = one["metadata"], one["download_info"]
    sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256", "")
    file = str(info["url"]).split("#")[0].rpartition("/")[2]
    if not sha256 or not file.endswith(".whl"):
        return None
    licence = _licence(told.get("license_expression", ""), told.get("license", ""), told.get("classifier", []))
    return Wheel(
        name=canonicalize_name(told["name"]),
        version=told["version"],
        file=file,
        sha256=sha256,
        requires=tuple(told.get("requires_dist", ())),
        requires_python=told.get("requires_python", ""),
        licence=licence,
        summary=str(told.get("summary", ""))[:SHORT],
    )


def _licence(expression: str, text: str, classifiers: Sequence[str]) -> str:
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")]
    first = (text or "").strip().splitlines()
    return (expression or ", ".join(named) or (first[0] if first else ""))[:SHORT]
