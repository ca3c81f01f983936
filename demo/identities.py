"""Invented people of Gwangju and Jeonnam: names, resident numbers, telephones, addresses.

Public data sets carry no identifiers; the demonstration needs them, because removing them is the point. Everything is
drawn from the generator handed in, so the same seed gives the same people. Care is taken that nobody real is named or
called: place codes 97-99 in resident numbers were never given to an office, and mobile blocks 010-0/1 to no operator.
Towns and roads are real public names; building numbers are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SURNAMES = _words(
    "김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 전 홍 고 문 양 손 배 백 허 유 남 심 노 하 곽 성 차 "
    "주 우 구 "
    "민 나 진 지 엄 채 원 천 방 공 현 함 변 염 여 추 도 소 석 선 설 마 길 연 위 표 명 기 반 왕 금 옥 육 인 맹 제 "
    "모 탁 국 "
    "남궁 선우 황보 제갈 사공"
)
_SURNAME_WEIGHTS = [215, 147, 84, 47, 43, 24, 21, 20, 20, 17, 15, 15, 15, 18, 14, 14, 14, 14, 13, 11]
# Given names by years of birth: before 1955, to 1974, to 1997, since 1998.
_WOMEN = (
    _words(
        "순자 영자 정순 복순 말자 금순 옥자 춘자 점순 봉례 덕순 "
        "길례 양순 판례 옥순 연순 공례 삼순 귀례 막례 영순 명자 정례"
    ),
    _words(
        "미숙 경희 은숙 영미 정희 현숙 미경 선희 혜정 은경 순덕 "
        "명희 인숙 미란 성희 경애 정임 옥희 영란 금희 연숙 진숙 향숙"
    ),
    _words(
        "지영 은정 유진 수진 미정 혜진 은주 현정 지현 선영 은영 "
        "보람 아름 슬기 지혜 민정 소영 나영 다혜 희진 세미 가영 한나"
    ),
    _words(
        "서연 지우 서현 민서 하은 지민 수아 예은 채원 다은 유나 "
        "소율 아린 나윤 시은 하윤 지유 서아 예린 가온 이서 봄 은별"
    ),
)
_MEN = (
    _words(
        "영수 영호 병철 춘식 봉수 기용 만수 종식 판수 상길 용남 "
        "길동 복남 재구 창식 동선 화섭 태봉 칠성 순태 남수 양기 광현"
    ),
    _words(
        "성호 영철 상훈 정호 경수 재영 동수 병수 종훈 기수 광수 "
        "상철 용호 진호 성민 태식 영진 대현 인수 창호 정식 석주 현철"
    ),
    _words(
        "지훈 성훈 현우 준호 민수 동현 진우 승현 재훈 상민 정훈 "
        "태훈 영훈 기훈 성진 우석 경민 병준 종현 한솔 대성 인호 형석"
    ),
    _words(
        "민준 서준 도윤 예준 시우 주원 하준 지호 건우 우진 현준 "
        "선우 연우 정우 준우 이준 은우 지환 승우 로운 다온 율 한결"
    ),
)
_ERA_STARTS = (1955, 1975, 1998)
_GWANGJU = (
    ("동구", "계림동 산수동 지산동 학동 소태동", "중앙로 금남로 필문대로 동명로 남문로"),
    ("서구", "치평동 금호동 풍암동 쌍촌동 화정동", "상무대로 시청로 풍암순환로 월드컵4강로 죽봉대로"),
    ("남구", "봉선동 진월동 주월동 백운동 효덕동", "봉선로 대남대로 서문대로 금화로 독립로"),
    ("북구", "용봉동 운암동 일곡동 두암동 문흥동", "북문대로 설죽로 우치로 서암대로 동문대로"),
    ("광산구", "수완동 첨단동 월곡동 우산동 신창동", "수완로 임방울대로 첨단중앙로 사암로 어등대로"),
)
_JEONNAM = (
    ("목포시", "상동 용당동 옥암동", "영산로 백년대로 옥암로"),
    ("순천시", "조례동 연향동 왕지동", "중앙로 백강로 연향번영길"),
    ("여수시", "학동 여서동 문수동", "시청로 여서로 좌수영로"),
    ("나주시", "빛가람동 송월동 남내동", "빛가람로 나주로 예향로"),
    ("담양군 담양읍", "백동리 천변리 객사리", "죽향대로 중앙로 지침로"),
    ("화순군 화순읍", "광덕리 교리 만연리", "진각로 칠충로 서양로"),
    ("해남군 황산면", "우항리 연당리 남리리", "공룡대로 시등로 명량로"),
    ("고흥군 도양읍", "봉암리 용정리 관리", "비봉로 우주항공로 녹동로"),
)
_ESTATES = _words(
    "무등파크 빛고을타운 상록아파트 금호타운 우방아이유쉘 한국아파트 남양휴튼 대주파크빌 현대아파트 은혜빌라"
)
_RRN_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
# The register draws digits eight to thirteen at random from this day on.
_RANDOM_SINCE = date(2020, 10, 5)


@dataclass(frozen=True, slots=True)
class Identity:
    """One invented person; `sex` is `M` or `F`."""

    name: str
    rrn: str
    phone: str
    address: str
    birth_date: date
    sex: str


def identity(random: Random, *, birth_date: date, sex: str) -> Identity:
    """Draw a person of this birth date and sex."""
    return Identity(
        name=full_name(random, birth_year=birth_date.year, sex=sex),
        rrn=resident_number(random, birth_date=birth_date, sex=sex),
        phone=telephone(random),
        address=address(random),
        birth_date=birth_date,
        sex=sex,
    )


def full_name(random: Random, *, birth_year: int, sex: str) -> str:
    """Draw a surname by its share of the population and a given name usual for the years of birth."""
    weights = _SURNAME_WEIGHTS + [4] * (len(_SURNAMES) - len(_SURNAME_WEIGHTS))
    surname = random.choices(_SURNAMES, weights)[0]
    era = sum(birth_year >= start for start in _ERA_STARTS)
    return surname + random.choice((_WOMEN if sex == "F" else _MEN)[era])


def resident_number(random: Random, *, birth_date: date, sex: str) -> str:
    """Draw a number `YYMMDD-Xnnnnnn` of valid structure; the check digit holds for births before October 2020."""
    century = {("M", 1900): 1, ("F", 1900): 2, ("M", 2000): 3, ("F", 2000): 4}[sex, birth_date.year // 100 * 100]
    head = f"{birth_date:%y%m%d}{century}"
    if birth_date >= _RANDOM_SINCE:
        return f"{head[:6]}-{head[6:]}{random.randrange(1_000_000):06d}"
    twelve = f"{head}{random.randrange(97, 100)}{random.randrange(1000):03d}"
    total = sum(weight * int(digit) for weight, digit in zip(_RRN_WEIGHTS, twelve, strict=True))
    return f"{twelve[:6]}-{twelve[6:]}{(11 - total % 11) % 10}"


def telephone(random: Random) -> str:
    """Draw a mobile number in a block that no operator has."""
    return f"010-{random.randrange(100, 2000):04d}-{random.randrange(10_000):04d}"


def address(random: Random) -> str:
    """Draw a road address, sometimes with estate and unit, sometimes an old lot address."""
    inside = random.random() < 0.65
    place, towns, roads = random.choice(_GWANGJU if inside else _JEONNAM)
    province = random.choice(("광주광역시", "광주", "광주시") if inside else ("전라남도", "전남"))
    town, road = random.choice(towns.split()), random.choice(roads.split())
    if random.random() < 0.2:
        return f"{province} {place} {town} {random.randrange(1, 900)}-{random.randrange(1, 40)}"
    text = f"{province} {place} {road} {random.randrange(1, 400)}"
    if random.random() < 0.6:
        text += f", {random.randrange(101, 121)}동 {random.randrange(1, 20)}{random.randrange(1, 7):02d}호"
        if random.random() < 0.5:
            text += f" ({town.split()[-1]}, {random.choice(_ESTATES)})"
    return text
