"""Why the work cannot be given to a cluster, in words, each with what to do now."""

from __future__ import annotations

from deid.errors import WorkersRefused

Words = tuple[str, str, str, str]

WORDS: dict[str, Words] = {
    "address": (
        "스케줄러 주소는 tls://기계:포트 또는 tcp://기계:포트여야 합니다",
        "a scheduler's address is tls://host:port or tcp://host:port",
        "Dask 스케줄러의 주소를 그대로 쓰세요.",
        "Give the address as the Dask scheduler prints it.",
    ),
    "open-network": (
        "다른 기계로 가는 연결이 암호화되지 않습니다",
        "the connection to another machine is not encrypted",
        "tls:// 주소와 --tls-ca, --tls-cert, --tls-key를 쓰거나, 닫힌 망이면 --unencrypted-network를 쓰세요.",
        "Use a tls:// address with --tls-ca, --tls-cert, --tls-key; in a closed network say --unencrypted-network.",
    ),
    "tls": (
        "TLS에 쓸 파일이 없거나 읽을 수 없습니다",
        "the files for TLS are missing or cannot be read",
        "--tls-ca, --tls-cert, --tls-key를 모두 주세요.",
        "Give all of --tls-ca, --tls-cert and --tls-key.",
    ),
    "unreachable": (
        "스케줄러에 연결할 수 없습니다",
        "the scheduler cannot be reached",
        "주소와 인증서를 확인하고 스케줄러가 켜져 있는지 보세요.",
        "Check the address and the certificates, and that the scheduler runs.",
    ),
    "nobody": (
        "스케줄러에 작업자가 없습니다",
        "the scheduler has no workers",
        "작업자를 켜세요: dask worker 주소 --preload deid.crew.worker --keys 폴더.",
        "Start some: dask worker ADDRESS --preload deid.crew.worker --keys FOLDER.",
    ),
    "no-keys": (
        "작업자에게 이 세대의 키가 없습니다",
        "a worker does not have the key of this generation",
        "작업자를 --preload deid.crew.worker --keys 폴더로 켜고 키 파일의 권한(0600)을 확인하세요.",
        "Start the workers with --preload deid.crew.worker --keys FOLDER and check the key file's mode (0600).",
    ),
    "keys": (
        "작업자의 키가 이 실행의 키와 다릅니다",
        "a worker's key is not the key of this run",
        "작업자의 키 폴더에 같은 세대의 master.key를 두세요. 다른 병원의 작업자일 수 있습니다.",
        "Put the same generation's master.key into the workers' key folder. They may be another hospital's workers.",
    ),
    "versions": (
        "작업자의 프로그램이 이 실행의 것과 다릅니다",
        "a worker does not run the code of this run",
        "모든 기계에 같은 판을 설치하고 작업자를 다시 켜세요.",
        "Install the same release on every machine and start the workers again.",
    ),
    "folder": (
        "작업자가 이 실행의 폴더를 읽을 수 없습니다",
        "a worker cannot read the folder of this run",
        "--out을 모든 기계에서 같은 경로로 보이는 공유 폴더로 하고, 작업자를 같은 사용자로 켜세요.",
        "Let --out be a shared folder with the same path on every machine, and start the workers as the same user.",
    ),
    "lost": (
        "일하던 작업자를 모두 잃었거나 한 부분에서 작업자가 거듭 멈췄습니다",
        "all workers were lost, or one part stopped worker after worker",
        "작업자의 메모리를 늘리거나 --memory를 줄여 다시 실행하세요. 아무것도 공개되지 않았습니다.",
        "Give the workers more memory, or run again with a smaller --memory. Nothing was published.",
    ),
}


def refused(code: str, what: str = "") -> WorkersRefused:
    """Make the error of this code; `what` names machines, packages or files, never a person."""
    ko, en, remedy_ko, remedy_en = WORDS[code]
    more = f" ({what})" if what else ""
    return WorkersRefused(
        f"deid.dask-{code}", f"{ko}{more}.", f"Workers: {en}{more}.", remedy_ko=remedy_ko, remedy_en=remedy_en
    )
