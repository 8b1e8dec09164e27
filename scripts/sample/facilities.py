"""Invent the sample's facilities and candidate sites: a plausible mix with every kind of trouble a real list has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
import shapely.affinity
from pyproj import Transformer

from sample.towns import METRIC
from sample.villages import SEATS
from sy_coverage.places.ground.coordinates import from_wgs84

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd

SEED = 4305_04
KINDS = {
    "service_centre": "综合养老服务中心",
    "station": "社区居家养老服务中心",
    "village_station": "村级养老服务站",
    "mutual_aid": "农村互助养老点",
    "meal_point": "老年助餐点",
    "dementia_unit": "失智照护服务机构",
    "regional_home": "区域性（中心）敬老院",
    "township_home": "乡镇敬老院",
    "county_welfare_home": "县级福利院",
    "nursing_home": "其他养老机构",
    "medical": "医疗卫生机构",
}
SYSTEMS = {"wgs84": "WGS84", "cgcs2000": "CGCS2000", "gcj02": "GCJ-02"}
FUNCTIONS = ("全托", "日托", "上门服务", "家庭床位")
REGIONAL_HOMES = {"430524": 1, "430525": 1, "430581": 1, "430582": 2, "430523": 1, "430522": 1}
"""Counties that have regional homes today, and how many."""
DEMENTIA_UNITS = ("430582", "430524")
DEMENTIA_WARDS = ("430581",)
"""Counties whose welfare home has a dementia ward today."""
FEW_LISTED = {"430527": 0.25, "430522": 0.25}
"""Counties in which so few townships have a listed candidate that the targets need generated ones."""
FORMER_TOWNSHIPS = ("茶元头街道", "田江街道", "雨溪街道", "檀江街道")
"""Streets of the districts that were townships not long ago, as the names of their boxes tell: they have a home still."""
FAR_CENTRE = "430529"
"""The county in which centres stand at the far end of their township: present, but out of reach of many."""
BUILT_BY = "2027-09-30"
"""Opening date of the home being built: before the study's date, so it counts in the plan and not today."""

FACILITY_COLUMNS = (
    "编号", "名称", "类型", "地址", "经度", "纬度", "坐标系", "床位数", "护理型床位数", "建筑面积（㎡）", "服务功能", "内设医疗机构",
    "失智照护专区", "状态", "启用日期", "所属县（市、区）", "所属乡镇（街道）", "demonstration", "备注",
)  # fmt: skip
CANDIDATE_COLUMNS = (
    "编号", "名称", "类型", "地址", "经度", "纬度", "坐标系", "场所来源", "造价（万元）", "床位数", "建筑面积（㎡）", "依托机构编号",
    "升级自", "所属县（市、区）", "所属乡镇（街道）",
)  # fmt: skip


@dataclass
class Place:
    """One row to be: what it is, the village it stands in, where (metres), and its further cells."""

    kind: str
    name: str
    unit_id: str
    village_id: str
    point: shapely.Point | None
    cells: dict[str, object] = field(default_factory=dict)
    system: str = "wgs84"
    address: str | None = None
    id: str = ""
    note: str = ""
    """Which trouble the row was given, for SOURCE.md."""


