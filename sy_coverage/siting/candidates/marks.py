"""Mark what is known of candidates besides their lists: which are one place, and which lie where nothing may be built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.spatial import cKDTree

from sy_coverage._frames import metric_crs, require_crs
from sy_coverage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoDataFrame

ONE_PLACE_M = 45.0
"""Candidates of one kind that are nearer than this to each other are one place, as in one yard."""


@dataclass(frozen=True, eq=False)
class NoGo:
    """Areas in which a site is barred or flagged; `name` is the reason that is given."""

    name: str
    areas: GeoDataFrame
    action: Literal["bar", "flag"] = "bar"


def one_place(candidates: GeoDataFrame, *, within_m: float = ONE_PLACE_M) -> GeoDataFrame:
    """Return `candidates` with a `group_id` for those of one kind that stand on one place: at most one of a group opens.

    Groups that a list names stay together and take in what stands beside them; a group without a name is called after its first
    candidate, ``place-<candidate_id>``.

    Parameters
    ----------
    candidates
        Candidates frame in any CRS.
    within_m
        So near, in metres and from one to the next, is one place; 0 leaves the groups of the lists.

    Raises
    ------
    InputError
        If `within_m` is negative.
    MissingCRSError
        If the frame has no CRS.
    """
    if within_m < 0:
        raise InputError(f"within_m={within_m}: must be 0 or more")
    require_crs(candidates, "candidates")
    frame = candidates.sort_index()
    there = np.flatnonzero(frame.geometry.notna() & ~frame.geometry.is_empty)
    given = frame["group_id"].astype(object)
    pairs = (
        _near(frame.iloc[there], within_m) if len(there) > 1 and within_m > 0 else np.empty((0, 2), dtype=int)
    )
    links = [tuple(there[pair]) for pair in pairs]
    for _, members in pd.Series(np.arange(len(frame))).groupby(given.to_numpy()):
        links += [(members.iloc[0], other) for other in members.iloc[1:]]
    if not links:
        return candidates
    row, column = np.array(links).T
    graph = sparse.coo_array((np.ones(len(row)), (row, column)), shape=(len(frame), len(frame)))
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    group = given.to_numpy().copy()
    for members in pd.Series(np.arange(len(frame))).groupby(label).groups.values():
        if len(members) > 1:
            named = [group[m] for m in members if isinstance(group[m], str)]
            called = named[0] if named else f"place-{frame.index[members[0]]}"
            for member in members:
                group[member] = called
    return candidates.assign(
        group_id=pd.Series(group, index=frame.index, dtype=object).reindex(candidates.index)
    )


def _near(frame: GeoDataFrame, within_m: float) -> np.ndarray:
    """Return the pairs of rows of one kind that are within some metres of each other."""
    points = frame.geometry.to_crs(metric_crs(frame))
    pairs = cKDTree(np.column_stack([points.x, points.y])).query_pairs(within_m, output_type="ndarray")
    kinds = frame["kind"].to_numpy()
    return np.asarray(pairs[kinds[pairs[:, 0]] == kinds[pairs[:, 1]]])


def outside_no_go(candidates: GeoDataFrame, layers: Sequence[NoGo]) -> GeoDataFrame:
    """Return `candidates` with the names of the layers that bar or flag them, in `barred_by` and `flagged_by`, joined by 、.

    A candidate that is barred is not `required` any more: no list overrides a layer.
    """
    barred: dict[str, list[str]] = {str(i): [] for i in candidates.index}
    flagged: dict[str, list[str]] = {str(i): [] for i in candidates.index}
    for layer in layers:
        shapes = layer.areas.geometry.to_crs(candidates.crs)
        rows, _ = shapes.sindex.query(candidates.geometry, predicate="intersects")
        for row in sorted(set(rows)):
            (barred if layer.action == "bar" else flagged)[str(candidates.index[row])].append(layer.name)
    found = {
        "barred_by": ["、".join(barred[str(i)]) or None for i in candidates.index],
        "flagged_by": ["、".join(flagged[str(i)]) or None for i in candidates.index],
    }
    marked = candidates.assign(
        **{name: pd.Series(values, index=candidates.index, dtype=object) for name, values in found.items()}
    )
    return marked.assign(required=marked["required"].astype(bool) & marked["barred_by"].isna())
