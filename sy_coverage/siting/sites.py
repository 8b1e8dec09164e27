"""Hold what rules ask of sites as plain arrays: the open facilities of a case, its candidates, and both together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Texts = NDArray[Any]


@dataclass(frozen=True)
class Sites:
    """Sites in the order of a frame; text that a row does not have is None."""

    ids: Texts
    kind: Texts
    unit: Integers
    """Position of the unit it lies in; −1 where that is none of the case's."""
    county: Texts
    """The county of its unit, else the one its row names."""
    premises: Texts
    upgrade_of: Texts
    host_id: Texts
    flags: dict[str, Flags]
    """Which rows carry each flag that a target counts besides a kind."""

    @classmethod
    def of(cls, frame: GeoDataFrame, units: GeoDataFrame, *, flags: Iterable[str]) -> Sites:
        """Return what rules ask of the rows of a frame of facilities or candidates."""
        return cls(
            ids=_texts(frame.index),
            kind=_texts(frame["kind"]),
            unit=units.index.get_indexer(frame["unit_id"]),
            county=counties_of(frame, units),
            premises=_column(frame, "premises"),
            upgrade_of=_column(frame, "upgrade_of"),
            host_id=_column(frame, "host_id"),
            flags={
                name: frame[name].eq(True).to_numpy(bool)
                if name in frame.columns
                else np.zeros(len(frame), dtype=bool)
                for name in flags
            },
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Return the position of each site by its id."""
        return {site_id: row for row, site_id in enumerate(self.ids)}

    @cached_property
    def rebuilds(self) -> Flags:
        """Return which rebuild a home."""
        return np.array([home is not None for home in self.upgrade_of], dtype=bool)

    def of_kind(self, *kinds: str) -> Flags:
        """Return which are of one of `kinds`."""
        return among(self.kind, kinds)

    def some(self, rows: Integers | Flags) -> Sites:
        """Return those of some rows only."""
        flags = {name: held[rows] for name, held in self.flags.items()}
        return Sites(**{name: getattr(self, name)[rows] for name in _ARRAYS}, flags=flags)

    def with_more(self, other: Sites) -> Sites:
        """Return these sites, and others behind them."""
        joined = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _ARRAYS}
        flags = {name: np.concatenate([held, other.flags[name]]) for name, held in self.flags.items()}
        return Sites(**joined, flags=flags)

    def without(self, site_id: str) -> Sites:
        """Return these sites without one."""
        return self.some(np.flatnonzero(self.ids != site_id))


_ARRAYS = ("ids", "kind", "unit", "county", "premises", "upgrade_of", "host_id")


def among(values: Texts, chosen: Iterable[Any]) -> Flags:
    """Return which of `values` are among `chosen`."""
    known = set(chosen)
    return np.fromiter((v in known for v in values), dtype=bool, count=len(values))


def counties_of(frame: GeoDataFrame, units: GeoDataFrame) -> Texts:
    """Return the county of each row: that of its unit, else the one its row names, else None."""
    county = dict(zip(units.index, units["county_id"], strict=True))
    found = (county.get(u, n) for u, n in zip(frame["unit_id"], _column(frame, "county_id"), strict=True))
    return np.fromiter(found, dtype=object, count=len(frame))


def _column(frame: GeoDataFrame, name: str) -> Texts:
    return _texts(frame[name]) if name in frame.columns else np.full(len(frame), None, dtype=object)


def _texts(values: Any) -> Texts:
    texts = values.to_numpy(dtype=object, copy=True)
    texts[pd.isna(texts)] = None
    return np.asarray(texts, dtype=object)
