"""Write five studies that have nothing of Shaoyang: three islands and towns of OpenStreetMap, a prefecture, a city of 里."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _osm
from tests import counties_toy, study_folder, toy

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame

KIND = """
[kinds.{id}]
name = "{name}"
symbol = "{symbol}"
colour = "{colour}"
mode = "{mode}"
cutoff_min = {{ street = {cutoff}, township = {cutoff}, other = {cutoff} }}
"""
TARGET = """
[[targets]]
id = "{id}"
name = "{name}"
scope = "{scope}"
rule = "{rule}"
value = {value}
section = "Art. {section}"
quote = "{name}"
measure = {measure}
"""
STUDY = """
[study]
name = "{name}"
policy = "policy.toml"
language = "en"
date = 2026-12-31
[boundaries]
units = "{extract}"
admin_level = 8
[facilities]
files = ["facilities.csv"]
coordinate_system = "wgs84"
[candidates]
files = ["candidates.csv"]
coordinate_system = "wgs84"
[demand]
villages = "homes.csv"
coordinate_system = "wgs84"
[roads]
source = "{extract}"
[compare]
trade_off_points = 0
cutoff_factors = []
closures = false
"""
CENTRE = {"symbol": "circle", "colour": "#332288", "mode": "drive"}
SECOND = {"symbol": "star", "colour": "#117733", "mode": "drive"}
POINTS_PER_UNIT = 6


def policy(
    *, name: str, area: str, head: str, kinds: list[dict[str, Any]], targets: list[dict[str, Any]]
) -> str:
    """Return a policy in one language."""
    text = f'id = "own"\nname = "{name}"\narea = "{area}"\ndocument = "Act 7/2025"\nissued = 2025-01-01\nends = 2026-12-31\n{head}\n'
    text += "".join(KIND.format(**kind) for kind in kinds)
    return text + "".join(TARGET.format(section=n, **target) for n, target in enumerate(targets, start=1))


def coverage_target(
    kind: str, value: float, unit_kind: str = "township", scope: str = "county_or_city"
) -> dict[str, Any]:
    """Return the target of a coverage rate."""
    return {
        "id": f"{kind}_coverage",
        "name": f"municipalities with a {kind.replace('_', ' ')}",
        "scope": scope,
        "rule": "share_at_least",
        "value": value,
        "measure": f'{{ of = "unit_coverage", unit_kind = "{unit_kind}", facility_kind = "{kind}" }}',
    }


def write_osm(
    folder: Path,
    extract: Path,
    text: str,
    name: str,
    *,
    open_kinds: dict[str, str],
    planned: dict[str, str],
    points: int = POINTS_PER_UNIT,
) -> Path:
    """Write a study over the municipalities of `extract`: elders at a few residential streets of each, sites at its amenities.

    `open_kinds` and `planned` say which kind of facility stands, or could stand, at an amenity of OpenStreetMap.
    """
    (folder / extract.name).symlink_to(extract)
    areas = _osm.read_areas(extract, admin_level=8)
    areas = areas[areas["name"].notna()].sort_values("name").assign(area=lambda frame: frame["name"])
    homes = _osm.read_points(extract, tags={"highway": "residential"}).sjoin(
        areas[["area", "geometry"]], predicate="within", how="inner"
    )
    homes = homes[~homes.index.duplicated()].sort_index()
    homes = homes.groupby("area", group_keys=False).head(points)
    homes = homes.assign(
        elders=[40 + 10 * (n % 5) for n in range(len(homes))], name=homes["name"].fillna("Street")
    )
    _write(folder / "homes.csv", homes, "demand_id", ["name", "elders"])

    def sites(amenities: dict[str, str], prefix: str) -> GeoDataFrame:
        frames = []
        for amenity, kind in amenities.items():
            found = _osm.read_points(extract, tags={"amenity": amenity})
            found = found.sjoin(areas[["area", "geometry"]], predicate="within", how="inner")
            found = found[~found.index.duplicated()].sort_index().groupby("area", group_keys=False).head(2)
            frames.append(found.assign(kind=kind, name=found["name"].fillna(f"{amenity.title()}")))
        together = pd.concat(frames)
        return together.set_index(prefix + together["kind"].str[:1] + together.index.astype(str))

    _write(
        folder / "facilities.csv",
        sites(open_kinds, "F-").assign(status="open"),
        "facility_id",
        ["name", "kind", "status"],
    )
    new = sites(planned, "C-")
    new = new.assign(cost=[50.0 + n % 30 for n in range(len(new))], premises="public_building")
    _write(folder / "candidates.csv", new, "candidate_id", ["name", "kind", "cost", "premises"])
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(STUDY.format(name=name, extract=extract.name), encoding="utf-8")
    return path


def _write(path: Path, frame: GeoDataFrame, index: str, columns: list[str]) -> None:
    flat = pd.DataFrame(frame[columns]).assign(lon=frame.geometry.x, lat=frame.geometry.y)
    flat.rename_axis(index).to_csv(path, encoding="utf-8", lineterminator="\n")


def liechtenstein(folder: Path, roads: Path) -> Path:
    """A country of eleven municipalities that wants 90 % of its elders near a day centre, and a pharmacy in each."""
    text = policy(
        name="Ageing plan 2026",
        area="Liechtenstein",
        head='money = "kCHF"\nunit_names = { township = { one = "municipality", many = "municipalities" } }\n[readings]\nrule = "access"\nshare = 0.9\nelders = "elders"',
        kinds=[
            {"id": "day_centre", "name": "Day centre", "cutoff": 6, **CENTRE},
            {"id": "pharmacy", "name": "Pharmacy", "cutoff": 10, **SECOND},
        ],
        targets=[coverage_target("day_centre", 0.8), coverage_target("pharmacy", 0.7)],
    )
    return write_osm(
        folder, roads / "liechtenstein-2021.osm.pbf", text, "Ageing in Liechtenstein",
        open_kinds={"community_centre": "day_centre", "pharmacy": "pharmacy"},
        planned={"school": "day_centre", "place_of_worship": "pharmacy"},
    )  # fmt: skip


def las_palmas(folder: Path, roads: Path) -> Path:
    """One municipality alone that counts elders of 80 and over, and asks for a number of centres besides access."""
    text = policy(
        name="Cuidados 2026",
        area="Las Palmas de Gran Canaria",
        head='[readings]\nrule = "access"\nshare = 0.5\nelders = "elders"',
        kinds=[
            {"id": "care_centre", "name": "Care centre", "cutoff": 10, **CENTRE},
            {"id": "library", "name": "Library", "cutoff": 10, **SECOND},
        ],
        targets=[
            coverage_target("care_centre", 1.0),
            {
                "id": "centres", "name": "care centres in the city", "scope": "city", "rule": "count_at_least", "value": 3,
                "measure": '{ of = "facility_count", facility_kinds = ["care_centre"] }',
            },
        ],
    )  # fmt: skip
    return write_osm(
        folder, roads / "las-palmas-2023.osm.pbf", text, "Care in Las Palmas",
        open_kinds={"library": "library"}, planned={"community_centre": "care_centre", "townhall": "care_centre"}, points=60,
    )  # fmt: skip


def malta(folder: Path, roads: Path) -> Path:
    """A country whose councils are counted over the whole of it; two kinds, presence, costs that nobody said the money of."""
    text = policy(
        name="Active ageing strategy",
        area="Malta",
        head='[readings]\nscope = "city"\nrule = "presence"',
        kinds=[
            {"id": "day_centre", "name": "Day centre", "cutoff": 8, **CENTRE},
            {"id": "health_centre", "name": "Health centre", "cutoff": 12, **SECOND},
        ],
        targets=[coverage_target("day_centre", 0.5), coverage_target("health_centre", 0.2)],
    )
    return write_osm(
        folder, roads / "malta-2018.osm.pbf", text, "Ageing in Malta",
        open_kinds={"community_centre": "day_centre", "hospital": "health_centre"},
        planned={"school": "day_centre", "library": "health_centre"},
    )  # fmt: skip


def _chinese(name: str, rows: str) -> str:
    return f"""
