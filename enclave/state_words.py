"""The words for every state: Korean first, English beside it; a test holds them to `enclave.states`."""

from __future__ import annotations

from collections.abc import Mapping

# Name of the enumeration, value of the state, (Korean, English).
LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "ProjectState": {
        "draft": ("초안", "draft"),
        "submitted": ("심의 중", "under review"),
        "returned": ("보완 요청", "returned"),
        "approved": ("승인", "approved"),
        "rejected": ("반려", "rejected"),
        "active": ("수행 중", "active"),
        "ended": ("종료", "ended"),
    },
    "RequestState": {
        "draft": ("초안", "draft"),
        "submitted": ("심사 중", "under review"),
        "returned": ("보완 요청", "returned"),
        "approved": ("승인", "approved"),
        "rejected": ("반려", "rejected"),
        "released": ("반출", "released"),
        "withdrawn": ("철회", "withdrawn"),
        "expired": ("기한 만료", "expired"),
        "recalled": ("회수", "recalled"),
    },
    "Direction": {"egress": ("반출", "egress"), "import": ("반입", "import")},
    "Verb": {
        "save": ("임시 저장", "save"),
        "submit": ("제출", "submit"),
        "withdraw": ("철회", "withdraw"),
        "reassign": ("신청자 변경", "reassign"),
        "review": ("심사", "review"),
        "revise": ("심사 의견 수정", "revise one's review"),
        "conclude": ("심사 확정", "conclude"),
        "return": ("보완 요청", "return"),
        "reject": ("반려", "reject"),
        "reopen": ("심사 재개", "reopen"),
        "comment": ("의견", "comment"),
        "declare": ("이해충돌 신고", "declare a conflict of interest"),
        "release": ("반출물 준비", "release"),
        "recall": ("회수", "recall"),
        "expire": ("기한 만료", "expire"),
    },
    "Phase": {
        "author": ("신청자 작성", "with the author"),
        "independent": ("독립 심사", "independent review"),
        "consolidating": ("의견 조율", "consolidating"),
        "complete": ("심사 완료", "complete"),
    },
    "FileRole": {
        "output": ("반출 대상", "output"),
        "supporting": ("참고 자료", "supporting"),
        "code": ("코드", "code"),
    },
    "FileVote": {"approve": ("승인", "approve"), "changes": ("보완 필요", "changes needed")},
    "FileDecision": {
        "approved": ("승인", "approved"),
        "changes": ("보완 필요", "changes needed"),
        "conflicted": ("의견 엇갈림", "conflicted"),
        "incomplete": ("심사 중", "not yet decided"),
    },
    "Audience": {"public": ("신청자에게 공개", "public"), "checkers": ("심사자끼리", "checkers only")},
    "ReleaseState": {
        "requested": ("준비 중", "being prepared"),
        "done": ("수령 대기", "ready to be handed over"),
        "failed": ("준비 실패", "failed"),
        "handed_over": ("전달됨", "handed over"),
        "recalled": ("회수", "recalled"),
        "cancelled": ("취소", "cancelled"),
    },
    "WorkspaceState": {
        "requested": ("여는 중", "starting"),
        "running": ("사용 중", "running"),
        "stopped": ("닫힘", "stopped"),
        "failed": ("열기 실패", "failed"),
        "frozen": ("동결", "frozen"),
        "destroyed": ("파기됨", "destroyed"),
    },
    "FreezeCause": {
        "period": ("과제 기간 만료", "end of the project's period"),
        "project": ("과제 종료", "end of the project"),
        "account": ("계정 종료", "end of the account"),
        "incident": ("사고 조사", "incident"),
    },
    "LeaseState": {
        "waiting": ("대기 중", "waiting"),
        "granted": ("배정됨", "granted"),
        "ending": ("회수 중", "being taken back"),
        "ended": ("끝남", "over"),
    },
    "DeviceState": {
        "dirty": ("소거 대기", "to be erased"),
        "ready": ("사용 가능", "ready"),
        "quarantined": ("사용 중지", "out of service"),
    },
    "DrillState": {
        "requested": ("대기 중", "waiting"),
        "running": ("진행 중", "running"),
        "done": ("완료", "done"),
        "failed": ("중단", "failed"),
    },
    "DrillReason": {
        "install": ("설치", "installation"),
        "daily": ("매일", "daily"),
        "asked": ("감사자 요청", "the auditor's wish"),
        "console": ("콘솔", "console"),
    },
    "SnapshotState": {"published": ("공개", "published"), "withdrawn": ("철회", "withdrawn")},
    "ColumnState": {
        "pending": ("심의 중", "pending"),
        "approved": ("승인", "approved"),
        "rejected": ("반려", "rejected"),
    },
    "Decision": {
        "approve": ("승인", "approve"),
        "changes": ("일부 보완", "changes"),
        "return": ("보완 요청", "return"),
        "reject": ("반려", "reject"),
    },
}
