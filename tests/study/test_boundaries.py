"""A study's boundaries may be the administrative areas of an OpenStreetMap extract."""

from __future__ import annotations

import pytest

from sy_coverage import read_study
from sy_coverage.errors import ConfigError, FrameError, OfflineError
from sy_coverage.study.results.save import require_writable
from tests import toy
from tests.study.test_cli import change


def test_boundaries_may_be_areas_of_an_extract_at_a_level_the_study_names(tmp_path, shared_data):
    extract = shared_data / "roads" / "liechtenstein-2021.osm.pbf"
    study = toy.write_study(tmp_path)
    change(study, 'units = "units.gpkg"', f'units = "{extract}"\nadmin_level = 8')
    units = read_study(study).units
    assert len(units) == 11
    assert {"Vaduz", "Schaan", "Balzers"} <= set(units["name"])
    assert units["boundary_quality"].unique().tolist() == ["openstreetmap"]
    # 160 km² are the whole country, and its communes do not overlap
    assert 155 < units.to_crs("EPSG:32632").area.sum() / 1e6 < 165
    change(study, "admin_level = 8", "admin_level = 7")
    with pytest.raises(FrameError, match="no whole area of admin_level 7"):
        _ = read_study(study).units


def test_a_level_that_is_none_is_refused(tmp_path):
    study = toy.write_study(tmp_path)
    change(study, 'units = "units.gpkg"', 'units = "units.gpkg"\nadmin_level = 80')
    with pytest.raises(ConfigError, match="admin_level"):
        read_study(study)


def test_a_database_of_results_is_an_address_and_is_not_asked_for_where_only_one_county_is_written(tmp_path):
    study = toy.write_study(tmp_path)
    change(study, "date = 2027-12-31", 'date = 2027-12-31\ndatabase = "results.gpkg"')
    with pytest.raises(ConfigError, match="say the address of a database: postgresql://"):
        read_study(study)
    change(study, '"results.gpkg"', '"postgresql://nobody@127.0.0.1:1/none#x"')
    require_writable(read_study(study).answers, tmp_path / "out", whole=False)
    with pytest.raises(OfflineError, match="cannot be reached"):
        require_writable(read_study(study).answers, tmp_path / "out")
