"""Every identifier used in Korea (numbers, addresses, names), plain and disguised: as made-up vectors of their formats.

Types are the benchmark's; what has no type of its own (IMEI, CI, a parcel's number) may be any type, but is covered.
"""

from __future__ import annotations

import pytest

from deid.detect.scan import scan

# Kind, text, value within it. Check digits hold where the text says so.
VECTORS = [
    ("RRN", "주민등록번호 900101-1234568", "900101-1234568"),
    ("RRN", "주민등록번호(2020.10 이후) 201105-3123456", "201105-3123456"),
    ("FRN", "외국인등록번호 900101-5123452", "900101-5123452"),
    ("FRN", "국내거소신고번호: 850505-6123456", "850505-6123456"),
    ("PASSPORT", "여권번호 M12345678", "M12345678"),
    ("PASSPORT", "여권번호 M123A4567", "M123A4567"),
    ("PASSPORT", "MRZ M12345678<8KOR9001014F3112312<<<<<<<<<<<<<<04", "M12345678<8KOR9001014F3112312<<<<<<<<<<<<<<04"),
    ("DRIVER_LICENSE", "운전면허번호 11-99-123456-01", "11-99-123456-01"),
    ("DRIVER_LICENSE", "운전면허 서울 99-123456-01", "서울 99-123456-01"),
    ("BRN", "사업자등록번호 123-45-67891", "123-45-67891"),
    ("BRN", "법인등록번호 110111-1234567", "110111-1234567"),
    ("INS_NO", "건강보험증번호 12345678901", "12345678901"),
    ("INS_NO", "장기요양인정번호 L1234567890", "L1234567890"),
    ("PHONE", "휴대전화 010-1234-5678", "010-1234-5678"),
    ("PHONE", "휴대전화 +82-10-1234-5678", "+82-10-1234-5678"),
    ("PHONE", "유선 062-123-4567", "062-123-4567"),
    ("PHONE", "유선 061-345-6789", "061-345-6789"),
    ("PHONE", "인터넷전화 070-1234-5678", "070-1234-5678"),
    ("PHONE", "안심번호 0507-1234-5678", "0507-1234-5678"),
    ("PHONE", "대표번호 1588-1234", "1588-1234"),
    ("BANK_ACCOUNT", "광주은행 계좌번호 123-45-678901", "123-45-678901"),
    ("CARD", "카드번호 9490-1234-5678-9013", "9490-1234-5678-9013"),
    ("PLATE", "차량번호 12가3456", "12가3456"),
    ("PLATE", "차량번호 123가4567", "123가4567"),
    ("PLATE", "방문 차량 123보4567 주차 등록함", "123보4567"),
    ("MRN", "성별: 여 접수: 41230977", "41230977"),
    ("PLATE", "방문 차량 58수 \n8343 등록", "58수 \n8343"),
    ("DRIVER_LICENSE", "갱신 전에는 112345678901. 끝", "112345678901"),
    ("EMAIL", "회신 haru07@gana\nmail.com 으로", "haru07@gana\nmail.com"),
    ("MRN", "홍다온 (AB형) 51230977 입원", "51230977"),
    ("MRN", "Aylin Demirova(51230977) 상담", "51230977"),
    ("MRN", "서도담 님 (Reg 0512309) 회신", "0512309"),
    ("MRN", '{"kind":"chart","no":"51230977"}', "51230977"),
    ("MRN", "화재보험 접수번호 S21-123456", "S21-123456"),
    ("PHONE", "끝나면 연락 0621234567. 감사", "0621234567"),
    ("DATE", "방사선 치료 (20210305–20210419) 마침", "20210419"),
    ("ADDRESS", "주소 신월동 한라센트레빌 tel 010-2345-6789", "신월동 한라센트레빌"),
    ("BANK_ACCOUNT", "사례비 지급 1234-567-890123 확인", "1234-567-890123"),
    ("ORG", "어제 국민건강보험공단 가람병원에 다녀옴", "국민건강보험공단 가람병원"),
    ("ORG", "Employer 가람정밀화 / 주소 미상", "가람정밀화"),
    ("PLATE", "차량번호 광주12가3456", "광주12가3456"),
    ("ADDRESS", "주소 (61186) 광주광역시 북구 용봉로 77", "(61186) 광주광역시 북구 용봉로 77"),
    ("ADDRESS", "주소 500-757 광주 북구 용봉동 300", "500-757 광주 북구 용봉동 300"),
    ("ADDRESS", "주소 전남 해남군 황산면 우항리 산12-3", "전남 해남군 황산면 우항리 산12-3"),
    ("ADDRESS", "필지고유번호(PNU) 2917010100101230004", "2917010100101230004"),
    ("MRN", "병원등록번호 12345678", "12345678"),
    ("MRN", "접수번호 2024-00012345", "2024-00012345"),
    ("MRN", "검체번호 S24-123456", "S24-123456"),
    ("MRN", "처방번호 20240203-00127", "20240203-00127"),
    ("MRN", "Accession No. CR240012345", "CR240012345"),
    ("", "요양기관기호 36123456", "36123456"),
    ("LICENSE_NO", "의사 면허번호 제123456호", "123456"),
    ("", "처방전 교부번호 2024020312345", "2024020312345"),
    ("", "장애인등록번호 90010112345", "90010112345"),
    ("MRN", "군번 12-34567890", "12-34567890"),
    ("MRN", "사번 20150123", "20150123"),
    ("MRN", "학번 201512345", "201512345"),
    ("DATE_BIRTH", "생년월일 1990. 1. 1.", "1990. 1. 1"),
    ("DATE", "사망일시 2024년 2월 3일 04시 32분", "2024년 2월 3일"),
    ("AGE90", "나이 97세", "97"),
    ("MRN", "CI " + "Q7b+" * 21 + "Zk==", "Q7b+" * 21 + "Zk=="),
    ("MRN", "DI: " + "MC0wDQYJ" * 8, "MC0wDQYJ" * 8),
    ("EMAIL", "전자우편 hong.gd@example.co.kr", "hong.gd@example.co.kr"),
    ("IP", "접속 IP 192.168.10.21", "192.168.10.21"),
    ("IP", "MAC 주소 00:1A:2B:3C:4D:5E", "00:1A:2B:3C:4D:5E"),
    ("URL", "주소창 https://pacs.example.kr/v?id=1", "https://pacs.example.kr/v?id=1"),
    ("", "단말기 IMEI 490154203237518", "490154203237518"),
    ("", "장비 일련번호(S/N) SN4839201837", "SN4839201837"),
    ("NAME", "성명: 홍가람", "홍가람"),
    ("MRN", "<차트>0071552</차트>", "0071552"),
    ("MRN", "조직 25-AP-4471 도착", "25-AP-4471"),
    ("PHONE", "전화 010.3344.5566", "010.3344.5566"),
    ("LICENSE_NO", "OBR|1" + "|" * 15 + "77120^문가람", "77120"),
]
WIDE = {code: code + 0xFEE0 for code in map(ord, "0123456789-.:/")} | {ord(" "): 0x3000}
DISGUISES = {
    "plain": str,
    "full-width": lambda value: value.translate(WIDE),
    "zero-width": "\u200b".join,
    "no-break spaces": lambda value: value.replace(" ", "\u00a0"),
    "other dashes": lambda value: value.replace("-", "\u2013"),
    "a line break inside": lambda value: value[: len(value) // 2] + "\n" + value[len(value) // 2 :],
}
# A line break may stand inside a number; a word is broken by a printer only, over several lines.
UNBROKEN = {"NAME", "ADDRESS", "AGE90", "PLATE", "URL", "EMAIL"}
CASES = [
    pytest.param(kind, text, value, disguise, id=f"{value[:18]}-{disguise}")
    for kind, text, value in VECTORS
    for disguise in DISGUISES
    if not (
        disguise == "a line break inside"
        and (kind in UNBROKEN or not any(c.isdigit() for c in value) or len(value) < 6)
    )
]


@pytest.mark.parametrize(("kind", "text", "value", "disguise"), CASES)
def test_an_identifier_is_covered_whole(kind: str, text: str, value: str, disguise: str) -> None:
    hidden = DISGUISES[disguise](value)
    start = text.index(value)
    disguised = text[:start] + hidden + text[start + len(value) :]
    spans = scan(disguised)
    covered = {place for span in spans for place in range(span.start, span.end)}
    missed = [
        place for place in range(start, start + len(hidden)) if disguised[place].isalnum() and place not in covered
    ]
    assert not missed, [(span.type, disguised[span.start : span.end]) for span in spans]
    meant = [span.type for span in spans if span.start < start + len(hidden) and start < span.end]
    assert not kind or kind in meant or {kind, *meant} <= {"RRN", "FRN"}


@pytest.mark.parametrize(
    ("kind", "text", "value"), [case for case in VECTORS if case[0] in {"RRN", "FRN", "PHONE", "CARD"}]
)
def test_a_number_said_in_hangul_digits_is_found(kind: str, text: str, value: str) -> None:
    said = value.translate(str.maketrans("0123456789", "공일이삼사오육칠팔구"))
    if kind != "CARD" and value[0] != "+" and sum(c.isdigit() for c in value) > 8:
        assert kind in {span.type for span in scan(text.replace(value, said))}


@pytest.mark.parametrize(
    "text",
    [
        "무결성 값(SHA-512) " + "Q7b+" * 21 + "Zk==",
        "CI 확인 후 배포, DI 컨테이너 설정 변경",
        "누적 횟수 2917010100101230004",
    ],
)
def test_a_long_value_without_its_label_is_no_identifier(text: str) -> None:
    assert scan(text) == []
