"""Distances are of the plane: what lies aside on one axis is not near because it is level on the other."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from sy_coverage.places import gazetteer, geocode
from sy_coverage.policy import load_policy
from sy_coverage.roads.travel_times import TravelTimes
from sy_coverage.siting import generate_candidates, premises_candidates
from tests import toy
from tests.coverage.test_scorecard import card, line, places
from tests.siting.test_policy_plan import toy_plan, toy_times

POLICY = load_policy("shaoyang_2025")
UNIT = "990100100"
TURNS = {"as it is": lambda x, y: (x, y), "axes exchanged": lambda x, y: (y, x)}


@pytest.fixture(params=list(TURNS))
def turned(request):
    return TURNS[request.param]


def points(turned, **places):
    """Return points at (km, km) of one unit, with weights."""
    return gpd.GeoDataFrame(
        {
            "name": [f"{i}村" for i in places],
            "elders": [float(row[2]) for row in places.values()],
            "unit_id": UNIT,
            "county_id": toy.COUNTY,
        },
        geometry=[
            Point(toy.EAST + 1000 * x, toy.NORTH + 1000 * y)
            for x, y in (turned(*row[:2]) for row in places.values())
        ],
        index=pd.Index(list(places), name="demand_id"),
        crs=toy.CRS,
    ).to_crs("EPSG:4326")


def unit():
    frame = toy.units().loc[[UNIT]].to_crs(toy.CRS)
    frame["geometry"] = [box(toy.EAST, toy.NORTH, toy.EAST + 30_000, toy.NORTH + 30_000)]
    return frame.to_crs("EPSG:4326")


# Of P (1, 9), Q (5, 0) and R (9.5, 9), alike in weight, the middle is (5.17, 6): P is 5.1 km from it, R 5.3, Q 6.0, though level
# with it on one axis.
SPREAD = {"P": (1, 9, 10), "Q": (5, 0, 10), "R": (9.5, 9, 10)}


def test_a_generated_site_goes_to_the_village_nearest_to_the_middle(turned):
    demand = points(turned, **SPREAD)
    made = generate_candidates(
        unit(), toy.facilities().iloc[:0], toy.candidates().iloc[:0], demand, policy=POLICY, per_unit=1
    )
    centres = made[made["kind"] == "service_centre"]
    assert centres["name"].tolist() == ["P村"]


def test_two_clusters_are_where_most_elders_are(turned):
    # (0, 0), (1.2, 1.6) and (1.8, 2.4) stand together 0, 2 and 3 km along, (12, 16) far off. With its 100 elders the third
    # draws the middle to itself; counted alike the middle lies at 1.7 km, next to the second.
    demand = points(turned, A=(0, 0, 1), B=(1.2, 1.6, 1), C=(1.8, 2.4, 100), D=(12, 16, 1))
    made = generate_candidates(
        unit(), toy.facilities().iloc[:0], toy.candidates().iloc[:0], demand, policy=POLICY, per_unit=2
    )
    centres = made[made["kind"] == "service_centre"]
    assert centres["name"].tolist() == ["C村", "D村"]


def test_premises_are_those_nearest_to_the_middle_of_the_elders(turned):
    demand = points(turned, A=(5, 5, 10))
    # 1.4 km from the elders; 4 km, though level with them on one axis
    places = points(turned, near=(6, 6, 0), level=(5, 1, 0)).assign(premises="idle_school")
    for first in (places, places.iloc[::-1]):
        added = premises_candidates(
            unit(),
            toy.facilities().iloc[:0],
            toy.candidates().iloc[:0],
            demand,
            first,
            policy=POLICY,
            per_unit=1,
        )
        assert added["name"].unique().tolist() == ["near村"]


def test_the_nearest_alternative_is_the_nearest_in_the_plane():
    km = {"S1": 5, "c15": 15, "c19": 19, "c24": 24, "c25": 25, "c35": 35}
    there = {v: k for v, (k, _) in toy.VILLAGES.items()}
    table = pd.DataFrame({s: {v: float(abs(k - at)) for v, k in there.items()} for s, at in km.items()})
    listed = toy.candidates().to_crs(toy.CRS)
    other = listed.loc[["c25"]].rename(index={"c25": "c24"}).assign(cost=130.0, geometry=[toy.at(24)])
    # 乙镇's first site is 10 km west of c35 and 20 km north; the dearer one 11 km west
    listed.loc["c25", "geometry"] = Point(toy.EAST + 25_000, toy.NORTH + 20_000)
    listed = pd.concat([listed, other]).to_crs("EPSG:4326")
    times = toy_times() | {"service_centre": TravelTimes.from_matrix(table)}
    plan = toy_plan(candidates=listed, times=times)
    assert "c35" in plan.sites
    told = plan.why().loc[["c35"]].set_index("reason_id").loc["alternative_dearer"]
    assert (told["subject"], told["value"]) == ("c24", 40.0)
    assert told["other"] == pytest.approx(
        np.hypot(11, 0.75), abs=0.01
    )  # c35 lies 750 m beside the line of c24


def test_a_unit_alone_in_an_address_is_its_village_nearest_to_the_middle(turned):
    villages = points(turned, **SPREAD)
    listed = gpd.GeoDataFrame(
        {"name": ["某院"], "kind": ["station"], "address": ["试验县甲镇"]},
        geometry=[None],
        index=pd.Index(["F"], name="facility_id"),
        crs="EPSG:4326",
    )
    located = geocode(listed, [gazetteer(unit(), villages)], units=unit(), accept=("village", "town"))
    assert located.geometry["F"].distance(villages.geometry["P"]) < 1e-9


def test_a_reported_count_that_is_short_by_a_part_needs_a_whole_one_more():
    goal = POLICY.target("urban_demo_sites").value
    frame = card(places(r=("regional_home", 5)), policy=POLICY, reported={"urban_demo_sites": goal - 1.5})
    assert line(frame, "urban_demo_sites", "city") == (goal - 1.5, False, 2, "reported")
