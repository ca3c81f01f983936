"""Vehicle registration plates (자동차등록번호판).

Source: 자동차 등록번호판 등의 기준에 관한 고시 (국토교통부): two or three digits, one syllable of a closed set (use
of the
vehicle), four digits; before 2004 with the province in front.
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser

_PRIVATE = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주"
_COMMERCIAL = "바사아자배하허호"
_MILITARY = "육해공국합"
_HANGUL_UNITS = "원|명|건|년|회|개|인|주|일|시|점|원정|단위|보"
_UNIT = rf"(?!\d)(?!{_HANGUL_UNITS})(?![ ](?:{_HANGUL_UNITS})(?![가-힣]))(?![ ]?(?:mg|ml|mL|kg|g\b|cc|kcal|%))"
_PLACE = r"(?:(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주)[ ]?)?"


class PlateRecogniser(RuleRecogniser):
    """Plates by layout, refused when a unit of measure follows."""

    ENTITIES = ("PLATE",)
    RULES = (
        Rule(
            "PLATE",
            re.compile(rf"(?<![\d.,/-]){_PLACE}\d{{2,3}}[ ]?[{_PRIVATE}{_COMMERCIAL}{_MILITARY}][ ]?\d{{4}}{_UNIT}"),
            0.85,
        ),
        # A line broke beside the letter ("58수 / 8343"); a room's number and a year are none.
        Rule(
            "PLATE",
            re.compile(
                rf"(?<![\d.,/-])\d{{2,3}}(?:[{_PRIVATE}바사아자배하허][ ]?\n[ ]?|"
                rf"[ ]?\n[ ]?[{_PRIVATE}바사아자배하허][ ]?)"
                rf"(?!19|20)\d{{4}}{_UNIT}"
            ),
            0.8,
            needs=("\n",),
        ),
        Rule(
            "PLATE",
            re.compile(
                r"(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|"
                r"제주)[ ]?\d{1,2}[ ]?[가-힣][ ]?\d{4}(?!\d)"
            ),
            0.85,
        ),
        Rule(
            "PLATE",
            re.compile(r"(?:외교|영사|준외|준영|국기|협정|대표)[ ]?\d{3}[ ]?-?[ ]?\d{3}(?!\d)"),
            0.8,
            needs=("외교", "영사", "외", "영", "국기", "협정", "대표"),
        ),
    )
