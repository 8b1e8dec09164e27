"""Any policy file loads the same way; a wrong one is refused in one sentence that names file, key and what is allowed."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sy_coverage.policy as room
from sy_coverage.errors import ConfigError, MissingFileError, UnknownIdError
from sy_coverage.policy import load_policy, policy_from, shipped_policies

CLINICS = """
id = "harbour_clinics"
name = { zh = "基层医疗服务规划", en = "Clinics within reach" }
area = { zh = "海港市", en = "Harbour City" }
document = "Order 7 of 2030"
issued = 2030-01-02

[readings]
scope = "city"
rule = "access"
share = 0.9
elders = "elders_65"

[kinds.clinic]
name = { zh = "社区卫生服务中心", en = "Clinic" }
symbol = "plus"
colour = "#CC3311"
mode = "bike"
cutoff_min = { street = 10, township = 20, other = 40 }

[kinds.pharmacy]
name = { zh = "药店", en = "Pharmacy" }
symbol = "cross"
colour = "#009988"
mode = "walk"
cutoff_min = { street = 10.5, township = 20, other = 20 }

[[targets]]
id = "clinic_rate"
name = { zh = "覆盖率", en = "districts with a clinic" }
scope = "county_or_city"
rule = "share_at_least"
value = 0.9
section = "3.1"
quote = "Nine districts in ten shall have a clinic."
measure = { of = "unit_coverage", unit_kind = "other", facility_kind = "clinic" }

