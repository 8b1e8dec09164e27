"""Make candidates of known places, such as the schools and public buildings of a map, where units have no centre."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage import coverage
from sy_coverage._frames import CANDIDATES, DEMAND, FACILITIES, UNITS, checked, metric_crs
from sy_coverage.errors import InputError
from sy_coverage.siting.candidates.costs import COSTS, OTHER_COST
from sy_coverage.siting.candidates.generate import covering_kinds
from sy_coverage.siting.candidates.rows import joined
from sy_coverage.siting.planning.rules.columns import without_blanks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy


def premises_candidates(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    premises: GeoDataFrame,
    *,
    policy: Policy,
    per_unit: int = 3,
    costs: Mapping[str, Mapping[str, float]] | None = None,
) -> GeoDataFrame:
    """Return `candidates` with some of `premises` added for every unit that counts towards a rate and has no centre.

    Of each such unit, the `per_unit` premises nearest to the middle of its elders.

    Parameters
    ----------
    units, facilities, candidates, demand
        As in the column contract; facilities are those open on the study's date.
    premises
        Points with `name`, `premises` and `unit_id`, such as `places.read_osm_premises` returns.
    policy
        Its targets say which kinds cover units.
    per_unit
        How many in each unit, 0 or more.
    costs
        10⁴ yuan by kind and premises; None: `costs.COSTS`.

    Returns
    -------
    candidates
        EPSG:4326, sorted by id; added ids are ``O-<id of the premises>``, of a second covering kind
        ``O-<kind>-<id of the premises>``; `located_by` is ``openstreetmap``.

    Raises
    ------
    InputError
        If `per_unit` is negative or a cost is missing.
    UnknownIdError
        If an id is taken.
    """
    if per_unit < 0:
        raise InputError(f"per_unit={per_unit}: must be 0 or more")
    units, demand = checked(units, UNITS).sort_index(), checked(demand, DEMAND).sort_index()
    open_ = coverage.open_on(checked(facilities, FACILITIES))
    listed = without_blanks(checked(candidates, CANDIDATES))
    rows: list[dict[str, Any]] = []
    ordered = premises.sort_index()
    for number, (kind, unit_kinds) in enumerate(covering_kinds(policy).items()):
        with_one = set(open_.loc[open_["kind"] == kind, "unit_id"].dropna())
        lacking = units.index[units["kind"].isin(unit_kinds) & ~units.index.isin(with_one)]
        chosen = _nearest(units, demand, ordered[ordered["unit_id"].isin(lacking)], policy, per_unit)
        prefix = "O" if number == 0 else f"O-{kind}"
        rows += [
            _row(f"{prefix}-{i}", kind, place, costs or COSTS)
            | {"county_id": units["county_id"][place["unit_id"]]}
            for i, place in chosen.iterrows()
        ]
    return joined(listed, rows, crs=premises.crs, facilities=facilities)


def _nearest(
    units: GeoDataFrame, demand: GeoDataFrame, premises: GeoDataFrame, policy: Policy, per_unit: int
) -> GeoDataFrame:
    """Return of each unit the premises nearest to the middle of its elders, ties by id."""
    crs = metric_crs(units)
    points = demand.geometry.to_crs(crs)
    weights = demand[policy.readings.elders].fillna(0.0) + 1e-9
    table = pd.DataFrame({"x": points.x * weights, "y": points.y * weights, "w": weights})
    sums = table.groupby(demand["unit_id"]).sum()
    inside = units.geometry.representative_point().to_crs(crs)
    middle_x = (sums["x"] / sums["w"]).reindex(units.index).fillna(inside.x)
    middle_y = (sums["y"] / sums["w"]).reindex(units.index).fillna(inside.y)
    at = premises.geometry.to_crs(crs)
    away = np.hypot(
        at.x - premises["unit_id"].map(middle_x).astype("float64"),
        at.y - premises["unit_id"].map(middle_y).astype("float64"),
    ).round(1)
    ranked = premises.assign(_away=away, _id=premises.index).sort_values(["unit_id", "_away", "_id"])
    return ranked.groupby("unit_id").head(per_unit).drop(columns=["_away", "_id"])


def _row(
    candidate_id: str, kind: str, place: Any, costs: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    table = costs.get(kind, OTHER_COST)
    # a place in use is priced as a public building, though nobody says that it can be had
    priced = "public_building" if place["premises"] == "unknown" else place["premises"]
    if priced not in table:
        raise InputError(f"costs: none for {kind} in premises {priced}; add it")
    return {
        "candidate_id": candidate_id,
        "name": place["name"],
        "kind": kind,
        "cost": float(table[priced]),
        "premises": place["premises"],
        "priced_as": priced,
        "required": False,
        "unit_id": place["unit_id"],
        "origin": "openstreetmap",
        "located_by": "openstreetmap",
        "location_precision": "point",
        "location_status": "located",
        "geometry": place["geometry"],
    }
