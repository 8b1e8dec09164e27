"""A census by unit or county comes out of the villages it is spread over to the last person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import places
from sy_coverage.errors import FrameError
from sy_coverage.places.people.census import Census
from tests import toy

UNITS = "乡镇,60岁及以上人口,65岁及以上人口\n城东街道,601,400\n甲镇,399,300\n乙镇,301,200\n丙乡,300,100\n"


def read(folder, text, **options):
    (folder / "census.csv").write_text(text, encoding="utf-8")
    return places.read_census(folder / "census.csv", units=toy.units(), **options)


def test_a_census_by_unit_is_spread_by_the_villages_own_numbers(tmp_path):
    census = read(tmp_path, "试验县2020年人口普查\n" + UNITS + "合计,1601,1000\n")
    assert census.by == "unit_id"
    spread, column = places.by_census(toy.demand(), census)
    assert column == "elders"
    # A:B = 400:200 of 601 → 400.67, 200.33; C:D = 100:300 of 399 → 99.75, 299.25; E = F = 150.5, the tie to E; G:H = 2:1
    assert spread["elders"].to_dict() == {
        "A": 401,
        "B": 200,
        "C": 100,
        "D": 299,
        "E": 151,
        "F": 150,
        "G": 200,
        "H": 100,
    }
    assert spread["elders_65"].groupby(spread["unit_id"]).sum().tolist() == [400, 300, 200, 100]


def test_a_census_by_county_and_one_where_counties_and_units_share_a_column_are_understood(tmp_path):
    census = read(tmp_path, "县（市、区）,60岁及以上\n试验县,1003\n")
    assert (census.by, census.totals["elders"].to_dict()) == ("county_id", {toy.COUNTY: 1003})
    assert places.by_census(toy.demand(), census)[0]["elders"].sum() == 1003
    mixed = read(tmp_path, "地区,60+\n试验县,1601\n城东街道,601\n甲镇,399\n乙镇,301\n丙乡,300\n")
    assert mixed.by == "unit_id"
    assert mixed.report.set_index("what_id").loc["census_total", "subject"] == "试验县"
    wrong = read(tmp_path, "地区,60+\n试验县,1600\n城东街道,601\n甲镇,399\n乙镇,301\n丙乡,300\n")
    assert wrong.report.set_index("what_id").loc["census_differs", "value"] == "elders 1,600 ≠ 1,601"


def test_everything_wrong_with_a_census_is_said_at_once(tmp_path):
    with pytest.raises(FrameError) as caught:
        read(tmp_path, "乡镇,60+\n城东街道,60.5\n丁镇,3\n甲镇,-1\n甲镇,5\n乙镇,\n", strict=True)
    for words in (
        "must be whole persons: census.csv row 2",
        "no unit or county of the study is called so: census.csv row 3 '丁镇'",
        "must be 0 or more: census.csv row 4",
        "stands more than once: census.csv row 4 and census.csv row 5",
        "is empty: census.csv row 6",
    ):
        assert words in str(caught.value)
    with pytest.raises(FrameError, match=r"no row for 乙镇 .990100101., 丙乡"):
        read(tmp_path, "乡镇,60+\n城东街道,60\n甲镇,1\n", strict=True)
    two = toy.units()
    two.loc["990100001", ["county_id", "county"]] = [
        "990200",
        "邻县",
    ]  # ids of counties not in the order of the units
    (tmp_path / "c.csv").write_text("县,60+\n试验县,5\n", encoding="utf-8")
    with pytest.raises(FrameError, match=r"no row for 邻县 .990200."):
        places.read_census(tmp_path / "c.csv", units=two, strict=True)


def test_a_unit_without_a_village_is_refused_and_one_whose_villages_know_nothing_gets_even_parts(tmp_path):
    census = read(tmp_path, UNITS)
    with pytest.raises(FrameError, match="no village or settled place lies in 990100200"):
        places.by_census(toy.demand().drop(["G", "H"]), census)
    blank = toy.demand().assign(elders=[0, 0, 100, 300, 150, 150, 200, 100])
    assert places.by_census(blank, census)[0]["elders"].iloc[:2].tolist() == [301, 300]
    by_persons = toy.demand().drop(columns="elders").assign(persons=[1, 2, 1, 1, 1, 1, 1, 1])
    found, column = places.by_census(by_persons, census)
    assert (column, found["elders"].iloc[:2].tolist()) == ("persons", [200, 401])


@given(
    totals=st.lists(st.integers(0, 10**6), min_size=4, max_size=4),
    weights=st.lists(st.floats(0, 1e6), min_size=8, max_size=8),
)
def test_whatever_the_totals_and_weights_every_sum_is_the_census_s(totals, weights):
    census = Census(pd.DataFrame({"elders": totals}, index=pd.Index(toy.UNITS)), "unit_id", pd.DataFrame())
    found, _ = places.by_census(toy.demand().assign(elders=weights), census)
    assert found.groupby("unit_id")["elders"].sum().tolist() == totals


def test_ages_of_a_census_are_rounded_together_so_that_no_village_has_more_of_65_than_of_60():
    # 3 persons of 60+ over five equal villages go to the first three; of 2 persons of 65+ by other weights none may
    # go to the last two, who have nobody of 60
    demand = toy.demand().iloc[:5].assign(unit_id="u")
    sixty = places.spread(demand, pd.Series({"u": 3}), column="elders")
    weights = pd.Series([0.1, 0.1, 0.1, 1.0, 1.0], index=demand.index)
    older = places.spread(
        sixty, pd.Series({"u": 2}), column="elders_65", weights=weights, at_most=sixty["elders"]
    )
    assert sixty["elders"].tolist() == [1, 1, 1, 0, 0]
    assert older["elders_65"].sum() == 2
    assert (older["elders_65"] <= older["elders"]).all()


def test_a_census_spread_over_many_small_villages_keeps_every_sum_and_the_order_of_ages():
    random = np.random.default_rng(7)
    count = 400
    demand = toy.demand().iloc[[0] * count].set_axis([f"v{n:03}" for n in range(count)])
    demand = demand.assign(unit_id=[f"u{n % 7}" for n in range(count)], elders=random.integers(0, 9, count))
    ids = [f"u{n}" for n in range(7)]
    totals = pd.DataFrame(
        {"elders": [211, 97, 88, 150, 61, 240, 33], "elders_65": [150, 97, 60, 149, 20, 99, 33]}, index=ids
    ).assign(elders_80=[30, 90, 2, 20, 19, 17, 33])
    found, _ = places.by_census(demand, Census(totals.astype("float64"), "unit_id", pd.DataFrame()))
    for column in totals.columns:
        assert (found.groupby("unit_id")[column].sum() == totals[column]).all()
    assert (found["elders_65"] <= found["elders"]).all()
    assert (found["elders_80"] <= found["elders_65"]).all()
