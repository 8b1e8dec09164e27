"""A toy county whose answers can be worked out in the head.

One road zigzags east for 40 km, two kilometres up and two down by 1.5 km: of its 1.25 km for every kilometre east each takes
a minute at 75 km/h, so that one kilometre east is one minute, and neither axis alone tells how far two places are apart.
Four units of 10 km × 10 km lie along it.

    km   0         10         20         30         40
         | 城东街道 |  甲镇    |   乙镇   |   丙乡   |
    road o====A===B==|==C===D==|==E===F==|==G===H==o
    km       2   8     12  18    22  28    32  38       villages A…H
    elders  400 200   100 300   150 150   200 100       1,600 in all

Service centre S1 (open) stands at km 5 in 城东街道: A and B are 3 minutes away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
from shapely import Point, box

from tests import study_folder

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4546"
EAST, NORTH = 500_000.0, 3_000_000.0
COUNTY = "990100"
COUNTY_NAME = "试验县"
UNITS = {
    "990100001": ("城东街道", "street"),
    "990100100": ("甲镇", "township"),
    "990100101": ("乙镇", "township"),
    "990100200": ("丙乡", "township"),
}
VILLAGES = {  # km along the road, elders
    "A": (2, 400),
    "B": (8, 200),
    "C": (12, 100),
    "D": (18, 300),
    "E": (22, 150),
    "F": (28, 150),
    "G": (32, 200),
    "H": (38, 100),
}


def at(km: float) -> Point:
    """Return the point of the road `km` to the east, in metres of `CRS`."""
    return Point(EAST + km * 1000, NORTH + 750 * (2 - abs(km % 4 - 2)))


def unit_at(km: float) -> str:
    """Return the id of the unit the road is in at `km`."""
    return list(UNITS)[min(int(km // 10), 3)]


def units() -> gpd.GeoDataFrame:
    """Return the four units, EPSG:4326."""
    frame = gpd.GeoDataFrame(
        {
            "name": [name for name, _ in UNITS.values()],
            "kind": [kind for _, kind in UNITS.values()],
            "county_id": COUNTY,
            "county": COUNTY_NAME,
            "boundary_quality": "official",
        },
        geometry=[
            box(EAST + i * 10_000, NORTH - 5000, EAST + (i + 1) * 10_000, NORTH + 5000) for i in range(4)
        ],
        index=pd.Index(list(UNITS), name="unit_id"),
        crs=CRS,
    )
    return frame.to_crs("EPSG:4326")


def demand() -> gpd.GeoDataFrame:
    """Return the eight villages, EPSG:4326."""
    km = [k for k, _ in VILLAGES.values()]
    frame = gpd.GeoDataFrame(
        {
            "name": [f"{v}村" for v in VILLAGES],
            "elders": [float(e) for _, e in VILLAGES.values()],
            "unit_id": [unit_at(k) for k in km],
            "county_id": COUNTY,
        },
        geometry=[at(k) for k in km],
        index=pd.Index(list(VILLAGES), name="demand_id"),
        crs=CRS,
    )
    return frame.to_crs("EPSG:4326")


def places(rows: dict[str, tuple[str, float]], index: str, **columns: object) -> gpd.GeoDataFrame:
    """Return a frame of facilities or candidates from ``{id: (kind, km)}``, EPSG:4326."""
    km = [k for _, k in rows.values()]
    frame = gpd.GeoDataFrame(
        {
            "name": [f"示例{i}" for i in rows],
            "kind": [kind for kind, _ in rows.values()],
            "unit_id": [unit_at(k) for k in km],
            "county_id": COUNTY,
            **columns,
        },
        geometry=[at(k) for k in km],
        index=pd.Index(list(rows), name=index),
        crs=CRS,
    )
    return frame.to_crs("EPSG:4326")


def facilities() -> gpd.GeoDataFrame:
    """Return a centre (km 5), a township home (km 15) and a hospital (km 6), all open."""
    return places(
        {"S1": ("service_centre", 5), "T1": ("township_home", 15), "M1": ("medical", 6)},
        "facility_id",
        status="open",
    )


def candidates() -> gpd.GeoDataFrame:
    """Return candidate sites of every kind with their costs in 10⁴ yuan."""
    frame = places(
        {
            "c15": ("service_centre", 15),
            "c19": ("service_centre", 19),
            "c25": ("service_centre", 25),
            "c35": ("service_centre", 35),
            "d05": ("dementia_unit", 5),
            "d15": ("dementia_unit", 15),
            "r04": ("regional_home", 4),
            "r15": ("regional_home", 15),
            "r36": ("regional_home", 36),
        },
        "candidate_id",
        cost=[100.0, 120.0, 100.0, 90.0, 80.0, 60.0, 400.0, 150.0, 300.0],
        premises=[
            "new",
            "idle_school",
            "new",
            "village_office",
            "new",
            "upgrade",
            "new",
            "upgrade",
            "public_building",
        ],
    )
    frame["upgrade_of"] = [None, None, None, None, None, None, None, "T1", None]
    frame["host_id"] = [None] * 9
    frame["required"] = False
    return frame


def road_nodes() -> pd.DataFrame:
    """Return a node each kilometre: `node_id`, `x`, `y` in metres of `CRS`."""
    points = [at(k) for k in range(41)]
    return pd.DataFrame({"node_id": range(41), "x": [p.x for p in points], "y": [p.y for p in points]})


def straight_road() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return nodes and edges of the same road stretched along y = 0, for what depends on its shape to the metre."""
    return road_nodes().assign(y=NORTH), road_edges().assign(length_m=1000.0)


def on_straight_road(**km: float) -> gpd.GeoDataFrame:
    """Return points of the straight road by their id."""
    places = [Point(EAST + k * 1000, NORTH) for k in km.values()]
    return gpd.GeoDataFrame(geometry=places, index=pd.Index(list(km), name="facility_id"), crs=CRS)


def road_edges() -> pd.DataFrame:
    """Return the road both ways: `u`, `v`, `length_m`, `drive_min` (1 a km east), `walk_min` (20)."""
    forth = pd.DataFrame({"u": range(40), "v": range(1, 41)})
    back = forth.rename(columns={"u": "v", "v": "u"})
    edges = pd.concat([forth, back], ignore_index=True)
    return edges.assign(length_m=1250.0, drive_min=1.0, walk_min=20.0)


def roads_xml() -> str:
    """Return the road as an OSM file: a trunk road with a node each kilometre east, maxspeed 75."""
    points = gpd.GeoSeries([at(k) for k in range(41)], crs=CRS).to_crs("EPSG:4326")
    nodes = "".join(
        f'<node id="{k + 1}" version="1" lat="{p.y:.7f}" lon="{p.x:.7f}"/>' for k, p in enumerate(points)
    )
    refs = "".join(f'<nd ref="{k + 1}"/>' for k in range(41))
    tags = '<tag k="highway" v="trunk"/><tag k="maxspeed" v="75"/><tag k="foot" v="yes"/>'
    return f'<?xml version="1.0"?><osm version="0.6">{nodes}<way id="1" version="1">{refs}{tags}</way></osm>'


def write_study(folder: Path, *, policy: str = "shaoyang_2025") -> Path:
    """Write the toy county as a study a planner could have made, and return the path of its study file."""
    (folder / "roads.osm").write_text(roads_xml(), encoding="utf-8")
    return study_folder.write_study(
        folder,
        name=f"{COUNTY_NAME}养老服务设施布局",
        policy=policy,
        units=units(),
        facilities=facilities(),
        candidates=candidates(),
        villages=demand(),
        roads="roads.osm",
    )
