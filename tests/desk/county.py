"""Write one county of the shipped sample as an office would hand it over: every bed number is about, no place has a point."""

import shutil

import geopandas as gpd
import pandas as pd

from sy_coverage import _files

ONE_COUNTY = "430511"


def write_county(folder):
    """Write one county of the sample as an office would hand it over, some rows in doubt."""
    sample = _files.sample_folder()
    units = gpd.read_file(sample / "shaoyang.gpkg", layer="units")
    own = units[units["county_id"].astype(str) == ONE_COUNTY]
    own[["unit_id", "name", "county_id", "county", "kind", "geometry"]].to_file(
        folder / "units.geojson", driver="GeoJSON"
    )
    villages = gpd.read_file(sample / "shaoyang.gpkg", layer="villages")
    villages = villages[villages["unit_id"].isin(own["unit_id"])]
    people = pd.DataFrame(
        {
            "村（社区）": villages["name"],
            "乡镇": villages["unit_id"],
            "60岁以上": villages["elders"],
            "经度": villages.geometry.x,
            "纬度": villages.geometry.y,
        }
    )
    people.to_csv(folder / "人口.csv", index=False)
    towns = own.sort_values("unit_id")["name"].tolist()
    rows = [f"{town}敬老院,敬老院,{town},{town},约{30 + n}张,运营" for n, town in enumerate(towns[:3])]
    (folder / "机构.csv").write_text(
        "\n".join(["机构名称,类型,所在乡镇,地址,床位数,状态", *rows]), encoding="utf-8"
    )
    rows = [f"{town}旧校舍,综合养老服务中心,{town},{town},{60 + n},闲置校舍" for n, town in enumerate(towns)]
    (folder / "备选点.csv").write_text(
        "\n".join(["名称,拟建类型,所在乡镇,地址,概算投资,来源", *rows]), encoding="utf-8"
    )
    shutil.copy(sample / "roads.osm.pbf", folder / "路.osm.pbf")
