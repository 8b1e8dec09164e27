"""Look up what an office's words mean: headers, kinds, statuses, yes and no, coordinate systems, amounts with units."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BRACKETED = re.compile(r"[(\[【〔<《][^)\]】〕>》]*[)\]】〕>》]")
_NOISE = re.compile(r"[\s_*＊·:：()\[\]【】〔〕<>《》'\"“”]+")
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*((?:[^\d\s.,].*)?)", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})\s*日?)?\s*月?(?:[ T]\d.*)?")
_YEAR = re.compile(r"(\d{4})\s*年?(?:下半年|年底|底|末)?")
_SHORT_YEAR = re.compile(r"^'?(\d{2})\s*(?=年)")
_FIRST_HALF = re.compile(r"(\d{4})\s*年?上半年")
_QUARTER = re.compile(r"(\d{4})\s*年?第?([一二三四1234])季度")
_ANGLE = re.compile(
    r"([NSEW东西南北]?)[经纬]?\s*(\d{1,3})\s*[°度]\s*(?:(\d{1,2}(?:\.\d+)?)\s*[′'分])?\s*"
    r"(?:(\d{1,2}(?:\.\d+)?)\s*(?:[″\"秒]|''|′′))?\s*([NSEW]?)",
    re.IGNORECASE,
)
_HEMISPHERE = re.compile(
    r"([NSEW]|[东西]经?|[南北]纬?)\s*[::]?\s*(\d{1,3}(?:\.\d+)?)\s*[°度]?", re.IGNORECASE
)
_ENDS = re.compile(r"\d{1,3}(?:\.\d+)?\s*°?\s*[NSEW]", re.IGNORECASE)
_SPACED = re.compile(r"(\d{1,3})\s+(\d{1,2})\s+(\d{1,2}(?:\.\d+)?)")
"""Degrees, minutes and seconds with spaces between them."""
_NUMERALS = re.compile("[〇零一二两三四五六七八九十百千]+")
_DIGITS = {c: str(n) for n, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "两": "2"}
_TENS = {"十": 10, "百": 100, "千": 1000}
_ABOUT = re.compile(
    r"^(约|大约|近|共|计|预计|拟|拟于|计划|预计于)\s*|\s*(左右|前后|以前|之前|前|启用|投用|开业|建成|竣工|投入使用|完工|完成|交付|开放|投运|正式运营|投入运营|运营|营业)$"
)
_BEFORE_NUMBER = re.compile(
    r"^(?:约|大约|近|共|计|合计|预计|拟|约为|估计|估算|概算|暂估|暂定|不足|不到|超过|超|逾|至少|最多|可达|达|>|<|≥|≤|~|≈)+\s*"
)
_AROUND = re.compile(r"\s*(?:左右|上下|以上|以内|以下|不等|以上不等)$")
_AND_MORE = re.compile(r"(\d)\s*(?:余|多|来|几)\s*([^\d]*)$")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)[^\d.]*?\s*(?:-|—|–|~|～|至|到)+\s*(\d+(?:\.\d+)?)\s*([^\d]*)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SIMPLER = str.maketrans(
    "機構稱類養護醫衛長樂齡鄉鎮區縣號碼經緯標樓廳會館業務點設數總層電話負責圖範級準備註資產項積開辦時間狀態單處實際錄種歲戶婦復專發對東門車華蘭龍財費預萬億築營運關閉舊閒學農漁園廣場臺灣讓個來統計內無與為義團廠樣選擬據屬權勢連絡聯繫採編輯鎖廢庫島嶺莊陽陰",
    "机构称类养护医卫长乐龄乡镇区县号码经纬标楼厅会馆业务点设数总层电话负责图范级准备注资产项积开办时间状态单处实际录种岁户妇复专发对东门车华兰龙财费预万亿筑营运关闭旧闲学农渔园广场台湾让个来统计内无与为义团厂样选拟据属权势连络联系采编辑锁废库岛岭庄阳阴",
)
"""Traditional characters of headers and words for kinds, as they are compared; names stay as written."""
_KNOWN_TEXTS = 1 << 16
"""Texts whose meaning is remembered: the cells of a list repeat themselves."""
MOST = 1e12
"""No count, area or cost here is larger; sums of such numbers stay exact to the unit."""
_OF_THIS_CENTURY = 60
"""Of a year written with two digits: 24年 is 2024, 98年 is 1998."""
_HUNDREDTHS_FROM = 10
"""A share written so large is meant in hundredths."""
_EXCEL_DAY_ZERO = dt.date(1899, 12, 30)


@cache
def table(name: str = "synonyms", *, room: str = "sheets") -> dict[str, Any]:
    """Return a data table that lies in one of the rooms of places, read once."""
    path = files(f"sy_coverage.places.{room}").joinpath(f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=_KNOWN_TEXTS)
def plain(text: str) -> str:
    """Return `text` as it is compared: NFKC, lower case, without spaces, underscores, stars and brackets."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold().translate(_SIMPLER))


def bare(text: str) -> str:
    """Return `text` as it is compared, and without what stands inside its brackets."""
    return plain(_BRACKETED.sub("", unicodedata.normalize("NFKC", text)))


