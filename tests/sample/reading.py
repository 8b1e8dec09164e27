"""Read the files of the sample for its tests, without leaning on the readers they feed."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import shapely

FOLDER = Path(__file__).resolve().parents[2] / "data" / "boundaries"
METRIC = "EPSG:4546"
CENTRES = ("街道综合养老服务中心", "乡镇综合养老服务中心")


def layer(name, index):
    return gpd.read_file(FOLDER / "shaoyang.gpkg", layer=name).set_index(index)


class Roads(osmium.SimpleHandler):
    """Gather places of nodes and ways of the extract."""

    def __init__(self):
        super().__init__()
        self.places = {}
        self.ways = []

    def node(self, node):
        self.places[node.id] = (node.location.lon, node.location.lat)

    def way(self, way):
        self.ways.append(([n.ref for n in way.nodes], dict(way.tags)))


# A table of our own, so that the test does not lean on the reader it feeds: km/h where a way says nothing.
KPH = {
    "motorway": 100,
    "motorway_link": 40,
    "trunk": 80,
    "primary": 60,
    "secondary": 50,
    "tertiary": 40,
    "unclassified": 30,
    "residential": 20,
}


def nearest_nodes(drive, frame):
    where, matrix = drive
    used = np.flatnonzero(np.diff(matrix.indptr) > 0)
    points = frame.to_crs(METRIC).geometry
    rows = shapely.STRtree(shapely.points(where[used])).nearest(points.to_numpy())
    return used[rows]


def in_wgs84(frame):
    """Return the points of the rows with coordinates, GCJ-02 left where it is drawn (0.6 km off)."""
    rows = frame[frame["经度"] != ""]
    return gpd.GeoDataFrame(
        rows,
        geometry=gpd.points_from_xy(rows["经度"].astype(float), rows["纬度"].astype(float)),
        crs="EPSG:4326",
    )
