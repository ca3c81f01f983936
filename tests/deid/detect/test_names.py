"""Names beside cues and by form; sentences of clinical routine without a name raise no alarm."""

from __future__ import annotations

import pytest

from deid.detect.scan import scan

NAMES = [
    ("환자 성명: 문가람", ["문가람"]),
    ("보호자 서민호에게 설명함", ["서민호"]),
    ("담당 고은솔 간호사 인계", ["고은솔"]),
    ("남궁율 교수 외래", ["남궁율"]),
    ("김교수님 회진, 선우과장 협진", ["김", "선우"]),
    ("환자: 김 다 인 / 50세", ["김 다 인"]),
    ("박 서준 님 귀가", ["박 서준"]),
    ("이보람님보호자분정해솔씨전화옴", ["이보람", "정해솔"]),
    ("아들 준씨 면회", ["준"]),
    ("은별이는 잘 지냄", ["은별"]),
    ("조하람 M/44 흉통", ["조하람"]),
    ("판독의 윤슬기, 한도윤 / 검토", ["윤슬기", "한도윤"]),
    ("성명 사토 유키  주민등록번호", ["사토 유키"]),
    ("Pt. Maria L. Santos (마리아 산토스)", ["Maria L. Santos", "마리아 산토스"]),
    ("Dr. Kim 회신", ["Kim"]),
    ("Park J.H. 님", ["Park J.H."]),
    ("환자명 金哲洙", ["金哲洙"]),
    ("patient_name=최솔;sex=F", ["최솔"]),
    ("정우진 통화함. 이후 정우진 재통화", ["정우진", "정우진"]),
    ("주 간병인: 딸 최아린 (동행)", ["최아린"]),
    ("저는 둘째 사위 손매둔입니다.", ["손매둔"]),
    ("보호자분 계나은 통화함", ["계나은"]),
    ("Surgeon 유단비 / 2nd asst 노건휘 / scrub 하예린", ["유단비", "노건휘", "하예린"]),
    ("Ref: Dr. Lena Novak Read by 소유담", ["Lena Novak", "소유담"]),
    ("메모: 이반 시도로바님 재방문", ["이반 시도로바"]),
    ("번호 | 성명 | 병동\n1 | 마르타 고메레스 | 5동", ["마르타 고메레스"]),
    ("vancomycin 시작 (송훈 처방)", ["송훈"]),
    ("조마둔 BP 120/80\n권오탁 BP 131/77", ["조마둔", "권오탁"]),
    ("강아찬(OT) 참여", ["강아찬"]),
    ("확인1 나소명 확인2 구슬아", ["나소명", "구슬아"]),
    ("친부 유단 연락 안 됨", ["유단"]),
    ("010-3300-1122 딜리 파우도 2025-03-02", ["딜리 파우도"]),
    ("304-1 오마르 데오 M/41", ["오마르 데오"]),
    ("방걸서 학생은 결석함", ["방걸서"]),
    ("어제 곽려설이 다녀감", ["곽려설"]),
    ("문의는 황보려륜 쪽으로", ["황보려륜"]),
    ("참석 조민아, 임욱 순", ["조민아", "임욱"]),
    ("내용 확인하였음. 손혁\n", ["손혁"]),
    ("전공의 민건으로부터 들음", ["민건"]),
    ("통역 없음. 다리 솜이 님 귀가", ["다리 솜이"]),
    ("면회 사절. 모이단퐁님 안정", ["모이단퐁"]),
    ("접수자: 하윤재이요. 끊음", ["하윤재"]),
    ("2호 서지민 안정\n3호 데보라 미켈\n5호 황수연 수면", ["서지민", "데보라 미켈", "황수연"]),
    ("어제 송 지훈이 다녀감", ["송 지훈"]),
    ("신경외과 장유작\n", ["장유작"]),
    ("Physician: Vera Hodakova, M.D.", ["Vera Hodakova"]),
    ("성명;나이;결과\n고든 마라베;31;정상", ["고든 마라베"]),
]
CLEAN = [
    "혈압 정상, 이상 소견 없음. 조영제 과민반응 없었음.",
    "임신 가능성이 있는 여성은 복용 전 의사와 상의하십시오.",
    "당뇨병 환자에서 신장 기능 저하 시 용량 조절이 필요함.",
    "최근 3개월 전부터 어지럼, 구역감 있어 내원함.",
    "보호자 면회 후 환자 안정 취함. 주치의 회진함.",
    "우측 하엽 경화 호전, 심비대 경도. 대동맥 석회화.",
    "다음 방문 시 공복 혈당과 지질 검사 예정.",
    "조직검사 결과 양성, 추적 관찰 권고.",
    "Chest PA: No active lung lesion.",
    "다음 달에 다시 보호자와 오시기로 함. 모니터 로그 확인.",
    "병실 304-1 소음 M/41, 진단명 폐렴 F/70",
    "가계도: 특이 병력 없음. 사랑니 #38 발치.",
    "전립선 PSA 5.4\n혈색소 Hb 11.2",
    "심전도 QTc 440\n심초음파 EF 60",
    "WBC 12.34 Hb 9.8 PLT 250,000 CRP 8.21 / Na 138 K 4.1",
]


@pytest.mark.parametrize(("text", "names"), NAMES, ids=[text[:20] for text, _ in NAMES])
def test_a_name_is_found_without_its_title_or_particle(text: str, names: list[str]) -> None:
    assert [text[found.start : found.end] for found in scan(text) if found.type == "NAME"] == names


@pytest.mark.parametrize("text", CLEAN, ids=[text[:20] for text in CLEAN])
def test_a_sentence_without_identifiers_raises_no_alarm(text: str) -> None:
    assert [(found.type, text[found.start : found.end]) for found in scan(text)] == []


def test_tables_of_numbers_raise_at_most_one_alarm_per_thousand_lines() -> None:
    lines = [
        f"{i * 7919 % 1000003},{i * 31 % 400}.{i % 10},{i * 104729 % 9999991},{i % 12}/{100 + i % 80}"
        for i in range(2000)
    ]
    alarms = [line for line in lines if [found for found in scan(line) if found.type != "DATE"]]
    assert len(alarms) <= 2, alarms[:5]
