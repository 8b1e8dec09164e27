"""A study worked out county by county says of each county what the study says of it alone, goes on where it was stopped, and reads in parts."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from sy_coverage import counties, read_study, roads
from sy_coverage.cli import app
from sy_coverage.counties import province
from sy_coverage.counties.crew import Failed, attempt
from sy_coverage.errors import CannotWriteError, ConfigError, UnknownIdError, UnreadableFileError
from sy_coverage.outputs import store
from sy_coverage.outputs.store.frames import read_frame, written_frame
from sy_coverage.study.results import gather
from tests import counties_toy, toy

COUNTIES = ("990100", "990200")
QUICK = """
[map]
what_if = "off"
[compare]
trade_off_points = 0
closures = false
rule = false
cutoff_factors = []
"""
DECIDED_BY_THE_WHOLE = ("rural_demo_sites", "urban_demo_sites", "standard_destitute_homes")
"""What a plan of all counties together marks, and a run county by county leaves open."""


class Here:
    """A crew of this process alone; it may lose counties, or be stopped before its work ends."""

    def __init__(self, *, lost=(), stop_after=None):
        self.lost, self.stop_after = lost, stop_after

    def work(self, task, shared, keys):
        for n, key in enumerate(keys):
            if n == self.stop_after:
                raise KeyboardInterrupt
            yield key, Failed("its worker was lost") if key in self.lost else attempt(task, shared, key)

    @contextmanager
    def hired(self):
        yield self


def contents(folder):
    apart = {".lock", "manifest.json"}
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name not in apart
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Give the study of two counties, and its results worked out county by county on a worker."""
    folder = tmp_path_factory.mktemp("province")
    study_file = counties_toy.write_study(folder, counties=2)
    study_file.write_text(study_file.read_text(encoding="utf-8") + QUICK, encoding="utf-8")
    outcome = counties.run(read_study(study_file), folder / "out", workers=1, by_county=True)
    assert (outcome.failed, outcome.kept) == ({}, ())
    return SimpleNamespace(study_file=study_file, out=folder / "out", before=contents(folder / "out"))


def went_on(ran, folder, **crew):
    return province.run_by_county(read_study(ran.study_file), folder, Here(**crew).hired())


@pytest.mark.parametrize("county_id", COUNTIES)
def test_a_county_by_itself_says_what_the_study_says_of_it_alone(ran, county_id):
    alone = gather.findings(read_study(ran.study_file).only([county_id]).answers).of_county(county_id)
    own = store.read_part(ran.out, store.read_index(ran.out), county_id)
    for name in (
        "units",
        "counties",
        "facilities",
        "demand",
        "proposals",
        "catchments",
        "scorecard",
        "reasons",
        "left_out",
        "doubts",
    ):
        one, other = (pd.DataFrame(getattr(found, name)) for found in (alone, own))
        pd.testing.assert_frame_equal(one, other, check_dtype=False, check_index_type=False, obj=name)
    assert own.plans[county_id].sites == alone.plans[county_id].sites
    assert own.plans[county_id].status == "optimal"


def test_all_counties_together_say_what_the_study_says_of_the_whole(ran):
    # the toy's counties are too far apart to serve each other: opened alone or together, it is the same
    whole = read_study(ran.study_file).findings
    own = store.read_part(ran.out, store.read_index(ran.out), store.WHOLE)
    for name in ("counties", "scorecard"):
        one, other = (
            pd.DataFrame(getattr(found, name))
            .sort_index()
            .drop(index=list(DECIDED_BY_THE_WHOLE), level=0, errors="ignore")
            if name == "scorecard"
            else pd.DataFrame(getattr(found, name)).sort_index()
            for found in (whole, own)
        )
        pd.testing.assert_frame_equal(one, other, check_dtype=False, obj=name)
    assert own.units["elders"].sum() == 2 * 1600


def test_nothing_of_the_work_is_left_and_every_county_has_its_files(ran):
    assert not any(path.startswith("work/") for path in ran.before)
    for county_id in COUNTIES:
        assert {f"maps/{county_id}.html", f"proposals/{county_id}.docx", f"layers/{county_id}.gpkg"} <= set(
            ran.before
        )
    listed = json.loads((ran.out / "manifest.json").read_bytes())["outputs"]
    assert set(listed) == set(ran.before)
    page = ran.before["map.html"].decode()
    assert all(f'href="maps/{county_id}.html"' in page for county_id in COUNTIES)
    assert b"https://" not in ran.before["map.html"]


