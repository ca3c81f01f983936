"""Each recogniser against vectors: what must be found, whole, and what must be left."""

from __future__ import annotations

import pytest

from deid.detect.business_number import valid_business_number
from deid.detect.card import luhn
from deid.detect.rrn import check_digit, real_birth_date
from deid.detect.scan import scan

FOUND = [
    ("RRN", "주민번호 900101-1234568", "900101-1234568"),
    ("RRN", "번호는 201105-3123456 입니다", "201105-3123456"),
    ("RRN", "9001011234568", "9001011234568"),
    ("RRN", "M/44, 810816-1******", "810816-1******"),
    ("RRN", "주민 900101-1", "900101-1"),
    ("RRN", "팔팔공일공일 일이삼사오육칠", "팔팔공일공일 일이삼사오육칠"),
    ("FRN", "외국인등록번호 900101-5123452", "900101-5123452"),
    ("PHONE", "연락처 010-1234-5678", "010-1234-5678"),
    ("PHONE", "(062) 123-4567 로 연락", "(062) 123-4567"),
    ("PHONE", "+82-10-2345-6789", "+82-10-2345-6789"),
    ("PHONE", "공일공 삼이삼공 사육팔육 입니다", "공일공 삼이삼공 사육팔육"),
    ("PHONE", "대표 1588-1234", "1588-1234"),
    ("PHONE", "050-7123-4567", "050-7123-4567"),
    ("PHONE", "TEL 234-5678", "234-5678"),
    ("CARD", "9490-1234-5678-9013 결제", "9490-1234-5678-9013"),
    ("CARD", "카드 9490123456789013", "9490123456789013"),
    ("BRN", "사업자 123-45-67891", "123-45-67891"),
    ("BRN", "사업자등록번호: 1234567891", "1234567891"),
    ("PASSPORT", "여권 M12345678", "M12345678"),
    ("PASSPORT", "여권번호 M123A4567", "M123A4567"),
    ("DRIVER_LICENSE", "면허 11-99-123456-01", "11-99-123456-01"),
    ("DRIVER_LICENSE", "운전면허 서울 99-123456-01", "서울 99-123456-01"),
    ("BANK_ACCOUNT", "환불계좌 농협 302-1234-5678-91", "302-1234-5678-91"),
    ("INS_NO", "보험증번호 12345678901", "12345678901"),
    ("INS_NO", "증번호 8-7760517477", "8-7760517477"),
    ("INS_NO", "보험 83776051742", "83776051742"),
    (
        "ADDRESS",
        "주소 충북 충주시 예성로 145, 112-702호 (연수동, 한신아파트)",
        "충북 충주시 예성로 145, 112-702호 (연수동, 한신아파트)",
    ),
    ("ADDRESS", "거주지(둔산리 대우드림빌)", "둔산리 대우드림빌"),
    ("MRN", "Name 표가온  No.222513867", "222513867"),
    ("MRN", "user=21-874083", "21-874083"),
    ("PHONE", "전화번호: 011-431-7\n  883", "011-431-7\n  883"),
    ("MRN", "등록번호: 0561341", "0561341"),
    ("MRN", "검체번호 S20-354481", "S20-354481"),
    ("LICENSE_NO", "의사 면허번호 제 197399 호", "197399"),
    ("PLATE", "차량 28허 4380", "28허 4380"),
    ("PLATE", "광주12가3456 차량", "광주12가3456"),
    ("EMAIL", "메일 hong.gd@example.co.kr 로", "hong.gd@example.co.kr"),
    ("URL", "https://pacs.example.kr/study/1?p=2 참조", "https://pacs.example.kr/study/1?p=2"),
    ("IP", "접속IP 192.168.10.21", "192.168.10.21"),
    (
        "ADDRESS",
        "주소 광주광역시 북구 용봉로 77, 101동 1203호 (용봉동, 한빛아파트)",
        "광주광역시 북구 용봉로 77, 101동 1203호 (용봉동, 한빛아파트)",
    ),
    ("ADDRESS", "전남 해남군 황산면 우항리 12-3 거주", "전남 해남군 황산면 우항리 12-3"),
    ("ADDRESS", "방문지: (61186) 광주 북구 설죽로 202", "(61186) 광주 북구 설죽로 202"),
    ("DATE_BIRTH", "생년월일 1960. 10. 26.", "1960. 10. 26."),
    ("DATE_BIRTH", "생년월일: 600506", "600506"),
    ("DATE_BIRTH", "2020년 4월 14일생", "2020년 4월 14일"),
    ("DATE", "수술일 2021-07-18", "2021-07-18"),
    ("DATE", "다음 외래 5/14 예정", "5/14"),
    ("DATE", "구월 이십육일에 오세요", "구월 이십육일"),
    ("DATE_BIRTH", '"birthDate": "580204"', "580204"),
    ("LICENSE_NO", "진단의사 : 표가온 (67622) 새빛병원", "67622"),
    ("ORG", "Works at 동해고무.", "동해고무"),
    ("AGE90", "만 101세", "101"),
    ("AGE90", "F/93", "93"),
    ("ORG", "빛고을대학교병원에서 전원", "빛고을대학교병원"),
]
NOT_FOUND = [
    ("RRN", "검사값 881301-1000004"),
    ("RRN", "901131-1234567 은 없는 날"),
    ("CARD", "장비번호 9490123456789014"),
    ("PLATE", "비용 12만 3000원, 15주 2000명"),
    ("IP", "프로그램 version 10.2.3.4"),
    ("IP", "Study UID 1.2.840.113704.3.749.5.699"),
    ("DATE", "지남력 양호, 단기기억 2/3"),
    ("DATE", "림프절 전이 2/14, 도수근력 4/5, Apgar 8/9"),
    ("PHONE", "혈압 118/62, 119 신고"),
    ("MRN", "lot 20679615, kit 6119288431"),
    ("AGE90", "84세 남자, 혈압 90/60"),
    ("ADDRESS", "71병동 12호, 활동 3 이상"),
    ("ORG", "타병원 경유, 소화기내과 진료"),
]


