"""Generated stations, on the toy county of tests/toy.py by hand: one for every village cluster that none reaches."""

from __future__ import annotations

import pandas as pd
import pytest

import sy_coverage as sy
from sy_coverage import policy, siting
from sy_coverage.errors import CutoffError, InputError, UnknownIdError
from sy_coverage.outputs import maps, reports
from sy_coverage.roads import TravelTimes
from tests import toy

POLICY = policy.load_policy("shaoyang_2025")
WALK = 30.0


def generated(stations=None, **changes):
    """Return what is generated where the stations ``{id: (kind, km)}`` are listed; a kilometre is walked in 20 minutes."""
    stations = stations or {}
    listed = toy.candidates()
    if stations:
        more = toy.places(stations, "candidate_id", cost=20.0)
        listed = pd.concat([listed.astype(object), more.astype(object)]).set_crs(listed.crs)
    tables: dict[str, dict[str, dict[str, float]]] = {"station": {}, "village_station": {}}
    for site, (kind, km) in stations.items():
        tables[kind][site] = {v: 20.0 * abs(km - at) for v, (at, _) in toy.VILLAGES.items()}
    times = {
        kind: TravelTimes.from_matrix(pd.DataFrame(table, index=list(toy.VILLAGES), dtype=float))
        for kind, table in tables.items()
    }
    frames = {
        "units": toy.units(),
        "facilities": toy.facilities(),
        "candidates": listed,
        "demand": toy.demand(),
    }
    frames |= {k: changes.pop(k) for k in list(changes) if k in frames}
    asked = {"policy": POLICY, "times": times, "walk_min": WALK} | changes
    frame = siting.generate_stations(*frames.values(), **asked)
    return frame[frame.index.str.startswith("G-")]


# 城东街道 has the centre S1, the three townships have candidates for one: all eight villages lack a station. In the street it
# is a community station, in townships a village one; A (400 elders) goes before B (200), D (300) before C (100).
def test_every_village_of_a_unit_that_has_or_may_get_a_centre_gets_a_station_of_the_unit_s_kind():
    sites = generated()
    assert sites["name"].to_dict() == {
        "G-station-990100001-1": "A村",
        "G-station-990100001-2": "B村",
        "G-village_station-990100100-1": "D村",
        "G-village_station-990100100-2": "C村",
        "G-village_station-990100101-1": "E村",
        "G-village_station-990100101-2": "F村",
        "G-village_station-990100200-1": "G村",
        "G-village_station-990100200-2": "H村",
    }
    assert set(sites["cost"]) == {30.0}
    assert set(sites["premises"]) == {"unknown"}
    assert set(sites["priced_as"]) == {"village_office"}
    assert sites["floor_area_m2"].isna().all()


def test_a_unit_that_can_have_no_centre_gets_no_station():
    sites = generated(candidates=toy.candidates().drop(index="c35"))
    assert not sites["unit_id"].eq("990100200").any()


# a station at km 13 is 20 minutes from C and 100 from D; one at km 20.5 lies in 乙镇, 30 minutes from E and 50 from D
def test_a_cluster_that_a_listed_station_of_its_unit_reaches_gets_none():
    sites = generated({"k": ("village_station", 13.0), "m": ("village_station", 20.5)})
    assert not {"C村", "E村"} & set(sites["name"])
    assert {"D村", "F村", "A村"} <= set(sites["name"])


def test_a_station_beyond_the_border_of_the_unit_does_not_serve_it():
    # km 9.5 is 50 minutes from C, km 10.0 (in 甲镇) 40; km 29.9 (乙镇) is 42 from G in 丙乡 and 38 from F
    sites = generated({"k": ("village_station", 29.9)}, walk_min=42.0)
    assert "F村" not in set(sites["name"])
    assert "G村" in set(sites["name"])


# C (100) and D (300) as one cluster have their middle at km 16.5, nearest to D
def test_villages_of_one_cluster_get_one_station_amid_their_elders():
    demand = toy.demand().assign(cluster_id=[None, None, "CD", "CD", None, None, None, None])
    sites = generated(demand=demand)
    assert sites.loc[sites["unit_id"] == "990100100", "name"].tolist() == ["D村"]


