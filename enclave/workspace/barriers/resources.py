"""Barriers of resources: one workspace cannot use up what others need. The neighbour works on meanwhile."""

from __future__ import annotations

from enclave.workspace.barriers.barrier import Area, listed

BOUNDED = listed(
    Area.RESOURCES,
    "resources",
    "2.1.14 2.3.03",
    "",
    ("res.fork-bomb", "끝없는 프로세스", "processes without end"),
    ("res.threads", "끝없는 스레드", "threads without end"),
    ("res.memory", "메모리 폭탄", "a memory bomb"),
    ("res.swap", "스왑에 남는 데이터", "data left in swap"),
    ("res.processor", "몫을 넘는 CPU", "more processor than its share"),
    ("res.disk-home", "홈 볼륨 채우기", "filling the home"),
    ("res.disk-outbox", "반출함 채우기", "filling the outbox"),
    ("res.disk-tmp", "/tmp 채우기", "filling /tmp"),
    ("res.disk-run", "/run과 프로필 폴더 채우기", "filling /run and the profile folder"),
    ("res.inodes", "빈 파일로 볼륨 채우기", "filling a volume with empty files"),
    ("res.descriptors", "끝없이 여는 파일", "open files without end"),
)
CLEAN = listed(
    Area.RESOURCES,
    "resources",
    "2.1.14",
    "R30",
    ("res.shared-memory", "공유 메모리 채우기와 잔류물", "filling shared memory, and what was left in it"),
)
COUNTERS = listed(
    Area.RESOURCES,
    "counters",
    "2.1.14 2.3.03",
    "",
    ("res.inotify-instances", "사용자별 inotify 인스턴스", "inotify instances of a user"),
    ("res.inotify-watches", "사용자별 inotify 감시", "inotify watches of a user"),
    ("res.message-queues", "사용자별 메시지 큐", "message queues of a user"),
    ("res.pending-signals", "사용자별 대기 신호", "pending signals of a user"),
    ("res.epoll-watches", "사용자별 epoll 감시", "epoll watches of a user"),
    ("res.processes-of-user", "사용자별 프로세스 한도", "the limit of processes of a user"),
)
SEEN = listed(
    Area.RESOURCES,
    "",
    "2.1.14 2.3.03",
    "",
    ("res.kernel-memory", "노트북 커널을 죽이는 메모리 폭탄", "a memory bomb that kills the notebook's kernel"),
    ("res.log-flood", "컨테이너 로그 채우기", "flooding the container's log"),
    ("res.output-flood", "1 GB 출력", "an output of 1 GB"),
    ("res.message-flood", "작은 메시지 100만 개", "a million small messages"),
    ("res.neighbour", "공격 중에도 일하는 이웃", "the neighbour works on through all attacks"),
)
DEVICES = listed(
    Area.RESOURCES,
    "",
    "2.1.14",
    "R30",
    ("res.gpu-memory", "앞 이용자가 GPU 메모리에 남긴 값", "values left in GPU memory by the tenant before"),
)

RESOURCES = (*BOUNDED, *CLEAN, *COUNTERS, *SEEN, *DEVICES)