def inside_brackets(text: str) -> str:
    """Return what stands inside the first brackets of `text`, such as the unit of a header, or nothing."""
    found = _BRACKETED.search(unicodedata.normalize("NFKC", text))
    return plain(found.group(0)) if found else ""


def tidy(text: str) -> str:
    """Return `text` without spaces at its ends and with single ones inside; its characters stay as written."""
    return " ".join(text.replace("\u3000", " ").split())


@cache
def header_ranks(what: str) -> dict[str, tuple[str, int]]:
    """Return ``{header as compared: (field, rank)}`` for ``"place"``, ``"units"`` or ``"demand"``; low ranks win."""
    found: dict[str, tuple[str, int]] = {}
    for shape in (plain, bare):
        for field, words in table()["headers"][what].items():
            for rank, word in enumerate(words):
                found.setdefault(shape(word), (field, rank if shape is plain else rank + 1000))
    found.pop("", None)
    return found


def field_of(header: str, what: str) -> tuple[str, int] | None:
    """Return the field a header means and how sure that is (low is surer), or None."""
    ranks = header_ranks(what)
    exact = ranks.get(plain(header))
    if exact:
        return exact
    loose = ranks.get(bare(header))
    return (loose[0], loose[1] + 2000) if loose else None


def field_of_cut(header: str, what: str) -> tuple[str, int] | None:
    """Return the one field whose words begin with a header that lost its end, such as 乡镇代 of a shapefile, or None."""
    key = plain(header)
    meant = {
        field for word, (field, _) in header_ranks(what).items() if len(key) > 1 and word.startswith(key)
    }
    return (meant.pop(), 5000) if len(meant) == 1 else None


def choice(text: str, words: Mapping[str, Iterable[str]]) -> tuple[str | None, bool]:
    """Return which entry of `words` a cell means, and whether it said so exactly.

    An exact word decides; else the longest word that the cell contains, provided all longest ones agree.
    """
    return _chosen(text, _choices(tuple((key, tuple(values)) for key, values in words.items())))


@cache
def _choices(words: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, values in words:
        for value in (key, *values):
            found.setdefault(plain(value), key)
    return found


def _chosen(text: str, known: Mapping[str, str]) -> tuple[str | None, bool]:
    key = plain(text)
    if key in known:
        return known[key], True
    inside = [word for word in known if len(word) > 1 and word in key]
    longest = max(map(len, inside), default=0)
    meant = {known[word] for word in inside if len(word) == longest}
    return (meant.pop(), False) if len(meant) == 1 else (None, False)


def exactly(text: str, section: str) -> str | None:
    """Return the entry of a section of the synonyms whose words hold `text` exactly, or None."""
    words = table()[section]
    return _choices(tuple((key, tuple(values)) for key, values in words.items())).get(plain(text))


def is_blank(text: str) -> bool:
    """Return whether a cell for a number, date or choice says that nothing is known."""
    return (
        not text or unicodedata.normalize("NFKC", text).strip() in table()["words"]["blank"] or text in "—–"
    )


def about(text: str) -> str:
    """Return a cell without the words that make a date approximate: 预计2026年12月建成."""
    return _ABOUT.sub("", unicodedata.normalize("NFKC", text).strip())


@lru_cache(maxsize=_KNOWN_TEXTS)
def number(text: str, field: str = "", header: str = "") -> tuple[float | None, str | None]:
    """Return the number in a cell, in the unit `field` is kept in, and what is wrong with the cell if none is.

    Full-width digits are read, 无 is 0, a unit behind the number is taken from the data, or else from the header's brackets.
    """
    written = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).strip())
    if written in table()["words"]["none"]:
        return 0.0, None
    found = _NUMBER.fullmatch(written)
    if not found:
        return None, "must be a finite number"
    units = {plain(unit): factor for unit, factor in table()["amounts"].get(field, {}).items()}
    unit = plain(found.group(2))
    if unit and unit not in units:
        return None, f"has the unit '{found.group(2).strip()}', which is unknown here"
    value = float(found.group(1)) * units.get(unit or inside_brackets(header), 1.0)
    if abs(value) == float("inf"):
        return None, "must be a finite number"
    if abs(value) > MOST:
        return None, f"is beyond {MOST:g}: no count, area or cost is so large"
    return value, None


def rough_number(text: str, field: str = "", header: str = "") -> float | None:
    """Return the number in a cell that gives it only roughly: 约80万元, 60余张, 30（含护理型12）, 30-50; None if there is none.

    Of a range the end that promises less is taken: the most a thing may cost, the fewest it may be.
    """
    written = _arabic(_BRACKETED.sub("", unicodedata.normalize("NFKC", text))).strip()
    written = _AROUND.sub("", _BEFORE_NUMBER.sub("", written)).strip()
    written = _AND_MORE.sub(r"\1\2", written)
    ends = _RANGE.fullmatch(written)
    parts = [f"{ends.group(1)}{ends.group(3)}", f"{ends.group(2)}{ends.group(3)}"] if ends else [written]
    values = [number(part, field, header)[0] for part in parts]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(parts) or not any(c.isdigit() for c in written):
        return None
    return max(known) if field in ("cost", "running_cost") else min(known)


