"""Nobody, nowhere, one of each and all unreachable: every question of the roads room has an answer of the right form."""

from __future__ import annotations

import itertools
import re

import geopandas as gpd
import numpy as np
import pytest
from scipy import sparse

from sy_coverage import read_study, roads
from sy_coverage.errors import FrameError, InputError
from sy_coverage.policy import load_policy
from sy_coverage.roads import TravelTimes
from tests import toy


def far_off(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    two = frame.iloc[:2]
    return two.set_geometry(gpd.points_from_xy([0.0, 1.0], [0.0, 0.0]), crs="EPSG:4326")


SIZES = {
    "none": lambda frame: frame.iloc[:0],
    "bare": lambda _: gpd.GeoDataFrame(geometry=[], crs="EPSG:4326"),
    "one": lambda frame: frame.iloc[:1],
    "all": lambda frame: frame,
    "far": far_off,
}
PAIRS = list(itertools.product(SIZES, SIZES))


@pytest.fixture(scope="module")
def net() -> roads.RoadNetwork:
    return roads.from_edges(toy.road_nodes(), toy.road_edges(), crs=toy.CRS)


@pytest.mark.parametrize(("sites", "demand"), PAIRS)
@pytest.mark.parametrize("direction", ["to_site", "from_site"])
@pytest.mark.parametrize(("mode", "cutoff"), [("drive", 30), ("walk", 0), ("drive", np.inf)])
def test_row_101_travel_times_have_a_row_a_site_and_a_column_a_point(
    net, sites, demand, direction, mode, cutoff
) -> None:
    here, there = SIZES[sites](toy.facilities()), SIZES[demand](toy.demand())
    times = net.travel_times(here, there, mode=mode, cutoff_min=cutoff, direction=direction)
    assert times.minutes.shape == (len(here), len(there))
    times.minutes.check_format(full_check=True)
    assert times.to_dense().shape == (len(here), len(there))
    assert len(times.to_frame()) == times.minutes.nnz
    assert times.nearest_minutes().index.tolist() == list(there.index)
    assert (
        times.select(sites=times.site_ids[::-1], demand=times.demand_ids[::-1]).minutes.nnz
        == times.minutes.nnz
    )
    if {sites, demand} & {"none", "bare", "far"}:
        assert times.minutes.nnz == 0
    assert times.unreachable_sites == (times.site_ids if sites == "far" else ())
    assert times.unreachable_demand == (times.demand_ids if demand == "far" else ())


@pytest.mark.parametrize(("sites", "demand"), PAIRS)
@pytest.mark.parametrize("k", [1, 3])
def test_row_101_the_nearest_of_no_sites_is_missing_and_of_nobody_is_an_empty_frame(
    net, sites, demand, k
) -> None:
    here, there = SIZES[sites](toy.facilities()), SIZES[demand](toy.demand())
    near = net.nearest(here, there, mode="drive", k=k)
    assert near.index.tolist() == list(there.index)
    assert near.shape[1] == 2 * k
    if sites in {"none", "bare", "far"} or demand == "far":
        assert near.isna().all().all()


@pytest.mark.parametrize("sites", SIZES)
@pytest.mark.parametrize("units", [0, 1, 4])
@pytest.mark.parametrize("demand", [size for size in SIZES if size != "bare"])
def test_row_101_catchments_and_what_they_hold_are_empty_where_nobody_is(net, sites, units, demand) -> None:
    here, ground = SIZES[sites](toy.facilities()), toy.units().iloc[:units]
    there = SIZES[demand](toy.demand())
    there = there[there["unit_id"].isin(ground.index)]
    assert list(net.snap(here, mode="drive").index) == list(here.index)
    sheds = net.catchments(here, mode="drive", cutoffs_min=(5, 10), within=ground, without=ground.iloc[:0])
    assert sheds.index.names == ["facility_id", "cutoff_min"]
    drawn = net.catchments(here, mode="drive", cutoffs_min=(5, 10))
    assert len(drawn) == (0 if sites in {"none", "bare", "far"} else 2 * len(here))
    overlap = roads.catchment_overlap(drawn, ground, there)
    assert overlap.index.names == ["facility_id", "cutoff_min", "unit_id"]
    assert overlap.columns.tolist() == [
        "area_km2",
        "area_share",
        "elders",
        "elder_share",
        "villages",
        "village_share",
    ]
    if not (len(drawn) and units):
        assert overlap.empty


def test_row_101_a_frame_without_the_columns_it_needs_says_which(net) -> None:
    sheds = net.catchments(toy.facilities(), mode="drive", cutoffs_min=(5,))
    with pytest.raises(FrameError, match="columns are missing: elders, unit_id"):
        roads.catchment_overlap(sheds, toy.units(), SIZES["bare"](None))


def test_row_101_times_from_no_node_and_from_one(net) -> None:
    assert net.node_times([], mode="drive", cutoff_min=3).minutes.shape == (0, 41)
    alone = net.node_times([0], mode="drive", cutoff_min=0)
    assert alone.to_frame().to_numpy().tolist() == [[0, 0, 0.0]]


def test_row_101_a_network_without_a_road_reaches_nothing() -> None:
    empty = roads.from_edges(toy.road_nodes(), toy.road_edges().iloc[:0], crs=toy.CRS)
    times = empty.travel_times(toy.facilities(), toy.demand(), mode="drive", cutoff_min=30)
    assert times.minutes.nnz == 0
    assert times.unreachable_demand == times.demand_ids
    assert empty.nearest(toy.facilities(), toy.demand(), mode="drive").isna().all().all()
    assert empty.catchments(toy.facilities(), mode="drive", cutoffs_min=(5,)).empty


def test_row_101_a_policy_without_homes_that_must_lie_apart_is_planned_to_the_end(tmp_path) -> None:
    study_file = toy.write_study(tmp_path)
    shipped = load_policy("shaoyang_2025")
    homes = {t.id for t in shipped.targets if set(getattr(t.measure, "kinds", ())) & set(shipped.home_kinds)}
    text = re.sub(r"(?m)^homes = .*$", "", shipped_text())
    blocks = re.split(r"(?m)^(?=\[\[targets\]\])", text)
    kept = [b for b in blocks if not any(re.search(rf'(?m)^id = "{i}"', b) for i in homes)]
    assert len(kept) < len(blocks)
    (tmp_path / "policy.toml").write_text("".join(kept), encoding="utf-8")
    config = study_file.read_text(encoding="utf-8").replace('"shaoyang_2025"', '"policy.toml"')
    config = config.replace("[siting]", "[siting]\nmedical_min = 30")
    study_file.write_text(config, encoding="utf-8")
    study = read_study(study_file)
    assert study.policy.home_kinds == ()
    assert study.to_medical.minutes.shape[1] == 0
    assert study.between_homes.minutes.shape == (0, 0)
    assert study.propose("990100").certificate is not None


def shipped_text() -> str:
    from importlib.resources import files

    return files("sy_coverage.policy").joinpath("shaoyang_2025.toml").read_text(encoding="utf-8")


def csr(*, data=(1.0, 2.0, 3.0), indices=(0, 2, 1), indptr=(0, 2, 3), shape=(2, 3)):
    table = sparse.csr_array(shape)
    table.data, table.indices, table.indptr = np.array(data), np.array(indices), np.array(indptr)
    return table


def test_travel_times_that_fit_are_taken() -> None:
    times = TravelTimes(csr(), ("a", "b"), ("x", "y", "z"), cutoff_min=3.0)
    assert times.to_dense().tolist() == [[1.0, np.inf, 2.0], [np.inf, 3.0, np.inf]]
    assert TravelTimes(csr(data=(0.0, 0.0, 3.0)), ["a", "b"], np.array(["x", "y", "z"]), 3).site_ids == (
        "a",
        "b",
    )
    # 1.1 + 2.2 is a little more than 3.3
    assert TravelTimes(csr(data=(1.1 + 2.2, 0, 0)), ("a", "b"), ("x", "y", "z"), 3.3).minutes.nnz == 3


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"data": (1.0, np.nan, 3.0)}, r"\(0, 2\); 1 are not"),
        ({"data": (1.0, np.inf, 3.0)}, r"\(0, 2\); 1 are not"),
        ({"data": (-1.0, 2.0, -0.1)}, r"\(0, 0\), \(1, 1\); 2 are not"),
        ({"data": (1.0, 2.0, 3.001)}, r"within 3 at .* \(1, 1\); 1 are not"),
        ({"indices": (0, 3, 1)}, "demand points that are not there"),
        ({"indices": (0, -1, 1)}, "demand points that are not there"),
        ({"indices": (2, 0, 1)}, "in order and no pair given twice"),
        ({"indices": (2, 2, 1)}, "in order and no pair given twice"),
        ({"indptr": (0, 2, 4)}, "do not fit together"),
        ({"indptr": (1, 2, 3)}, "do not fit together"),
        ({"indptr": (0, 4, 3)}, "do not fit together"),
        ({"indptr": (0, 3)}, "do not fit together"),
        ({"data": (1.0, 2.0)}, "do not fit together"),
    ],
)
def test_travel_times_check_themselves_when_they_are_made(table, reason) -> None:
    with pytest.raises(InputError, match=reason):
        TravelTimes(csr(**table), ("a", "b"), ("x", "y", "z"), cutoff_min=3.0)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"site_ids": ("a",)}, "do not fit 1 sites"),
        ({"site_ids": ("a", "a")}, "more than once: a"),
        ({"demand_ids": ("x", "y", "x")}, "more than once: x"),
        ({"cutoff_min": np.nan}, "cutoff_min nan"),
        ({"cutoff_min": -1.0}, "cutoff_min -1"),
        ({"minutes": np.ones((2, 3))}, "scipy CSR"),
        ({"minutes": sparse.coo_array(np.ones((2, 3)))}, "scipy CSR"),
        ({"minutes": sparse.csr_array((0, 0))}, "do not fit 2 sites"),
    ],
)
def test_what_are_no_travel_times_is_refused(given, reason) -> None:
    usual = {"minutes": csr(), "site_ids": ("a", "b"), "demand_ids": ("x", "y", "z"), "cutoff_min": 3.0}
    with pytest.raises(InputError, match=reason):
        TravelTimes(**{**usual, **given})


def test_nothing_to_change_to_cut_or_to_fit_is_answered_or_said(net, tmp_path) -> None:
    nobody = toy.demand().iloc[:0]
    assert net.with_changes(add=nobody, close=nobody, slow=nobody).digest == net.digest
    assert net.route(far_off(toy.demand()).iloc[:1], toy.demand().iloc[:1], "drive") is None
    with pytest.raises(InputError, match="give one point each, not 0 and 1"):
        net.route(nobody, toy.demand().iloc[:1], "drive")
    (tmp_path / "roads.osm").write_text(toy.roads_xml(), encoding="utf-8")
    assert roads.cut_osm(tmp_path / "roads.osm", tmp_path / "cut", areas={}) == {}
    (tmp_path / "od.csv").write_text("from,to,minutes\n", encoding="utf-8")
    known = roads.read_times(tmp_path / "od.csv")
    assert (known.size, known.origin_ids) == (0, frozenset())
    assert (
        net.travel_times(nobody, toy.demand(), mode="drive", cutoff_min=5)
        .with_pairs(known.by_mode[""])
        .to_frame()
        .empty
    )