def test_maps_and_reports_of_any_part_are_the_very_bytes_of_the_run(ran, tmp_path):
    folder = shutil.copytree(ran.out, tmp_path / "out")
    for words in (["map", folder, "--county", COUNTIES[1]], ["report", folder], ["map", folder]):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        assert contents(folder) == ran.before
    done = CliRunner().invoke(app, ["map", str(folder), "--county", "990900"])
    assert isinstance(done.exception, UnknownIdError)


@pytest.mark.nightly
def test_row_72_a_run_that_was_stopped_goes_on_and_gives_the_same_bytes(ran, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        went_on(ran, tmp_path / "out", stop_after=1)
    assert b"villages.csv" in (tmp_path / "out" / ".lock").read_bytes()
    # what was half written is no result: damage is noticed, and that county worked out again
    outcome = went_on(ran, tmp_path / "out")
    assert outcome.kept == COUNTIES[:1]
    assert contents(tmp_path / "out") == ran.before
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        went_on(ran, tmp_path / "out", stop_after=1)
    (tmp_path / "out" / "maps" / f"{COUNTIES[0]}.html").write_text("cut short")
    assert went_on(ran, tmp_path / "out").kept == ()
    assert contents(tmp_path / "out") == ran.before


@pytest.mark.nightly
def test_inputs_that_changed_since_a_run_was_stopped_are_said_and_their_county_is_worked_out_again(
    ran, tmp_path
):
    folder = shutil.copytree(ran.study_file.parent, tmp_path / "study", ignore=shutil.ignore_patterns("out"))
    study = SimpleNamespace(study_file=folder / "study.toml")
    with pytest.raises(KeyboardInterrupt):
        went_on(study, folder / "out", stop_after=2)
    villages = folder / "villages.csv"
    text = villages.read_text(encoding="utf-8")
    assert "C村,100.0" in text
    villages.write_text(text[::-1].replace("C村,100.0"[::-1], "C村,103.0"[::-1], 1)[::-1], encoding="utf-8")
    done = CliRunner().invoke(
        app, ["run", str(study.study_file), "--by-county", "--workers", "1", "--out", str(folder / "out")]
    )
    assert done.exit_code == 0, done.output
    assert "villages.csv" in done.output
    assert "沿用上次中断的运行已算完的 1 个" in done.output
    # without a terminal: lines with the time, not silence until the end
    assert "各县逐一计算 2/2" in done.output
    own = store.read_part(folder / "out", store.read_index(folder / "out"), store.WHOLE)
    assert own.units["elders"].sum() == 2 * 1600 + 3


@pytest.mark.nightly
def test_a_county_that_failed_is_said_everywhere_and_the_others_are_whole(ran, tmp_path):
    outcome = went_on(ran, tmp_path / "out", lost=COUNTIES[1:])
    assert outcome.failed == {COUNTIES[1]: "its worker was lost"}
    after = contents(tmp_path / "out")
    own = {path for path in ran.before if COUNTIES[0] in path and not path.startswith("findings/city")}
    assert {path: after[path] for path in own} == {path: ran.before[path] for path in own}
    assert not any(COUNTIES[1] in path for path in after)
    assert "its worker was lost" in after["counties.csv"].decode("utf-8-sig")
    assert b"its worker was lost" in after["map.html"]
    with pytest.raises(UnknownIdError, match="its county failed"):
        store.read_part(tmp_path / "out", store.read_index(tmp_path / "out"), COUNTIES[1])


@pytest.mark.nightly
def test_where_every_county_fails_nothing_stands_as_a_result(ran, tmp_path):
    with pytest.raises(RuntimeError, match="no county could be worked out"):
        went_on(ran, tmp_path / "out", lost=COUNTIES)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_worker_that_writes_to_another_disk_is_noticed(ran, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "run.json").write_text("another run")
    shared = SimpleNamespace(target=tmp_path, run_id="this run")
    with pytest.raises(CannotWriteError, match="is not on a disk that this worker shares"):
        province.work_out(shared, COUNTIES[0])


@pytest.mark.parametrize(
    "asked",
    [
        {"siting": {"require": ["c15-0"]}}, {"siting": {"forbid": ["c15-0"]}}, {"facilities": {"close": ["S1-0"]}},
        {"policy": {"readings": {"scope": "city"}}}, {"phases": {"2026": {"budget": 300}}},
    ],
)  # fmt: skip
def test_what_looks_at_several_counties_at_once_is_refused_in_a_sentence(ran, tmp_path, asked):
    study = read_study(ran.study_file).but(**asked)
    with pytest.raises(ConfigError, match="cannot heed"):
        province.run_by_county(study, tmp_path / "out", Here().hired())


# --- findings as a folder ---------------------------------------------------------------------------------------------


def spoiled(folder, change):
    index = json.loads((folder / "findings" / "index.json").read_bytes())
    change(index)
    (folder / "findings" / "index.json").write_text(json.dumps(index), encoding="utf-8")


def elsewhere(index):
    index["parts"]["../../x"] = index["parts"].pop("990100")
    index["counties"]["../../x"] = index["counties"].pop("990100")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda index: index.update(version=99), "version 99"),
        (lambda index: index.pop("parts"), "damaged"),
        (elsewhere, "cannot name a file"),
        (lambda index: index["parts"].update({"990300": {}}), "damaged"),
        (lambda index: index["parts"]["city"].update({"../../../etc/passwd": ""}), "damaged"),
        (lambda index: index["parts"]["city"].update({"facts.json": "0" * 64}), "damaged"),
        (lambda index: index.update(counties=["990100"]), "damaged"),
    ],
    ids=["version", "no parts", "elsewhere", "unknown county", "another file", "digest", "a list"],
)
def test_row_113_an_index_that_no_run_wrote_is_refused(ran, tmp_path, change, reason):
    folder = shutil.copytree(ran.out, tmp_path / "a" / "out")
    spoiled(folder, change)
    before = sorted(tmp_path.rglob("*"))
    done = CliRunner().invoke(app, ["map", str(folder)])
    assert isinstance(done.exception, ValueError)
    assert reason in str(done.exception)
    assert sorted(tmp_path.rglob("*")) == before


