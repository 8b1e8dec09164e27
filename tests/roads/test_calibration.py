"""Speeds fitted to observed times: those of a network of other speeds are found again, outliers and noise or not."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from sy_coverage import roads
from sy_coverage.errors import FrameError, InputError, UnknownModeError
from tests.roads.test_osm import LAT, extract

TRUE = {"primary": 45.0, "tertiary": 48.0, "residential": 17.0}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Return a town's file: a grid of 13 × 13 streets 300 m apart, every sixth a primary road, every third a tertiary one."""
    side = range(13)
    nodes = {100 * i + j + 1: (3 * i, 3 * j) for i, j in itertools.product(side, side)}

    def kind(number: int) -> str:
        return "primary" if number % 6 == 0 else "tertiary" if number % 3 == 0 else "residential"

    ways = [([100 * i + j + 1 for j in side], {"highway": kind(i)}) for i in side]
    ways += [([100 * i + j + 1 for i in side], {"highway": kind(j)}) for j in side]
    ways.append(([1, 5001], {"highway": "track"}))
    return extract(tmp_path_factory.mktemp("town"), nodes | {5001: (-1, -1)}, ways)


def trips(count: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 0.036, (count, 4)) + np.array([111, LAT, 111, LAT])
    return pd.DataFrame(places, columns=["from_lon", "from_lat", "to_lon", "to_lat"])


def observed(net: roads.RoadNetwork, asked: pd.DataFrame) -> pd.DataFrame:
    begin, end = (
        gpd.GeoDataFrame(
            geometry=gpd.points_from_xy(asked[f"{s}_lon"], asked[f"{s}_lat"]),
            index=asked.index.astype(str),
            crs=4326,
        )
        for s in ("from", "to")
    )
    minutes = net.travel_times(end, begin, mode="drive", cutoff_min=500).to_dense()
    return asked.assign(minutes=np.diag(minutes))


@pytest.fixture(scope="module")
def usual(town):
    return roads.read_osm(town, modes=("drive",))


@pytest.fixture(scope="module")
def real(town):
    """Return the town as it is really driven."""
    return roads.read_osm(town, modes=(roads.travel_mode("drive", {"speed_kph": TRUE}),))


def test_sixty_observations_give_the_speeds_back(usual, real) -> None:
    seen = observed(real, trips(60))
    found = roads.calibrate(usual, seen)
    for name, kph in TRUE.items():
        assert found.speeds.loc[name, "identified"]
        assert found.speeds.loc[name, "kph_after"] == pytest.approx(kph, rel=0.03)
    assert found.fit.loc["after", "median_ratio"] == pytest.approx(1, abs=0.005)
    assert found.fit.loc["after", "r2"] > 0.999 > found.fit.loc["before", "r2"]
    # what it says it computes is what the network it gives computes
    for name, net in (("after_min", found.network), ("before_min", usual)):
        again = observed(net, trips(60))["minutes"].loc[found.pairs.index]
        assert found.pairs[name].to_numpy() == pytest.approx(again.to_numpy(), abs=1e-6)


def test_noise_and_wrong_rows_bend_the_speeds_a_little_only(usual, real) -> None:
    rng = np.random.default_rng(5)
    seen = observed(real, trips(120, seed=2))
    seen["minutes"] *= np.exp(rng.normal(0, 0.1, 120))
    wrong = rng.choice(120, 8, replace=False)
    seen.loc[wrong, "minutes"] *= 3
    found = roads.calibrate(usual, seen)
    for name, kph in TRUE.items():
        assert found.speeds.loc[name, "kph_after"] == pytest.approx(kph, rel=0.12)
    assert set(found.worst.index[:8]) == set(wrong)
    assert len(found.worst) == 10


def test_the_table_it_prints_makes_a_study_compute_the_fitted_minutes(town, usual, real) -> None:
    import tomllib

    found = roads.calibrate(usual, observed(real, trips(60)))
    table = tomllib.loads(found.toml())["roads"]["modes"]["drive"]
    again = roads.read_osm(town, modes=(roads.travel_mode("drive", table),))
    minutes = observed(again, trips(40, seed=9))["minutes"].to_numpy()
    assert minutes == pytest.approx(
        observed(found.network, trips(40, seed=9))["minutes"].to_numpy(), rel=5e-3
    )


def test_a_class_that_few_minutes_are_spent_on_keeps_its_speed_and_is_named(usual, real) -> None:
    found = roads.calibrate(usual, observed(real, trips(60)))
    rest = found.speeds[~found.speeds["identified"]]
    assert (rest["pace"] == 1).all()
    assert (rest["share"] < 0.1).all()
    assert "track" not in found.toml()


def test_speeds_stay_within_bounds(usual) -> None:
    seen = observed(usual, trips(30))
    found = roads.calibrate(usual, seen.assign(minutes=seen["minutes"] * 9))
    assert found.speeds["pace"].drop("junctions").min() >= 0.4 - 1e-9


def test_what_cannot_be_fitted_is_refused_with_its_rows(usual) -> None:
    seen = observed(usual, trips(12))
    with pytest.raises(FrameError, match="column 'minutes' is missing"):
        roads.calibrate(usual, seen.drop(columns="minutes"))
    with pytest.raises(FrameError, match="rows 3"):
        roads.calibrate(usual, seen.assign(minutes=seen["minutes"].where(seen.index != 3, 0)))
    with pytest.raises(InputError, match="only 9 of 12"):
        roads.calibrate(usual, seen.assign(from_lon=seen["from_lon"] + 3 * (seen.index < 3)))
    with pytest.raises(UnknownModeError):
        roads.calibrate(usual, seen, mode="walk")
