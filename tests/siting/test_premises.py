"""Schools and public buildings of a map become candidates where a unit has no centre, and junctions where nobody has a name."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest

from sy_coverage import read_study, roads, siting
from sy_coverage.errors import ConfigError, InputError
from sy_coverage.places import read_osm_premises
from sy_coverage.policy import load_policy
from tests import toy
from tests.study.test_cli import change

PLACES = {  # osm id, km, tags
    "n901": (13, 'k="amenity" v="school"'),
    "n902": (17, 'k="disused:amenity" v="school"'),
    "n903": (16, 'k="office" v="government"'),
    "n904": (3, 'k="amenity" v="townhall"'),  # in the unit that has a centre
    "n905": (24, 'k="shop" v="bakery"'),
    "n906": (55, 'k="amenity" v="school"'),  # in no unit
}


def extract(path):
    """Write the toy road with some places beside it."""
    points = gpd.GeoSeries([toy.at(km) for km, _ in PLACES.values()], crs=toy.CRS).to_crs("EPSG:4326")
    nodes = "".join(
        f'<node id="{i[1:]}" version="1" lat="{p.y:.7f}" lon="{p.x:.7f}"><tag {tag}/><tag k="name" v="所{i}"/></node>'
        for (i, (_, tag)), p in zip(PLACES.items(), points, strict=True)
    )
    path.write_text(toy.roads_xml().replace("<way", nodes + "<way", 1), encoding="utf-8")
    return path


def test_schools_and_public_buildings_in_use_are_no_unused_premises_and_disused_ones_are(tmp_path):
    premises = read_osm_premises(extract(tmp_path / "a.osm"), units=toy.units())
    assert premises["premises"].to_dict() == {
        "n901": "unknown", "n902": "idle_school", "n903": "unknown", "n904": "unknown",
    }  # fmt: skip
    assert premises.loc["n902", "unit_id"] == "990100100"
    with pytest.raises(InputError, match="OpenStreetMap extract"):
        read_osm_premises(tmp_path / "a.csv", units=toy.units())


def test_the_places_nearest_to_the_elders_are_added_where_a_unit_has_no_centre(tmp_path):
    premises = read_osm_premises(extract(tmp_path / "a.osm"), units=toy.units())
    none = toy.candidates().iloc[:0]
    added = siting.premises_candidates(
        toy.units(),
        toy.facilities(),
        none,
        toy.demand(),
        premises,
        policy=load_policy("shaoyang_2025"),
        per_unit=2,
    )
    # 甲镇's elders are around km 16.5: 903 and 902 at half a kilometre, 901 farther; 城东街道 has a centre
    assert added.index.tolist() == ["O-n902", "O-n903"]
    assert added["cost"].tolist() == [100, 100]
    assert added["located_by"].unique().tolist() == ["openstreetmap"]
    with pytest.raises(InputError, match="costs: none for service_centre in premises idle_school"):
        siting.premises_candidates(
            toy.units(), toy.facilities(), none, toy.demand(), premises,
            policy=load_policy("shaoyang_2025"), costs={"service_centre": {"public_building": 1.0}},
        )  # fmt: skip


def test_a_study_takes_them_from_its_roads_and_says_in_their_names_that_one_must_ask(tmp_path):
    study = toy.write_study(tmp_path)
    extract(tmp_path / "roads.osm")
    change(
        study,
        '[candidates]\nfiles = ["candidates.csv"]',
        "[candidates]\nosm = 3\ncosts = { service_centre = { public_building = 77 } }",
    )
    found = read_study(study).candidates
    assert found.index.tolist() == ["O-n901", "O-n902", "O-n903"]
    assert found["name"].iloc[0] == "所n901（OpenStreetMap 点位，可否使用待核实）"
    assert found["cost"].tolist() == [77, 100, 77]
    change(study, 'source = "roads.osm"', 'source = "osm"')
    with pytest.raises(ConfigError, match="name an extract"):
        _ = read_study(study).candidates


def test_a_site_amid_nameless_points_moves_on_to_the_nearest_junction_of_its_unit():
    # the toy road with two side roads, at km 14 and km 18; everywhere else it only goes on
    nodes = pd.concat(
        [
            toy.road_nodes(),
            pd.DataFrame(
                {"node_id": [91, 92], "x": [toy.EAST + 14_000, toy.EAST + 18_000], "y": toy.NORTH + 900}
            ),
        ]
    )
    side = pd.DataFrame(
        {"u": [14, 91, 18, 92], "v": [91, 14, 92, 18], "length_m": 900.0, "drive_min": 0.9, "walk_min": 18.0}
    )
    meeting = roads.junctions(roads.from_edges(nodes, pd.concat([toy.road_edges(), side]), crs=toy.CRS))
    assert meeting.index.tolist() == [14, 18]
    nameless = toy.demand().assign(name=None)
    made = siting.generate_candidates(
        toy.units(), toy.facilities(), toy.candidates().iloc[:0], nameless,
        policy=load_policy("shaoyang_2025"), per_unit=1, kinds=("service_centre",), junctions=meeting,
    )  # fmt: skip
    km = ((made.geometry.to_crs(toy.CRS).x - toy.EAST) / 1000).round(3)
    # 甲镇: the heaviest village stands at km 18, a junction; 乙镇 and 丙乡 have none and keep the point of their elders
    assert km.to_dict() == {"G-990100100-1": 18, "G-990100101-1": 22, "G-990100200-1": 32}
    assert made["priced_as"].tolist() == ["new", "village_office", "village_office"]
    assert made["name"].tolist() == ["甲镇", "乙镇", "丙乡"]
