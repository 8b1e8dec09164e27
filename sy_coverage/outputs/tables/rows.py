"""Put what was found in rows: the scorecard, sites, units, doubts, in the order they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage import labels
from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.outputs.text import roman, words
from sy_coverage.places import from_wgs84

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.outputs.findings import Findings

SCORECARD = (
    "target_id",
    "name",
    "scope_id",
    "scope",
    "value_today",
    "value_planned",
    "target",
    "met_today",
    "met_planned",
    "needed",
    "basis",
    "reason",
    "citation",
)


def scorecard(findings: Findings) -> DataFrame:
    """Return the scorecard as one flat frame with the columns `SCORECARD`, in the policy's order, scopes by id.

    `name` is the target's in the language of the findings; `value_today`, `value_planned`, `met_today`, `met_planned` and
    `needed` are missing where they cannot be known, and `reason` says why.
    """
    frame = findings.scorecard.reset_index()
    order = {target.id: place for place, target in enumerate(findings.policy.targets)}
    names = {target.id: labels.pick(target.name, findings.language) for target in findings.policy.targets}
    frame["_place"] = frame["target_id"].map(order).fillna(len(order))
    # the whole city after its counties
    frame["_city"] = frame["scope_id"] == words.CITY
    frame = frame.sort_values(["_place", "target_id", "_city", "scope_id"], kind="stable")
    frame["name"] = [names.get(t, t) for t in frame["target_id"]]
    frame["reason"] = [words.reason(r, findings.language) for r in frame["reason"]]
    return frame.reindex(columns=list(SCORECARD)).reset_index(drop=True)


def sites(findings: Findings) -> DataFrame:
    """Return the proposed sites by county and number: `candidate_id` and degrees as columns instead of a geometry."""
    points = ordered(findings.proposals).to_crs(GEOGRAPHIC)
    frame = pd.DataFrame(points.drop(columns="geometry")).assign(
        longitude=points.geometry.x, latitude=points.geometry.y
    )
    if findings.in_china:
        beside = with_gcj02(points)
        frame = frame.assign(gcj02_lon=beside["gcj02_lon"], gcj02_lat=beside["gcj02_lat"])
    frame = _with_latin(frame, findings.language)
    return frame.reset_index().sort_values(["county_id", "number"], kind="stable").reset_index(drop=True)


def units(findings: Findings) -> DataFrame:
    """Return the units by id, without geometry, with `unit_id` as a column and `left_out`: why none is proposed there."""
    frame = ordered(findings.units).drop(columns="geometry", errors="ignore")
    why = findings.left_out.sort_values(["unit_id", "reason_id"]).groupby("unit_id")["sentence"].agg(" ".join)
    frame = _with_latin(frame, findings.language)
    return frame.assign(left_out=why.reindex(frame.index)).reset_index()


def _with_latin(frame: DataFrame, language: Language) -> DataFrame:
    """Return a frame with its names in Latin letters too, `name_latin`, where readers of `language` need them."""
    if language == "zh":
        return frame
    return frame.assign(name_latin=[roman.latin(name) for name in frame["name"]])


def doubts(findings: Findings) -> DataFrame:
    """Return what is to verify, by county, frame, row and doubt."""
    return findings.doubts.sort_values(
        ["county_id", "frame", "row_id", "doubt_id"], kind="stable", na_position="last"
    ).reset_index(drop=True)


def ordered(frame: Any) -> Any:
    """Return a frame in order of its ids."""
    return frame.sort_index(kind="stable")


def with_gcj02(frame: GeoDataFrame) -> GeoDataFrame:
    """Return points with `gcj02_lon` and `gcj02_lat`, what maps on phones in China ask for; blank where there is no point."""
    there = frame.geometry.notna() & ~frame.geometry.is_empty
    moved = frame.assign(gcj02_lon=np.nan, gcj02_lat=np.nan)
    if there.any():
        lon, lat = from_wgs84(frame.geometry[there].x, frame.geometry[there].y, "gcj02")
        moved.loc[there, "gcj02_lon"], moved.loc[there, "gcj02_lat"] = np.round(lon, 6), np.round(lat, 6)
    return moved