class Sample:
    """The towns and villages that facilities are put into."""

    def __init__(self, units: pd.DataFrame, villages: gpd.GeoDataFrame, polygons: gpd.GeoSeries) -> None:
        """Keep the units (index `unit_id`), the villages (`METRIC`, index `demand_id`) and the polygons (`METRIC`)."""
        self.units = units
        self.villages = villages
        self.polygons = polygons
        self.by_unit = {u: rows.index.tolist() for u, rows in villages.groupby("unit_id")}
        self._degrees = Transformer.from_crs(METRIC, "EPSG:4326", always_xy=True)

    def of_county(self, county_id: str, *kinds: str) -> list[str]:
        """Return the unit ids of a county, of these kinds."""
        rows = (self.units["county_id"] == county_id) & self.units["kind"].isin(kinds)
        return self.units.index[rows].tolist()

    def near_seat(self, unit_id: str, rank: int = 0) -> str:
        """Return a village of a unit, the `rank`-th in order of building, which is that of distance from the seat."""
        ids = self.by_unit[unit_id]
        return ids[min(rank, len(ids) - 1)]

    def beside(self, village_id: str, rng: np.random.Generator, reach: float = 120.0) -> shapely.Point:
        """Return a point near a village, inside its town."""
        village = self.villages.geometry[village_id]
        area = self.polygons[self.villages.loc[village_id, "unit_id"]]
        for _ in range(20):
            point = shapely.Point(np.array([village.x, village.y]) + rng.normal(0, reach, 2))
            if area.buffer(-30).covers(point):
                return point
        return village

    def address(self, village_id: str, rng: np.random.Generator) -> str:
        """Return an address in the form offices write."""
        unit_id = self.villages.loc[village_id, "unit_id"]
        tail = f"{rng.integers(1, 200)}号" if self.units.loc[unit_id, "kind"] == "street" else ""
        unit = self.units.loc[unit_id]
        return f"湖南省邵阳市{unit['county']}{unit['name']}{self.villages.loc[village_id, 'name']}{tail}"

    def written(self, place: Place, rng: np.random.Generator) -> dict[str, object]:
        """Return the cells every table has: name, kind, address, coordinates in the row's own system, county, town."""
        unit = self.units.loc[place.unit_id]
        lon = lat = system = ""
        if place.point is not None:
            x, y = self._degrees.transform(place.point.x, place.point.y)
            written_as = "wgs84" if place.system == "cgcs2000" else place.system
            a, b = from_wgs84(np.array([x]), np.array([y]), written_as)
            lon, lat, system = f"{float(a[0]):.6f}", f"{float(b[0]):.6f}", SYSTEMS[place.system]
        return {
            "编号": place.id,
            "名称": place.name,
            "类型": KINDS[place.kind] if place.kind != "service_centre" else _centre_kind(unit["kind"]),
            "地址": place.address if place.address is not None else self.address(place.village_id, rng),
            "经度": lon,
            "纬度": lat,
            "坐标系": system,
            "所属县（市、区）": unit["county"],
            "所属乡镇（街道）": unit["name"],
            **place.cells,
        }


def _centre_kind(unit_kind: str) -> str:
    return "街道综合养老服务中心" if unit_kind == "street" else "乡镇综合养老服务中心"


def _beds(rng: np.random.Generator, low: int, high: int, share: tuple[float, float]) -> dict[str, object]:
    beds = int(rng.integers(low, high + 1))
    return {"床位数": beds, "护理型床位数": round(beds * rng.uniform(*share))}


def facilities(sample: Sample) -> list[Place]:
    """Return all facilities of the 12 counties, troubles included, with ids SY-0001 and on."""
    rng = np.random.default_rng(SEED)
    places: list[Place] = []
    for county_id in SEATS:
        places += _county_places(sample, county_id, rng)
    _make_troubles(sample, places, rng)
    for number, place in enumerate(places, start=1):
        place.id = f"SY-{number:04d}"
    return places


def _county_places(sample: Sample, county_id: str, rng: np.random.Generator) -> list[Place]:
    county = sample.units.loc[sample.of_county(county_id, "street", "township")[0], "county"]
    seat = next(
        u
        for u in sample.of_county(county_id, "street", "township")
        if sample.units.loc[u, "name"] == SEATS[county_id]
    )
    streets, townships = sample.of_county(county_id, "street"), sample.of_county(county_id, "township")
    places: list[Place] = []

    def add(
        kind: str, name: str, village_id: str, point: shapely.Point | None = None, **cells: object
    ) -> Place:
        unit_id = sample.villages.loc[village_id, "unit_id"]
        place = Place(
            kind, f"示例{name}", unit_id, village_id, point or sample.beside(village_id, rng), dict(cells)
        )
        place.system = str(rng.choice(["wgs84", "cgcs2000", "gcj02"], p=[0.55, 0.2, 0.25]))
        places.append(place)
        return place

    ward = "是" if county_id in DEMENTIA_WARDS else "否"
    add("county_welfare_home", f"{county}社会福利院", sample.near_seat(seat, 3), 内设医疗机构="是", 失智照护专区=ward,
        **_beds(rng, 120, 320, (0.4, 0.8)))  # fmt: skip
    add("medical", f"{county}人民医院", sample.near_seat(seat, 1))
    if county_id in DEMENTIA_UNITS:
        add(
            "dementia_unit",
            f"{county}失智照护中心",
            sample.near_seat(seat, 5),
            失智照护专区="是",
            **_beds(rng, 40, 80, (1, 1)),
        )
    _centres(sample, county_id, streets, townships, add, rng)
    former = [u for u in streets if sample.units.loc[u, "name"] in FORMER_TOWNSHIPS]
    _homes(sample, county_id, seat, sorted(former + townships), add, rng)
    _small_places(sample, streets, townships, add, rng)
    return places


