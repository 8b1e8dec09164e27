"""Several toy counties in one study: the toy county again every 20 km to the north, each with its own road."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from shapely.affinity import translate

from tests import study_folder, toy

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

NORTHWARDS_M = 20_000.0
NAMES = (toy.COUNTY_NAME, "第二县", "第三县", "第四县", "第五县", "第六县")


def county_id(number: int) -> str:
    """Return the id of the `number`-th county: 990100, 990200, …."""
    return f"99{number + 1:02d}00"


def _moved(frame: gpd.GeoDataFrame, number: int) -> gpd.GeoDataFrame:
    """Return `frame` as it is in the `number`-th county; ids of units change with the county, others get a suffix."""
    flat = frame.to_crs(toy.CRS)
    flat = flat.set_geometry([translate(g, 0, number * NORTHWARDS_M) for g in flat.geometry], crs=toy.CRS)
    moved = flat.to_crs("EPSG:4326")
    own = county_id(number)

    def of_unit(unit_id: str) -> str:
        return own + unit_id[6:]

    if moved.index.name == "unit_id":
        moved.index = moved.index.map(of_unit)
        moved["county"] = NAMES[number]
    else:
        moved.index = moved.index + f"-{number}"
        moved["unit_id"] = moved["unit_id"].map(of_unit)
    if "upgrade_of" in moved.columns:
        moved["upgrade_of"] = [f"{i}-{number}" if isinstance(i, str) else i for i in moved["upgrade_of"]]
    return moved.assign(county_id=own)


def write_study(folder: Path, *, counties: int = 3) -> Path:
    """Write `counties` toy counties as one study, and return the path of its study file."""
    (folder / "roads.osm").write_text(_roads(counties), encoding="utf-8")

    def of_all(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return pd.concat([_moved(frame, n) for n in range(counties)])

    return study_folder.write_study(
        folder,
        name=f"{NAMES[0]}养老服务设施布局",
        units=of_all(toy.units()),
        facilities=of_all(toy.facilities()),
        candidates=of_all(toy.candidates()),
        villages=of_all(toy.demand()),
        roads="roads.osm",
    )


def _roads(counties: int) -> str:
    nodes, ways = [], []
    for n in range(counties):
        points = [translate(toy.at(km), 0, n * NORTHWARDS_M) for km in range(41)]
        import geopandas as gpd

        for k, p in enumerate(gpd.GeoSeries(points, crs=toy.CRS).to_crs("EPSG:4326")):
            nodes.append(f'<node id="{n * 100 + k + 1}" version="1" lat="{p.y:.7f}" lon="{p.x:.7f}"/>')
        refs = "".join(f'<nd ref="{n * 100 + k + 1}"/>' for k in range(41))
        tags = '<tag k="highway" v="trunk"/><tag k="maxspeed" v="60"/><tag k="foot" v="yes"/>'
        ways.append(f'<way id="{n + 1}" version="1">{refs}{tags}</way>')
    return f'<?xml version="1.0"?><osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>'
