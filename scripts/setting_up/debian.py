"""Debian packages: what is missing is named before it is installed; nothing is upgraded or removed."""

from __future__ import annotations

import os
import subprocess

from scripts.setting_up.call import LOG, call
from scripts.setting_up.terminal import Done, say

# Package: what for. `demo` is what the running system needs.
DEMO = {
    "ca-certificates": "checks certificates when packages are fetched",
    "docker.io": "the container engine",
    "e2fsprogs": "file systems of home and outbox volumes",
    "fonts-nanum": "Korean letters: in reports, in pixels that the airlock makes of a figure, in the tests' browser",
    "libjpeg-turbo-progs": "wipes letters out of JPEG pictures without touching the rest (jpegtran)",
    "iptables": "needed by the engine",
    "mmdebstrap": "root file system of the workspace image",
    "mount": "loop devices of the volumes",
    "openssl": "independent check of signatures in the demo",
    "procps": "process list",
    "python3-venv": "Python environments",
    "tesseract-ocr-eng": "English letters, for reading pictures in the airlock",
    "tesseract-ocr-kor": "Korean letters, for the same",
}
# What the tests need on top: a second database, a real browser, a foreign log verifier.
TEST = {
    "chromium": "the real browser of the tests",
    "dicom3tools": "dciodvfy, a foreign judge of the DICOM objects we write",
    "libgdcm-tools": "gdcmanon, measured beside our de-identification of images",
    "iproute2": "address of the bridge, for the bench against a plain hub",
    "mricron-data": "the scan of a real head (Colin 27), whose face the tests take out",
    "golang-golang-x-mod-dev": "golang.org/x/mod/sumdb, a foreign verifier of the log",
    "postgresql": "the other database",
}
NOW = "`apt-get update` 가 되는지(네트워크, /etc/apt) 확인한 뒤 다시 실행하세요"


def wanted(profile: str) -> dict[str, str]:
    """Return package → purpose for `demo` or `test`."""
    return {**DEMO, **(TEST if profile == "test" else {})}


def missing(packages: dict[str, str]) -> list[str]:
    """Return those that are not installed. Raises: FileNotFoundError where there is no dpkg (not Debian)."""
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages]
    lines = subprocess.run(query, check=False, capture_output=True, text=True).stdout.splitlines()
    present = {line.split()[0] for line in lines if line.endswith(" installed")}
    return [name for name in packages if name not in present]


def install(profile: str) -> Done:
    """Install what is missing. Raises: StepFailedError when apt does."""
    packages = wanted(profile)
    names = missing(packages)
    if not names:
        return Done(f"{len(packages)}개 모두 설치되어 있음")
    say("  다음 Debian 패키지를 설치합니다 (이미 있는 것은 바꾸지 않습니다):")
    for name in names:
        say(f"    {name} - {packages[name]}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    call(["apt-get", "-q", "update"], NOW, env=env)
    call(["apt-get", "-qy", "--no-install-recommends", "install", *names], NOW, env=env)
    return Done(f"{len(names)}개 설치함: {' '.join(names)}", str(LOG))
