"""`[access] beside`: elders within reach on foot and by e-bike, beside the mode that counts."""

from __future__ import annotations

import pytest

import sy_coverage as sy
from tests import toy


def test_the_share_within_reach_is_counted_by_each_mode_beside_the_one_that_counts(tmp_path) -> None:
    study = sy.read_study(toy.write_study(tmp_path)).but(access={"beside": ["walk", "ebike"]})
    shares = study.access_beside
    assert shares.columns.tolist() == ["share_walk", "share_ebike"]
    assert shares.index.tolist() == study.units.index.tolist()
    kind = study.centre_kind
    centres = study.open_facilities[study.open_facilities["kind"] == kind.id]
    for mode in ("walk", "ebike"):
        near = study.network.nearest(centres, study.demand, mode=mode, **study.answers.to_road)["nearest_min"]
        for unit, people in study.demand.groupby("unit_id"):
            cutoff = kind.cutoff_min[study.units["kind"][unit]]
            share = people["elders"][near[people.index] <= cutoff].sum() / people["elders"].sum()
            assert shares.loc[unit, f"share_{mode}"] == pytest.approx(share)
    # slower modes never reach more
    by_car = study.coverage["share_covered"]
    assert (shares["share_walk"] <= shares["share_ebike"] + 1e-9).all()
    assert (shares["share_ebike"] <= by_car + 1e-9).all()
    assert "share_ebike" in study.findings.units.columns


def test_without_it_nothing_is_added(tmp_path) -> None:
    assert sy.read_study(toy.write_study(tmp_path)).access_beside.columns.empty
