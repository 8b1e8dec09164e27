"""A study file says what it means, or is refused in one sentence."""

from pathlib import Path

import pytest

from sy_coverage.errors import ConfigError, MissingFileError
from sy_coverage.study import read_config

GOOD = """
[study]
name = "试验"
date = 2027-12-31
[boundaries]
units = "units.gpkg"
[facilities]
files = ["facilities.csv"]
[demand]
villages = "villages.csv"
[roads]
source = "roads.osm.pbf"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_short_study_is_enough_and_the_rest_has_defaults(tmp_path):
    config = read_config(written(tmp_path, GOOD))
    assert config.study.policy == "shaoyang_2025"
    assert config.study.language == "zh"
    assert config.candidates.generate == 0


def test_a_study_cannot_be_changed_after_it_was_read(tmp_path):
    config = read_config(written(tmp_path, GOOD))
    with pytest.raises(ValueError, match="frozen"):
        config.study.name = "other"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            ("[roads]", "[roads]\nsauce = 1"),
            r"study\.toml: unknown key 'roads\.sauce' \(did you mean 'source'\?\)",
        ),
        (("[study]", "[studdy]"), r"'study' is missing"),
        (("date = 2027-12-31", 'date = "soon"'), r"'study\.date'"),
        (("[roads]", "[siting]\nshare = 65\n[roads]"), r"'siting\.share'.*less than or equal to 1, not 65"),
        (
            ("[roads]", "[siting]\nscope = 'town'\n[roads]"),
            r"'siting\.scope'.*'county' or 'city', not 'town'",
        ),
        (("[roads]", "[phases]\nsoon = { budget = 1 }\n[roads]"), r"phases are years such as 2026, not soon"),
        (("[roads]", "[phases]\n2026 = {}\n[roads]"), r"give a budget or a number of sites"),
        (("[roads]", "[access]\ncutoff_min = { street = -5 }\n[roads]"), r"greater than 0, not -5"),
        (('files = ["facilities.csv"]', "files = []"), r"'facilities\.files'"),
    ],
)
def test_a_wrong_study_names_the_file_the_key_and_what_is_allowed(tmp_path, change, says):
    with pytest.raises(ConfigError, match=says):
        read_config(written(tmp_path, GOOD.replace(*change)))


def test_every_wrong_key_is_named_at_once(tmp_path):
    text = GOOD.replace("[roads]", "[map]\ncolour = 1\n[roads]\nspeed = 3")
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path, text))
    assert "map.colour" in str(caught.value)
    assert "roads.speed" in str(caught.value)


def test_a_study_file_that_is_not_there_or_not_toml_is_one_sentence(tmp_path):
    with pytest.raises(MissingFileError, match="there is no such file"):
        read_config(tmp_path / "no.toml")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_config(written(tmp_path, "[study"))
