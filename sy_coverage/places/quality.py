"""List what a person should verify: duplicates, points outside their unit, rows without a place, guesses."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.places.geocode import assign_units

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

DUPLICATE_WITHIN_M = 200.0
"""Two rows nearer than this may be the same place."""
DUPLICATE_NAME = 85.0
"""… if their names are at least this similar (0 to 100, RapidFuzz's token-set ratio)."""
OUTSIDE_FROM_M = 50.0
"""A point this little outside its unit is within the accuracy of boundaries."""
EARTH_M = 6_371_008.8
"""Mean radius of the earth."""
DOUBT_COLUMNS = ("doubt_id", "row_id", "subject", "value")
_ORDER = ("duplicate", "outside_unit", "not_located", "rejected", "ambiguous", "approximate", "unit_unknown")


def doubts(facilities: GeoDataFrame, units: GeoDataFrame) -> DataFrame:
    """Return one row for every doubt about `facilities` that a person should settle; nothing is merged or moved.

    Parameters
    ----------
    facilities
        Facilities or candidates frame, best after `geocode` and `assign_units`.
    units
        Units frame.

    Returns
    -------
    doubts
        Columns of text, sorted: `doubt_id` (``duplicate``, ``outside_unit``, ``not_located``, ``rejected``,
        ``ambiguous``, ``approximate``, ``unit_unknown``), `row_id` (the facility), `subject` and `value` (what else the
        sentence ``places.doubt_<doubt_id>`` needs: the other row, a distance in metres, the reason's id).
    """
    frame = facilities if "unit_distance_m" in facilities.columns else assign_units(facilities, units)
    frame = frame.sort_index()
    found = _duplicates(frame)
    far = frame["unit_distance_m"] > OUTSIDE_FROM_M
    for row_id, unit_id, metres in zip(
        frame.index[far], frame.loc[far, "unit_id"], frame.loc[far, "unit_distance_m"], strict=True
    ):
        found.append(("outside_unit", str(row_id), str(units["name"].get(unit_id, unit_id)), f"{metres:.0f}"))
    if "location_status" in frame.columns:
        status = frame["location_status"]
        for doubt_id in ("not_located", "rejected", "ambiguous", "approximate"):
            rows = frame[status == doubt_id]
            found += [
                (doubt_id, str(i), _text(rows, i, "location_reason"), _text(rows, i, "location_detail"))
                for i in rows.index
            ]
    if "unit_named" in frame.columns:
        named = frame["unit_named"].notna()
        known = frame["unit_known"] if "unit_known" in frame.columns else frame["unit_id"].notna()
        rows = frame[named & ~known.astype(bool)]
        found += [
            ("unit_unknown", str(i), _text(rows, i, "unit_named"), _text(rows, i, "county_named"))
            for i in rows.index
        ]
    found.sort(key=lambda d: (_ORDER.index(d[0]), *d[1:]))
    return pd.DataFrame(found, columns=list(DOUBT_COLUMNS), dtype="str")


def _text(rows: DataFrame, row_id: object, column: str) -> str:
    value = rows[column].get(row_id) if column in rows.columns else None
    return "" if value is None or pd.isna(value) else str(value)


def _duplicates(frame: GeoDataFrame) -> list[tuple[str, str, str, str]]:
    """Return pairs of rows of one kind that are near each other and called alike: clusters by DBSCAN on haversine."""
    from rapidfuzz import fuzz, utils  # noqa: PLC0415
    from sklearn.cluster import DBSCAN  # noqa: PLC0415

    placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty].to_crs(GEOGRAPHIC)
    if len(placed) < 2:
        return []
    spots = np.radians(np.column_stack([placed.geometry.y, placed.geometry.x]))
    search = DBSCAN(
        eps=DUPLICATE_WITHIN_M / EARTH_M, min_samples=2, metric="haversine", algorithm="ball_tree"
    )
    clusters = pd.Series(search.fit_predict(spots), index=range(len(placed)))
    found = []
    names = placed["name"].astype(str).to_list()
    for _, members in clusters[clusters >= 0].groupby(clusters):
        for one, other in combinations(members.index, 2):
            metres = _haversine_m(spots[one], spots[other])
            alike = fuzz.token_set_ratio(names[one], names[other], processor=utils.default_process)
            if metres <= DUPLICATE_WITHIN_M and alike >= DUPLICATE_NAME:
                found.append(("duplicate", str(placed.index[other]), str(placed.index[one]), f"{metres:.0f}"))
    return found


def _haversine_m(one: np.ndarray, other: np.ndarray) -> float:
    """Return the great-circle distance of two points (latitude, longitude in radians)."""
    half = np.sin((other - one) / 2) ** 2
    return float(2 * EARTH_M * np.arcsin(np.sqrt(half[0] + np.cos(one[0]) * np.cos(other[0]) * half[1])))
