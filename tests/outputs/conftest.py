"""Give the tests of every output one set of findings: two toy counties, worked out by hand, with a hostile name in each frame.

County 990100 试验县 is the toy county of `tests.toy` (its answers are derived there and below). Its cheapest plan:

* 乡镇: 3 townships, 65 % of them is ⌈1.95⌉ = 2 centres. c35 (90) and one of c15, c25 (100 each); c15 gives the least
  elder-minutes: 400·3 + 200·3 + 100·3 + 300·3 + 150·7 + 150·7 + 200·3 + 100·3 = 6,000 against 6,400 for c25.
* 失智: d15 (60). 区域性敬老院: r15 (150) and r36 (300). Together 90 + 100 + 60 + 150 + 300 = 700 (10⁴ yuan).
* Within the cutoffs (street 15, township 30 minutes): today all but village H (33 min): 1,500 of 1,600; planned all.

County 990200 示范县 lies north of it: no street, three townships, one station with a hostile name, nobody covered today.
No road reaches village P (40 elders); nobody of 60 or more lives in village M, the only one of 己乡.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, Point, box

from sy_coverage.outputs.findings import Findings
from sy_coverage.siting.plan import Certificate, PlanFigures, SitingPlan, Stage
from tests import toy

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>`${alert(3)}`\\2019{{7*7}}{%x%}{#y\u2028&\"'"
FORMULA = "=cmd|' /C calc'!A0"
NORTH_COUNTY = "990200"
NORTH_UNITS = {"990200100": "丁镇", "990200101": "戊镇", "990200200": f"己乡{HOSTILE}"}
NORTH_VILLAGES = {"J": (4, 120), "K": (9, 80), "L": (16, 200), "P": (19, 40), "M": (27, 0)}  # km east, elders
NORTH_Y = toy.NORTH + 10_000
COUNTIES = {toy.COUNTY: "试验县", NORTH_COUNTY: "示范县"}


def _north(km: float) -> Point:
    return Point(toy.EAST + km * 1000, NORTH_Y)


def _north_unit(km: float) -> str:
    return list(NORTH_UNITS)[min(int(km // 10), 2)]


def _frame(rows: list[dict], index: str, crs: str = toy.CRS) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=crs).set_index(index)
    return frame.to_crs("EPSG:4326")


def _units() -> gpd.GeoDataFrame:
    south = toy.units()
    north = _frame(
        [
            {
                "unit_id": unit_id,
                "name": name,
                "kind": "township",
                "county_id": NORTH_COUNTY,
                "boundary_quality": "estimated",
                "geometry": box(
                    toy.EAST + i * 10_000, NORTH_Y - 5000, toy.EAST + (i + 1) * 10_000, NORTH_Y + 5000
                ),
            }
            for i, (unit_id, name) in enumerate(NORTH_UNITS.items())
        ],
        "unit_id",
    )
    units = pd.concat([south, north])
    units["county"] = units["county_id"].map(COUNTIES)
    # by unit: elders, covered today, covered with the plan, mean minutes today and planned, a centre today and planned
    figures = {
        "990100001": (600, 600, 600, 3.0, 3.0, True, True),
        "990100100": (400, 400, 400, (100 * 7 + 300 * 13) / 400, 3.0, False, True),
        "990100101": (300, 300, 300, 20.0, 7.0, False, False),
        "990100200": (300, 200, 300, (200 * 27 + 100 * 33) / 300, 3.0, False, True),
        "990200100": (200, 0, 200, None, (120 * 4 + 80 * 1) / 200, False, True),
        "990200101": (240, 0, 200, None, 4.0, False, True),
        "990200200": (0, 0, 0, None, None, False, False),
    }
    table = pd.DataFrame.from_dict(
        figures,
        orient="index",
        columns=[
            "elders",
            "elders_covered",
            "elders_covered_planned",
            "nearest_mean_min",
            "nearest_mean_min_planned",
            "has_centre",
            "has_centre_planned",
        ],
    )
    for column in table.columns[:5]:
        table[column] = table[column].astype("float64")
    # no road leads to village P (40 elders); today the north has no centre at all
    table["elders_unreached"] = [0.0, 0.0, 0.0, 0.0, 200.0, 240.0, 0.0]
    table["elders_unreached_planned"] = [0.0, 0.0, 0.0, 0.0, 0.0, 40.0, 0.0]
    empty = table["elders"] == 0
    for suffix in ("", "_planned"):
        table[f"share_covered{suffix}"] = (table[f"elders_covered{suffix}"] / table["elders"]).mask(empty)
        table[f"covered{suffix}"] = table[f"has_centre{suffix}"]
    units = units.join(table)
    units.index.name = "unit_id"
    return units


def _counties() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "county": list(COUNTIES.values()),
            "units": [4, 3],
            "streets": [1, 0],
            "townships": [3, 3],
            "counted": [4, 3],
            "covered_today": [1, 0],
            "covered_planned": [3, 2],
            "elders": [1600.0, 440.0],
            "share_today": [1500 / 1600, 0.0],
            "share_planned": [1.0, 400 / 440],
            "new_sites": [5, 2],
            "cost": [700.0, 260.0],
            "status": ["optimal", "feasible"],
            "proved": [True, False],
        },
        index=pd.Index(list(COUNTIES), name="county_id"),
    )


def _facilities() -> gpd.GeoDataFrame:
    south = toy.facilities()
    south["name"] = ["示例城东街道综合养老服务中心", "示例甲镇敬老院", "示例县人民医院"]
    south["location_status"], south["beds"], south["nursing_beds"] = (
        "located",
        [20.0, 60.0, None],
        [12.0, 30.0, None],
    )
    rows = [
        ("N1", HOSTILE, "station", "open", 9, "located", ""),
        ("N2", FORMULA, "township_home", "planned", 16, "approximate", "只有镇名"),
        ("N3", "示例未定位养老院", "nursing_home", "open", None, "not_located", "地址中没有村、社区或乡镇名"),
    ]
    north = _frame(
        [
            {
                "facility_id": row,
                "name": name,
                "kind": kind,
                "status": status,
                "unit_id": _north_unit(km) if km is not None else None,
                "county_id": NORTH_COUNTY,
                "address": "示范县某路 1 号",
                "location_status": located,
                "location_reason": reason,
                "geometry": _north(km) if km is not None else None,
            }
            for row, name, kind, status, km, located, reason in rows
        ],
        "facility_id",
    )
    facilities = pd.concat([south, north])
    facilities.index.name = "facility_id"
    return facilities


def _demand() -> gpd.GeoDataFrame:
    south = toy.demand()
    km = pd.Series({v: k for v, (k, _) in toy.VILLAGES.items()})
    centres_planned = (5, 15, 35)
    south["nearest_min"] = (km - 5).abs().astype(float)
    south["nearest_planned_min"] = (
        pd.concat([(km - c).abs() for c in centres_planned], axis=1).min(axis=1).astype(float)
    )
    south["covered"] = (
        south["nearest_min"] <= 30
    )  # A and B, the street's villages, are 3 minutes away: within its 15 too
    south["covered_planned"] = True
    north = _frame(
        [
            {
                "demand_id": village,
                "name": HOSTILE if village == "L" else f"{village}村",
                "elders": float(elders),
                "unit_id": _north_unit(km_),
                "county_id": NORTH_COUNTY,
                "nearest_min": float("nan"),
                "nearest_planned_min": {"J": 4.0, "K": 1.0, "L": 4.0, "P": float("nan"), "M": 15.0}[village],
                "covered": False,
                "covered_planned": village != "P",
                "geometry": _north(km_),
            }
            for village, (km_, elders) in NORTH_VILLAGES.items()
        ],
        "demand_id",
    )
    demand = pd.concat([south, north])
    demand.index.name = "demand_id"
    return demand


_PROPOSALS = [
    # id, name, kind, km, cost, premises, phase, upgrade_of, elders newly within the cutoff, minutes to medical care
    ("c15", "示例c15", "service_centre", 15, 100.0, "new", 2026, None, 0.0, 9.0),
    ("c35", "示例c35", "service_centre", 35, 90.0, "village_office", 2025, None, 100.0, 29.0),
    ("d15", "示例d15", "dementia_unit", 15, 60.0, "upgrade", 2027, None, 0.0, 9.0),
    ("r15", "示例r15", "regional_home", 15, 150.0, "upgrade", 2025, "T1", 0.0, 9.0),
    ("r36", "示例r36", "regional_home", 36, 300.0, "public_building", 2027, None, 0.0, 30.0),
    ("n08", HOSTILE, "service_centre", 8, 160.0, "idle_school", 2026, None, 200.0, None),
    ("n12", FORMULA, "service_centre", 12, 100.0, "new", None, None, 200.0, 12.5),
]


def _proposals(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    rows, number = [], dict.fromkeys(COUNTIES, 0)
    for site, name, kind, km, cost, premises, phase, upgrade_of, gained, medical in _PROPOSALS:
        south = not site.startswith("n")
        unit_id = toy.unit_at(km) if south else _north_unit(km)
        county_id = toy.COUNTY if south else NORTH_COUNTY
        number[county_id] += 1
        rows.append(
            {
                "candidate_id": site,
                "name": name,
                "kind": kind,
                "unit_id": unit_id,
                "unit": units.loc[unit_id, "name"],
                "county_id": county_id,
                "county": COUNTIES[county_id],
                "number": number[county_id],
                "cost": cost,
                "premises": premises,
                "phase": phase,
                "upgrade_of": upgrade_of,
                "elders_gained": gained,
                "medical_min": medical,
                "why": f"没有它，{COUNTIES[county_id]}达不到指标要求。"
                if gained == 0
                else f"新增覆盖老年人 {gained:.0f} 人。",
                "geometry": toy.at(km) if south else _north(km),
            }
        )
    frame = _frame(rows, "candidate_id")
    frame["phase"] = frame["phase"].astype("Int64")
    return frame


def _catchments(facilities: gpd.GeoDataFrame, proposals: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    centres = pd.concat([facilities, proposals])
    centres = centres[(centres["kind"] == "service_centre") & centres.geometry.notna()].to_crs(toy.CRS)
    rows = [
        {
            "facility_id": site,
            "cutoff_min": float(minutes),
            "kind": "service_centre",
            "county_id": row["county_id"],
            "area_km2": minutes * 2 * 3.0,
            "geometry": box(
                row.geometry.x - minutes * 1000,
                row.geometry.y - 1500,
                row.geometry.x + minutes * 1000,
                row.geometry.y + 1500,
            ),
        }
        for site, row in centres.iterrows()
        for minutes in (15, 30)
    ]
    return _frame(rows, ["facility_id", "cutoff_min"])


def _roads() -> gpd.GeoDataFrame:
    east, north = toy.EAST, toy.NORTH
    lines = [
        ("primary", LineString([(east, north), (east + 40_000, north)])),
        ("secondary", LineString([(east, NORTH_Y), (east + 30_000, NORTH_Y)])),
        ("tertiary", LineString([(east + 15_000, north), (east + 15_000, NORTH_Y)])),
    ]
    return gpd.GeoDataFrame(
        {"highway": [h for h, _ in lines]}, geometry=[line for _, line in lines], crs=toy.CRS
    ).to_crs("EPSG:4326")


def _scorecard() -> pd.DataFrame:
    south, north = toy.COUNTY, NORTH_COUNTY
    rows = [
        # target, scope, today, planned, target, met today, met planned, needed, basis, reason, section
        ("county_dementia_unit", south, 0, 1, 1, False, True, 1, "computed", None, "一"),
        ("county_dementia_unit", north, 0, 0, 1, False, False, 1, "computed", None, "一"),
        ("county_regional_home", south, 0, 2, 2, False, True, 2, "computed", None, "一"),
        ("county_regional_home", north, 0, 0, 2, False, False, 2, "computed", None, "一"),
        ("street_centre_coverage", south, 1.0, 1.0, 1.0, True, True, 0, "computed", None, "一"),
        (
            "street_centre_coverage",
            north,
            None,
            None,
            1.0,
            None,
            None,
            0,
            "not_applicable",
            "该县没有街道",
            "一",
        ),
        ("township_centre_coverage", south, 0.0, 2 / 3, 0.65, False, True, 2, "computed", None, "一"),
        ("township_centre_coverage", north, 0.0, 2 / 3, 0.65, False, True, 2, "computed", None, "一"),
        (
            "urban_demo_sites",
            "city",
            None,
            None,
            30,
            None,
            None,
            None,
            "unknown",
            "设施名录没有示范点一栏",
            "一",
        ),
        ("monthly_visits", south, 0.93, 0.93, 1.0, False, False, None, "reported", None, "二(二)5"),
        ("monthly_visits", north, None, None, 1.0, None, None, None, "unknown", "未填报", "二(二)5"),
    ]
    frame = pd.DataFrame(
        [
            {
                "target_id": target_id,
                "scope_id": scope_id,
                "scope": COUNTIES.get(scope_id, "全市"),
                "value_today": today,
                "value_planned": planned,
                "target": float(target),
                "met_today": met_today,
                "met_planned": met_planned,
                "needed": needed,
                "basis": basis,
                "reason": reason,
                "citation": f"邵市政办发〔2025〕10号 {section}",
            }
            for target_id, scope_id, today, planned, target, met_today, met_planned, needed, basis, reason, section in rows
        ]
    ).set_index(["target_id", "scope_id"])
    for column in ("value_today", "value_planned"):
        frame[column] = frame[column].astype("float64")
    for column in ("met_today", "met_planned"):
        frame[column] = frame[column].astype("boolean")
    frame["needed"] = frame["needed"].astype("Int64")
    return frame


def _plan(sites: tuple[str, ...], cost: float, bound: float) -> SitingPlan:
    proved = cost == bound
    return SitingPlan(
        sites=tuple(sorted(sites)),
        status="optimal" if proved else "feasible",
        objective=cost,
        bound=bound,
        gap=abs(cost - bound) / cost,
        certificate=Certificate(
            problem="policy_plan",
            rules=("presence", "unit_coverage", "county_counts"),
            stages=(
                Stage("cost", "min", cost, bound, proved=proved),
                Stage("elders", "max", 1600.0, 1600.0, proved=True),
            ),
            solver="HiGHS 1.16.0",
            options=(("time_limit_s", "60"), ("gap", "0.0")),
            heuristic_value=cost,
            ties=(),
        ),
        figures=PlanFigures(cost=cost),
    )


def make_findings() -> Findings:
    """Return the findings of both counties, in Chinese."""
    from sy_coverage.policy import load_policy

    units, facilities = _units(), _facilities()
    proposals = _proposals(units)
    south_sites, north_sites = (
        tuple(s for s in proposals.index if s.startswith("n") is n) for n in (False, True)
    )
    return Findings(
        study_name="试验市养老服务设施布局",
        policy=load_policy("shaoyang_2025"),
        language="zh",
        date=dt.date(2027, 12, 31),
        units=units,
        counties=_counties(),
        facilities=facilities,
        demand=_demand(),
        proposals=proposals,
        catchments=_catchments(facilities, proposals),
        roads=_roads(),
        scorecard=_scorecard(),
        plans={toy.COUNTY: _plan(south_sites, 700.0, 700.0), NORTH_COUNTY: _plan(north_sites, 260.0, 247.0)},
        reasons=pd.DataFrame(
            {
                "site_id": proposals.index,
                "reason_id": "target_fails_without",
                "subject": proposals["unit_id"].to_numpy(),
                "value": proposals["elders_gained"].to_numpy(),
                "sentence": proposals["why"].to_numpy(),
            }
        ),
        left_out=pd.DataFrame(
            {
                "unit_id": ["990100101", "990200200"],
                "reason_id": ["target_met_without", "no_elders"],
                "sentence": ["乡镇覆盖率不设在此处也已达标，建在此处多花 10 万元。", "没有老年人居住。"],
            }
        ),
        doubts=pd.DataFrame(
            {
                "frame": ["facilities", "facilities", "facilities"],
                "row_id": ["N3", "N1", "T1"],
                "name": ["示例未定位养老院", HOSTILE, "示例甲镇敬老院"],
                "county_id": [NORTH_COUNTY, NORTH_COUNTY, toy.COUNTY],
                "doubt_id": ["not_located", "duplicate", "outside_unit"],
                "sentence": [
                    "地址中没有村、社区或乡镇名，无法定位。",
                    "与另一行可能是同一处设施。",
                    "位置在所填乡镇之外 120 米。",
                ],
            }
        ),
        parameters=pd.DataFrame(
            {
                "name": ["指标统计范围", "达标口径", "到中心的时限（街道）", "到中心的时限（乡镇）"],
                "value": ["county", "presence", "15", "30"],
                "unit": ["", "", "分钟", "分钟"],
                "source": ["shaoyang_2025", "shaoyang_2025", "shaoyang_2025", "study.toml"],
            }
        ),
        sources=pd.DataFrame(
            {
                "name": ["边界", "设施", "路网"],
                "file": ["toy.gpkg", "toy.csv", "toy.osm.pbf"],
                "digest": ["0" * 64, "1" * 64, "2" * 64],
                "note": ["北部为估算边界", "虚构示例", "一条直路"],
            }
        ),
        notices=("示例数据：设施与道路为模拟，不可用于决策",),
        scope_name="试验市",
        office="试验市民政局",
        extras={
            "trade_off": pd.DataFrame(
                {
                    "county_id": [toy.COUNTY] * 4,
                    "cost": [0.0, 60.0, 510.0, 700.0],
                    "elders_covered": [1500.0, 1500.0, 1500.0, 1600.0],
                }
            )
        },
    )


@pytest.fixture(scope="session")
def findings() -> Findings:
    """Return the findings of both toy counties, in Chinese."""
    return make_findings()


@pytest.fixture(scope="session")
def english(findings) -> Findings:
    """Return the same findings asked for in English."""
    return replace(findings, language="en")


@pytest.fixture(scope="session")
def county(findings) -> Findings:
    """Return the findings of the toy county alone."""
    return findings.of_county(toy.COUNTY)
