"""Other speeds on a network that is read: the same minutes as if it had been read with them, and nothing of it read again."""

from __future__ import annotations

import numpy as np
import pytest

from sy_coverage import roads
from sy_coverage.errors import InputError, UnknownModeError
from tests import toy


def network(**edges):
    return roads.from_edges(toy.road_nodes(), toy.road_edges().assign(**edges), crs=toy.CRS)


def test_a_class_is_driven_so_many_times_as_fast_and_the_others_as_before() -> None:
    net = network(highway=["primary"] * 20 + ["track"] * 20 + ["primary"] * 20 + ["track"] * 20)
    faster = net.with_speeds("drive", pace={"primary": 2.0})
    ask = {"mode": "drive", "cutoff_min": 99}
    before, after = (n.node_times([0], **ask) for n in (net, faster))
    assert before.to_dense()[0, before.demand_at[30]] == 30.0
    # 20 km of primary road in half the time, 10 km of track as before
    assert after.to_dense()[0, after.demand_at[30]] == 20.0
    assert after.to_dense()[0, after.demand_at[10]] == 5.0
    # the network itself is as it was, and other modes are too
    assert net.node_times([0], **ask).minutes.data.tobytes() == before.minutes.data.tobytes()
    walk = {"mode": "walk", "cutoff_min": 99}
    assert (
        faster.node_times([0], **walk).minutes.data.tobytes()
        == net.node_times([0], **walk).minutes.data.tobytes()
    )
    assert faster.digest != net.digest
    back = faster.with_speeds("drive", pace={"primary": 0.5})
    np.testing.assert_allclose(back.links.minutes["drive"], net.links.minutes["drive"], rtol=1e-12)


def test_it_is_the_network_that_reading_with_those_speeds_makes(shared_data, tmp_path) -> None:
    path = shared_data / "roads" / "liechtenstein-2021.osm.pbf"
    usual = roads.travel_mode("drive")
    plain = {"uses_maxspeed": False}
    read = roads.read_osm(path, modes=(usual.changed(plain),))
    net = read.with_speeds("drive", pace={"residential": 1.2, "secondary": 0.8}, delay=1.5)
    table = net.tables["drive"]
    assert table.speed_kph["residential"] == pytest.approx(usual.speed_kph["residential"] * 1.2)
    assert table.signal_s == pytest.approx(usual.signal_s * 1.5)
    again = roads.read_osm(path, modes=(table,))
    mine, theirs = net.links.minutes["drive"], again.links.minutes["drive"]
    assert (np.isfinite(mine) == np.isfinite(theirs)).all()
    known = np.isfinite(mine)
    close = np.isclose(mine[known], theirs[known], rtol=1e-9)
    # roads of several classes on one line, and zones that stand for a limit, are few
    assert close.mean() > 0.97
    net.save(tmp_path / "a.network")
    loaded = roads.load(tmp_path / "a.network")
    assert loaded.digest == net.digest
    twice = loaded.with_speeds("drive", delay=2.0).links.minutes["drive"]
    assert (twice[known] >= mine[known]).all()
    assert (twice[known] > mine[known]).any()


def test_what_is_no_pace_is_refused() -> None:
    net = network(highway="primary")
    with pytest.raises(InputError, match="no road of class motorway; there are primary"):
        net.with_speeds("drive", pace={"motorway": 1.1})
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="above zero"):
            net.with_speeds("drive", pace={"primary": wrong})
        with pytest.raises(InputError, match="above zero"):
            net.with_speeds("drive", delay=wrong)
    with pytest.raises(UnknownModeError):
        net.with_speeds("bike", delay=2)
