"""Find the places that depend on a ferry that does not say how long it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage.roads.network import RoadNetwork

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import Series

STATED_FERRY = "ferry_at_stated_speed"
"""The class of a ferry that goes at the speed that the travel mode's table states, not at its own."""


def ferry_dependents(
    network: RoadNetwork, sites: GeoDataFrame, demand: GeoDataFrame, *, mode: str, max_snap_m: float = 1000.0
) -> Series:
    """Return how the demand points whose quickest way to a site goes by a ferry of a stated speed would get there without it.

    Parameters
    ----------
    network
        Of `mode`.
    sites, demand
        Points in any CRS.
    mode
        A travel mode of this network.
    max_snap_m
        As for `RoadNetwork.nearest`.

    Returns
    -------
    dependents
        Minutes to the nearest site without such ferries, missing where none leads there, by the ids of the points that need one.

    Raises
    ------
    UnknownModeError, MissingCRSError, FrameError, GeometryError
        If the mode, a CRS, ids or points cannot be used.
    """
    links = network.links
    if STATED_FERRY not in links.classes or sites.empty or demand.empty:
        return pd.Series(dtype=float, name="nearest_min")
    shut = (links.highway == links.classes.index(STATED_FERRY))[:, None]
    minutes = {name: np.where(shut, np.inf, values) for name, values in links.minutes.items()}
    dry = RoadNetwork(replace(network.parts, links=replace(links, minutes=minutes)))
    with_ferry, without = (
        net.nearest(sites, demand, mode=mode, max_snap_m=max_snap_m)["nearest_min"] for net in (network, dry)
    )
    needs = with_ferry.notna() & (without.isna() | (without > with_ferry + 1e-9))
    return without[needs]
