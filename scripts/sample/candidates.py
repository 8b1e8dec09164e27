"""Invent the sample's candidate sites: idle schools, village offices, wards, homes to be upgraded or built."""

from __future__ import annotations

import numpy as np

from sample.facilities import FEW_LISTED, SEED, Place, Sample
from sample.villages import SEATS


def candidates(sample: Sample, places: list[Place]) -> list[Place]:
    """Return the listed candidate sites of the 12 counties with ids C-0001 and on."""
    rng = np.random.default_rng(SEED + 1)
    found: list[Place] = []
    for county_id in SEATS:
        here = [p for p in places if sample.units.loc[p.unit_id, "county_id"] == county_id]
        found += _centre_candidates(sample, county_id, here, rng)
        found += _dementia_candidates(sample, here, rng)
        found += _regional_candidates(sample, county_id, here, rng)
    for number, place in enumerate(found, start=1):
        place.id = f"C-{number:04d}"
    return found


# what it is called, and its least and greatest cost in 10⁴ yuan
PREMISES = {
    "闲置校舍": ("小学旧校舍", 45, 115),
    "老村部": ("老村部", 30, 85),
    "国有闲置房产": ("闲置办公楼", 60, 140),
    "新建": ("新址", 150, 270),
}


def _centre_candidates(
    sample: Sample, county_id: str, here: list[Place], rng: np.random.Generator
) -> list[Place]:
    found = []
    has = {p.unit_id for p in here if p.kind == "service_centre"}
    for unit_id in sample.of_county(county_id, "street", "township"):
        street = sample.units.loc[unit_id, "kind"] == "street"
        listed = rng.random() < (0.9 if street else FEW_LISTED.get(county_id, 0.85))
        count = int(rng.integers(2, 5)) if unit_id not in has else int(rng.random() < 0.3)
        if not listed:
            continue
        for rank in rng.permutation(min(8, len(sample.by_unit[unit_id])))[:count]:
            village = sample.near_seat(unit_id, int(rank))
            premises = str(
                rng.choice(list(PREMISES), p=[0.4, 0.0, 0.4, 0.2] if street else [0.45, 0.3, 0.15, 0.1])
            )
            title, low, high = PREMISES[premises]
            name = f"示例{sample.villages.loc[village, 'name']}{title}"
            cells = {
                "场所来源": premises,
                "造价（万元）": int(rng.integers(low, high) // 5 * 5),
                "床位数": int(rng.integers(10, 40)),
                "建筑面积（㎡）": int(rng.integers(35, 150)) * 10,
            }
            found.append(
                Place(
                    "service_centre",
                    name,
                    unit_id,
                    village,
                    sample.beside(village, rng),
                    cells,
                    str(rng.choice(["wgs84", "gcj02"], p=[0.7, 0.3])),
                )
            )
    return found


def _dementia_candidates(sample: Sample, here: list[Place], rng: np.random.Generator) -> list[Place]:
    host = next(p for p in here if p.kind == "county_welfare_home")
    found = [
        Place("dementia_unit", f"{host.name}失智照护专区", host.unit_id, host.village_id, host.point,
              {"场所来源": "改扩建", "造价（万元）": int(rng.integers(16, 30)) * 5, "床位数": 30, "依托机构编号": host.id}, host.system)
    ]  # fmt: skip
    hospital = next(p for p in here if p.name.endswith("人民医院"))
    found.append(
        Place("dementia_unit", f"{hospital.name}失智照护专区", hospital.unit_id, hospital.village_id, hospital.point,
              {"场所来源": "国有闲置房产", "造价（万元）": int(rng.integers(20, 40)) * 5, "床位数": 40, "依托机构编号": hospital.id}, hospital.system)
    )  # fmt: skip
    village = sample.near_seat(host.unit_id, 8)
    county = sample.units.loc[host.unit_id, "county"]
    found.append(
        Place("dementia_unit", f"示例{county}失智照护中心（新建）", host.unit_id, village, sample.beside(village, rng),
              {"场所来源": "新建", "造价（万元）": int(rng.integers(80, 140)) * 5, "床位数": 60})
    )  # fmt: skip
    return found


def _regional_candidates(
    sample: Sample, county_id: str, here: list[Place], rng: np.random.Generator
) -> list[Place]:
    homes = [
        p for p in here if p.kind == "township_home" and p.point is not None and p.cells["状态"] == "运营"
    ]
    found = []
    for home in [homes[n] for n in sorted(rng.permutation(len(homes))[:6])]:
        unit = sample.units.loc[home.unit_id, "name"]
        cells = {
            "场所来源": "改扩建",
            "造价（万元）": int(rng.integers(50, 105)) * 5,
            "床位数": int(rng.integers(90, 160)),
            "升级自": home.id,
        }
        found.append(
            Place(
                "regional_home",
                f"示例{unit}敬老院改扩建",
                home.unit_id,
                home.village_id,
                home.point,
                cells,
                home.system,
            )
        )
    for village in _far_apart(sample, county_id):
        unit_id = str(sample.villages.loc[village, "unit_id"])
        cells = {
            "场所来源": "新建",
            "造价（万元）": int(rng.integers(170, 300)) * 5,
            "床位数": int(rng.integers(120, 200)),
        }
        found.append(
            Place(
                "regional_home",
                f"示例{sample.units.loc[unit_id, 'name']}区域性中心敬老院（新建）",
                unit_id,
                village,
                sample.beside(village, rng),
                cells,
            )
        )
    return found


def _far_apart(sample: Sample, county_id: str, count: int = 3) -> list[str]:
    """Return `count` villages of streets and townships of a county, each as far from those before it as can be."""
    kinds = sample.villages["unit_id"].map(sample.units["kind"])
    rows = sample.villages[(sample.villages["county_id"] == county_id) & (kinds != "other")]
    x, y = rows.geometry.x.to_numpy(), rows.geometry.y.to_numpy()
    chosen = [int(np.hypot(x - x.mean(), y - y.mean()).argmax())]
    while len(chosen) < count:
        gaps = np.hypot(x[:, None] - x[chosen], y[:, None] - y[chosen]).min(axis=1)
        chosen.append(int(gaps.argmax()))
    return [str(rows.index[n]) for n in chosen]
