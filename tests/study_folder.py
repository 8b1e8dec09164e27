"""Write a study as a planner hands it over: boundaries, three lists with coordinates, roads, and the study file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

STUDY = """
[study]
name = "{name}"
policy = "{policy}"
date = 2027-12-31
[boundaries]
units = "units.gpkg"
[facilities]
files = ["facilities.csv"]
coordinate_system = "wgs84"
[candidates]
files = ["candidates.csv"]
coordinate_system = "wgs84"
[demand]
villages = "villages.csv"
coordinate_system = "wgs84"
[roads]
source = "{roads}"
[siting]
spread_min = {spread_min}
"""


def write_study(
    folder: Path,
    *,
    name: str,
    units: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    villages: gpd.GeoDataFrame,
    roads: str,
    policy: str = "shaoyang_2025",
    spread_min: float = 10,
) -> Path:
    """Write the frames (EPSG:4326, their ids as index) and the study over them, whose roads are already in `folder`.

    Returns the path of the study file.
    """
    units.reset_index().to_file(folder / "units.gpkg", layer="units", driver="GPKG")
    lists = {"facilities": facilities, "candidates": candidates, "villages": villages}
    for called, frame in lists.items():
        flat = pd.DataFrame(frame.drop(columns="geometry")).assign(lon=frame.geometry.x, lat=frame.geometry.y)
        text = flat.reset_index().to_csv(index=False, lineterminator="\n")
        (folder / f"{called}.csv").write_text(text, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(
        STUDY.format(name=name, policy=policy, roads=roads, spread_min=spread_min), encoding="utf-8"
    )
    return path
