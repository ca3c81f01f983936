"""Barriers of files: the data, other people's data, the system's own files, and what leaves through the outbox."""

from __future__ import annotations

from enclave.workspace.barriers.barrier import Area, listed

DATA = listed(
    Area.FILES,
    "files",
    "3.1.12 3.2.03 2.1.14",
    "R24 R33",
    ("files.data-write", "데이터 고쳐 쓰기", "writing to the data"),
    ("files.data-nested", "데이터 아래 마운트에 쓰기", "writing to a mount below the data"),
    ("files.unapproved-column", "승인되지 않은 열 읽기", "reading a column that was not approved"),
    ("files.other-data", "다른 과제의 데이터", "other projects' data"),
    ("files.other-homes", "이웃의 홈과 파일", "the neighbour's home and files"),
)
SYSTEM = listed(
    Area.FILES,
    "files",
    "2.1.08 2.1.14 2.4.01",
    "R33",
    ("files.root-file-system", "시스템 파일 바꾸기", "changing the system's files"),
    ("files.server-configuration", "노트북 서버 설정 바꾸기", "changing the notebook server's configuration"),
    ("files.hard-links", "하드 링크로 빼돌리기", "hard links out of the data or the system"),
    ("files.device-nodes", "장치 노드 만들기·열기", "making and opening device nodes"),
    ("files.setuid", "setuid 프로그램", "setuid programs"),
    ("files.exec-own-folders", "가져온 프로그램 실행(문턱)", "running programs brought in (a hurdle)"),
    ("files.kernel-settings", "커널 설정 쓰기(/proc, /sys)", "writing kernel settings (/proc, /sys)"),
    ("files.kernel-leaks", "커널·호스트 정보 읽기(/proc, /sys)", "reading the kernel and host (/proc, /sys)"),
    ("files.names-of-others", "다른 과제·사람의 이름 노출", "names of other projects and people"),
    ("files.engine-socket", "엔진·게이트·포털의 소켓", "sockets of engine, gate and portal"),
    ("files.core-dumps", "충돌한 프로그램의 메모리 남기기", "memory left by a crashed program"),
)
OUTBOX = listed(
    Area.FILES,
    "",
    "3.1.05 3.1.12",
    "R44",
    (
        "files.collect-symlink",
        "반출함의 심볼릭 링크로 호스트 파일 읽기",
        "a symbolic link in the outbox to a file of the host",
    ),
    ("files.collect-hardlink", "반출함의 하드 링크", "a hard link in the outbox"),
    ("files.collect-special", "반출함의 파이프·소켓·폴더", "a pipe, socket or folder in the outbox"),
    ("files.collect-large", "반출함의 거대·희소 파일", "a huge or sparse file in the outbox"),
    ("files.collect-names", "경로·제어 문자·깨진 이름", "names that are paths, control characters or no text"),
    ("files.collect-changing", "읽는 동안 바뀌는 파일", "a file that changes while it is read"),
    ("files.collect-others", "남의 작업공간 반출함 수거", "having somebody else's outbox collected"),
    ("files.contents-links", "홈의 심볼릭 링크로 밖을 읽기", "reading outside the home through a link"),
)

FILES = (*DATA, *SYSTEM, *OUTBOX)
