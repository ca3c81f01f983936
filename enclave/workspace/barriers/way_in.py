"""Barriers of the way in: what a workspace, a browser or a service that was taken over can do to the others."""

from __future__ import annotations

from enclave.workspace.barriers.barrier import Area, listed

DOORS = listed(
    Area.WAY_IN,
    "doors",
    "2.2.09 3.1.12",
    "R23 R25",
    ("in.hub-door-lines", "작업공간에서 허브 API 범위 넘기", "the hub's API beyond the workspace's lines"),
    ("in.hub-door-paths", "경로 혼동(.., %2f)으로 허브 API", "path confusion (.., %2f) towards the hub"),
    ("in.hub-door-smuggling", "허용된 요청 뒤에 숨긴 요청", "a request smuggled behind an allowed one"),
    ("in.door-malformed", "HTTP가 아닌 입력", "what is no HTTP"),
    ("in.door-oversized", "지나치게 큰 머리와 본문", "oversized heads and bodies"),
    ("in.door-slow", "끝내지 않는 연결", "connections that never finish"),
    ("in.door-connections", "지나치게 많은 연결", "too many connections"),
    ("in.portal-door-paths", "작업공간에서 포털의 다른 길", "other ways of the portal from a workspace"),
    ("in.portal-door-identity", "다른 작업공간·사람이라고 말하기", "claiming to be another workspace or person"),
    ("in.server-token-place", "노트북 환경의 서비스 비밀", "services' secrets in a notebook's environment"),
)
BROWSER = listed(
    Area.WAY_IN,
    "",
    "2.2.09 3.1.12",
    "R25",
    ("in.routes", "파일을 내주는 경로", "routes that hand out files"),
    ("in.routes-disguised", "바꾸어 쓴 경로(.., %2f, 대소문자)", "routes in disguise (.., %2f, case)"),
    ("in.contents-raw", "내용 API로 원본 받기", "raw bytes through the contents API"),
    ("in.new-tokens", "작업공간에서 허브 토큰 만들기", "making hub tokens from a workspace"),
    ("in.host-header", "Host 머리로 다른 출처 행세", "another origin by the Host header"),
    ("in.cross-site", "작업공간 페이지가 포털에 보내는 요청", "requests from a workspace's page to the portal"),
    ("in.cookie-scope", "다른 출처로 새는 쿠키", "cookies that reach another origin"),
    ("in.headers", "페이지의 외부 연결·틀 삽입", "a page that loads from or is framed by elsewhere"),
    ("in.header-injection", "머리 끼워 넣기", "header injection"),
    ("in.front-malformed", "앞문에 보내는 HTTP 아닌 입력", "what is no HTTP at the front door"),
    ("in.front-oversized", "앞문에 보내는 큰 머리", "oversized heads at the front door"),
    ("in.front-slow", "앞문에서 끝내지 않는 연결", "connections that never finish at the front door"),
    ("in.websocket-strangers", "허락 없는 웹소켓", "a websocket without permission"),
    ("in.websocket-frames", "잘못된 웹소켓 프레임", "malformed websocket frames"),
    ("in.relay-direct", "게이트의 포트로 바로 들어가기", "going straight to a workspace's relay port"),
)
SERVICES = listed(
    Area.WAY_IN,
    "",
    "2.2.09 2.1.08 1.5.05",
    "R33",
    ("in.engine-calls", "허브가 엔진에 시킬 수 있는 일", "calls to the engine by a hub that was taken over"),
    ("in.engine-plan", "계획보다 넓은 컨테이너", "a container wider than its plan"),
    ("in.engine-peers", "다른 사용자의 엔진 소켓", "the engine's socket for other users"),
    ("in.gate-hub", "허브가 게이트에 내리는 명령", "the hub giving the portal's commands to the gate"),
    ("in.gate-peers", "다른 사용자의 게이트 명령", "commands to the gate by other users"),
    ("in.gate-plans", "서명 없는·위조된 계획", "unsigned and forged plans"),
    ("in.core-peers", "다른 사용자의 포털 내부 API", "the portal's core API for other users"),
    ("in.core-hub", "허브가 내부 API에서 더 얻기", "more from the core API by the hub"),
    ("in.secrets-hub", "허브 사용자가 읽는 비밀", "secrets read by the hub's user"),
    ("in.secrets-portal", "포털 사용자가 읽는 비밀", "secrets read by the portal's user"),
    ("in.secrets-log", "기록 사용자가 읽는 비밀", "secrets read by the log's user"),
    ("in.secrets-nobody", "아무 사용자나 읽는 비밀", "secrets read by anybody"),
    ("in.proxy-api", "프록시 API", "the proxy's API"),
    ("in.hub-token", "노트북 서버 토큰의 허브 권한", "what a notebook server's token may at the hub"),
    ("in.portal-loopback", "호스트에서 작업공간 행세", "speaking for a workspace from the host"),
    ("in.database", "다른 사용자의 데이터베이스", "the database for other users"),
    ("in.log-rows", "기록 고치기·지우기", "changing or deleting log entries"),
)

WAY_IN = (*DOORS, *BROWSER, *SERVICES)
