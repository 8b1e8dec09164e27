"""Make a study from nothing but an OpenStreetMap extract: its councils, homes, hospitals, schools and residential roads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import _osm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geopandas import GeoDataFrame

POLICY = """
id = "islands"
name = { zh = "社区照护方案", en = "Community care plan" }
area = { zh = "群岛", en = "The islands" }
document = "Plan 1/2018"
issued = 2018-01-01
ends = 2020-12-31
[readings]
scope = "county"
rule = "presence"
share = 0.8
[kinds.day_centre]
name = { zh = "日间照料中心", en = "Day centre" }
symbol = "circle"
colour = "#332288"
mode = "drive"
cutoff_min = { street = 10, township = 10, other = 10 }
[kinds.care_home]
name = { zh = "养老院", en = "Care home" }
symbol = "star"
colour = "#117733"
mode = "drive"
cutoff_min = { street = 20, township = 20, other = 20 }
[kinds.medical]
name = { zh = "医疗机构", en = "Medical institution" }
symbol = "plus"
colour = "#CC6677"
mode = "drive"
cutoff_min = { street = 15, township = 15, other = 15 }
[[targets]]
id = "councils_with_a_day_centre"
name = { zh = "日间照料中心覆盖率", en = "councils with a day centre" }
scope = "county_or_city"
rule = "share_at_least"
value = 0.65
section = "1"
quote = "65 % of the councils of each island."
measure = { of = "unit_coverage", unit_kind = "township", facility_kind = "day_centre" }
[[targets]]
id = "care_homes"
name = { zh = "养老院", en = "care homes" }
scope = "county"
rule = "count_at_least"
value = 2
section = "2"
quote = "Two care homes on each island."
measure = { of = "facility_count", facility_kinds = ["care_home"] }
"""

STUDY = """
[study]
name = "Community care"
policy = "policy.toml"
language = "en"
date = 2020-12-31
[boundaries]
units = "units.gpkg"
[facilities]
files = ["facilities.geojson"]
coordinate_system = "wgs84"
[candidates]
files = ["candidates.geojson"]
coordinate_system = "wgs84"
generate = 1
[demand]
villages = "streets.gpkg"
[roads]
source = "{extract}"
[roads.modes.drive]
ferry_kph = 0
"""

Islands = "Callable[[GeoDataFrame], pd.Series]"


def write_osm_study(folder: Path, extract: Path, island_of: Callable[[GeoDataFrame], pd.Series]) -> Path:
    """Write the study of `extract` into `folder`; `island_of` gives each council the name of its county."""
    councils = _osm.read_areas(extract, admin_level=8).rename(columns={"name": "council"})
    # neighbours' exclaves inside the extract carry no name
    councils = councils[councils["council"].notna()]
    island = island_of(councils)
    codes = {name: f"98000{i + 1}" for i, name in enumerate(sorted(island.unique()))}
    county = island.map(codes)
    number = county.groupby(county).cumcount() + 1
    units = councils[["geometry"]].assign(
        unit_id=county + number.map("{:03d}".format),
        name=councils["council"],
        kind="township",
        county_id=county,
        county=island,
    )
    units.to_file(folder / "units.gpkg", layer="units", driver="GPKG", index=False)

    def named(frame: GeoDataFrame, kind: str, prefix: str) -> GeoDataFrame:
        return frame[["geometry"]].assign(
            id=[f"{prefix}-{i}" for i in frame.index], name=frame["name"], kind=kind
        )

    def points(**tags: object) -> GeoDataFrame:
        found = _osm.read_points(extract, tags=tags)
        return found.assign(name=found["name"].fillna("unnamed"))

    homes, hospitals, schools = (points(amenity=kind) for kind in ("nursing_home", "hospital", "school"))
    facilities = pd.concat([named(homes, "care_home", "F"), named(hospitals, "medical", "F")])
    facilities.assign(status="open").rename(columns={"id": "facility_id"}).to_file(
        folder / "facilities.geojson", index=False
    )
    # no price list comes with a map: from 60 to 99 by the number of the school, so that no two are alike by accident
    price = pd.Series([60.0 + int(i[1:]) % 40 for i in schools.index], index=schools.index)
    candidates = pd.concat(
        [
            named(schools, "day_centre", "C").assign(cost=price, premises="public_building"),
            named(schools, "care_home", "H").assign(cost=5 * price, premises="public_building"),
        ]
    )
    candidates.rename(columns={"id": "candidate_id"}).to_file(folder / "candidates.geojson", index=False)
    streets = points(highway="residential")
    inside = streets.sjoin(units[["unit_id", "geometry"]], predicate="within", how="inner")
    inside = inside[~inside.index.duplicated()]
    # five elders a residential street, gathered in cells of about 300 m: what matters is where they are
    cell = inside["unit_id"] + [f"-{p.x:.2f}-{3 * p.y:.2f}" for p in inside.geometry]
    first = ~cell.duplicated()
    inside[first][["geometry"]].assign(
        demand_id=cell[first], name=inside["name"][first], elders=5.0 * cell.map(cell.value_counts())[first]
    ).to_file(folder / "streets.gpkg", layer="streets", driver="GPKG", index=False)
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(STUDY.format(extract=extract), encoding="utf-8")
    return path
