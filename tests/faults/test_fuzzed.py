"""What fuzzing found, kept: each file is refused by an error of ours, or read."""

import sys

import pytest

from sy_coverage import places, roads
from sy_coverage._files import read_grid
from sy_coverage.errors import FrameError, InputError, UnreadableFileError
from tests import toy
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))


@pytest.mark.parametrize("parser", ["tables", "boundaries", "osm"])
def test_every_seed_of_the_fuzzer_is_read_by_every_reader_it_is_given_to(parser):
    import fuzz

    feed, seeds = fuzz.MAKERS[parser](), fuzz.seeds_of(parser)
    fuzz.require_read(feed, seeds)
    assert feed.read == [len(seeds)] * len(feed.readers)
    with pytest.raises(SystemExit, match="refused by a reader"):
        fuzz.require_read(fuzz.MAKERS[parser](), [b"{}"])


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('version="1" lat', 'version="1{{" lat'),
        ('<node id="1"', '<node id="x"'),
        ('<node id="1"', '<node id="99999999999999999999999"'),
        ('ref="1"', 'ref=""'),
        ('lat="', 'lat="NaN'),
        ('lat="', 'lat="1e400'),
        ("<osm", "<gpx"),
    ],
)
def test_an_osm_file_with_one_wrong_word_is_refused(tmp_path, good, bad):
    text = toy.roads_xml()
    assert good in text
    path = tmp_path / "roads.osm"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(InputError):
        roads.read_osm(path)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ('node id="1"', "node", "names no node"),
        ('source="1"', "", "names no node"),
        ("epsg:4326", "epsg:", "its coordinate system 'epsg:' is unknown"),
        ("</data></edge>", '</data><data key="geometry">LINE</data></edge>', "no WKT"),
    ],
)
def test_a_saved_graph_with_one_wrong_word_is_refused(tmp_path, good, bad, said):
    import fuzz

    assert good in fuzz.GRAPHML
    path = tmp_path / "roads.graphml"
    path.write_text(fuzz.GRAPHML.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=said):
        roads.read_osm(path)


@pytest.mark.parametrize("name", ["u_for_edge", "incoming_graph_data", "attr", "²"])
def test_an_attribute_of_a_saved_graph_may_have_any_name(tmp_path, name):
    import fuzz

    path = tmp_path / "roads.graphml"
    more = f'<data key="{name}">x</data>'
    text = fuzz.GRAPHML.replace("</data></edge>", f"</data>{more}</edge>").replace('"2"', '"²"')
    path.write_text(text.replace("<node", f"{more}<node", 1), encoding="utf-8")
    assert len(roads.read_osm(path).links) == 1


@pytest.mark.parametrize("suffix", [".csv", ".kml", ".vrt", ".gml", ""])
@pytest.mark.parametrize("kind", [".gpkg", ".geojson", ".fgb"])
def test_row_11_a_layer_under_another_name_is_refused_before_a_driver_is_chosen_by_that_name(
    tmp_path, kind, suffix
):
    import fuzz

    path = tmp_path / f"units{suffix}"
    path.write_bytes(fuzz.written(kind))
    with pytest.raises(UnreadableFileError, match=f"under another name; rename it to end in {kind}"):
        read_grid(path)
    path.rename(tmp_path / f"units{kind.upper()}")
    assert read_grid(tmp_path / f"units{kind.upper()}").cells[1][0] == "430522100"


def test_a_collection_whose_features_have_no_properties_is_refused(tmp_path):
    """Read by the name ``.csv``, this file once had columns of different lengths."""
    import fuzz

    path = tmp_path / "units.geojson"
    path.write_text(" " + fuzz.GEOJSON.replace('"properties"', '"prgperties"'), encoding="utf-8")
    with pytest.raises(FrameError, match="is missing"):
        places.read_units(path, coordinate_system="wgs84")


@pytest.mark.parametrize("parser", ["tables", "boundaries", "osm", "tags"])
def test_a_second_of_fuzzing_finds_nothing(parser):
    import random

    import fuzz

    seeds = fuzz.seeds_of(parser)
    feed, chance = fuzz.MAKERS[parser](), random.Random(7)  # noqa: S311  (mutations, no secrets)
    tries = {"tables": 150, "boundaries": 150, "osm": 100, "tags": 5000}[parser]
    for content in [*seeds, *(fuzz.mutated(chance.choice(seeds), chance) for _ in range(tries))]:
        wrong = fuzz.tried(feed, content)
        assert wrong is None, f"{content!r}: {wrong}"


def test_findings_with_any_wrong_words_are_refused_or_read():
    import gzip
    import random

    import fuzz

    from sy_coverage.outputs import store
    from tests.outputs.conftest import make_findings

    whole, chance = gzip.decompress(store.packed(make_findings())), random.Random(7)  # noqa: S311  (mutations)
    system, head = whole.index(b"EPSG:4326"), whole.index(b'"version"')
    wrong = [whole[:system] + b"EPSGG:4326" + whole[system + 9 :], whole[:head] + b"[" * 100_000]
    for content in [*wrong, *(fuzz.mutated(whole, chance) for _ in range(60))]:
        try:
            store.unpacked(gzip.compress(content, 1), file="findings")
        except UnreadableFileError:
            continue


def test_a_damaged_file_is_called_damaged(tmp_path):
    path = tmp_path / "roads.osm"
    path.write_text(toy.roads_xml().replace('version="1" lat', 'version="1{{" lat', 1), encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="damaged"):
        roads.read_osm(path)