def _centres(
    sample: Sample,
    county_id: str,
    streets: list[str],
    townships: list[str],
    add: Callable[..., Place],
    rng: np.random.Generator,
) -> None:
    some_streets = rng.permutation(streets)[: round(0.55 * len(streets))]
    some_townships = rng.permutation(townships)[: round(rng.uniform(0.3, 0.48) * len(townships))]
    for unit_id in sorted([*some_streets, *some_townships]):
        far = county_id == FAR_CENTRE
        village = sample.by_unit[unit_id][-1] if far else sample.near_seat(unit_id, int(rng.integers(0, 3)))
        all_four = rng.random() < 0.8
        functions = "、".join(FUNCTIONS if all_four else FUNCTIONS[1:3])
        name = sample.units.loc[unit_id, "name"]
        add("service_centre", f"{name}综合养老服务中心", village, 服务功能=functions, **{"建筑面积（㎡）": int(rng.integers(40, 160)) * 10},
            **_beds(rng, 10, 50, (0.4, 0.9)))  # fmt: skip


def _homes(
    sample: Sample,
    county_id: str,
    seat: str,
    units: list[str],
    add: Callable[..., Place],
    rng: np.random.Generator,
) -> None:
    former = {u for u in units if sample.units.loc[u, "kind"] == "street"}
    with_home = [u for u in units if rng.random() < 0.66 or u in former] or units[:2]
    regional = set(rng.permutation([u for u in with_home if u != seat])[: REGIONAL_HOMES.get(county_id, 0)])
    for unit_id in with_home:
        name = sample.units.loc[unit_id, "name"]
        # in the small districts homes stand at the outer end, or no two would be far from each other
        village = (
            sample.by_unit[unit_id][-1] if former else sample.near_seat(unit_id, int(rng.integers(2, 7)))
        )
        if unit_id in regional:
            add("regional_home", f"{name}区域性中心敬老院", village, 内设医疗机构="是" if rng.random() < 0.6 else "否",
                **_beds(rng, 100, 180, (0.5, 0.85)))  # fmt: skip
        else:
            add(
                "township_home",
                f"{name}敬老院",
                village,
                内设医疗机构="否",
                **_beds(rng, 28, 96, (0.25, 0.7)),
            )
    for unit_id in units:
        if rng.random() < 0.72:
            kind = "社区卫生服务中心" if sample.units.loc[unit_id, "kind"] == "street" else "卫生院"
            add(
                "medical",
                f"{sample.units.loc[unit_id, 'name']}{kind}",
                sample.near_seat(unit_id, int(rng.integers(0, 4))),
            )
    for number in range(int(rng.integers(1, 3))):
        title = ("颐康养老院", "夕阳红老年公寓")[number]
        add(
            "nursing_home",
            f"{sample.units.loc[seat, 'name']}{title}",
            sample.near_seat(seat, 6 + number),
            **_beds(rng, 40, 150, (0.3, 0.9)),
        )


def _small_places(
    sample: Sample,
    streets: list[str],
    townships: list[str],
    add: Callable[..., Place],
    rng: np.random.Generator,
) -> None:
    for unit_id in streets:
        for village in [v for v in sample.by_unit[unit_id] if rng.random() < 0.3]:
            add(
                "station",
                f"{sample.villages.loc[village, 'name']}居家养老服务中心",
                village,
                **{"建筑面积（㎡）": int(rng.integers(15, 60)) * 10},
            )
        if rng.random() < 0.6:
            village = sample.near_seat(unit_id, 1)
            add("meal_point", f"{sample.villages.loc[village, 'name']}老年助餐点", village)
    for unit_id in townships:
        for village in [v for v in sample.by_unit[unit_id] if rng.random() < 0.035]:
            kind = "village_station" if rng.random() < 0.6 else "mutual_aid"
            title = "养老服务站" if kind == "village_station" else "互助养老点"
            add(
                kind,
                f"{sample.villages.loc[village, 'name']}{title}",
                village,
                **{"建筑面积（㎡）": int(rng.integers(8, 40)) * 10},
            )
        if rng.random() < 0.15:
            village = sample.near_seat(unit_id, 1)
            add("meal_point", f"{sample.villages.loc[village, 'name']}老年助餐点", village)