[[targets]]
id = "pharmacies"
name = { zh = "药店", en = "pharmacies" }
scope = "county"
rule = "count_at_least"
value = 4
by = 2031-06-30
section = "3.2"
quote = "Four pharmacies in every borough."
measure = { of = "facility_count", facility_kinds = ["pharmacy"] }
"""


@pytest.fixture
def raw():
    path = Path(room.__file__).parent / "shaoyang_2025.toml"
    return tomllib.loads(path.read_text("utf-8"))


def refusal(data) -> str:
    with pytest.raises(ConfigError) as caught:
        policy_from(data, source="mine.toml")
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def target(raw, target_id):
    return next(t for t in raw["targets"] if t["id"] == target_id)


def test_the_policy_of_another_service_in_another_city_loads_the_same_way(tmp_path):
    file = tmp_path / "clinics.toml"
    file.write_text(CLINICS, "utf-8")
    policy = load_policy(file)
    assert policy.coverage_kind == "clinic"
    assert policy.kind("pharmacy").cutoff_min["street"] == 10.5
    assert policy.kind("clinic").longest_min == 40
    assert policy.readings.elders == "elders_65"
    assert policy.target("clinic_rate").measure.unit_kind == "other"
    assert load_policy(str(file)) == policy


def test_shipped_policies_are_found_by_name():
    assert "shaoyang_2025" in shipped_policies()
    assert load_policy("shaoyang_2025").id == "shaoyang_2025"


def test_a_name_that_is_neither_shipped_nor_a_file_is_refused_with_those_that_are_shipped():
    with pytest.raises(MissingFileError, match=r"shaoyang_2052.*shipped are: .*shaoyang_2025"):
        load_policy("shaoyang_2052")


def test_a_policy_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(MissingFileError, match=r"gone\.toml"):
        load_policy(tmp_path / "gone.toml")


def test_a_file_that_is_no_toml_is_refused_naming_the_line(tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text("id = \n", "utf-8")
    with pytest.raises(ConfigError, match=r"broken\.toml: not valid TOML.*line 1"):
        load_policy(file)


def test_a_wrong_file_is_refused_naming_the_file(tmp_path):
    file = tmp_path / "clinics.toml"
    file.write_text(CLINICS.replace('mode = "bike"', "mode = 3"), "utf-8")
    with pytest.raises(ConfigError, match=r"clinics\.toml: kinds\.clinic\.mode: .*string \(it is 3\)"):
        load_policy(file)


def test_a_percentage_instead_of_a_share_is_refused_with_the_share_that_was_meant(raw):
    target(raw, "township_centre_coverage")["value"] = 65
    assert refusal(raw) == (
        "mine.toml: targets.township_centre_coverage: value: 65 is no share; it must lie between 0 and 1; "
        "write 0.65 for 65 %"
    )


def test_a_percentage_among_the_readings_is_refused_with_the_share_that_was_meant(raw):
    raw["readings"]["share"] = 80
    assert refusal(raw) == "mine.toml: readings.share: a share lies between 0 and 1; write 0.8 for 80 %"


def test_a_target_of_an_unknown_kind_is_refused_with_the_kinds_there_are(raw):
    target(raw, "county_regional_home")["measure"]["facility_kinds"] = ["reginal_home"]
    said = refusal(raw)
    assert said.startswith(
        "mine.toml: targets.county_regional_home.measure: no such kind: reginal_home (there are: "
    )
    assert "regional_home" in said


def test_an_unknown_key_is_refused_with_the_nearest_that_is_allowed(raw):
    raw["kinds"]["station"]["color"] = "#000000"
    assert "kinds.station.color: unknown key; did you mean 'colour'? (allowed: id, name, symbol" in refusal(
        raw
    )


def test_an_unknown_key_of_a_measure_is_refused_naming_the_target(raw):
    target(raw, "inhouse_medical")["measure"]["flags"] = "x"
    assert (
        "targets.inhouse_medical.measure.flags: unknown key; did you mean 'flag'? (allowed: of, facility_kinds, flag)"
        in refusal(raw)
    )


def test_everything_wrong_is_said_at_once(raw):
    raw["readings"]["scope"] = "village"
    raw["kinds"]["station"]["colour"] = "red"
    raw["kinds"]["station"]["symbol"] = "sun"
    raw["kinds"]["meal_point"]["cutoff_min"]["street"] = -1
    del raw["document"]
    said = refusal(raw)
    assert "readings.scope: input should be 'county' or 'city' (it is 'village')" in said
    assert "kinds.station.colour: must be written as #RRGGBB (it is 'red')" in said
    assert "kinds.station.symbol: input should be 'circle'" in said
    assert "kinds.meal_point.cutoff_min.street: input should be greater than 0 (it is -1)" in said
    assert "document: is missing" in said
    assert "\n" not in said


def test_a_kind_without_a_cutoff_for_every_class_of_unit_is_refused(raw):
    del raw["kinds"]["station"]["cutoff_min"]["other"]
    assert "kinds.station.cutoff_min: needs minutes for every class of unit; without: other" in refusal(raw)


def test_a_cutoff_for_a_class_that_does_not_exist_is_refused(raw):
    raw["kinds"]["station"]["cutoff_min"]["hamlet"] = 5
    assert "kinds.station.cutoff_min: no such key: hamlet; allowed are street, township, other" in refusal(
        raw
    )


def test_a_measure_that_is_none_is_refused_with_those_there_are(raw):
    target(raw, "inhouse_medical")["measure"] = {"of": "guess"}
    assert (
        "targets.inhouse_medical.measure.of: 'guess' is no measure; it must be one of 'unit_coverage'"
        in refusal(raw)
    )
    target(raw, "inhouse_medical")["measure"] = {}
    assert "targets.inhouse_medical.measure.of: is missing; it must be one of unit_coverage" in refusal(raw)


def test_a_target_given_twice_is_refused(raw):
    raw["targets"].append(copy.deepcopy(raw["targets"][0]))
    assert "targets.county_dementia_unit: id given more than once" in refusal(raw)


def test_a_base_of_the_bed_share_that_the_policy_does_not_define_is_refused(raw):
    raw["readings"]["nursing_bed_base"] = "hotels"
    assert "readings.nursing_bed_base: hotels; must be one of destitute_homes" in refusal(raw)


def test_a_name_in_one_language_only_is_refused(raw):
    del raw["kinds"]["station"]["name"]["en"]
    assert "kinds.station.name: needs a text for both zh and en; without one: en" in refusal(raw)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 1.5, None, "many"])
def test_a_count_that_is_no_whole_number_is_refused(raw, value):
    found = target(raw, "county_dementia_unit")
    found["value"] = value
    if value is None:
        del found["value"]
    assert "targets.county_dementia_unit" in refusal(raw)


def test_counties_belong_to_targets_of_named_counties_only(raw):
    target(raw, "county_dementia_unit")["counties"] = ["甲县"]
    del target(raw, "regional_home_upgrades")["counties"]
    said = refusal(raw)
    assert said.count("needed with scope named_counties, and only there") == 2


def test_a_policy_cannot_be_changed():
    policy = load_policy("shaoyang_2025")
    with pytest.raises(ValueError, match="frozen"):
        policy.id = "mine"
    with pytest.raises(ValueError, match="frozen"):
        policy.readings.scope = "city"


def test_other_readings_make_another_policy_and_leave_the_first_as_it_was():
    policy = load_policy("shaoyang_2025")
    other = policy.with_readings(scope="city", nursing_bed_base="all_homes")
    assert (other.readings.scope, policy.readings.scope) == ("city", "county")
    assert "nursing_home" in other.bed_kinds(other.target("nursing_bed_share").measure)
    assert "nursing_home" not in policy.bed_kinds(policy.target("nursing_bed_share").measure)
    with pytest.raises(ConfigError, match=r"policy shaoyang_2025: readings\.scope"):
        policy.with_readings(scope="village")


def test_other_cutoffs_and_modes_can_be_asked_for_one_kind_or_all():
    policy = load_policy("shaoyang_2025")
    one = policy.with_access(kind="station", mode="ebike", cutoff_min={"street": 5})
    assert one.kind("station").mode == "ebike"
    assert one.kind("station").cutoff_min == {"street": 5, "township": 30, "other": 30}
    assert one.kind("meal_point") == policy.kind("meal_point")
    every = policy.with_access(cutoff_min={"street": 5, "township": 6, "other": 7})
    assert {tuple(kind.cutoff_min.values()) for kind in every.kinds.values()} == {(5, 6, 7)}
    with pytest.raises(ConfigError, match=r"kinds\.station\.cutoff_min"):
        policy.with_access(kind="station", cutoff_min={"hamlet": 5})
    with pytest.raises(UnknownIdError, match=r"no kind 'shop'"):
        policy.with_access(kind="shop", mode="walk")


def test_asking_for_a_target_or_kind_that_is_not_there_lists_those_that_are():
    policy = load_policy("shaoyang_2025")
    with pytest.raises(UnknownIdError, match="no target 'visits'; there are: county_dementia_unit"):
        policy.target("visits")
    with pytest.raises(UnknownIdError, match="no kind 'shop'; there are: service_centre"):
        policy.kind("shop")


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["zh", "en", "of", "street", "id"]), st.text(max_size=3), max_size=2),
)


@settings(max_examples=5 * settings.default.max_examples)
@given(data=st.data())
def test_whatever_stands_in_the_place_of_any_value_the_file_loads_or_is_refused_in_one_sentence(data):
    raw = tomllib.loads(CLINICS)
    here = raw
    while True:
        key = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        inner = here[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            here[key] = data.draw(ODD)
            break
        here = inner
    try:
        found = policy_from(raw, source="mine.toml")
    except ConfigError as error:
        found = str(error)
    if isinstance(found, str):
        assert found.startswith("mine.toml: ")
        assert "\n" not in found
    else:
        assert policy_from(found.model_dump()) == found
