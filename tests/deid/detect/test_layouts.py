"""Layouts without sentences: HL7 segments, tables, chats, lists, forms; what stands where says what it is."""

from __future__ import annotations

import pytest

from deid.detect.scan import scan

HL7 = (
    "MSH|^~\\&|HIS|H|LIS|H|20240203101530||ADT^A01|1|P|2.5\r"
    "PID|1||70012345^^^H^MR~9001011234568^^^KR^SS||표^가온||19900101|F|||광주 북구 용봉로 77||010-2345-6789\r"
    "NK1|1|표^새롬|MTH\r"
    "PV1|1|I|52W^5203||||12345^제^한빛|||IM\r"
    "OBX|1|NM|GLU||142|mg/dL|70-110|H"
)
LAYOUTS = {
    "HL7 v2": (
        HL7,
        {
            *(("DATE", "20240203"), ("MRN", "70012345"), ("RRN", "9001011234568"), ("NAME", "표^가온")),
            *(("DATE_BIRTH", "19900101"), ("ADDRESS", "광주 북구 용봉로 77"), ("PHONE", "010-2345-6789")),
            *(("NAME", "표^새롬"), ("NAME", "제^한빛")),
        },
    ),
    "a table with bars": (
        "| 성명 | 등록번호 | 담당의 |\n|---|---|---|\n| 팽노을 | 1234567 | 용담 |",
        {("NAME", "팽노을"), ("MRN", "1234567"), ("NAME", "용담")},
    ),
    "a table with tabs": (
        "병실\t환자명\t진단\t주치의\n701\t피여름\t폐렴\t어진",
        {("NAME", "피여름"), ("NAME", "어진")},
    ),
    "a table with tabs and rare cells": (
        "병실\t환자명\t나이\t보험\n701\t아흐마드 칸\t94\t83776051742\n702\t쩐 반 민\t71\t13776051742",
        {("NAME", "아흐마드 칸"), ("AGE90", "94"), ("INS_NO", "83776051742"), ("NAME", "쩐 반 민")},
    ),
    "HL7 of a laboratory that leaves out numbers": (
        "PID|1||70012345^^^H||피가온||900101|F\rPV1|1|I|82W||||제한빛^GS",
        {("NAME", "피가온"), ("DATE_BIRTH", "900101"), ("NAME", "제한빛")},
    ),
    "a table whose cell is broken": (
        "성명;등록번호;연락처\n가노을;1234\n567;010-1234-5678\n견바다;7654321;010-8765-4321",
        {("NAME", "견바다"), ("MRN", "7654321"), ("PHONE", "010-1234-5678"), ("PHONE", "010-8765-4321")},
    ),
    "a chat": ("[빙솔] [오후 3:12] 퇴원해도 되나요?", {("NAME", "빙솔")}),
    "a list": (
        "stroke team 정은총 / 조초아 / 송필례 notify",
        {("NAME", name) for name in ("정은총", "조초아", "송필례")},
    ),
    "no spaces": ("주치의채경자교수님회진", {("NAME", "채경자")}),
    "a form spread out": ("등 록 번 호 : 49933909\n담 당 의 : 손 잔 디", {("MRN", "49933909"), ("NAME", "손 잔 디")}),
    "leaders": ("차트번호 .... 635131125\n주치의 ...... 사버들", {("MRN", "635131125"), ("NAME", "사버들")}),
    "JSON": ('{"pt_nm":"기다래","pt_no":"00032919"}', {("NAME", "기다래"), ("MRN", "00032919")}),
    "JSON of a thing's parts, counted": ('{"type":"Grid","id":"p1027","axis":{"id":"p1023"}}', set()),
    "JSON of a person by number": ('{"id":"549960798"}', {("MRN", "549960798")}),
    "XML": ("<Id>549960798</Id><Doctor>신나리</Doctor>", {("MRN", "549960798"), ("NAME", "신나리")}),
    "events": ("13:20 임을순 귀실", {("NAME", "임을순")}),
    "an unusual word where a form asks": ("예금주 이환)", {("NAME", "이환")}),
    "a foreigner who can be called": (
        "보호자 로사 멘도사(010-2352-1812)",
        {("NAME", "로사 멘도사"), ("PHONE", "(010-2352-1812")},
    ),
}
ORDINARY = [
    "설정을 바꾸고 권한은 그대로 둠. 인원을 늘림. 차이로 나타남.",
    "장애정도 심사, 진료분 확인, 예진표 작성, 신고서 접수. 예약 부도율 8.2%.",
    '배우자 "집에 언제 가냐"고 물음. 결석을 이유로 의뢰함.',
    "혈액배양 결과 확인 후 메트포르민 500mg 추가 권합니다.",
    "변수명,단위,값\n체중,kg,62\n신장,cm,171",
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_identifiers_are_found_by_where_they_stand(layout: str) -> None:
    text, wanted = LAYOUTS[layout]
    found = {(span.type, text[span.start : span.end]) for span in scan(text)}
    assert wanted <= found


@pytest.mark.parametrize("text", ORDINARY, ids=[text[:20] for text in ORDINARY])
def test_words_with_endings_are_nobodys_names(text: str) -> None:
    assert [text[span.start : span.end] for span in scan(text)] == []