FRAME = gpd.GeoDataFrame(
    {
        "name": ["甲", None, "丙"], "whole": pd.array([1, None, 3], dtype="Int64"), "share": [0.1, np.nan, np.inf],
        "flag": pd.array([True, None, False], dtype="boolean"), "odd": [(1, "a"), {"b": 2}, None], "mixed": ["a", 1, 2.5],
        "day": pd.to_datetime(["2026-01-01", None, "2027-12-31"]), "plain": [1, 2, 3], "yes": [True, False, True],
    },
    geometry=[shapely.Point(111, 27), None, shapely.box(0, 0, 1, 1)], index=pd.Index(["007", "b", "c"], name="unit_id"),
    crs="EPSG:4326",
)  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    [
        FRAME, FRAME.iloc[:0], FRAME.drop(columns="geometry").reset_index(drop=True), FRAME.set_index("plain", append=True),
        FRAME.to_crs("EPSG:4546"), pd.DataFrame({"a": []}),
    ],
    ids=["all kinds", "no rows", "no geometry", "two levels", "metres", "nothing"],
)  # fmt: skip
def test_a_table_comes_back_as_it_was_and_its_bytes_are_the_same(frame):
    content = written_frame(frame)
    again = read_frame(content, file="x", limits=store.folder._LIMITS)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(again))
    assert type(again) is type(frame)
    assert getattr(again, "crs", None) == getattr(frame, "crs", None)
    assert written_frame(again) == content


def test_a_table_is_read_by_any_library_that_reads_geoparquet(tmp_path):
    (tmp_path / "a.parquet").write_bytes(written_frame(FRAME.drop(columns=["odd", "mixed"])))
    read = gpd.read_parquet(tmp_path / "a.parquet")
    assert read.geometry.iloc[0].equals(shapely.Point(111, 27))
    assert read["name"].tolist()[::2] == ["甲", "丙"]


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.99])
def test_a_table_that_is_damaged_or_a_bomb_is_refused(cut):
    content = written_frame(FRAME)
    with pytest.raises(UnreadableFileError, match="damaged"):
        read_frame(
            content[: int(cut * len(content)) if cut < 1 else cut], file="x", limits=store.folder._LIMITS
        )


