"""Add candidate sites to those a study lists: places of the map, and sites amid the elders who are not reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage import labels, places, roads, siting
from sy_coverage.errors import ConfigError
from sy_coverage.siting.candidates.costs import COSTS, OTHER_COST
from sy_coverage.study.steps import citywide, network

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.study.steps.measured import Measured


def generated(study: Measured, listed: GeoDataFrame) -> GeoDataFrame:
    """Return `listed` with what `[candidates] osm` and `generate` ask for, in this order.

    Raises
    ------
    ConfigError
        If places of the map are asked for, and roads come from no extract.
    """
    given = study.config.candidates
    found = listed
    if given.osm:
        if study.config.roads.source == network.LIVE:
            raise ConfigError(
                "[candidates] osm takes schools and public buildings from the extract that roads come from; "
                "name an extract (.osm.pbf) as [roads] source, or leave it out"
            )
        premises = places.read_osm_premises(study.path(study.config.roads.source), units=study.units)
        premises["name"] = [study.words("study.osm_premises", name=name) for name in premises["name"]]
        found = siting.premises_candidates(
            study.units,
            study.open_facilities,
            found,
            study.demand,
            premises,
            policy=study.policy,
            per_unit=given.osm,
            costs=costs(study),
        )
    if not given.generate:
        return found
    nameless = study.demand["name"].isna().any()
    made: dict[str, Any] = {
        "policy": study.policy,
        "costs": costs(study),
        "junctions": roads.junctions(study.network) if nameless else None,
    }
    places_now = (study.units, study.open_facilities)
    found = siting.generate_candidates(
        *places_now, found, study.demand, times=study.centre_times, per_unit=given.generate, **made
    )
    walk_min = study.config.siting.station_walk_min
    if walk_min is None or not study.policy.station_kinds:
        return found
    return siting.generate_stations(
        *places_now,
        found,
        citywide.clustered(study),
        times=study.station_times(found),
        walk_min=walk_min,
        floor_area_m2=given.floor_area_m2,
        **made,
    )


def costs(study: Measured) -> dict[str, dict[str, float]]:
    """Return what sites that no list prices cost, 10⁴ yuan by kind and premises: the study's figures over the usual ones."""
    given = study.config.candidates.costs
    found = {kind: dict(table) for kind, table in COSTS.items()}
    for kind, table in given.items():
        found.setdefault(kind, dict(OTHER_COST)).update(
            {str(premises): cost for premises, cost in table.items()}
        )
    return found


def parameters(study: Measured) -> list[dict[str, object]]:
    """Return what the sites that no list prices were taken to cost as rows of a proposal: `name`, `value`, `unit`, `source`."""
    language, given = study.config.study.language, study.config.candidates.costs
    sites = study.candidates[study.candidates["origin"] != "listed"]
    priced = sites.groupby(["kind", "premises"])["cost"].first()
    rows: list[dict[str, object]] = []
    for (kind, premises), cost in priced.items():
        own = premises in given.get(kind, {})
        named = labels.text(
            "study.parameter_cost",
            language,
            kind=labels.pick(study.policy.kind(kind).name, language),
            premises=labels.text(f"outputs.premises_{premises}", language),
        )
        unit = labels.text("study.unit_cost", language)
        source = labels.text(f"study.from_{'study' if own else 'package'}", language)
        rows.append({"name": named, "value": float(cost), "unit": unit, "source": source})
    return rows + _floor_areas(study, sites)


def _floor_areas(study: Measured, sites: GeoDataFrame) -> list[dict[str, object]]:
    """Return the floor area that generated stations were taken to have, or that nobody says, as such rows."""
    language, given = study.config.study.language, study.config.candidates.floor_area_m2
    made = sites[(sites["origin"] == "generated") & sites["kind"].isin(study.policy.station_kinds)]
    return [
        {
            "name": labels.text(
                "study.parameter_floor_area_of",
                language,
                kind=labels.pick(study.policy.kind(kind).name, language),
            ),
            "value": given.get(kind, labels.text("study.not_set", language)),
            "unit": labels.text("study.unit_m2", language),
            "source": labels.text(f"study.from_{'study' if kind in given else 'package'}", language),
        }
        for kind in sorted(made["kind"].unique())
    ]
