"""Word the question that a map service is asked for a row: its address, with county and unit where they belong."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage.places.ground.names import same, short_county, short_unit
from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    from pandas import DataFrame

_PROVINCE_AND_CITY = re.compile(
    r"^(?:[^省市县区镇乡村]{2,7}?(?:省|自治区))?"
    # 宝庆市场 and 市政府 are no cities
    r"(?:[^省市县区镇乡村]{2,6}?(?:市(?!场|政|民|郊|区|内|容|直|级|辖|立|医|第|中心|中医|[一二三四五六七八九十])|自治州|地区|盟))?"
)
_UNIT_FORMS = ("街道办事处", "办事处", "街道办", "街道", "镇", "乡")


def text_of(row: Any, column: str) -> str:
    """Return a cell of a row as text, empty where it is missing."""
    value = row.get(column)
    return "" if value is None or pd.isna(value) else str(value)


def question_of(query: str) -> str:
    """Return what makes two queries the same question: NFKC, case and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", query).casefold().split())


def query_of(row: Any) -> str:
    """Return what is asked for a row: its address, or else its name, with the county and unit it lacks after its city.

    Nothing of what is written is moved or left out: 邵阳市宝庆东路88号 in 双清区 is 邵阳市双清区宝庆东路88号.
    """
    asked = words.tidy(text_of(row, "address") or text_of(row, "name"))
    county, unit = (text_of(row, column) for column in ("county_named", "unit_named"))
    county = "" if county.isdigit() else words.tidy(county)
    unit = "" if unit.isdigit() else words.tidy(unit)
    if not asked:
        return ""
    before, rest = _parted(asked, county)
    if county and county not in before:
        before = county if county.startswith(before) else before + county
    if unit and not _speaks_of(unit, rest):
        rest = unit.removeprefix(county) + rest
    return before + rest


def queries_of(rows: DataFrame) -> list[str]:
    """Return what is asked for each row."""
    return [query_of(row) for _, row in rows.iterrows()]


def _parted(asked: str, county: str) -> tuple[str, str]:
    """Return what an address says of province, city and county, and what follows."""
    if county:
        before, there, behind = asked.partition(county)
        if there:
            return before + there, behind
        short = short_county(county)
        if short != county and asked.startswith(short):
            return county, asked[len(short) :]
    match = _PROVINCE_AND_CITY.match(asked)
    end = match.end() if match else 0
    # what would be all of it is a name and not a city
    return (asked[:end], asked[end:]) if end < len(asked) else ("", asked)


def _speaks_of(unit: str, text: str) -> bool:
    """Return whether a text names a unit, whatever word it uses for its class; a village of the same stem is not it."""
    stem = short_unit(same(unit))
    plain = same(text)
    return same(unit) in plain or (stem != same(unit) and any(stem + form in plain for form in _UNIT_FORMS))