def test_a_table_whose_pages_stand_for_more_than_they_say_is_refused():
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": ["x" * 10_000] * 100_000}), out)
    with pytest.raises(UnreadableFileError, match="was not written by a run"):
        read_frame(bytes(out.getvalue()), file="x", limits=store.folder._LIMITS)


# --- roads by tile ----------------------------------------------------------------------------------------------------


def lattice(side=24, seed=3):
    """Return a network of crossing roads a kilometre apart, of any speed, some of them one way."""
    chance = np.random.default_rng(seed)
    x, y = (a.ravel() * 1000.0 for a in np.meshgrid(np.arange(side), np.arange(side)))
    nodes = pd.DataFrame({"node_id": np.arange(side * side), "x": x + toy.EAST, "y": y + toy.NORTH})
    edges = []
    for n in range(side * side):
        for other in (n + 1 if (n + 1) % side else None, n + side if n + side < side * side else None):
            if other is not None:
                minutes = chance.uniform(0.5, 4.0)
                edges.append((n, other, 1000.0, minutes))
                if chance.random() > 0.2:
                    edges.append((other, n, 1000.0, chance.uniform(0.5, 4.0)))
    return roads.from_edges(
        nodes, pd.DataFrame(edges, columns=["u", "v", "length_m", "drive_min"]), crs=toy.CRS
    )


@pytest.mark.parametrize("reach_min", [3.0, 8.0])
def test_ways_in_a_piece_take_as_long_as_in_the_whole_network(reach_min):
    whole = lattice()
    corner = [toy.EAST + 8_500, toy.NORTH + 8_500]
    area = shapely.box(*corner, corner[0] + 6_000, corner[1] + 6_000)
    pieces = dict(
        roads.pieces(
            whole, gpd.GeoSeries({"a": area}, crs=toy.CRS), reach_min={"drive": reach_min}, margin_m=100.0
        )
    )
    piece = pieces["a"]
    assert 0 < len(piece.node_ids) < len(whole.node_ids)
    inside = {
        int(i)
        for i, (x, y) in zip(whole.node_ids, whole.node_xy, strict=True)
        if area.contains(shapely.Point(x, y))
    }
    assert inside <= set(piece.node_ids.tolist())
    for start in sorted(inside)[::5]:
        # between places inside, twice as far as roads were kept for; to places outside, as far
        for cutoff, among in ((2 * reach_min, inside), (reach_min, None)):
            far, near = (
                n.node_times([start], mode="drive", cutoff_min=cutoff).to_frame() for n in (whole, piece)
            )
            there = dict(zip(far["demand_id"], far["minutes"], strict=True))
            here = dict(zip(near["demand_id"], near["minutes"], strict=True))
            for node, minutes in there.items():
                if among is None or int(node) in among:
                    assert here[node] == pytest.approx(minutes, abs=1e-12)


def test_bans_and_private_roads_stay_where_their_roads_do():
    whole = lattice(6)
    parts = whole.parts
    object.__setattr__(parts, "forbidden", {"drive": np.array([[0, 0, 1, 0], [40, 1, 41, 0]])})
    object.__setattr__(parts, "ends_only", {"drive": np.array([0, 41])})
    for edge in (0, 41):
        x, y = whole.links.xy[whole.links.start[edge]]
        area = gpd.GeoSeries({"a": shapely.Point(x, y).buffer(10)}, crs=toy.CRS)
        piece = dict(roads.pieces(whole, area, reach_min={"drive": 1.0}, margin_m=1.0))["a"]
        named = piece.parts.forbidden["drive"]
        assert (named[:, ::2] < len(piece.links)).all()
        assert (named[:, ::2] >= 0).all()
        lengths = [piece.links.xy[piece.links.start[e]].tolist() for e in piece.parts.ends_only["drive"]]
        assert [x, y] in lengths
