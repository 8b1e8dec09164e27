"""Say how each village gets to its road, and which villages no road of the file leads anywhere from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage.outputs.roadless import ROADLESS

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Kind
    from sy_coverage.study.steps.roads.ways import Ways


def access_legs(ways: Ways, demand: GeoDataFrame, *, kind: Kind) -> GeoDataFrame:
    """Return the way of every village to the road that its minutes to `kind` are counted on, by `demand_id`.

    Columns `name`, `unit_id`, `county_id`, `elders`, `mode`, `length_m`, `minutes`, `note`; lines in EPSG:4326. Whom no road
    leads anywhere is noted ``table`` where a table has minutes from there, and without any roads ``not_in_table`` where not.
    """
    legs = ways.network.access_legs(demand, mode=kind.mode, **vars(ways.by)).set_index(demand.index)
    pairs = None if ways.known is None else ways.known.of_mode(kind.mode)
    if pairs is not None:
        leaving = {pairs.origin_ids[i] for i in set(pairs.origin[np.isfinite(pairs.minutes)].tolist())}
        lost = legs["note"].isin(ROADLESS)
        told = legs.index.astype(str).isin(list(leaving))
        legs["note"] = legs["note"].mask(lost & told, "table")
        if not len(ways.network.links):
            legs["note"] = legs["note"].mask(lost & ~told, "not_in_table")
    about = pd.DataFrame(demand)[["name", "unit_id", "county_id", "elders"]].assign(mode=kind.mode)
    return legs.assign(**{name: about[name] for name in about.columns})[[*about.columns, *legs.columns]]


def on_a_road(demand: GeoDataFrame, legs: GeoDataFrame) -> GeoDataFrame:
    """Return the villages whose road leads somewhere; all of them where no village's does."""
    kept = demand[~legs["note"].isin(ROADLESS).to_numpy()]
    return demand if kept.empty else kept


def doubts(legs: GeoDataFrame, max_snap_m: float) -> DataFrame:
    """Return a doubt for every village that no road of the file leads anywhere from: `row_id`, `doubt_id`, `subject`, `value`."""
    lost = legs[legs["note"].isin(ROADLESS)]
    return pd.DataFrame(
        {
            "doubt_id": "road_" + lost["note"],
            "row_id": lost.index.astype(str),
            "subject": [f"{e:,.0f}" for e in lost["elders"]],
            "value": [
                f"{max_snap_m if note == 'too_far' else metres:,.0f}"
                for note, metres in zip(lost["note"], lost["length_m"], strict=True)
            ],
            "field": "",
            "suggestion": "",
        },
        dtype="str",
    )
