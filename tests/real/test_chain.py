"""The whole chain on real roads: from an OpenStreetMap extract to a proved plan, maps and proposals."""

import json
import math

import geopandas as gpd
import pandas as pd
import pytest

import sy_coverage as sy
from tests.real.osm_study import write_osm_study


@pytest.fixture(scope="module")
def malta(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("malta")

    def island(councils):
        north = councils.geometry.representative_point().y > 36.005
        return north.map({True: "Gozo", False: "Malta"})

    study = sy.read_study(write_osm_study(folder, shared_data / "roads" / "malta-2018.osm.pbf", island))
    study.save(folder / "out")
    return study, folder / "out"


def counted(out, county_id):
    """Count again from the GeoPackage alone: units, units with an open or proposed centre, homes, cost."""
    layers = {
        name: gpd.read_file(out / "coverage.gpkg", layer=name)
        for name in ("units", "facilities", "proposals")
    }
    own = {name: frame[frame["county_id"] == county_id] for name, frame in layers.items()}
    open_now = own["facilities"][own["facilities"]["status"] == "open"]
    both = pd.concat([open_now[["kind", "unit_id"]], own["proposals"][["kind", "unit_id"]]])
    with_centre = both.loc[both["kind"] == "day_centre", "unit_id"].nunique()
    return (
        len(own["units"]),
        with_centre,
        int((both["kind"] == "care_home").sum()),
        own["proposals"]["cost"].sum(),
    )


def test_every_island_of_malta_meets_its_targets_counted_again_from_the_geopackage(malta):
    study, out = malta
    assert len(study.units) == 67
    for county_id, plan in study.plans.items():
        units, with_centre, homes, cost = counted(out, county_id)
        assert with_centre >= math.ceil(0.65 * units)
        assert homes >= 2
        assert plan.status == "optimal"
        assert plan.objective == plan.bound == pytest.approx(cost, abs=1e-6)


def test_no_road_leads_from_gozo_to_malta_and_the_unreached_are_counted_not_lost(malta):
    study, _ = malta
    gozo, main = (study.units[study.units["county"] == name].index for name in ("Gozo", "Malta"))
    sites = study.facilities[(study.facilities["kind"] == "medical") & study.facilities["unit_id"].isin(main)]
    there = study.demand[study.demand["unit_id"].isin(gozo)]
    near = study.network.nearest(sites, there, mode="drive")
    # ferries without a duration are left out (ferry_kph = 0): every cell of Gozo is out of reach, and is still a row
    assert near["nearest_min"].isna().all()
    assert len(near) == len(there) > 50
    assert len(study.findings.demand) == len(study.demand)


def test_the_manifest_of_malta_names_every_file_that_was_written(malta):
    _, out = malta
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} - {
        "manifest.json",
        ".lock",
    }
    assert files == set(manifest["outputs"])


def test_liechtenstein_is_planned_and_proved(shared_data, tmp_path):
    extract = shared_data / "roads" / "liechtenstein-2021.osm.pbf"
    path = write_osm_study(
        tmp_path, extract, lambda councils: pd.Series("Liechtenstein", index=councils.index)
    )
    study = sy.read_study(path)
    plan = study.propose("980001")
    assert len(study.units) == 11
    assert plan.status == "optimal"
    centres = study.candidates.loc[list(plan.sites)].query("kind == 'day_centre'")["unit_id"].nunique()
    assert centres == math.ceil(0.65 * 11)