id = "own"
name = {{ zh = "{name}", en = "Plan" }}
area = {{ zh = "云岭州", en = "Yunling" }}
document = "云政发〔2026〕3号"
issued = 2026-01-01
ends = 2028-12-31
{rows}
"""


def prefecture(folder: Path) -> Path:
    """A prefecture of China with a plan of its own: other ids, 80 % of townships and 90 % of streets, nothing rebuilt."""
    rows = """
[readings]
rule = "presence"
[kinds.happy_home]
name = { zh = "幸福院", en = "Happy home" }
symbol = "circle"
colour = "#332288"
mode = "drive"
cutoff_min = { street = 15, township = 30, other = 30 }
[[targets]]
id = "streets"
name = { zh = "街道幸福院覆盖率", en = "streets with a happy home" }
scope = "county_or_city"
rule = "share_at_least"
value = 0.9
section = "第三条"
quote = "街道覆盖率达到90%"
measure = { of = "unit_coverage", unit_kind = "street", facility_kind = "happy_home" }
[[targets]]
id = "townships"
name = { zh = "乡镇幸福院覆盖率", en = "townships with a happy home" }
scope = "county_or_city"
rule = "share_at_least"
value = 0.8
section = "第三条"
quote = "乡镇覆盖率达到80%"
measure = { of = "unit_coverage", unit_kind = "township", facility_kind = "happy_home" }
"""
    path = counties_toy.write_study(folder, counties=2)
    for name in ("facilities", "candidates"):
        file = folder / f"{name}.csv"
        frame = pd.read_csv(file, dtype=str)
        frame = frame[frame["kind"] == "service_centre"].assign(kind="happy_home")
        frame.drop(columns="upgrade_of", errors="ignore").to_csv(file, index=False)
    return _with_policy(path, _chinese("云岭州幸福院建设规划", rows), name="云岭州幸福院布局")


def city_of_wards(folder: Path) -> Path:
    """A city whose districts have 里 for units, of neither class that China counts."""
    rows = """
