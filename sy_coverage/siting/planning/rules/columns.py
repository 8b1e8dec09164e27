"""Tell which standing facilities a plan decides about, and write them beside the candidates as columns of one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage import coverage
from sy_coverage._frames import require_ids
from sy_coverage.policy.targets import FacilityCount

if TYPE_CHECKING:
    from collections.abc import Collection

    from geopandas import GeoDataFrame
    from pandas import Series

    from sy_coverage.policy import Policy
    from sy_coverage.siting.planning.rules.plan_rules import PlanRules


def without_blanks(candidates: GeoDataFrame) -> GeoDataFrame:
    """Return `candidates` with empty text in `host_id` and `upgrade_of` as missing: it names nothing."""
    named = {
        c: candidates[c].astype(object) for c in ("host_id", "upgrade_of", "group_id") if c in candidates
    }
    return candidates.assign(**{c: v.where(v.notna() & (v != ""), None) for c, v in named.items()})


def movable_facilities(
    facilities: GeoDataFrame, listed: GeoDataFrame, units: GeoDataFrame, *, policy: Policy, rules: PlanRules
) -> dict[str, tuple[str, ...]]:
    """Return the facilities that a plan decides about, each with the candidates that take its place.

    They may close, move, or be rebuilt where the policy reads that the original then leaves and its kind counts for anything.
    """
    heirs: dict[str, set[str]] = {}
    for site_id, facility_id in rules.move.items():
        if site_id in listed.index:
            heirs.setdefault(facility_id, set()).add(site_id)
    if policy.readings.rebuilt == "leaves":
        for site_id, home in listed["upgrade_of"].dropna().items():
            if home in facilities.index and _counts_for_anything(facilities.loc[home], policy, rules):
                heirs.setdefault(home, set()).add(str(site_id))
    counties = set(units["county_id"])
    county = coverage.county_of(facilities.loc[list(rules.close)], units)
    for facility_id in county.index[county.isin(counties)]:
        heirs.setdefault(facility_id, set())
    return {h: tuple(sorted(sites)) for h, sites in sorted(heirs.items())}


def _counts_for_anything(row: Series, policy: Policy, rules: PlanRules) -> bool:
    """Return whether it matters to a plan if a facility leaves: a target counts its kind or flag, or beds are asked for."""
    measures = [t.measure for t in policy.targets]
    kinds = {
        kind
        for m in measures
        if m.of in {"unit_coverage", "facility_count", "upgrade_count"}
        for kind in m.kinds
    }
    if rules.beds_per_elder is not None or (rules.conversion_cost or 0.0) > 0:
        kinds |= set(policy.home_kinds if policy.bed_share is None else policy.bed_share.measure.kinds)
    flags = [m.also_flag for m in measures if isinstance(m, FacilityCount) and m.also_flag is not None]
    return row["kind"] in kinds or any(row.get(name) is True for name in flags)


def columns_of(
    facilities: GeoDataFrame, listed: GeoDataFrame, movable: Collection[str], *, rules: PlanRules
) -> GeoDataFrame:
    """Return the listed candidates and the facilities that a plan decides about, sorted by id."""
    if not movable:
        return listed
    moved = facilities.loc[list(movable)]
    blank = dict.fromkeys(("host_id", "upgrade_of", "group_id"))
    saving = [float(rules.close.get(i, 0.0)) for i in moved.index]
    moved = moved.assign(**blank, cost=saving, required=False).rename_axis(listed.index.name)
    shared = [c for c in listed.columns if c in moved.columns]
    numbers = ["beds", "nursing_beds", "floor_area_m2"]
    together = pd.concat(
        [
            frame.astype({c: float for c in numbers if c in frame})
            for frame in (listed, moved[shared])
            if len(frame)
        ]
    )
    return together.assign(
        beds=_beds_that_move(together, rules), required=together["required"].astype(bool)
    ).sort_index()


def _beds_that_move(columns: GeoDataFrame, rules: PlanRules) -> Series:
    """Return the beds of each column; a place that a facility moves to has the facility's where it says nothing."""
    beds = columns["beds"].copy()
    for site_id, facility_id in rules.move.items():
        if site_id in beds.index and np.isnan(beds[site_id]) and facility_id in columns.index:
            beds[site_id] = columns.loc[facility_id, "beds"]
    return beds


def require_movable(rules: PlanRules, facilities: GeoDataFrame, candidates: GeoDataFrame) -> None:
    """Refuse rules that close or move what is no open facility, or move to what is no candidate.

    Raises
    ------
    UnknownIdError
        If they do.
    """
    require_ids(rules.close, facilities.index, "rules.close: open facilities")
    require_ids(rules.move, candidates.index, "rules.move: candidates")
    require_ids(rules.move.values(), facilities.index, "rules.move: open facilities")
