"""Understand tables of minutes that somebody already has: one row a pair, in the columns of common map services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import FrameError, InputError, some

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pandas import DataFrame

_COLUMNS: dict[str, tuple[str, ...]] = {
    "from": ("from", "from_id", "demand_id", "origin", "origin_id", "origins", "o", "o_id", "source", "start", "demand", "village_id",
             "起点", "起点编号", "起点id", "起点编码", "出发地", "出发点", "村编号", "村庄编号"),
    "to": ("to", "to_id", "site_id", "destination", "destination_id", "destinations", "dest", "dest_id", "d", "d_id", "target", "end",
           "facility_id", "candidate_id", "site", "终点", "终点编号", "终点id", "终点编码", "目的地", "到达地", "设施编号"),
    "minutes": ("minutes", "minute", "min", "mins", "time_min", "duration_min", "travel_min", "travel_time_min", "分钟", "时间(分钟)",
                "时间(分)", "用时(分钟)", "耗时(分钟)"),
    "seconds": ("seconds", "second", "duration", "duration_s", "duration.value", "duration_value", "time_s", "cost.duration", "秒",
                "时间(秒)", "耗时(秒)", "用时(秒)", "耗时"),
    "metres": ("metres", "meters", "distance", "distance_m", "distance.value", "distance_value", "length_m", "米", "距离", "距离(米)",
               "路程(米)"),
    "mode": ("mode", "travel_mode", "出行方式", "方式"),
}  # fmt: skip
"""What a column may be called: our words, those of Amap's and Baidu's matrices, and what offices write."""
SECONDS = 60.0
_MODES = {
    "drive": ("drive", "driving", "car", "auto", "驾车", "汽车", "小汽车", "自驾"),
    "walk": ("walk", "walking", "foot", "on foot", "步行"),
    "bike": ("bike", "bicycle", "bicycling", "cycling", "riding", "骑行", "自行车"),
    "ebike": ("ebike", "e-bike", "electrobike", "电动车", "电动自行车", "电瓶车"),
}  # fmt: skip
_MODE_OF = {word: mode for mode, words in _MODES.items() for word in words}


@dataclass(frozen=True, eq=False)
class PairTable:
    """Pairs of a table, each once: positions in the sorted ids, minutes (inf: cannot be travelled), and metres where the table has them."""

    origin: Any
    target: Any
    origin_ids: tuple[str, ...]
    target_ids: tuple[str, ...]
    minutes: Any
    metres: Any | None

    def among(self, site_ids: Sequence[Any], demand_ids: Sequence[Any]) -> tuple[Any, Any]:
        """Return for every pair its place among `site_ids` and among `demand_ids`; −1 where it is of none."""

        def place(ids: Sequence[Any], own: tuple[str, ...]) -> Any:
            return pd.Index(ids, dtype=object).get_indexer(pd.Index(own, dtype=object))

        to, start = place(site_ids, self.target_ids), place(demand_ids, self.origin_ids)
        if not len(self.minutes):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        return to[self.target].astype(np.int64), start[self.origin].astype(np.int64)


def _plain(name: object) -> str:
    return str(name).strip().lower().replace("（", "(").replace("）", ")").replace(" ", "_")


@dataclass(frozen=True, eq=False)
class KnownMinutes:
    """Minutes that somebody already has, by travel mode; under "" those of which the table says no mode."""

    by_mode: Mapping[str, PairTable]

    def of_mode(self, mode: str, *, stated: bool = False) -> PairTable | None:
        """Return the pairs of `mode`, or those of no mode unless it must be `stated`; None where there are none."""
        found = self.by_mode.get(mode)
        return found if found is not None or stated else self.by_mode.get("")

    @property
    def origin_ids(self) -> frozenset[str]:
        """From where the table has minutes."""
        return frozenset(i for pairs in self.by_mode.values() for i in pairs.origin_ids)

    @property
    def target_ids(self) -> frozenset[str]:
        """To where the table has minutes."""
        return frozenset(i for pairs in self.by_mode.values() for i in pairs.target_ids)

    @property
    def size(self) -> int:
        """How many pairs there are."""
        return sum(len(pairs.minutes) for pairs in self.by_mode.values())


def known_minutes(
    frame: DataFrame, *, name: str = "times", mode: str = "", columns: Mapping[str, str] | None = None
) -> KnownMinutes:
    """Return the pairs of every mode of a table.

    Parameters
    ----------
    name
        What the table is called in messages.
    mode
        Of which mode all rows are, where no column says it; empty: of whichever is asked.
    columns
        Which column is `from`, `to`, `minutes`, `seconds`, `metres` or `mode`, where its name does not tell.

    Raises
    ------
    FrameError
        As `pair_table`, or if rows have no mode or one that is not known.
    """
    chosen = columns_of(frame, name=name, columns=columns)
    if "mode" not in chosen:
        return KnownMinutes({mode: _pairs(frame, chosen, name)})
    modes = frame[chosen["mode"]].map(mode_named, na_action="ignore")
    wrong = modes.isna() | ~modes.isin(list(_MODES))
    if wrong.any():
        shown = some(f"{i}: {v!r}" for i, v in frame.loc[wrong, chosen["mode"]].items())
        raise FrameError(name, [f"'{chosen['mode']}' must be {', '.join(_MODES)}; not so in rows {shown}"])
    return KnownMinutes(
        {one: _pairs(part, chosen, name) for one, part in frame.groupby(modes.astype(str), sort=True)}
    )


def mode_named(word: object) -> str:
    """Return the travel mode that a word such as 驾车 or driving means; the word itself where none does."""
    text = str(word).strip().lower()
    return _MODE_OF.get(text, text)


def is_header(names: list[str]) -> bool:
    """Return whether these could be the names of the columns of such a table."""
    plain = {_plain(name) for name in names}
    return all(not plain.isdisjoint(_COLUMNS[what]) for what in ("from", "to"))


def columns_of(
    frame: DataFrame, *, name: str = "times", columns: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return which column of `frame` is what: `from`, `to`, `minutes` or `seconds`, and `metres` and `mode` where they are there.

    Raises
    ------
    FrameError
        If one that is needed is missing, or two columns could be the same thing.
    """
    named: dict[str, list[Any]] = {what: [column] for what, column in (columns or {}).items()}
    found = [f"no column '{column}'" for (column,) in named.values() if column not in frame.columns]
    taken = {column for (column,) in named.values()}
    for column in frame.columns:
        for what, words in _COLUMNS.items():
            if _plain(column) in words and column not in taken and what not in (columns or {}):
                named.setdefault(what, []).append(column)
    found += [f"columns {some(twice)} both say '{what}'" for what, twice in named.items() if len(twice) > 1]
    there = ", ".join(map(str, frame.columns))
    found += [
        f"no column '{what}' (such as {', '.join(_COLUMNS[what][:3])}); there are: {there}"
        for what in ("from", "to")
        if what not in named
    ]
    if not {"minutes", "seconds"} & set(named):
        found.append(f"no column of minutes or of seconds (duration); there are: {there}")
    if found:
        raise FrameError(name, found)
    return {what: matching[0] for what, matching in named.items()}


