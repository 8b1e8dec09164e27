"""Find where roads meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.prepared import Prepared

MEETING = 3
"""So many ends of roads make a node a junction."""


def junctions(network: Prepared) -> GeoDataFrame:
    """Return the nodes of `network` at which three or more ends of roads meet: points in its CRS, indexed by `node_id`."""
    import geopandas as gpd  # noqa: PLC0415  (heavy)

    links = network.links
    ends = np.bincount(np.concatenate([links.tail, links.head]), minlength=len(network.node_ids))
    meeting = np.flatnonzero(ends >= MEETING)
    x, y = network.node_xy[meeting].T
    index = pd.Index(network.node_ids[meeting], name="node_id")
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), index=index, crs=network.crs)
