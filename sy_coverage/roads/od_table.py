"""Understand tables of minutes that somebody already has: one row a pair, in the columns of common map services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import FrameError, InputError, some

if TYPE_CHECKING:
    from pandas import DataFrame

_COLUMNS: dict[str, tuple[str, ...]] = {
    "from": (
        *("from", "from_id", "demand_id", "origin", "origin_id", "origins", "o", "o_id", "source", "start"),
        *("起点", "起点编号", "起点id", "起点编码", "出发地", "村编号", "demand"),
    ),
    "to": (
        *(
            "to",
            "to_id",
            "site_id",
            "destination",
            "destination_id",
            "dest",
            "dest_id",
            "destinations",
            "d",
            "d_id",
        ),
        *(
            "target",
            "end",
            "facility_id",
            "终点",
            "终点编号",
            "终点id",
            "终点编码",
            "目的地",
            "设施编号",
            "site",
        ),
    ),
    "minutes": (
        "minutes",
        "minute",
        "min",
        "mins",
        "time_min",
        "duration_min",
        "分钟",
        "时间(分钟)",
        "时间(分)",
        "用时(分钟)",
    ),
    "seconds": (
        *(
            "seconds",
            "second",
            "duration",
            "duration_s",
            "duration.value",
            "duration_value",
            "time_s",
            "cost.duration",
        ),
        *("秒", "时间(秒)", "耗时(秒)", "用时(秒)", "耗时"),
    ),
    "metres": (
        *("metres", "meters", "distance", "distance_m", "distance.value", "distance_value", "length_m"),
        *("米", "距离", "距离(米)", "路程(米)"),
    ),
    "mode": ("mode", "travel_mode", "出行方式", "方式"),
}
"""What a column may be called: our words, those of Amap's and Baidu's matrices, and what offices write."""
SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class PairTable:
    """Pairs of a table, each once: positions in the sorted ids, minutes, and metres where the table has them."""

    origin: Any
    target: Any
    origin_ids: tuple[str, ...]
    target_ids: tuple[str, ...]
    minutes: Any
    metres: Any | None


def _plain(name: object) -> str:
    return str(name).strip().lower().replace("（", "(").replace("）", ")").replace(" ", "_")


def columns_of(frame: DataFrame) -> dict[str, Any]:
    """Return which column of `frame` is what: `from`, `to`, `minutes` or `seconds`, and `metres` and `mode` where they are there.

    Raises
    ------
    FrameError
        If one that is needed is missing, or two columns could be the same thing.
    """
    named: dict[str, list[Any]] = {}
    for column in frame.columns:
        for what, words in _COLUMNS.items():
            if _plain(column) in words:
                named.setdefault(what, []).append(column)
    found = [f"columns {some(twice)} both say '{what}'" for what, twice in named.items() if len(twice) > 1]
    found += [
        f"no column '{what}' (such as {', '.join(_COLUMNS[what][:3])}); there are: {', '.join(map(str, frame.columns))}"
        for what in ("from", "to")
        if what not in named
    ]
    if not {"minutes", "seconds"} & set(named):
        found.append(
            f"no column of minutes or of seconds (duration); there are: {', '.join(map(str, frame.columns))}"
        )
    if found:
        raise FrameError("times", found)
    return {what: columns[0] for what, columns in named.items()}


def pair_table(frame: DataFrame, *, mode: str | None) -> PairTable:
    """Return the pairs of `frame`, those of `mode` where it says modes; pairs without minutes are left out.

    Raises
    ------
    FrameError
        If columns are missing, ids are empty, minutes or metres are no numbers of 0 or more, or a pair has two times.
    InputError
        If the table has several modes and none is asked for, or not the one that is.
    """
    columns = columns_of(frame)
    if "mode" in columns:
        frame = _of_mode(frame, columns["mode"], mode)
    per_minute = 1.0 if "minutes" in columns else SECONDS
    time = columns.get("minutes", columns.get("seconds"))
    minutes, wrong_min = _numbers(frame[time])
    metres, wrong_m = (None, None) if "metres" not in columns else _numbers(frame[columns["metres"]])
    found = []
    for what in ("from", "to"):
        empty = frame[columns[what]].isna()
        if empty.any():
            found.append(f"'{columns[what]}' is empty in rows {some(frame.index[empty])}")
    for column, wrong in ((time, wrong_min), (columns.get("metres"), wrong_m)):
        if wrong is not None and wrong.any():
            shown = [f"{i}: {v!r}" for i, v in frame.loc[wrong, column].head().items()]
            found.append(
                f"'{column}' must be numbers of 0 or more; {int(wrong.sum())} are not ({', '.join(shown)})"
            )
    if found:
        raise FrameError("times", found)
    known = ~np.isnan(minutes)
    origin, origin_ids = _coded(frame[columns["from"]])
    target, target_ids = _coded(frame[columns["to"]])
    minutes = minutes / per_minute
    order = np.lexsort((minutes, origin, target))
    order = order[known[order]]
    origin, target, minutes = origin[order], target[order], minutes[order]
    again = (origin[1:] == origin[:-1]) & (target[1:] == target[:-1])
    two = np.flatnonzero(again & (minutes[1:] != minutes[:-1]))
    if two.size:
        shown_pairs = [f"{origin_ids[origin[i]]} → {target_ids[target[i]]}" for i in two[:5]]
        raise FrameError(
            "times", [f"{two.size} pairs have two times: {', '.join(shown_pairs)}; keep one row each"]
        )
    kept = np.r_[True, ~again] if origin.size else np.zeros(0, dtype=bool)
    return PairTable(
        origin[kept],
        target[kept],
        origin_ids,
        target_ids,
        minutes[kept],
        None if metres is None else metres[order][kept],
    )


def _of_mode(frame: DataFrame, column: Any, mode: str | None) -> DataFrame:
    there = sorted(set(frame[column].dropna().astype(str)))
    if mode is None:
        if len(there) > 1:
            raise InputError(f"times: has minutes of several modes ({', '.join(there)}); name one with mode=")
        return frame
    if mode not in there:
        raise InputError(f"times: has no minutes of mode '{mode}'; there are {', '.join(there) or 'none'}")
    return frame[frame[column].astype(str) == mode]


def _numbers(column: Any) -> tuple[Any, Any]:
    """Return a column as float64, NaN where it is empty, and which of its values are no numbers of 0 or more."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    text = column.isna().to_numpy()
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        text = text | (column.astype(str).str.strip() == "").to_numpy()
    wrong = ~text & ~((numbers >= 0) & np.isfinite(numbers))
    return numbers, wrong


def _coded(column: Any) -> tuple[Any, tuple[str, ...]]:
    """Return each id's position among the sorted ids, and the ids as text; a whole number has no decimal point."""
    if pd.api.types.is_float_dtype(column.dtype) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    codes, ids = pd.factorize(column.astype(str).str.strip(), sort=True)
    return codes, tuple(map(str, ids))
