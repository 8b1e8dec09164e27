"""Elders of a later year: everybody is older, and as many live as the table says; worked out by hand."""

from __future__ import annotations

import pytest

from sy_coverage.errors import FrameError, InputError
from sy_coverage.places import cohort_factors, project_cohorts, read_cohorts
from tests import toy

# 5 years on: 60–64 are 200 × 0.9 = 180; 65–69: 100 × 0.8 = 80; 70–74: 80 × 0.7 = 56; 75–79: 40 × 0.6 = 24;
# 80+: 20 × 0.5 + 10 × 0.3 = 13. Then 60+ 353 (of 250), 65+ 173 (of 150), 80+ 13 (of 10).
TABLE = "年龄组,人口,存活率\n50-54岁,300,0.95\n55-59岁,200,0.9\n60-64,100,0.8\n65～69,80,0.7\n70—74,40,0.6\n75-79,20,0.5\n８０岁及以上,10,0.3\n"


def read(folder, text, **options):
    (folder / "cohorts.csv").write_text(text, encoding="utf-8")
    return read_cohorts(folder / "cohorts.csv", **options)


def test_five_years_on_each_group_is_the_survivors_of_the_one_before(tmp_path):
    cohorts = read(tmp_path, TABLE)
    assert cohorts.index.tolist() == [("", age) for age in (50, 55, 60, 65, 70, 75, 80)]
    factors = cohort_factors(cohorts, years=5)
    assert factors.loc[""].to_dict() == pytest.approx(
        {"elders": 353 / 250, "elders_65": 173 / 150, "elders_80": 13 / 10}
    )
    assert cohort_factors(cohorts, years=0).loc[""].tolist() == [1, 1, 1]


def test_ten_years_are_two_steps_and_between_steps_growth_is_even(tmp_path):
    cohorts = read(tmp_path, TABLE)
    # a second step: 60–64 are 285 × 0.9 = 256.5; 65–69: 144; 70–74: 56; 75–79: 33.6; 80+: 12 + 3.9 = 15.9
    ten = (256.5 + 144 + 56 + 33.6 + 15.9) / 250
    assert cohort_factors(cohorts, years=10).loc["", "elders"] == pytest.approx(ten)
    seven = (353 / 250) ** 0.6 * ten**0.4
    assert cohort_factors(cohorts, years=7).loc["", "elders"] == pytest.approx(seven)
    with pytest.raises(InputError, match="begins at age 50; to look 11 years ahead it must begin at 45"):
        cohort_factors(cohorts, years=11)


def test_counties_have_tables_of_their_own_and_villages_grow_as_theirs(tmp_path):
    rows = TABLE.splitlines()
    text = "县," + rows[0] + "\n" + "".join(f"试验县,{row}\n" for row in rows[1:])
    cohorts = read(tmp_path, text, units=toy.units())
    later = project_cohorts(toy.demand(), cohorts, years=5)
    assert later["elders"].sum() == pytest.approx(1600 * 353 / 250)
    assert later.loc["A", "elders"] == pytest.approx(400 * 353 / 250)
    with pytest.raises(InputError, match="no table for the county of A"):
        project_cohorts(toy.demand().assign(county_id="999999"), cohorts, years=5)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("65～69", "66～69", "must follow one another"),
        ("８０岁及以上", "80-84", "the last one open"),
        ("0.95", "1.2", "share between 0 and 1"),
        ("50-54岁", "fifty", "written as 60-64 or 85"),
        ("存活率", "率", "'survival' is missing"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, old, new, words):
    with pytest.raises(FrameError, match=words):
        read(tmp_path, TABLE.replace(old, new), strict=True)