def test_what_a_study_says_of_cost_and_floor_area_is_taken():
    costs = {"station": {"village_office": 45.0}, "village_station": {"village_office": 25.0}}
    sites = generated(costs=costs, floor_area_m2={"station": 300.0})
    assert sites.groupby("kind")["cost"].first().to_dict() == {"station": 45.0, "village_station": 25.0}
    assert sites.loc[sites["kind"] == "station", "floor_area_m2"].eq(300.0).all()
    assert sites.loc[sites["kind"] == "village_station", "floor_area_m2"].isna().all()


def test_rows_in_another_order_give_the_same_stations():
    turned = generated(demand=toy.demand().iloc[::-1], units=toy.units().iloc[::-1])
    pd.testing.assert_frame_equal(pd.DataFrame(generated()), pd.DataFrame(turned))


def test_a_policy_without_stations_is_refused():
    with pytest.raises(InputError, match="station_kinds"):
        generated(policy=POLICY.model_copy(update={"station_kinds": ()}))


def test_an_id_that_is_taken_is_refused():
    taken = toy.candidates().rename(index={"c15": "G-station-990100001-1"})
    with pytest.raises(UnknownIdError, match="G-station-990100001-1"):
        generated(candidates=taken)


def test_times_shorter_than_the_walk_are_refused():
    short = TravelTimes.from_matrix(pd.DataFrame(index=list(toy.VILLAGES), dtype=float))
    with pytest.raises(CutoffError):
        generated(times={"station": TravelTimes(short.minutes, (), short.demand_ids, 10.0, "walk")})


# --- in a study -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = sy.read_study(toy.write_study(tmp_path_factory.mktemp("toy")))
    return study.but(siting={"station_walk_min": 30})


# Two of three townships need a centre, each with two villages 6 km apart (120 minutes' walk): two stations of 30 each. All three
# have listed centres, so none is suggested: c35 90 and c15 100. d15 60, r15 150 and r36 300 as without stations:
# 90 + 100 + 4 · 30 + 510 = 820; with suggested centres of 80 each 2 · (80 + 2 · 30) + 510 = 790.
def test_a_study_that_no_listed_station_can_satisfy_is_satisfied_by_generated_ones(study):
    assert study.plans[toy.COUNTY].status == "infeasible"
    more = study.but(candidates={"generate": 2})
    plan = more.plans[toy.COUNTY]
    assert plan.status == "optimal"
    assert plan.objective == 820.0
    beside = study.but(candidates={"generate": 2, "generate_beside_listed": True})
    assert beside.plans[toy.COUNTY].objective == 790.0
    assert siting.verify(plan).rules.loc["stations", "holds"]
    stations = [s for s in plan.sites if more.candidates.loc[s, "kind"] == "village_station"]
    assert len(stations) == 4
    served = more.why(plan).query("reason_id == 'station_serves'")
    assert sorted(served.index) == sorted(stations)


def test_the_proposal_and_the_map_show_the_stations_and_what_they_were_taken_to_be(study):
    more = study.but(candidates={"generate": 2})
    own = more.presented.of_county(toy.COUNTY)
    said = " ".join(str(block) for block in reports.proposal(own).blocks)
    assert "新中心经由该站点服务步行 30 分钟内的 1 处村落" in said
    assert "补充生成站点的建筑面积：村级养老服务站、农村互助养老点" in said
    assert "D村" in maps.draw(own).html()


# without S1 the street needs a centre too, and its two villages, 6 km apart, community stations, of which floor area is asked
def test_a_station_whose_floor_area_nobody_says_is_flagged_where_the_policy_asks_for_it(tmp_path):
    file = toy.write_study(tmp_path)
    rows = (tmp_path / "facilities.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "facilities.csv").write_text("".join(r for r in rows if not r.startswith("S1")), "utf-8")
    asked = sy.read_study(file).but(siting={"station_walk_min": 30}, candidates={"generate": 1})
    stations = {"G-station-990100001-1", "G-station-990100001-2"}

    def flagged(study):
        plan = study.plans[toy.COUNTY]
        assert stations <= set(plan.sites)
        return set(plan.findings.query("reason_id == 'floor_area_unknown'")["subject"])

    assert flagged(asked) == stations
    assert not flagged(asked.but(candidates={"floor_area_m2": {"station": 300}}))


def test_a_walk_longer_than_twice_the_reach_of_stations_is_computed(study):
    far = study.but(siting={"station_walk_min": 150}, candidates={"generate": 2})
    # from any village the other of its unit is 6 km east, 7.5 km by road and 150 minutes away, and one station serves both
    assert far.plans[toy.COUNTY].objective == 90 + 100 + 2 * 30 + 510
