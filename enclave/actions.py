"""The audit vocabulary: every act that leaves an entry, with its label, severity, task and retention class.

The task is one of the words of the safety-measure notice's 수행업무 (korea.md R75). Retention: the notice's floor for
sensitive data is two years (korea.md §0-2), grants of rights are kept three (R14), and what concerns pseudonymised
data until three years after its destruction (PIPA §28-4③).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much an entry alone should worry a reviewer."""

    INFO = "info"
    NOTICE = "notice"
    ALERT = "alert"


class Retention(StrEnum):
    """How long an entry is kept."""

    ACCESS = "2y"
    RIGHTS = "3y"
    DATA = "destruction+3y"


class Task(StrEnum):
    """수행업무: what was done, in the words of the notice. Of its list 출력 is missing: nothing here prints."""

    LOG_IN = "로그인"
    VIEW = "조회"
    CREATE = "생성"
    CHANGE = "수정"
    DELETE = "삭제"
    DOWNLOAD = "다운로드"
    IMPORT = "반입"
    EGRESS = "반출"
    RIGHTS = "권한변경"
    SETTINGS = "설정변경"
    VIEW_LOG = "로그조회"


class Action(StrEnum):
    """`noun.verb`. `*.requested` stands before an effect outside the database, `*.done`/`*.failed` after it."""

    ORGANISATION_CREATE = "organisation.create"
    ACCOUNT_CREATE = "account.create"
    ACCOUNT_LOG_IN = "account.log-in"
    ACCOUNT_LOG_OUT = "account.log-out"
    ACCOUNT_SECOND_FACTOR = "account.second-factor"
    ACCOUNT_ENROL = "account.enrol"
    ACCOUNT_PASSWORD = "account.password"  # noqa: S105 - an action's name
    ACCOUNT_UNLOCK = "account.unlock"
    ACCOUNT_END = "account.end"
    ROLE_GRANT = "role.grant"
    ROLE_REVOKE = "role.revoke"
    DATASET_REGISTER = "dataset.register"
    SOURCE_RECEIVE_REQUESTED = "source.receive-requested"
    SOURCE_RECEIVE_DONE = "source.receive-done"
    SNAPSHOT_RECEIVE = "snapshot.receive"
    SNAPSHOT_RISK = "snapshot.risk"
    SNAPSHOT_ADEQUACY = "snapshot.adequacy"
    SNAPSHOT_WAIVE = "snapshot.waive"
    SNAPSHOT_RETURN = "snapshot.return"
    SNAPSHOT_PUBLISH = "snapshot.publish"
    SAMPLE_VIEW = "sample.view"
    SAMPLE_JUDGE = "sample.judge"
    SAMPLE_CLOSE = "sample.close"
    SAMPLE_MARKS = "sample.marks"
    SNAPSHOT_WITHDRAW = "snapshot.withdraw"
    SNAPSHOT_END_RUNNING = "snapshot.end-running"
    SNAPSHOT_RECALL = "snapshot.recall"
    PROJECT_DRAFT = "project.draft"
    PROJECT_APPLY = "project.apply"
    PROJECT_COLUMNS = "project.columns"
    PROJECT_RETURN = "project.return"
    PROJECT_ACTIVATE = "project.activate"
    PROJECT_PLEDGE = "project.pledge"
    PROJECT_END = "project.end"
    WORKSPACE_REQUESTED = "workspace.requested"
    WORKSPACE_STARTED = "workspace.started"
    WORKSPACE_FAILED = "workspace.failed"
    WORKSPACE_STOPPED = "workspace.stopped"
    WORKSPACE_FREEZE = "workspace.freeze"
    GPU_PROFILE = "gpu.profile"
    GPU_REQUEST = "gpu.request"
    GPU_GRANT = "gpu.grant"
    GPU_RELEASE = "gpu.release"
    GPU_WARN = "gpu.warn"
    GPU_END_REQUESTED = "gpu.end-requested"
    GPU_END_DONE = "gpu.end-done"
    GPU_DEVICES = "gpu.devices"
    GPU_SCRUB = "gpu.scrub"
    GPU_SERVICE = "gpu.service"
    WORKSPACE_ENFORCE = "workspace.enforce"
    WORKSPACE_CULL = "workspace.cull"
    WORKSPACE_GRACE = "workspace.grace"
    WORKSPACE_THAW = "workspace.thaw"
    WORKSPACE_LOOK = "workspace.look"
    PROJECT_FREEZE = "project.freeze"
    PROJECT_THAW = "project.thaw"
    VOLUME_KEY_USE = "volume.key-use"
    VOLUME_KEY_DESTROY = "volume.key-destroy"
    DESTRUCTION_REQUESTED = "destruction.requested"
    DESTRUCTION_DONE = "destruction.done"
    CERTIFICATE_ISSUE = "certificate.issue"
    CERTIFICATE_WITNESS = "certificate.witness"
    SEAT_TAKE = "seat.take"
    SEAT_MOVE = "seat.move"
    EGRESS_PREFLIGHT = "egress.preflight"
    EGRESS_DRAFT = "egress.draft"
    EGRESS_SUBMIT = "egress.submit"
    EGRESS_WITHDRAW = "egress.withdraw"
    EGRESS_REASSIGN = "egress.reassign"
    EGRESS_VIEW = "egress.view"
    EGRESS_SHOWN = "egress.shown"
    EGRESS_APPROVE = "egress.approve"
    EGRESS_REVIEW = "egress.review"
    EGRESS_REVISE = "egress.revise"
    EGRESS_CONCLUDE = "egress.conclude"
    EGRESS_RETURN = "egress.return"
    EGRESS_REJECT = "egress.reject"
    EGRESS_REOPEN = "egress.reopen"
    EGRESS_COMMENT = "egress.comment"
    EGRESS_CONFLICT = "egress.conflict"
    EGRESS_ESCALATE = "egress.escalate"
    EGRESS_EXPIRE = "egress.expire"
    EGRESS_RERUN = "egress.rerun"
    EGRESS_RERUN_DONE = "egress.rerun-done"
    IMPORT_DRAFT = "import.draft"
    IMPORT_SUBMIT = "import.submit"
    IMPORT_WITHDRAW = "import.withdraw"
    IMPORT_REASSIGN = "import.reassign"
    IMPORT_VIEW = "import.view"
    IMPORT_SHOWN = "import.shown"
    IMPORT_APPROVE = "import.approve"
    IMPORT_REVIEW = "import.review"
    IMPORT_REVISE = "import.revise"
    IMPORT_CONCLUDE = "import.conclude"
    IMPORT_RETURN = "import.return"
    IMPORT_REJECT = "import.reject"
    IMPORT_REOPEN = "import.reopen"
    IMPORT_COMMENT = "import.comment"
    IMPORT_CONFLICT = "import.conflict"
    IMPORT_ESCALATE = "import.escalate"
    IMPORT_EXPIRE = "import.expire"
    IMPORT_UPLOAD = "import.upload"
    IMPORT_DONE = "import.done"
    IMPORT_FAILED = "import.failed"
    IMPORT_RECALL = "import.recall"
    PACKAGES_SET = "packages.set"
    RELEASE_REQUESTED = "release.requested"
    RELEASE_DONE = "release.done"
    RELEASE_FAILED = "release.failed"
    RELEASE_HAND_OVER = "release.hand-over"
    RELEASE_RECALL = "release.recall"
    RELEASE_CONFIRM = "release.confirm"
    RELEASE_REAP = "release.reap"
    DRILL_REQUEST = "drill.request"
    DRILL_BEGIN = "drill.begin"
    DRILL_GROUND = "drill.ground"
    DRILL_DONE = "drill.done"
    DRILL_FAILED = "drill.failed"
    DRILL_BROKEN = "drill.broken"
    LOG_VIEW = "log.view"
    LOG_WITNESS_ASK = "log.witness-ask"
    LOG_WITNESS = "log.witness"
    LOG_POLICY = "log.policy"
    LOG_STAMP_ASK = "log.stamp-ask"
    LOG_STAMP = "log.stamp"
    LOG_COPY = "log.copy"
    LOG_PURGE_PROPOSE = "log.purge-propose"
    LOG_PURGE_APPROVE = "log.purge-approve"
    LOG_PURGE_REQUESTED = "log.purge-requested"
    LOG_PURGE_DONE = "log.purge-done"
    LOG_KEY_REQUESTED = "log.key-requested"
    LOG_KEY_DONE = "log.key-done"
    LOG_FILTER_KEEP = "log.filter-keep"
    LOG_FILTER_DROP = "log.filter-drop"
    LOG_EXPORT_REQUESTED = "log.export-requested"
    LOG_EXPORT_DONE = "log.export-done"
    LOG_EXPORT_FAILED = "log.export-failed"
    EMERGENCY_ACT = "emergency.act"
    LOG_CANARY = "log.canary"
    LOG_CLOCK = "log.clock"
    LOG_DISK = "log.disk"
    LOG_ALARM = "log.alarm"
    HUB_EVENT = "hub.event"
    GATE_EVENT = "gate.event"
    CODE_EXECUTED = "code.executed"
    CODE_VIEW = "code.view"
    DISPLAY_SHOWN = "display.shown"
    DISPLAY_SPENT = "display.spent"
    DISPLAY_SEARCHED = "display.searched"
    DISPLAY_UNSEARCHED = "display.unsearched"
    DISPLAY_FINDING = "display.finding"
    DISPLAY_VIEW = "display.view"
    DISPLAY_POLICY = "display.policy"
    POLICY_PROPOSE = "policy.propose"
    POLICY_REPLAY = "policy.replay"
    POLICY_ACTIVATE = "policy.activate"
    POLICY_WITHDRAW = "policy.withdraw"
    DISPLAY_LIMITS = "display.limits"
    PERIOD_INSPECT = "period.inspect"
    PERIOD_CLOSE = "period.close"
    PERIOD_REVIEW = "period.review"
    PERIOD_APPROVE = "period.approve"
    PERIOD_RETURN = "period.return"
    PERIOD_LATE = "period.late"
    PERIOD_NOTICE = "period.notice"
    INCIDENT_OPEN = "incident.open"
    INCIDENT_REVISE = "incident.revise"
    INCIDENT_FILE = "incident.file"
    INCIDENT_CLOSE = "incident.close"
    INCIDENT_DISMISS = "incident.dismiss"
    INCIDENT_REOPEN = "incident.reopen"
    INCIDENT_LATE = "incident.late"
    FINDING_RAISE = "finding.raise"
    FINDING_ASK = "finding.ask"
    FINDING_ANSWER = "finding.answer"
    FINDING_ACCEPT = "finding.accept"
    FINDING_ESCALATE = "finding.escalate"
    REVIEW_PLAN = "review.plan"
    REVIEW_PROPOSE = "review.propose"
    REVIEW_LIMITS = "review.limits"
    REPORT_MAKE = "report.make"
    ROUTE_REFUSED = "route.refused"
    SEAT_REFUSED = "seat.refused"
    SCREEN_LOCKED = "screen.locked"
    SCREEN_UNLOCKED = "screen.unlocked"
    CLIPBOARD_COPY = "clipboard.copy"


