"""Barriers of the kernel: calls with which containers are opened."""

from __future__ import annotations

from enclave.workspace.barriers.barrier import Area, listed

KERNEL = listed(
    Area.KERNEL,
    "kernel",
    "2.1.08 2.1.14",
    "R33",
    ("kernel.userns-unshare", "사용자 이름 공간: unshare", "user name space by unshare"),
    ("kernel.userns-clone", "사용자 이름 공간: clone", "user name space by clone"),
    ("kernel.userns-clone3", "사용자 이름 공간: clone3", "user name space by clone3"),
    ("kernel.namespaces", "다른 이름 공간 만들기·들어가기", "making or entering other name spaces"),
    ("kernel.mount", "마운트와 루트 변경", "mounting and changing the root"),
    ("kernel.other-processes", "다른 프로세스 읽기·추적", "reading and tracing other processes"),
    ("kernel.server-memory", "노트북 서버의 메모리와 환경", "the notebook server's memory and environment"),
    ("kernel.io-uring", "io_uring", "io_uring"),
    ("kernel.bpf", "커널 안의 프로그램과 성능 계수기", "programs in the kernel, performance counters"),
    ("kernel.userfaultfd", "userfaultfd", "userfaultfd"),
    ("kernel.keyring", "커널 열쇠고리", "the kernel's keyring"),
    ("kernel.file-handles", "번호로 호스트 파일 열기", "opening the host's files by handle"),
    ("kernel.administration", "모듈·스왑·시계 등 관리 호출", "administration: modules, swap, clock"),
    ("kernel.capabilities", "남은 권한과 권한 상승", "capabilities left, and gaining more"),
    ("kernel.become-root", "다른 사용자나 root 되기", "becoming another user or root"),
    ("kernel.signals", "다른 작업공간·호스트의 프로세스 보기", "seeing processes of others or of the host"),
)
