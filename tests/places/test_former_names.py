"""Old lists are understood: units that were renamed, recoded or merged, by data that ships and by what a study says."""

from __future__ import annotations

import pandas as pd
import pytest

from sy_coverage import read_study
from sy_coverage.errors import UnknownIdError
from sy_coverage.places import read_census, read_units
from sy_coverage.places.ground.names import UnitNames
from tests import toy
from tests.study.test_cli import change


def names(*rows):
    """Return the names of units given as (id, name, county id, county)."""
    columns = ["unit_id", "name", "county_id", "county"]
    return UnitNames.of(pd.DataFrame(rows, columns=columns).set_index("unit_id"))


SHAODONG = ("430582101", "牛马司镇", "430582", "邵东市")
JIELING = ("430582102", "界岭镇", "430582", "邵东市")
CHENJIAQIAO = ("430511101", "陈家桥镇", "430511", "北塔区")


@pytest.mark.parametrize(
    ("said", "county", "found"),
    [
        ("430521101", None, "430582101"),  # 邵东 became a city and every code in it another one
        ("430521101002", None, "430582101"),
        ("430521119", None, "430582102"),  # and some a wholly different one
        ("牛马司镇", "430521", "430582101"),
        ("牛马司镇", "邵东县", "430582101"),
        ("430511203", None, "430511101"),  # 陈家桥乡 became a town
        ("陈家桥乡", "北塔区", "430511101"),
    ],
)
def test_row_79_old_codes_and_names_of_units_and_counties_lead_to_those_of_today(said, county, found):
    known = names(SHAODONG, JIELING, CHENJIAQIAO)
    county_id = known.county(county) if county else None
    assert known.units(said, county_id) == {found}


def test_an_old_code_of_which_nobody_knows_what_became_means_nobody():
    # 范家山镇 of 2016: its number without the county's is another town's today
    assert names(SHAODONG, JIELING).units("430521102", None) == set()


def test_an_old_code_that_is_somebody_s_today_means_him():
    assert names(SHAODONG, ("430521101", "某镇", "430521", "某县")).units("430521101", None) == {"430521101"}


def test_units_that_were_merged_are_added_up_in_a_census_of_old_names(tmp_path):
    layer = toy.units().reset_index()
    layer["曾用名"] = [None, "子镇、丑乡，990100300", None, None]
    layer.to_file(tmp_path / "u.gpkg", layer="u")
    units = read_units(tmp_path / "u.gpkg", former={"990100101": ["寅乡"]})
    assert units.loc["990100101", "former"] == "寅乡"
    (tmp_path / "c.csv").write_text(
        "乡镇,60+\n城东街道,10\n子镇,20\n丑乡,30\n990100300000,5\n寅,40\n乙镇,7\n丙乡,50\n".replace(
            "寅,", "寅乡,"
        ),
        encoding="utf-8",
    )
    census = read_census(tmp_path / "c.csv", units=units)
    assert census.totals["elders"].tolist() == [10, 55, 47, 50]


def test_a_study_may_say_former_names_and_a_wrong_unit_among_them_is_refused(tmp_path):
    study = toy.write_study(tmp_path)
    change(study, 'units = "units.gpkg"', 'units = "units.gpkg"\nformer = { "990100100" = ["旧镇"] }')
    assert UnitNames.of(read_study(study).units).units("旧镇", toy.COUNTY) == {"990100100"}
    change(study, '"990100100" =', '"990100199" =')
    with pytest.raises(UnknownIdError, match="990100199"):
        _ = read_study(study).units
