"""Korean postcodes of five digits (국가기초구역번호, 도로명주소법): three name a district, two lie in one province."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deid.hierarchies.hierarchy import ALL, Hierarchy

DIGITS = re.compile(r"\d{4,5}", re.ASCII)
# First two digits, up to and including, of each province (우정사업본부, 국가기초구역번호 부여 범위).
PROVINCES = (
    (9, "서울특별시"),
    (20, "경기도"),
    (23, "인천광역시"),
    (26, "강원특별자치도"),
    (29, "충청북도"),
    (30, "세종특별자치시"),
    (33, "충청남도"),
    (35, "대전광역시"),
    (40, "경상북도"),
    (43, "대구광역시"),
    (45, "울산광역시"),
    (49, "부산광역시"),
    (53, "경상남도"),
    (56, "전북특별자치도"),
    (60, "전라남도"),
    (62, "광주광역시"),
    (63, "제주특별자치도"),
)
KEPT = (5, 3, 2)


@dataclass(frozen=True)
class Postcode(Hierarchy):
    """Levels: 0 all five digits, 1 three (시군구 수준), 2 two, 3 name of the province (시도), 4 all.

    Spreadsheets eat a leading zero, so that four digits are read as five. Old codes of six digits are unknown.
    """

    name: str = "postcode"
    sizes: tuple[int, ...] = (34_000, 280, 63, 17, 1)

    def label(self, value: str, level: int) -> str | None:
        """See `Hierarchy.label`."""
        code = value.strip()
        if not DIGITS.fullmatch(code):
            return None
        code = code.zfill(5)
        area = int(code[:2])
        province = next((name for last, name in PROVINCES if 0 < area <= last), None)
        if province is None or level == self.levels:
            return province and ALL
        return province if level == len(KEPT) else code[: KEPT[level]].ljust(5, "*")