def share(text: str) -> float | None:
    """Return the share in a cell: 0.95, 95%, 95 or 百分之95; None if it is none between 0 and 1, or may be either (1.2)."""
    written = unicodedata.normalize("NFKC", text).strip()
    hundred = written.rstrip("%").removeprefix("百分之")
    value = number(hundred)[0] if any(c.isdigit() for c in hundred) else None
    if value is not None and (hundred != written or value >= _HUNDREDTHS_FROM):
        value /= 100
    return value if value is not None and 0 <= value <= 1 else None


def _arabic(text: str) -> str:
    """Return a text with its Chinese numerals as digits: 二〇一九年十二月 is 2019年12月, 六十张 60张."""

    def value(found: re.Match[str]) -> str:
        written = found.group(0)
        if not any(c in _TENS for c in written):
            return "".join(_DIGITS[c] for c in written)
        total, digit = 0, 0
        for c in written:
            if c in _TENS:
                total += (digit or 1) * _TENS[c]
                digit = 0
            else:
                digit = int(_DIGITS[c])
        return str(total + digit)

    return _NUMERALS.sub(value, text)


def angle(text: str) -> float | None:
    """Return degrees from ``111.47``, ``１１１．４７``, ``111°28′15″`` or ``111度28分``, or None."""
    written = unicodedata.normalize("NFKC", text).strip()
    written = (
        re.sub(r"([\d.]+)\s*°?\s*([NSEW])", r"\2\1", written, flags=re.IGNORECASE)
        if _ENDS.fullmatch(written)
        else written
    )
    parts = _SPACED.fullmatch(written)
    if parts:
        written = f"{parts.group(1)}°{parts.group(2)}′{parts.group(3)}″"
    bare_degrees = _HEMISPHERE.fullmatch(written)
    if bare_degrees:
        value = float(bare_degrees.group(2))
        return -value if bare_degrees.group(1).upper() in {"S", "W", "南纬", "西经", "南", "西"} else value
    try:
        value = float(written.rstrip("°度"))
    except ValueError:
        found = _ANGLE.fullmatch(written)
        if not found:
            return None
        before, degrees, minutes, seconds, after = found.groups()
        value = float(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
        return -value if (before or after).upper() in {"S", "W", "南", "西"} else value
    return value


def flag(text: str) -> bool | None:
    """Return what a yes or no word says, or None if it is neither."""
    meant = exactly(text, "flags")
    return None if meant is None else meant == "yes"


def _full_year(short: re.Match[str]) -> str:
    return f"{'20' if int(short.group(1)) < _OF_THIS_CENTURY else '19'}{short.group(1)}"


def _part_of_year(written: str) -> dt.date | None:
    """Return the last day of a half or a quarter of a year: 2026年上半年, 2026年第二季度."""
    half, quarter = _FIRST_HALF.fullmatch(written), _QUARTER.fullmatch(written)
    if half:
        return dt.date(int(half.group(1)), 6, 30)
    if quarter:
        month = 3 * ("一二三四".find(quarter.group(2)) + 1 or int(quarter.group(2)))
        return dt.date(int(quarter.group(1)), month, calendar.monthrange(int(quarter.group(1)), month)[1])
    return None


def date(text: str) -> tuple[dt.date | None, bool]:
    """Return the date in a cell and whether it was given to the day.

    A month or year without a day means its last day, so that nothing counts as open before it surely is.
    """
    whole = unicodedata.normalize("NFKC", text).strip()
    if _NUMERALS.match(whole) and not _QUARTER.fullmatch(whole):
        whole = _arabic(whole)
        text = whole
    written = _BRACKETED.sub("", about(text)).strip()
    if written != whole:
        return date(written)[0], False
    part = _part_of_year(written)
    if part is not None:
        return part, False
    written = _SHORT_YEAR.sub(_full_year, written)
    if re.fullmatch(r"\d{5}(\.\d+)?", written):
        return _EXCEL_DAY_ZERO + dt.timedelta(days=int(float(written))), True
    if re.fullmatch(r"(19|20)\d{6}", written):
        written = f"{written[:4]}-{written[4:6]}-{written[6:]}"
    return _day_of(written)


def _day_of(written: str) -> tuple[dt.date | None, bool]:
    """Return the date of a year, a month or a day, and whether it is a day."""
    year_only = _YEAR.fullmatch(written)
    if year_only:
        return dt.date(int(year_only.group(1)), 12, 31), False
    found = _DATE.fullmatch(written)
    if not found:
        return None, False
    year, month, day = int(found.group(1)), int(found.group(2)), found.group(3)
    try:
        last = calendar.monthrange(year, month)[1]
        return dt.date(year, month, int(day) if day else last), bool(day)
    except (ValueError, calendar.IllegalMonthError):
        return None, False


def code(text: str) -> str:
    """Return an id as text: full-width characters made plain, zeros kept, a spreadsheet's apostrophe taken off."""
    return unicodedata.normalize("NFKC", text).strip().removeprefix("'")
