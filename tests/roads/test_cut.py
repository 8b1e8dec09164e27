"""Many areas are cut out of one extract in a single pass, each as it would be read alone."""

from __future__ import annotations

import pytest
import shapely

from sy_coverage import _osm, roads
from sy_coverage.errors import CannotWriteError, InputError
from tests.roads.test_osm import extract

STREET = {"highway": "residential"}
# a street of 12 pieces to the east, a side street at every third node, a gate at node 5, a turn that is forbidden at node 3
NODES = {k: (k, 0) for k in range(13)} | {100 + k: (k, 1) for k in range(0, 13, 3)}
WAYS = [([k, k + 1], STREET) for k in range(12)] + [([k, 100 + k], STREET) for k in range(0, 13, 3)]
BAN = (
    "<relation id='1' version='1'><member type='way' ref='102' role='from'/><member type='node' ref='3' role='via'/>"
    "<member type='way' ref='113' role='to'/><tag k='type' v='restriction'/><tag k='restriction' v='no_left_turn'/></relation>"
)


@pytest.fixture
def file(tmp_path):
    return extract(tmp_path, NODES | {5: (5, 0, {"barrier": "bollard"})}, WAYS, BAN)


def strips(path) -> dict[str, object]:
    """Return three strips of the street that overlap, and a place where no road is."""
    ways = _osm.read_ways(path, keys=("highway",), wanted=frozenset({"highway"}))
    west, south, east, north = (*ways.lonlat.min(axis=0), *ways.lonlat.max(axis=0))
    step = (east - west) / 12
    return {
        name: shapely.box(west + a * step, south, west + b * step, north)
        for name, (a, b) in {"west": (0, 4.5), "middle": (3.5, 9), "east": (7.5, 12)}.items()
    } | {"nowhere": shapely.box(west + 1, south + 1, west + 1.1, south + 1.1)}


def test_every_area_is_the_network_that_is_read_of_it_alone(tmp_path, file) -> None:
    areas = strips(file)
    found = roads.cut_osm(file, tmp_path / "cut", areas=areas, modes=("drive", "walk"), buffer_m=0)
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == [
        "east.network",
        "middle.network",
        "west.network",
    ]
    assert list(found) == ["west", "middle", "east"]
    for name, path in found.items():
        alone = roads.read_osm(file, area=areas[name], modes=("drive", "walk"), buffer_m=0)
        cut = roads.load(path)
        assert cut.digest == alone.digest
        assert dict(cut.notes) == dict(alone.notes)
    # the ban stands in the west; the gate at node 5 in the middle, and at the very end of the west
    closed = {name: roads.load(path).notes for name, path in found.items()}
    assert closed["west"]["turn_restrictions_honoured"] == 1
    assert "turn_restrictions_honoured" not in closed["east"]
    assert closed["west"]["turns_closed_to_drive"] == 1
    assert closed["middle"]["turns_closed_to_drive"] == 2
    assert closed["east"]["turns_closed_to_drive"] == 0


def test_a_draft_with_negative_ids_is_cut_too(tmp_path, file) -> None:
    draft = tmp_path / "draft.osm"
    draft.write_text(file.read_text(encoding="utf-8").replace("'12'", "'-12'"), encoding="utf-8")
    areas = {"east": strips(file)["east"]}
    found = roads.cut_osm(draft, tmp_path / "cut", areas=areas, buffer_m=0)
    assert roads.load(found["east"]).digest == roads.read_osm(draft, area=areas["east"], buffer_m=0).digest


def test_names_that_are_no_files_and_folders_that_are_none_are_refused(tmp_path, file) -> None:
    area = strips(file)["west"]
    with pytest.raises(InputError, match="areas"):
        roads.cut_osm(file, tmp_path, areas={"a/b": area})
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(CannotWriteError):
        roads.cut_osm(file, tmp_path / "taken", areas={"a": area})
    assert roads.cut_osm(file, tmp_path / "cut", areas={}) == {}
