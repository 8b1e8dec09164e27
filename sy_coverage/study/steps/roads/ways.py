"""Say how minutes become known: by a table that somebody already has, and on the roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage import roads
from sy_coverage.errors import ConfigError, some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads import RoadNetwork, TravelTimes
    from sy_coverage.roads.forms.od_table import KnownMinutes, PairTable
    from sy_coverage.study.config.inputs.times import Times
    from sy_coverage.study.steps.files import StudyFiles


@dataclass(frozen=True)
class ToRoad:
    """How points are brought to the roads: how far at most, and how fast that is walked."""

    max_snap_m: float
    access_m_per_s: float


@dataclass(frozen=True)
class Ways:
    """How elders get to places: the pairs of a table as it has them, all others on the roads."""

    network: RoadNetwork
    """Without any road where the study has none: then only the pairs of the table can be travelled."""
    by: ToRoad
    known: KnownMinutes | None = None

    def travel_times(
        self, sites: GeoDataFrame, points: GeoDataFrame, *, mode: str, cutoff_min: float
    ) -> TravelTimes:
        """Return the minutes from points to sites that are at most `cutoff_min` apart."""
        found = self.network.travel_times(sites, points, mode=mode, cutoff_min=cutoff_min, **vars(self.by))
        pairs = self._pairs(mode)
        return found if pairs is None else found.with_pairs(pairs)

    def nearest(
        self, sites: GeoDataFrame, points: GeoDataFrame, *, mode: str, stated: bool = False
    ) -> DataFrame:
        """Return for every point which of `sites` is nearest (`site_id`) and the minutes to it (`nearest_min`).

        Both are missing where none can be reached. Pairs of which the table says no mode count unless it must be `stated`.
        """
        if sites.empty or points.empty:
            return pd.DataFrame({"site_id": None, "nearest_min": float("nan")}, index=points.index)
        pairs = self._pairs(mode, stated=stated)
        if pairs is None or not {str(i) for i in sites.index} & set(pairs.target_ids):
            return self.network.nearest(sites, points, mode=mode, **vars(self.by))
        whole = self.network.travel_times(sites, points, mode=mode, cutoff_min=np.inf, **vars(self.by))
        return _least(whole.with_pairs(pairs), points)

    def is_known(self, mode: str) -> bool:
        """Return whether anything is known of `mode`: there are roads, or the table states it."""
        return len(self.network.links) > 0 or self._pairs(mode, stated=True) is not None

    def _pairs(self, mode: str, *, stated: bool = False) -> PairTable | None:
        return None if self.known is None else self.known.of_mode(mode, stated=stated)

    def require_homes(self, ids: Iterable[str], others: Iterable[str], *, key: str) -> None:
        """Refuse to take for far apart what nobody knows: without roads the table must speak of each of `ids` with one of `others`.

        Raises
        ------
        ConfigError
            Naming those of which it says nothing.
        """
        if len(self.network.links):
            return
        pairs, own, far = self._pairs("drive"), list(ids), set(others)
        spoken: set[str] = set()
        if pairs is not None:
            start = np.asarray(pairs.origin_ids, dtype=object)[pairs.origin]
            to = np.asarray(pairs.target_ids, dtype=object)[pairs.target]
            spoken = set(start[np.isin(to, list(far))]) | set(to[np.isin(start, list(far))])
        silent = [i for i in own if i not in spoken and far - {i}]
        if silent:
            raise ConfigError(
                f"[siting] {key}: the table of minutes says nothing about {some(silent)}, and the study has no roads; "
                f"add their pairs by car to [times] table, give [roads] source, or take {key} out"
            )


def _least(times: TravelTimes, points: GeoDataFrame) -> DataFrame:
    """Return the nearest site of every point; of sites equally near the one whose id sorts first."""
    pairs = times.minutes.tocoo()
    rank = np.argsort(np.argsort(np.asarray(times.site_ids, dtype=object).astype(str), kind="stable"))
    order = np.lexsort((rank[pairs.row], pairs.data, pairs.col))
    column, first = np.unique(pairs.col[order], return_index=True)
    site, least = np.full(len(points), None, dtype=object), np.full(len(points), np.nan)
    site[column] = np.asarray(times.site_ids, dtype=object)[pairs.row[order][first]]
    least[column] = pairs.data[order][first]
    return pd.DataFrame({"site_id": site, "nearest_min": least}, index=points.index)


def read_minutes(given: Times, files: StudyFiles) -> KnownMinutes | None:
    """Return the minutes of the table that `[times]` names, or None where it names none."""
    if given.table is None:
        return None
    columns = {str(what): column for what, column in given.columns.items()}
    return roads.read_times(
        files.path(given.table), mode=given.mode or "", columns=columns, limits=files.limits
    )
