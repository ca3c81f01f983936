"""Barriers of the network: nothing leaves a workspace, and nothing in it reaches the host or a neighbour."""

from __future__ import annotations

from enclave.workspace.barriers.barrier import Area, listed

WORLD = listed(
    Area.NETWORK,
    "network",
    "2.2.09 2.2.11 3.1.12",
    "R23",
    ("net.tcp", "인터넷으로 TCP 연결", "TCP to the Internet"),
    ("net.udp", "인터넷으로 UDP 전송", "UDP to the Internet"),
    ("net.icmp", "인터넷으로 ICMP(핑)", "ICMP (ping) to the Internet"),
    ("net.dns-name", "이름 풀이에 실은 데이터 유출", "data carried out in a name lookup"),
    ("net.dns-embedded", "엔진 내장 이름 서버를 통한 터널", "a tunnel through the engine's embedded resolver"),
    ("net.dns-servers", "이름 서버에 직접 질의", "asking name servers directly"),
    ("net.metadata", "클라우드 메타데이터와 링크 로컬 주소", "cloud metadata and link-local addresses"),
    ("net.ipv6", "IPv6로 나가는 길", "a way out by IPv6"),
    ("net.interfaces", "루프백 외의 네트워크 장치와 경로", "interfaces and routes other than loopback"),
    ("net.configure", "주소·경로·장치를 스스로 만들기", "giving oneself an address, route or interface"),
)
HOST = listed(
    Area.NETWORK,
    "network",
    "2.2.09 2.2.11",
    "R23",
    ("net.host-addresses", "호스트의 모든 주소와 열린 포트", "each address of the host and each of its open ports"),
    ("net.host-loopback", "호스트 루프백에서 듣는 서비스", "services on the host's loopback"),
    ("net.database", "데이터베이스의 포트·소켓·파일", "the database: ports, sockets, file"),
    ("net.gate-ports", "게이트의 내부 포트 가로채기", "taking the gate's ports inside"),
)
NEIGHBOURS = listed(
    Area.NETWORK,
    "network",
    "2.1.08 2.1.14 2.2.10",
    "R23",
    ("net.other-workspaces", "같은 과제와 다른 과제의 작업공간", "workspaces of the same and of other projects"),
    ("net.neighbour-abstract", "이웃의 추상 유닉스 소켓", "the neighbour's abstract unix sockets"),
)
SOCKETS = listed(
    Area.NETWORK,
    "network",
    "2.1.14 2.2.11",
    "R23 R33",
    ("net.raw", "원시 소켓과 패킷 소켓", "raw and packet sockets"),
    ("net.vsock", "하이퍼바이저로 가는 소켓", "sockets to the hypervisor"),
    ("net.families", "쓸 일이 없는 소켓 계열", "socket families nobody needs"),
    ("net.netlink", "경로 외의 넷링크", "netlink other than routes"),
    ("net.old-call-path", "옛 호출 경로(int 0x80)", "the old call path (int 0x80)"),
)

NETWORK = (*WORLD, *HOST, *NEIGHBOURS, *SOCKETS)