@dataclass(frozen=True)
class About:
    """What a reader of the log is told of an action."""

    ko: str
    en: str
    task: Task
    severity: Severity
    retention: Retention


_N, _I, _A = Severity.NOTICE, Severity.INFO, Severity.ALERT
_ACCESS, _RIGHTS, _DATA = Retention.ACCESS, Retention.RIGHTS, Retention.DATA

ABOUT: dict[Action, About] = {
    Action.ORGANISATION_CREATE: About("기관 등록", "organisation registered", Task.CREATE, _I, _RIGHTS),
    Action.ACCOUNT_CREATE: About("계정 생성", "account created", Task.CREATE, _N, _RIGHTS),
    Action.ACCOUNT_LOG_IN: About("로그인", "signed in", Task.LOG_IN, _I, _ACCESS),
    Action.ACCOUNT_LOG_OUT: About("로그아웃", "signed out", Task.LOG_IN, _I, _ACCESS),
    Action.ACCOUNT_SECOND_FACTOR: About("2차 인증", "second factor proved", Task.LOG_IN, _I, _ACCESS),
    Action.ACCOUNT_ENROL: About("2차 인증 등록", "second factor enrolled", Task.RIGHTS, _N, _RIGHTS),
    Action.ACCOUNT_PASSWORD: About("비밀번호 변경", "password changed", Task.CHANGE, _I, _RIGHTS),
    Action.ACCOUNT_UNLOCK: About("계정 잠금 해제", "account unlocked", Task.RIGHTS, _N, _RIGHTS),
    Action.ACCOUNT_END: About("계정 종료", "account ended", Task.RIGHTS, _N, _RIGHTS),
    Action.ROLE_GRANT: About("권한 부여", "role granted", Task.RIGHTS, _A, _RIGHTS),
    Action.ROLE_REVOKE: About("권한 회수", "role revoked", Task.RIGHTS, _N, _RIGHTS),
    Action.DATASET_REGISTER: About("데이터셋 등록", "dataset registered", Task.CREATE, _I, _DATA),
    Action.SOURCE_RECEIVE_REQUESTED: About(
        "원본 수신 시작", "reception of source images begun", Task.IMPORT, _N, _DATA
    ),
    Action.SOURCE_RECEIVE_DONE: About("원본 수신 끝", "reception of source images over", Task.IMPORT, _N, _DATA),
    Action.SNAPSHOT_RECEIVE: About("스냅샷 접수", "snapshot received", Task.CREATE, _N, _DATA),
    Action.SNAPSHOT_RISK: About("위험성 검토 작성", "risk review written", Task.CREATE, _I, _DATA),
    Action.SNAPSHOT_ADEQUACY: About("적정성 검토 의견", "adequacy judged", Task.CREATE, _N, _DATA),
    Action.SNAPSHOT_WAIVE: About("적정성 검토 생략", "adequacy review waived", Task.CREATE, _N, _DATA),
    Action.SNAPSHOT_RETURN: About("스냅샷 돌려보냄", "snapshot sent back", Task.CHANGE, _N, _DATA),
    Action.SNAPSHOT_PUBLISH: About("스냅샷 공개", "snapshot published", Task.CREATE, _N, _DATA),
    Action.SNAPSHOT_END_RUNNING: About(
        "철회한 스냅샷 즉시 회수", "running mounts of a withdrawn snapshot ended", Task.DELETE, _N, _DATA
    ),
    Action.SNAPSHOT_RECALL: About(
        "정보주체 철회로 스냅샷 회수", "snapshot recalled: a data subject withdrew", Task.DELETE, _A, _DATA
    ),
    Action.SNAPSHOT_WITHDRAW: About("스냅샷 철회", "snapshot withdrawn", Task.DELETE, _N, _DATA),
    Action.SAMPLE_VIEW: About("표본 원본 열람", "original of a sample viewed", Task.VIEW, _N, _DATA),
    Action.SAMPLE_JUDGE: About("표본 판정", "sample judged", Task.CREATE, _I, _DATA),
    Action.SAMPLE_MARKS: About("놓친 식별정보 인계", "missed identifiers handed over", Task.VIEW, _N, _DATA),
    Action.SAMPLE_CLOSE: About("표본 검토 종료", "sample review closed", Task.CHANGE, _N, _DATA),
    Action.PROJECT_DRAFT: About("과제 신청서 저장", "application saved", Task.CREATE, _I, _DATA),
    Action.PROJECT_APPLY: About("과제 신청", "project applied for", Task.CREATE, _I, _DATA),
    Action.PROJECT_COLUMNS: About("항목 심의", "columns decided", Task.RIGHTS, _N, _DATA),
    Action.PROJECT_RETURN: About("과제 보완 요청", "application returned", Task.CHANGE, _I, _DATA),
    Action.PROJECT_ACTIVATE: About("과제 개시", "project opened", Task.RIGHTS, _N, _DATA),
    Action.PROJECT_PLEDGE: About("서약", "pledge signed", Task.CREATE, _I, _DATA),
    Action.PROJECT_END: About("과제 종료", "project ended", Task.RIGHTS, _N, _DATA),
    Action.WORKSPACE_REQUESTED: About("작업공간 열기 요청", "workspace requested", Task.VIEW, _I, _DATA),
    Action.WORKSPACE_STARTED: About("작업공간 열림", "workspace started", Task.VIEW, _I, _DATA),
    Action.WORKSPACE_FAILED: About("작업공간 열기 실패", "workspace failed", Task.VIEW, _N, _DATA),
    Action.WORKSPACE_STOPPED: About("작업공간 닫힘", "workspace stopped", Task.VIEW, _I, _DATA),
    Action.WORKSPACE_FREEZE: About("작업공간 동결", "workspace frozen", Task.RIGHTS, _A, _DATA),
    Action.GPU_PROFILE: About("과제 GPU 지정", "project's GPU profile set", Task.RIGHTS, _N, _DATA),
    Action.GPU_REQUEST: About("GPU 신청", "GPU asked for", Task.CREATE, _I, _DATA),
    Action.GPU_GRANT: About("GPU 배정", "GPU granted", Task.RIGHTS, _I, _DATA),
    Action.GPU_RELEASE: About("GPU 반납", "GPU given back", Task.CHANGE, _I, _DATA),
    Action.GPU_WARN: About("GPU 종료 예고", "end of GPU lease announced", Task.CHANGE, _I, _DATA),
    Action.GPU_END_REQUESTED: About("GPU 회수 시작", "GPU being taken back", Task.RIGHTS, _I, _DATA),
    Action.GPU_END_DONE: About("GPU 회수 완료", "GPU taken back", Task.RIGHTS, _I, _DATA),
    Action.GPU_DEVICES: About("GPU 장치 변동", "GPUs changed", Task.SETTINGS, _N, _DATA),
    Action.GPU_SCRUB: About("GPU 메모리 소거", "GPU memory erased", Task.DELETE, _N, _DATA),
    Action.GPU_SERVICE: About("GPU 재투입", "GPU put back into service", Task.SETTINGS, _A, _DATA),
    Action.WORKSPACE_ENFORCE: About("규칙에 따른 작업공간 종료", "workspace ended by a rule", Task.RIGHTS, _N, _DATA),
    Action.WORKSPACE_CULL: About("쓰지 않는 작업공간 닫기", "idle workspace closed", Task.VIEW, _I, _DATA),
    Action.WORKSPACE_GRACE: About("유예 기간 시작", "grace period begun", Task.RIGHTS, _N, _DATA),
    Action.WORKSPACE_THAW: About("작업공간 동결 해제", "workspace freeze lifted", Task.RIGHTS, _A, _DATA),
    Action.WORKSPACE_LOOK: About("동결 파일 열람", "frozen files viewed", Task.VIEW, _I, _DATA),
    Action.PROJECT_FREEZE: About("과제 동결", "project frozen", Task.RIGHTS, _A, _DATA),
    Action.PROJECT_THAW: About("과제 동결 해제", "project freeze lifted", Task.RIGHTS, _A, _DATA),
    Action.VOLUME_KEY_USE: About("볼륨 키 전달", "volume keys handed over", Task.VIEW, _I, _DATA),
    Action.VOLUME_KEY_DESTROY: About("볼륨 키 파기", "volume keys destroyed", Task.DELETE, _A, _DATA),
    Action.DESTRUCTION_REQUESTED: About("파기 요청", "destruction requested", Task.DELETE, _N, _DATA),
    Action.DESTRUCTION_DONE: About("파기 완료", "destruction done", Task.DELETE, _A, _DATA),
    Action.CERTIFICATE_ISSUE: About("이용확인서 발급", "certificate of use issued", Task.CREATE, _I, _DATA),
    Action.CERTIFICATE_WITNESS: About("파기 입회 확인", "destruction witnessed", Task.CREATE, _N, _DATA),
    Action.SEAT_TAKE: About("자리에서 접속", "came in at their seat", Task.LOG_IN, _I, _ACCESS),
    Action.SEAT_MOVE: About("자리 옮김", "seat moved", Task.LOG_IN, _N, _ACCESS),
    Action.EGRESS_PREFLIGHT: About("반출 사전 점검", "egress preflight", Task.VIEW, _I, _DATA),
    Action.EGRESS_DRAFT: About("반출 신청서 저장", "egress request saved", Task.CREATE, _I, _DATA),
    Action.EGRESS_SUBMIT: About("반출 신청", "egress requested", Task.EGRESS, _N, _DATA),
    Action.EGRESS_WITHDRAW: About("반출 신청 철회", "egress withdrawn", Task.EGRESS, _I, _DATA),
    Action.EGRESS_REASSIGN: About("반출 신청자 변경", "egress handed to another member", Task.CHANGE, _N, _DATA),
    Action.EGRESS_VIEW: About("반출 파일 열람", "egress file viewed", Task.VIEW, _I, _DATA),
    Action.EGRESS_SHOWN: About("반출 파일 전부 열람", "all of an egress file shown", Task.VIEW, _I, _DATA),
    Action.EGRESS_APPROVE: About("반출 승인", "egress approved", Task.EGRESS, _N, _DATA),
    Action.EGRESS_REVIEW: About("반출 심사", "egress reviewed", Task.EGRESS, _I, _DATA),
    Action.EGRESS_REVISE: About("반출 심사 의견 수정", "egress review revised", Task.EGRESS, _I, _DATA),
    Action.EGRESS_CONCLUDE: About("반출 심사 확정", "egress review concluded", Task.EGRESS, _N, _DATA),
    Action.EGRESS_RETURN: About("반출 보완 요청", "egress returned", Task.EGRESS, _I, _DATA),
    Action.EGRESS_REJECT: About("반출 반려", "egress rejected", Task.EGRESS, _N, _DATA),
    Action.EGRESS_REOPEN: About("반출 심사 재개", "egress review reopened", Task.EGRESS, _A, _DATA),
    Action.EGRESS_COMMENT: About("반출 심사 의견", "egress comment made", Task.CREATE, _I, _DATA),
    Action.EGRESS_CONFLICT: About("반출 이해충돌 신고", "egress conflict of interest declared", Task.CHANGE, _N, _DATA),
    Action.EGRESS_ESCALATE: About("반출 심사 지연 알림", "egress review running late", Task.EGRESS, _N, _DATA),
    Action.EGRESS_EXPIRE: About("반출 기한 만료", "egress request expired", Task.DELETE, _I, _DATA),
    Action.EGRESS_RERUN: About("제출 코드 재실행", "submitted code run again", Task.VIEW, _I, _DATA),
    Action.EGRESS_RERUN_DONE: About("제출 코드 재실행 결과", "submitted code was run again", Task.VIEW, _I, _DATA),
    Action.IMPORT_DRAFT: About("반입 신청서 저장", "import request saved", Task.CREATE, _I, _DATA),
    Action.IMPORT_SUBMIT: About("반입 신청", "import requested", Task.IMPORT, _N, _DATA),
    Action.IMPORT_WITHDRAW: About("반입 신청 철회", "import withdrawn", Task.IMPORT, _I, _DATA),
    Action.IMPORT_REASSIGN: About("반입 신청자 변경", "import handed to another member", Task.CHANGE, _N, _DATA),
    Action.IMPORT_VIEW: About("반입 파일 열람", "import file viewed", Task.VIEW, _I, _DATA),
    Action.IMPORT_SHOWN: About("반입 파일 전부 열람", "all of an import file shown", Task.VIEW, _I, _DATA),
    Action.IMPORT_APPROVE: About("반입 승인", "import approved", Task.IMPORT, _N, _DATA),
    Action.IMPORT_REVIEW: About("반입 심사", "import reviewed", Task.IMPORT, _I, _DATA),
    Action.IMPORT_REVISE: About("반입 심사 의견 수정", "import review revised", Task.IMPORT, _I, _DATA),
    Action.IMPORT_CONCLUDE: About("반입 심사 확정", "import review concluded", Task.IMPORT, _N, _DATA),
    Action.IMPORT_RETURN: About("반입 보완 요청", "import returned", Task.IMPORT, _I, _DATA),
    Action.IMPORT_REJECT: About("반입 반려", "import rejected", Task.IMPORT, _N, _DATA),
    Action.IMPORT_REOPEN: About("반입 심사 재개", "import review reopened", Task.IMPORT, _A, _DATA),
    Action.IMPORT_COMMENT: About("반입 심사 의견", "import comment made", Task.CREATE, _I, _DATA),
    Action.IMPORT_CONFLICT: About("반입 이해충돌 신고", "import conflict of interest declared", Task.CHANGE, _N, _DATA),
    Action.IMPORT_ESCALATE: About("반입 심사 지연 알림", "import review running late", Task.IMPORT, _N, _DATA),
    Action.IMPORT_EXPIRE: About("반입 기한 만료", "import request expired", Task.DELETE, _I, _DATA),
    Action.IMPORT_UPLOAD: About("반입 파일 올리기", "import uploaded", Task.IMPORT, _I, _DATA),
    Action.IMPORT_DONE: About("반입 완료", "import laid out", Task.IMPORT, _N, _DATA),
    Action.IMPORT_FAILED: About("반입 실패", "import not laid out", Task.IMPORT, _A, _DATA),
    Action.IMPORT_RECALL: About("반입물 회수", "import recalled", Task.DELETE, _A, _DATA),
    Action.PACKAGES_SET: About("과제 패키지 갱신", "project's packages set", Task.SETTINGS, _N, _DATA),
    Action.RELEASE_REQUESTED: About("반출물 준비 요청", "release requested", Task.EGRESS, _N, _DATA),
    Action.RELEASE_DONE: About("반출물 준비 완료", "release prepared", Task.EGRESS, _N, _DATA),
    Action.RELEASE_FAILED: About("반출물 준비 실패", "release failed", Task.EGRESS, _A, _DATA),
    Action.RELEASE_HAND_OVER: About("반출물 전달", "release handed over", Task.DOWNLOAD, _A, _DATA),
    Action.RELEASE_RECALL: About("반출물 회수", "release recalled", Task.EGRESS, _A, _DATA),
    Action.RELEASE_CONFIRM: About("회수 확인", "recall confirmed", Task.EGRESS, _N, _DATA),
    Action.RELEASE_REAP: About("중단된 반출 정리", "interrupted release settled", Task.EGRESS, _N, _DATA),
    Action.DRILL_REQUEST: About("모의침투 요청", "drill asked for", Task.VIEW, _I, _ACCESS),
    Action.DRILL_BEGIN: About("모의침투 시작", "drill begun", Task.VIEW, _N, _ACCESS),
    Action.DRILL_GROUND: About("모의침투 준비", "drill prepared", Task.SETTINGS, _I, _ACCESS),
    Action.DRILL_DONE: About("모의침투 완료", "drill finished", Task.VIEW, _N, _ACCESS),
    Action.DRILL_FAILED: About("모의침투 중단", "drill failed", Task.VIEW, _A, _ACCESS),
    Action.DRILL_BROKEN: About("방벽 뚫림", "barrier broken", Task.VIEW, _A, _ACCESS),
    Action.LOG_VIEW: About("접속기록 조회", "log viewed", Task.VIEW_LOG, _I, _ACCESS),
    Action.LOG_WITNESS_ASK: About(
        "확인점을 증인에게 내줌", "checkpoint handed to a witness", Task.DOWNLOAD, _I, _RIGHTS
    ),
    Action.LOG_WITNESS: About("증인 서명 접수", "witness's cosignature taken in", Task.CREATE, _N, _RIGHTS),
    Action.LOG_POLICY: About("증인 정책 설정", "policy of witnesses set", Task.SETTINGS, _A, _RIGHTS),
    Action.LOG_STAMP_ASK: About("시점확인 요청서 작성", "time stamp request written", Task.DOWNLOAD, _I, _RIGHTS),
    Action.LOG_STAMP: About("시점확인 접수", "time stamp taken in", Task.CREATE, _N, _RIGHTS),
    Action.LOG_COPY: About("로그 사본 보관", "log copied to the locked store", Task.CREATE, _I, _RIGHTS),
    Action.LOG_KEY_REQUESTED: About("로그 키 교체 시작", "log's key being handed over", Task.SETTINGS, _A, _RIGHTS),
    Action.LOG_KEY_DONE: About("로그 키 교체", "log's key handed over", Task.SETTINGS, _A, _RIGHTS),
    Action.LOG_FILTER_KEEP: About("접속기록 조건 보관", "log filter kept", Task.CREATE, _I, _ACCESS),
    Action.LOG_FILTER_DROP: About("접속기록 조건 삭제", "log filter dropped", Task.DELETE, _I, _ACCESS),
    Action.LOG_EXPORT_REQUESTED: About("접속기록 내려받기 요청", "log export requested", Task.DOWNLOAD, _N, _ACCESS),
    Action.LOG_EXPORT_DONE: About("접속기록 내려받기 완료", "log exported", Task.DOWNLOAD, _N, _ACCESS),
    Action.LOG_EXPORT_FAILED: About("접속기록 내려받기 중단", "log export broke off", Task.DOWNLOAD, _N, _ACCESS),
    Action.LOG_PURGE_PROPOSE: About("기록 파기 제안", "purge of entries proposed", Task.DELETE, _N, _RIGHTS),
    Action.LOG_PURGE_APPROVE: About("기록 파기 승인", "purge of entries approved", Task.DELETE, _A, _RIGHTS),
    Action.LOG_PURGE_REQUESTED: About("기록 파기 지시", "purge of entries ordered", Task.DELETE, _A, _RIGHTS),
    Action.LOG_PURGE_DONE: About("기록 파기 완료", "entries purged", Task.DELETE, _A, _RIGHTS),
    Action.EMERGENCY_ACT: About(
        "기록되기 전에 한 비상 조치", "done before it could be recorded", Task.RIGHTS, _A, _DATA
    ),
    Action.LOG_CANARY: About("기록 점검 표식", "canary of the log", Task.CREATE, _I, _ACCESS),
    Action.LOG_CLOCK: About("시각 확인", "clock compared", Task.SETTINGS, _I, _ACCESS),
    Action.LOG_DISK: About("디스크 사용량 경고", "disk watermark", Task.SETTINGS, _N, _ACCESS),
    Action.LOG_ALARM: About("기록 경보", "alarm of the log", Task.SETTINGS, _A, _ACCESS),
    Action.HUB_EVENT: About("허브 사건", "hub event", Task.VIEW, _I, _ACCESS),
    Action.GATE_EVENT: About("게이트 사건", "gate event", Task.VIEW, _N, _ACCESS),
    Action.CODE_EXECUTED: About("코드 실행", "code executed", Task.VIEW, _I, _DATA),
    Action.CODE_VIEW: About("실행 코드 열람", "executed code read", Task.VIEW, _N, _DATA),
    Action.DISPLAY_SHOWN: About("화면 표시", "shown on the screen", Task.VIEW, _I, _DATA),
    Action.DISPLAY_SPENT: About("화면 한도 소진", "display budget spent", Task.VIEW, _N, _DATA),
    Action.DISPLAY_SEARCHED: About("화면에 보인 글 점검", "shown texts searched", Task.VIEW, _I, _DATA),
    Action.DISPLAY_UNSEARCHED: About("점검하지 못한 화면의 글", "shown texts not searched", Task.VIEW, _N, _DATA),
    Action.DISPLAY_FINDING: About("화면의 식별정보", "identifiers on the screen", Task.VIEW, _A, _DATA),
    Action.DISPLAY_VIEW: About("화면 식별정보 열람", "display finding read", Task.VIEW, _N, _DATA),
    Action.DISPLAY_POLICY: About("화면 한도 설정", "display limits set", Task.SETTINGS, _N, _DATA),
    Action.POLICY_PROPOSE: About("반출 정책 제안", "airlock policy proposed", Task.SETTINGS, _N, _DATA),
    Action.POLICY_REPLAY: About("반출 정책 재판정", "airlock policy replayed", Task.SETTINGS, _I, _DATA),
    Action.POLICY_ACTIVATE: About("반출 정책 적용", "airlock policy activated", Task.SETTINGS, _N, _DATA),
    Action.POLICY_WITHDRAW: About("반출 정책 제안 철회", "airlock policy withdrawn", Task.SETTINGS, _I, _DATA),
    Action.DISPLAY_LIMITS: About("화면 한도 적용", "display limits in force", Task.SETTINGS, _I, _DATA),
    Action.PERIOD_INSPECT: About("점검 규칙 실행", "review rules run", Task.VIEW_LOG, _I, _RIGHTS),
    Action.PERIOD_CLOSE: About("점검 기간 마감", "review period closed", Task.VIEW_LOG, _N, _RIGHTS),
    Action.PERIOD_REVIEW: About("점검 확정", "period reviewed and signed", Task.VIEW_LOG, _N, _RIGHTS),
    Action.PERIOD_APPROVE: About("점검 승인", "review approved and signed", Task.VIEW_LOG, _N, _RIGHTS),
    Action.PERIOD_RETURN: About("점검 되돌림", "review sent back", Task.VIEW_LOG, _N, _RIGHTS),
    Action.PERIOD_LATE: About("점검 지연", "review overdue", Task.VIEW_LOG, _A, _RIGHTS),
    Action.PERIOD_NOTICE: About("점검 지연 알림", "overdue review told by mail", Task.VIEW_LOG, _N, _RIGHTS),
    Action.INCIDENT_OPEN: About("사고 접수", "incident opened", Task.CREATE, _A, _DATA),
    Action.INCIDENT_REVISE: About("사고 내용 보완", "incident revised", Task.CHANGE, _N, _DATA),
    Action.INCIDENT_FILE: About("사고 신고", "incident reported to the authority", Task.CHANGE, _A, _DATA),
    Action.INCIDENT_CLOSE: About("사고 종결", "incident closed", Task.CHANGE, _N, _DATA),
    Action.INCIDENT_DISMISS: About("사고 아님 판정", "incident dismissed", Task.CHANGE, _A, _DATA),
    Action.INCIDENT_REOPEN: About("사고 재조사", "incident reopened", Task.CHANGE, _A, _DATA),
    Action.INCIDENT_LATE: About("사고 신고 기한 경과", "incident not reported in time", Task.CHANGE, _A, _DATA),
    Action.FINDING_RAISE: About("이상징후 발견", "finding raised", Task.VIEW_LOG, _N, _RIGHTS),
    Action.FINDING_ASK: About("소명 요청", "explanation requested", Task.VIEW_LOG, _N, _RIGHTS),
    Action.FINDING_ANSWER: About("소명", "finding explained", Task.CREATE, _N, _RIGHTS),
    Action.FINDING_ACCEPT: About("소명 수용", "explanation accepted", Task.VIEW_LOG, _N, _RIGHTS),
    Action.FINDING_ESCALATE: About("이상징후 조치", "finding escalated", Task.VIEW_LOG, _A, _RIGHTS),
    Action.REVIEW_PLAN: About("점검 주기 설정", "interval of the review set", Task.SETTINGS, _A, _RIGHTS),
    Action.REVIEW_PROPOSE: About("점검 기준 제안", "limits of the review proposed", Task.SETTINGS, _N, _RIGHTS),
    Action.REVIEW_LIMITS: About("점검 기준 적용", "limits of the review in force", Task.SETTINGS, _A, _RIGHTS),
    Action.REPORT_MAKE: About("보고서 만들기", "report made", Task.VIEW_LOG, _I, _RIGHTS),
    Action.ROUTE_REFUSED: About("막힌 주소 요청", "route refused", Task.DOWNLOAD, _N, _DATA),
    Action.SEAT_REFUSED: About("다른 자리에서 접근", "other seat refused", Task.VIEW, _A, _ACCESS),
    Action.SCREEN_LOCKED: About("화면 잠김", "screen locked", Task.LOG_IN, _I, _ACCESS),
    Action.SCREEN_UNLOCKED: About("화면 잠금 풀림", "screen unlocked", Task.LOG_IN, _I, _ACCESS),
    Action.CLIPBOARD_COPY: About("클립보드로 복사", "copied to the clipboard", Task.DOWNLOAD, _N, _DATA),
}


def reference() -> str:
    """Return the vocabulary as the Markdown page `docs/reference/actions.md`."""
    lines = [
        "# What the log records",
        "",
        "Made from `enclave/actions.py`; a test holds this page to it. `*.requested` stands before an effect outside",
        "the database, `*.done` or `*.failed` after it. Any action may be `denied` or `failed`: then nothing changed.",
        "The sequencer adds `log.heartbeat` after an hour in which nothing else was recorded, and `log.unprotected`",
        "when the database no longer refuses to change the record (`failed`) and when it does again (`done`).",
        "",
        "| action | 한국어 | English | 수행업무 | severity | kept |",
        "|---|---|---|---|---|---|",
    ]
    rows = ((action, ABOUT[action]) for action in Action)
    lines += [
        f"| `{action}` | {about.ko} | {about.en} | {about.task} | {about.severity} | {about.retention} |"
        for action, about in rows
    ]
    return "\n".join(lines) + "\n"
