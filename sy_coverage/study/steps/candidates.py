"""Add candidate sites to those a study lists: places of the map, and sites amid the elders who are not reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import labels, places, siting
from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.errors import ConfigError
from sy_coverage.siting.candidates.costs import COSTS, OTHER_COST
from sy_coverage.study.steps.roads import network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geopandas import GeoDataFrame

    from sy_coverage.labels import Language
    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.study.config.inputs.candidates import Candidates
    from sy_coverage.study.steps.files import StudyFiles


@dataclass(frozen=True)
class Ground:
    """What every way of making candidates looks at: where elders live, what stands, and what the policy asks."""

    units: GeoDataFrame
    facilities: GeoDataFrame
    """Those that are open on the study's date."""
    demand: GeoDataFrame
    policy: Policy


def with_premises(
    listed: GeoDataFrame,
    ground: Ground,
    given: Candidates,
    files: StudyFiles,
    *,
    source: str,
    language: Language,
) -> GeoDataFrame:
    """Return `listed` with as many schools and public buildings of the extract `source` as ``[candidates] osm`` asks for.

    Raises
    ------
    ConfigError
        If roads come from no extract.
    """
    if source == network.LIVE:
        raise ConfigError(
            "[candidates] osm takes schools and public buildings from the extract that roads come from; "
            "name an extract (.osm.pbf) as [roads] source, or leave it out"
        )
    premises = places.read_osm_premises(files.path(source), units=ground.units)
    premises["name"] = [labels.text("study.osm_premises", language, name=name) for name in premises["name"]]
    return siting.premises_candidates(
        ground.units,
        ground.facilities,
        listed,
        ground.demand,
        premises,
        policy=ground.policy,
        per_unit=given.osm,
        costs=costs(given),
    )


def with_generated(
    listed: GeoDataFrame,
    ground: Ground,
    given: Candidates,
    *,
    centre_times: TravelTimes,
    junctions: GeoDataFrame | None,
    layers: Sequence[siting.NoGo],
) -> GeoDataFrame:
    """Return `listed` with the sites that ``[candidates] generate`` asks for; `junctions` are places where no village has a name."""
    return siting.generate_candidates(
        ground.units,
        ground.facilities,
        listed,
        ground.demand,
        times=centre_times,
        per_unit=given.generate,
        policy=ground.policy,
        costs=costs(given),
        junctions=junctions,
        where=where(given, layers),
    )


def where(given: Candidates, layers: Sequence[siting.NoGo]) -> siting.Where:
    """Return where sites may be suggested, as ``[candidates]`` says: in no area that bars them."""
    barring = [layer.areas.to_crs(GEOGRAPHIC) for layer in layers if layer.action == "bar"]
    nowhere = pd.concat(barring) if barring else None
    return siting.Where(
        beside_listed=given.generate_beside_listed, apart_m=given.generate_apart_m, nowhere=nowhere
    )


def read_no_go(given: Candidates, files: StudyFiles) -> tuple[siting.NoGo, ...]:
    """Return the layers of ``[candidates] exclude``."""
    return tuple(
        siting.NoGo(
            layer.name or Path(layer.path.partition("#")[0]).stem,
            places.read_areas(
                files.path(layer.path), coordinate_system=layer.coordinate_system, limits=files.limits
            ),
            layer.action,
        )
        for layer in given.exclude
    )


def marked(listed: GeoDataFrame, given: Candidates, layers: Sequence[siting.NoGo]) -> GeoDataFrame:
    """Return the listed candidates with what is one place, and what layers bar or flag."""
    return siting.outside_no_go(siting.one_place(listed, within_m=given.one_place_m), layers)


def called_suggested(found: GeoDataFrame, before: GeoDataFrame, language: Language) -> GeoDataFrame:
    """Return `found` with the sites that were not there `before` called what they are: suggestions without premises."""
    made = ~found.index.isin(before.index)
    names = [
        labels.text("study.suggested_site", language, name=name) if is_made else name
        for name, is_made in zip(found["name"], made, strict=True)
    ]
    return found.assign(name=pd.Series(names, index=found.index, dtype=object))


def with_stations(
    listed: GeoDataFrame,
    ground: Ground,
    given: Candidates,
    *,
    station_times: Mapping[str, TravelTimes],
    walk_min: float,
    junctions: GeoDataFrame | None,
    layers: Sequence[siting.NoGo],
) -> GeoDataFrame:
    """Return `listed` with a station for every cluster of villages (in `ground`) that none is within the walk of."""
    return siting.generate_stations(
        ground.units,
        ground.facilities,
        listed,
        ground.demand,
        times=station_times,
        walk_min=walk_min,
        floor_area_m2=given.floor_area_m2,
        policy=ground.policy,
        costs=costs(given),
        junctions=junctions,
        where=where(given, layers),
    )


def costs(given: Candidates) -> dict[str, dict[str, float]]:
    """Return what sites that no list prices cost, 10⁴ yuan by kind and premises: the study's figures over the usual ones."""
    found = {kind: dict(table) for kind, table in COSTS.items()}
    for kind, table in given.costs.items():
        found.setdefault(kind, dict(OTHER_COST)).update(
            {str(premises): cost for premises, cost in table.items()}
        )
    return found