[unit_names.other]
one = { zh = "里", en = "village" }
many = { zh = "里", en = "villages" }
[readings]
rule = "presence"
[kinds.care_post]
name = { zh = "关怀据点", en = "Care post" }
symbol = "circle"
colour = "#332288"
mode = "drive"
cutoff_min = { street = 15, township = 30, other = 10 }
[[targets]]
id = "wards"
name = { zh = "里关怀据点覆盖率", en = "villages with a care post" }
scope = "county_or_city"
rule = "share_at_least"
value = 0.5
section = "三"
quote = "半数以上的里设关怀据点"
measure = { of = "unit_coverage", unit_kind = "other", facility_kind = "care_post" }
"""
    (folder / "roads.osm").write_text(toy.roads_xml(), encoding="utf-8")
    units = toy.units().assign(kind="other", name=["东明里", "西平里", "南安里", "北投社区"], county="明德区")
    frames = {}
    for name, frame in (("facilities", toy.facilities()), ("candidates", toy.candidates())):
        own = frame[frame["kind"] == "service_centre"]
        frames[name] = own.assign(kind="care_post")
    path = study_folder.write_study(
        folder,
        name="关怀据点布局",
        units=units,
        villages=toy.demand(),
        roads="roads.osm",
        spread_min=0,
        **frames,
    )
    return _with_policy(path, _chinese("关怀据点计划", rows), name="明德区关怀据点布局")


def _with_policy(path: Path, text: str, *, name: str) -> Path:
    (path.parent / "policy.toml").write_text(text, encoding="utf-8")
    study = path.read_text(encoding="utf-8").replace('policy = "shaoyang_2025"', 'policy = "policy.toml"')
    lines = [line for line in study.splitlines() if not line.startswith("spread_min")]
    lines = [f'name = "{name}"' if line.startswith("name = ") else line for line in lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