@pytest.mark.parametrize(("kind", "text", "value"), FOUND, ids=lambda value: str(value)[:24])
def test_an_identifier_is_found_whole_and_by_its_type(kind: str, text: str, value: str) -> None:
    assert (kind, value) in [(found.type, text[found.start : found.end]) for found in scan(text)]


@pytest.mark.parametrize(("kind", "text"), NOT_FOUND, ids=lambda value: str(value)[:24])
def test_a_look_alike_is_left(kind: str, text: str) -> None:
    assert [text[found.start : found.end] for found in scan(text) if found.type == kind] == []


@pytest.mark.parametrize(
    ("first_twelve", "foreigner", "digit"), [("900101123456", False, 8), ("900101512345", True, 2)]
)
def test_check_digits_of_registration_numbers(first_twelve: str, foreigner: bool, digit: int) -> None:
    assert check_digit(first_twelve, foreigner=foreigner) == digit


@pytest.mark.parametrize(
    ("number", "real"),
    [("9001011", True), ("0002293", True), ("0002291", False), ("8813011", False), ("0101019", True)],
)
def test_a_birth_date_must_exist_in_its_century(number: str, real: bool) -> None:
    assert real_birth_date(number) is real


def test_check_digits_of_cards_and_businesses() -> None:
    assert luhn("9490123456789013")
    assert not luhn("9490123456789014")
    assert valid_business_number("1234567891")
    assert not valid_business_number("1234567890")


def test_post_2020_resident_numbers_are_flagged_whatever_their_check_digit() -> None:
    numbers = [f"210{month}15-3{tail:06d}" for month in range(1, 10) for tail in range(0, 1_000_000, 50_021)]
    assert [number for number in numbers if [found.type for found in scan(f"환자 {number} 확인")] != ["RRN"]] == []