def pair_table(frame: DataFrame, *, mode: str | None) -> PairTable:
    """Return the pairs of `frame`, those of `mode` where it says modes; a row without minutes is a pair that cannot be travelled.

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
    return _pairs(frame, columns, "times")


def _pairs(frame: DataFrame, columns: Mapping[str, Any], name: str) -> PairTable:
    per_minute = 1.0 if "minutes" in columns else SECONDS
    time = columns.get("minutes", columns.get("seconds"))
    minutes, wrong_min = _numbers(frame[time])
    metres, wrong_m = (None, None) if "metres" not in columns else _numbers(frame[columns["metres"]])
    found = []
    for what in ("from", "to"):
        empty = _is_empty(frame[columns[what]])
        if empty.any():
            found.append(f"'{columns[what]}' is empty in rows {some(frame.index[empty])}")
    for column, wrong in ((time, wrong_min), (columns.get("metres"), wrong_m)):
        if wrong is not None and wrong.any():
            shown = [f"{i}: {v!r}" for i, v in frame.loc[wrong, column].head().items()]
            found.append(
                f"'{column}' must be numbers of 0 or more; {int(wrong.sum())} are not ({', '.join(shown)})"
            )
    if found:
        raise FrameError(name, found)
    origin, origin_ids = _coded(frame[columns["from"]])
    target, target_ids = _coded(frame[columns["to"]])
    minutes = np.where(np.isnan(minutes), np.inf, minutes / per_minute)
    order = np.lexsort((minutes, origin, target))
    origin, target, minutes = origin[order], target[order], minutes[order]
    again = (origin[1:] == origin[:-1]) & (target[1:] == target[:-1])
    two = np.flatnonzero(again & (minutes[1:] != minutes[:-1]) & np.isfinite(minutes[1:]))
    if two.size:
        shown_pairs = [
            f"{origin_ids[origin[i]]} → {target_ids[target[i]]} (rows {frame.index[order[i]]}, {frame.index[order[i + 1]]})"
            for i in two[:5]
        ]
        raise FrameError(
            name, [f"{two.size} pairs have two times: {', '.join(shown_pairs)}; keep one row each"]
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
    words = frame[column].map(mode_named, na_action="ignore")
    there = sorted(set(words.dropna().astype(str)))
    if mode is None:
        if len(there) > 1:
            raise InputError(f"times: has minutes of several modes ({', '.join(there)}); name one with mode=")
        return frame
    if mode_named(mode) not in there:
        raise InputError(f"times: has no minutes of mode '{mode}'; there are {', '.join(there) or 'none'}")
    return frame[words.astype(str) == mode_named(mode)]


def _is_empty(column: Any) -> Any:
    """Return which values of a column are missing, or text of nothing but spaces."""
    empty = column.isna().to_numpy()
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        empty = empty | (column.astype(str).str.strip() == "").to_numpy()
    return empty


def _numbers(column: Any) -> tuple[Any, Any]:
    """Return a column as float64, NaN where it is empty, and which of its values are no numbers of 0 or more."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = ~_is_empty(column) & ~((numbers >= 0) & np.isfinite(numbers))
    return numbers, wrong


def _coded(column: Any) -> tuple[Any, tuple[str, ...]]:
    """Return each id's position among the sorted ids, and the ids as text; a whole number has no decimal point."""
    if pd.api.types.is_float_dtype(column.dtype) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    codes, ids = pd.factorize(column.astype(str).str.strip(), sort=True)
    return codes, tuple(map(str, ids))
