"""Hold what rules ask of sites as plain arrays: the open facilities of a case, its candidates, and both together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage import coverage

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
    """The county its row names, else that of its unit."""
    premises: Texts
    upgrade_of: Texts
    host_id: Texts
    group_id: Texts
    """Sites of one group are sizes of one and the same place."""

    @classmethod
    def of(cls, frame: GeoDataFrame, units: GeoDataFrame) -> Sites:
        """Return what rules ask of the rows of a frame of facilities or candidates."""
        return cls(
            ids=_texts(frame.index),
            kind=_texts(frame["kind"]),
            unit=units.index.get_indexer(frame["unit_id"]),
            county=_texts(coverage.county_of(frame, units)),
            premises=_column(frame, "premises"),
            upgrade_of=_column(frame, "upgrade_of"),
            host_id=_column(frame, "host_id"),
            group_id=_column(frame, "group_id"),
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
        return Sites(**{name: getattr(self, name)[rows] for name in _ARRAYS})

    def with_more(self, other: Sites) -> Sites:
        """Return these sites, and others behind them."""
        joined = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _ARRAYS}
        return Sites(**joined)

    def without(self, site_id: str) -> Sites:
        """Return these sites without one."""
        return self.some(np.flatnonzero(self.ids != site_id))


_ARRAYS = ("ids", "kind", "unit", "county", "premises", "upgrade_of", "host_id", "group_id")


def among(values: Texts, chosen: Iterable[Any]) -> Flags:
    """Return which of `values` are among `chosen`."""
    known = set(chosen)
    return np.fromiter((v in known for v in values), dtype=bool, count=len(values))


def _column(frame: GeoDataFrame, name: str) -> Texts:
    return _texts(frame[name]) if name in frame.columns else np.full(len(frame), None, dtype=object)


def _texts(values: Any) -> Texts:
    texts = values.to_numpy(dtype=object, copy=True)
    texts[pd.isna(texts)] = None
    return np.asarray(texts, dtype=object)