def _make_troubles(sample: Sample, places: list[Place], rng: np.random.Generator) -> None:
    """Give the list the troubles of real ones: see SOURCE.md, which counts them."""
    for place in places:
        place.cells.setdefault("状态", "运营")
    chosen = {kind: [p for p in places if p.kind == kind] for kind in KINDS}
    # no coordinates, but an address that names a village, or a town only
    for kind, count in (
        ("township_home", 12),
        ("medical", 12),
        ("village_station", 8),
        ("station", 6),
        ("service_centre", 6),
    ):
        for n in rng.permutation(len(chosen[kind]))[:count]:
            place = chosen[kind][n]
            if place.kind == "medical" and place.name.endswith("人民医院"):
                continue
            place.point = None
            if n % 4 == 0 and kind == "medical":
                unit = sample.units.loc[place.unit_id]
                place.address = f"湖南省邵阳市{unit['county']}{unit['name']}"
    # nowhere to be found
    for n, words in enumerate(("老汽车站斜对面二楼", "原供销社院内", "")):
        place = chosen["meal_point"][4 + 9 * n]
        place.point, place.address, place.note = None, words, "lost"
        place.cells |= {
            "所属县（市、区）": "",
            "所属乡镇（街道）": "",
            "名称": f"示例幸福餐厅（{'甲乙丙'[n]}）",
        }
    for kind, count in (
        ("station", 18),
        ("village_station", 14),
        ("mutual_aid", 8),
        ("township_home", 7),
        ("county_welfare_home", 3),
    ):
        for n in rng.permutation(len(chosen[kind]))[:count]:
            chosen[kind][n].cells["demonstration"] = "是"
    _make_single_troubles(sample, places, chosen)


def _make_single_troubles(sample: Sample, places: list[Place], chosen: dict[str, list[Place]]) -> None:
    """Let one home be under construction and one be closed, one place have two rows, and one point stray."""
    built = next(
        p
        for p in chosen["township_home"]
        if sample.units.loc[p.unit_id, "county_id"] == "430528" and p.point is not None
    )
    built.kind = "regional_home"
    built.name = built.name.replace("敬老院", "区域性中心敬老院")
    built.cells |= {"状态": "在建", "启用日期": BUILT_BY, "备注": "在建，按计划日期计"}
    closed = next(
        p
        for p in chosen["township_home"]
        if sample.units.loc[p.unit_id, "county_id"] == "430525" and p.point is not None
    )
    closed.cells |= {"状态": "停业", "备注": "已停业"}
    # one place, two rows
    twin = next(p for p in chosen["nursing_home"] if sample.units.loc[p.unit_id, "county_id"] == "430582")
    again = Place(
        twin.kind,
        twin.name.replace("示例", "示例邵东市"),
        twin.unit_id,
        twin.village_id,
        shapely.affinity.translate(twin.point, 18.0, -11.0),
        dict(twin.cells),
        "gcj02",
    )
    twin.note, again.note = "twin", "again"
    places.insert(places.index(twin) + 4, again)
    # one outside the township it names
    stray = next(
        p
        for p in chosen["village_station"]
        if sample.units.loc[p.unit_id, "county_id"] == "430523" and p.point is not None
    )
    stray.note, stray.system = "stray", "wgs84"
    stray.point = _beyond(sample, stray.unit_id)


def _beyond(sample: Sample, unit_id: str) -> shapely.Point:
    """Return a point of a neighbouring town of the same county, 2 km or more beyond the border."""
    own = sample.polygons[unit_id]
    ids = [
        u
        for u in sample.units.index
        if u != unit_id and sample.units.loc[u, "county_id"] == sample.units.loc[unit_id, "county_id"]
    ]
    near = min(ids, key=lambda u: (sample.polygons[u].distance(own), u))
    away = sample.polygons[near].difference(own.buffer(2_000))
    return shapely.point_on_surface(away)
