"""Candidates that stand on one place, and those that lie where nothing may be built."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely import Point, box

import sy_coverage as sy
from sy_coverage import siting
from sy_coverage.errors import InputError
from tests import toy


def beside(**metres: float) -> gpd.GeoDataFrame:
    """Return the toy candidates with some of them moved so many metres east of c15."""
    frame = toy.candidates().to_crs(toy.CRS).assign(group_id=None)
    origin = frame.geometry["c15"]
    for site_id, away in metres.items():
        frame.loc[site_id, "geometry"] = Point(origin.x + away, origin.y)
    return frame


def test_candidates_of_one_kind_within_45_m_are_one_place_and_chains_of_them_too():
    frame = siting.one_place(beside(c19=44, c25=88, c35=134, d15=10))
    assert frame.loc[["c15", "c19", "c25"], "group_id"].tolist() == ["place-c15"] * 3
    assert frame.loc[["c35", "d15"], "group_id"].isna().all()  # 46 m off; another kind
    assert siting.one_place(beside(c19=44), within_m=10)["group_id"].isna().all()
    with pytest.raises(InputError, match="within_m"):
        siting.one_place(beside(), within_m=-1)


def test_groups_of_a_list_keep_their_name_and_take_in_what_stands_beside_them():
    frame = beside(c25=20)
    frame.loc[["c19", "c25"], "group_id"] = "青石村部"
    found = siting.one_place(frame.sample(frac=1, random_state=3))
    assert found.loc[["c15", "c19", "c25"], "group_id"].tolist() == ["青石村部"] * 3
    assert siting.one_place(frame, within_m=0).loc["c15", "group_id"] is None


def area(west_km: float, east_km: float) -> gpd.GeoDataFrame:
    west, east = toy.EAST + west_km * 1000, toy.EAST + east_km * 1000
    return gpd.GeoDataFrame(geometry=[box(west, toy.NORTH - 4000, east, toy.NORTH + 4000)], crs=toy.CRS)


def test_layers_bar_or_flag_what_lies_in_them_by_name_and_no_list_overrides_them():
    frame = toy.candidates()
    frame.loc["c15", "required"] = True
    layers = [
        siting.NoGo("生态保护红线", area(14, 16)),
        siting.NoGo("永久基本农田", area(10, 20)),
        siting.NoGo("滑坡隐患", area(24, 26), "flag"),
    ]
    found = siting.outside_no_go(frame, layers)
    assert found["barred_by"].dropna().to_dict() == {
        "c15": "生态保护红线、永久基本农田",
        "c19": "永久基本农田",
        "d15": "生态保护红线、永久基本农田",
        "r15": "生态保护红线、永久基本农田",
    }
    assert found["flagged_by"].dropna().to_dict() == {"c25": "滑坡隐患"}
    assert not found["required"].any()


# By presence two of three townships need a centre: c35 90 and c15 100 (or c25 100). With everything around km 15 barred: c35 and
# c25, no d15 (60) but d05 (80), and homes r04 (400) and r36 (300) for r15 (150) and r36.
def test_a_barred_site_is_in_no_plan_and_a_layer_of_a_study_is_read(tmp_path):
    study = sy.read_study(toy.write_study(tmp_path))
    area(14, 16).to_file(tmp_path / "生态保护红线.gpkg")
    plan = study.plans[toy.COUNTY]
    assert {"c35", "r15"} <= set(plan.sites)
    barred = study.but(candidates={"exclude": [{"path": "生态保护红线.gpkg"}]})
    assert barred.candidates.loc["c15", "barred_by"] == "生态保护红线"
    sites = set(barred.plans[toy.COUNTY].sites)
    assert sites == {"c25", "c35", "d05", "r04", "r36"}
    flagged = study.but(candidates={"exclude": [{"path": "生态保护红线.gpkg", "action": "flag"}]})
    assert flagged.plans[toy.COUNTY].sites == plan.sites
    assert flagged.candidates.loc["r15", "flagged_by"] == "生态保护红线"


def generated(listed: gpd.GeoDataFrame, where: siting.Where) -> dict[str, str]:
    policy = sy.policy.load_policy("shaoyang_2025")
    frames = (toy.units(), toy.facilities(), listed, toy.demand())
    found = siting.generate_candidates(*frames, policy=policy, per_unit=2, where=where)
    return found[found["origin"] == "generated"]["name"].to_dict()


# Villages: C km 12 and D km 18 in 甲镇, E 22 and F 28 in 乙镇, G 32 and H 38 in 丙乡.
def test_row_98_sites_are_suggested_only_where_no_listed_one_is_and_apart_from_every_listed_one():
    listed = toy.candidates().drop(index=["c25", "c35"])  # 甲镇 keeps c15 and c19
    assert set(generated(listed, siting.Where(beside_listed=False)).values()) == {"E村", "F村", "G村", "H村"}
    near = generated(listed, siting.Where(beside_listed=True, apart_m=1500))
    assert set(near.values()) == {"C村", "E村", "F村", "G村", "H村"}  # c19 is 1 km from D
    closed = siting.Where(beside_listed=False, nowhere=area(20, 30))
    assert set(generated(listed, closed).values()) == {"G村", "H村"}


def test_a_unit_whose_only_listed_candidate_cannot_be_opened_gets_a_suggested_one():
    listed = toy.candidates().drop(index=["c15", "c25", "c35"]).assign(barred_by=None)
    listed.loc["c19", "barred_by"] = "生态保护红线"
    found = generated(listed, siting.Where(beside_listed=False))
    assert {"C村", "D村"} <= set(found.values())


def test_suggested_sites_are_called_so_in_the_study_s_language(tmp_path):
    study = sy.read_study(toy.write_study(tmp_path)).but(
        candidates={"generate": 1, "generate_beside_listed": True}
    )
    made = study.candidates[study.candidates["origin"] == "generated"]
    assert len(made) == 3
    assert made["name"].str.endswith("村（程序推荐，须落实房源）").all()
    assert (made["premises"] == "unknown").all()
    english = study.but(study={"language": "en"}).candidates
    assert (
        english.loc[made.index, "name"].str.endswith("(suggested by the program; premises to be found)").all()
    )
