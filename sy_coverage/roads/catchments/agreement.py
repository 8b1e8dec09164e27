"""Say how far drawn catchments agree with the minutes they illustrate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from sy_coverage._frames import metric_crs
from sy_coverage.errors import MissingCRSError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads.travel_times import TravelTimes


def catchment_agreement(catchments: GeoDataFrame, points: GeoDataFrame, times: TravelTimes) -> DataFrame:
    """Return for each cutoff how many places lie in the drawings though they are later, and out of them though they are in time.

    Pairs of a site and a place are counted; sites without a drawing at a cutoff are left out of it.

    Parameters
    ----------
    catchments
        As `RoadNetwork.catchments` returns them, indexed by (`facility_id`, `cutoff_min`).
    points
        Places, such as `junctions` or buildings; their ids are the demand of `times`.
    times
        Minutes between the sites and the places, up to the longest cutoff at least.

    Returns
    -------
    agreement
        Indexed by `cutoff_min`: `inside` and `late` (places drawn in, and those of them that are later than the cutoff),
        `covered` and `outside` (places within the cutoff, and those of them that are drawn out), and their shares
        `late_share` and `outside_share`, missing where there is no such place.

    Raises
    ------
    MissingCRSError
        If a frame has no CRS.
    CutoffError
        If the times do not reach as far as the catchments.
    UnknownIdError
        If a site or a place is not among the times.
    """
    for name, frame in (("catchments", catchments), ("points", points)):
        if frame.crs is None:
            raise MissingCRSError(f"{name}: has no CRS; set it with .set_crs()")
    crs = metric_crs(points) if len(points) else "EPSG:3857"
    tree = shapely.STRtree(np.asarray(points.to_crs(crs).geometry))
    shapes = catchments.to_crs(crs).geometry
    rows: dict[float, dict[str, Any]] = {}
    for cutoff, drawn in shapes.groupby(level=1):
        sites = list(drawn.index.get_level_values(0))
        near = times.select(sites=sites, demand=list(map(str, points.index))).within(float(cutoff))
        site, place = tree.query(np.asarray(drawn), predicate="intersects")
        late = int((~np.asarray(near[site, place]).astype(bool)).sum()) if site.size else 0
        inside, covered = int(site.size), int(near.nnz)
        outside = covered - (inside - late)
        rows[float(cutoff)] = {
            "inside": inside,
            "late": late,
            "covered": covered,
            "outside": outside,
            "late_share": late / inside if inside else np.nan,
            "outside_share": outside / covered if covered else np.nan,
        }
    columns = ["inside", "late", "covered", "outside", "late_share", "outside_share"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("cutoff_min")
