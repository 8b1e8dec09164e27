"""Tell which stations may be demonstration sites: those marked already, and those that meet the stated criteria."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage import coverage
from sy_coverage.coverage.counting import flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from sy_coverage.policy import Policy


@dataclass(frozen=True)
class Criteria:
    """What a site must have to be shown as an example; what a list does not say, a site does not have."""

    floor_area_m2: float = 0.0
    """At least so much floor area; 0: whatever it is."""
    all_functions: bool = False
    """Every function that its kind is meant to have."""
    has_medical: bool = False
    """Medical care in the house."""


def marked(frame: GeoDataFrame, measure: Any) -> NDArray[np.bool_]:
    """Return which rows of the measure's kinds carry its mark already."""
    chosen = frame["kind"].isin(measure.kinds) & flag(frame, measure.mark).eq(True)
    return np.asarray(chosen, dtype=bool)


def eligible(frame: GeoDataFrame, measure: Any, criteria: Criteria, *, policy: Policy) -> NDArray[np.bool_]:
    """Return which rows of the measure's kinds have a place and meet `criteria`, or carry the mark already."""
    placed = frame.geometry.notna() & ~frame.geometry.is_empty
    may = frame["kind"].isin(measure.kinds).to_numpy() & placed.to_numpy()
    for row in np.flatnonzero(may):
        may[row] = not any(True for _ in shortcomings(policy, frame, str(frame.index[row]), criteria))
    return np.asarray(may | marked(frame, measure), dtype=bool)


def shortcomings(
    policy: Policy, stations: GeoDataFrame, site_id: str, criteria: Criteria
) -> Iterator[dict[str, Any]]:
    """Yield each criterion that a station does not meet."""
    site = stations.loc[site_id]
    area = pd.to_numeric(site.get("floor_area_m2"))
    if criteria.floor_area_m2 and not (area is not None and area >= criteria.floor_area_m2):
        known = area is not None and np.isfinite(area)
        yield {
            "reason_id": "demonstration_area_small" if known else "demonstration_area_unknown",
            "subject": site_id,
            "value": area if known else np.nan,
            "other": criteria.floor_area_m2,
        }
    if criteria.all_functions:
        lacking = coverage.missing_functions(stations.loc[[site_id]], policy.kind(site["kind"])).iloc[0]
        if lacking is None or len(lacking):
            yield {
                "reason_id": "demonstration_functions_missing"
                if lacking
                else "demonstration_functions_unknown",
                "subject": site_id,
                "places": tuple(lacking or ()),
            }
    if criteria.has_medical and flag(stations.loc[[site_id]], "has_medical").iloc[0] is not True:
        yield {"reason_id": "demonstration_no_medical", "subject": site_id}
