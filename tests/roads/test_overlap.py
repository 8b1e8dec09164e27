"""How much of a unit a catchment holds, worked out on squares of a kilometre."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import MultiPolygon, Point, box

from sy_coverage import roads
from sy_coverage.errors import FrameError, MissingCRSError

CRS = "EPSG:4546"
EAST, NORTH = 500_000.0, 3_000_000.0


def square(east: float, north: float, wide: float = 1.0, high: float = 1.0):
    return box(
        *(
            EAST + east * 1000,
            NORTH + north * 1000,
            EAST + (east + wide) * 1000,
            NORTH + (north + high) * 1000,
        )
    )


@pytest.fixture
def frames():
    """Return two units side by side, a third without elders apart, and catchments of 5 and 10 minutes."""
    units = gpd.GeoDataFrame(
        geometry=[square(2, 0, 2, 2), square(0, 0, 2, 2), square(9, 9)], index=["u2", "u1", "u3"], crs=CRS
    )
    index = pd.MultiIndex.from_tuples([("f", 5.0), ("f", 10.0)], names=["facility_id", "cutoff_min"])
    hollow = MultiPolygon([square(0, 0, 3, 1), square(9.5, 9.5, 0.5, 0.5)])
    catchments = gpd.GeoDataFrame(geometry=[square(0, 0), hollow], index=index, crs=CRS)
    at = {
        "a": (0.5, 0.5, 60, "u1"),
        "b": (0.5, 1.5, 40, "u1"),
        "c": (2.5, 0.5, 30, "u2"),
        "d": (1.5, 0.5, 70, "u2"),
    }
    demand = gpd.GeoDataFrame(
        {"elders": [v[2] for v in at.values()], "unit_id": [v[3] for v in at.values()]},
        geometry=[Point(EAST + x * 1000, NORTH + y * 1000) for x, y, *_ in at.values()],
        index=list(at),
        crs=CRS,
    )
    return catchments, units, demand


def test_shares_of_area_elders_and_villages_are_those_worked_out_by_hand(frames) -> None:
    table = roads.catchment_overlap(*frames)
    five = table.loc[("f", 5.0, "u1")]
    assert five["area_km2"] == pytest.approx(1.0, rel=1e-9)
    assert five["area_share"] == pytest.approx(0.25, rel=1e-9)
    assert (five["elders"], five["elder_share"], five["villages"], five["village_share"]) == (60, 0.6, 1, 0.5)
    ten = table.xs(10.0, level="cutoff_min").droplevel("facility_id")
    assert ten.index.tolist() == ["u1", "u2", "u3"]
    assert ten["area_share"].tolist() == pytest.approx([0.5, 0.25, 0.25], rel=1e-9)
    # village d lies on the ground of u1 and belongs to u2: it counts for u2
    assert ten["villages"].tolist() == [1, 2, 0]
    assert ten["elder_share"].tolist()[:2] == [0.6, 1.0]
    assert np.isnan(ten["elder_share"]["u3"])


def test_the_order_of_rows_and_the_crs_of_frames_change_nothing(frames) -> None:
    catchments, units, demand = frames
    turned = roads.catchment_overlap(catchments.iloc[::-1], units.iloc[::-1], demand.iloc[::-1].to_crs(4326))
    pd.testing.assert_frame_equal(turned, roads.catchment_overlap(*frames))


def test_a_longer_cutoff_holds_no_less(frames) -> None:
    table = roads.catchment_overlap(*frames)
    short, long = (table.xs(c, level="cutoff_min") for c in (5.0, 10.0))
    assert (long.reindex(short.index) >= short).all(axis=None)


def test_frames_that_do_not_fit_are_named(frames) -> None:
    catchments, units, demand = frames
    with pytest.raises(MissingCRSError, match="units"):
        roads.catchment_overlap(
            catchments, gpd.GeoDataFrame(geometry=list(units.geometry), index=units.index), demand
        )
    with pytest.raises(FrameError, match="unit_id names no unit for a, b"):
        roads.catchment_overlap(catchments, units.drop("u1"), demand)
    with pytest.raises(FrameError, match="these repeat: u1"):
        roads.catchment_overlap(catchments, units.rename(index={"u2": "u1"}), demand)
