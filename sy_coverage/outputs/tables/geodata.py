"""Lay what was found on a map: the layers of a GeoPackage, and proposals as GeoJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.outputs.tables import candidates
from sy_coverage.outputs.tables.rows import ordered, with_gcj02
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.outputs.findings import Findings

_TWICE = (
    "elders_covered",
    "share_covered",
    "nearest_mean_min",
    "nearest_worst_min",
    "elders_unreached",
    "has_centre",
    "covered",
    "backup_share",
)
_PLACE = (
    "name",
    "kind",
    "status",
    "unit_id",
    "county_id",
    "address",
    "opens_on",
    "beds",
    "nursing_beds",
    "floor_area_m2",
    "functions",
    "has_medical",
    "dementia_ward",
    "premises",
    "coordinate_system",
    "located_by",
    "location_precision",
    "location_status",
    "location_reason",
)
_PLANNED = ("host_id", "upgrade_of", "community_id", "demonstration", "convert", "demonstrates")
"""What a plan says of a facility or a site besides opening it: beds to convert, the targets it demonstrates; with it the scorecard
can be counted again from the layers alone."""
LAYERS: dict[str, tuple[str, ...]] = {
    "units": (
        "name",
        "kind",
        "county_id",
        "county",
        "boundary_quality",
        "elders",
        *_TWICE,
        *(f"{c}_planned" for c in _TWICE),
        *words.BESIDE.values(),
    ),
    "facilities": (*_PLACE, *_PLANNED),
    "demand": (
        "name",
        "elders",
        "elders_65",
        "elders_80",
        "households",
        "unit_id",
        "county_id",
        "position_quality",
        "nearest_min",
        "covered",
        "nearest_planned_min",
        "covered_planned",
    ),
    "access_legs": ("name", "unit_id", "county_id", "elders", "mode", "length_m", "minutes", "note"),
    "road_changes": ("change", "name"),
    "catchments": ("kind", "county_id", "area_km2", "elders"),
    "proposals": (
        "number",
        "name",
        "kind",
        "unit_id",
        "unit",
        "county_id",
        "county",
        "cost",
        "premises",
        "phase",
        "elders_gained",
        "medical_min",
        "why",
        "beds",
        "nursing_beds",
        "floor_area_m2",
        "has_medical",
        "dementia_ward",
        *_PLANNED,
    ),
}
"""The columns of each layer of `coverage.gpkg`, after the index; a column that was not found out is left out."""


def layers(findings: Findings) -> dict[str, GeoDataFrame]:
    """Return the layers of `coverage.gpkg`, EPSG:4326, sorted by id, with the columns of `LAYERS`; what was not computed is left out.

    `units` (index `unit_id`), `facilities` (`facility_id`; a row without a point has no geometry), `demand`
    (`demand_id`), `access_legs` (`demand_id`: the way to the road), `road_changes` (`change_id`: new, closed or slower roads), `catchments` (`facility_id`, `cutoff_min`), `proposals` and `candidates` (`candidate_id`; every one, with what became of it),
    `to_centre` (`demand_id`: a line to the centre that a village would use). In China points also carry GCJ-02 degrees.
    """
    found = {name: _layer(findings, name) for name in LAYERS if getattr(findings, name) is not None}
    if "candidates" in findings.extras:
        every = candidates.layer(findings)
        found["candidates"] = _typed(every, [c for c in every.columns if c != "geometry"])
    lines = to_centre(findings)
    if lines is not None:
        found["to_centre"] = _typed(lines, ["name", "unit_id", "county_id", "centre_id", "centre"])
    if findings.in_china:
        found |= {name: with_gcj02(found[name]) for name in POINTS if name in found}
    return found


POINTS = ("facilities", "proposals", "candidates")
"""Layers whose points people look up on a phone."""


def to_centre(findings: Findings) -> GeoDataFrame | None:
    """Return a straight line from every village to the centre it would use with the plan, by `demand_id`; None where nobody says which.

    Columns `name`, `unit_id`, `county_id`, `elders`, `centre_id`, `centre`, `minutes` (by road) and `within` the cutoff. A
    village that no road takes to a centre has no line and is left out.
    """
    homes = findings.demand
    if "nearest_planned_id" not in homes.columns:
        return None
    sites = pd.concat([findings.facilities[["name", "geometry"]], findings.proposals[["name", "geometry"]]])
    sites = sites[~sites.index.duplicated()].to_crs(GEOGRAPHIC)
    homes = ordered(homes).to_crs(GEOGRAPHIC)
    homes = homes[homes["nearest_planned_id"].isin(sites.index[sites.geometry.notna()])]
    ends = sites.reindex(homes["nearest_planned_id"])
    pairs = np.stack(
        [shapely.get_coordinates(homes.geometry), shapely.get_coordinates(ends.geometry)], axis=1
    )
    frame = pd.DataFrame(homes)[["name", "unit_id", "county_id", "elders"]].assign(
        centre_id=homes["nearest_planned_id"],
        centre=ends["name"].to_numpy(),
        minutes=homes["nearest_planned_min"],
        within=homes["covered_planned"].fillna(value=False).astype(bool),
    )
    lines = shapely.linestrings(pairs) if len(pairs) else []
    return gpd.GeoDataFrame(frame, geometry=lines, crs=GEOGRAPHIC)


def proposal_geojson(findings: Findings) -> str:
    """Return the proposed sites as a GeoJSON FeatureCollection (RFC 7946: WGS 84, longitude first, no ``crs``).

    Each feature has its `candidate_id` as ``id`` and, as properties, the columns of the layer `proposals` and `kind_name`.
    The collection also carries ``name``, ``date`` and ``notices``.
    """
    frame = _layer(findings, "proposals")
    frame = with_gcj02(frame) if findings.in_china else frame
    frame = frame.reset_index().sort_values(["county_id", "number"], kind="stable")
    features = []
    for row in frame.to_dict("records"):
        point = row.pop("geometry")
        properties = {key: _json_value(value) for key, value in row.items()}
        properties["kind_name"] = words.kind(findings.policy, row["kind"], findings.language)
        geometry = None
        if point is not None and not point.is_empty:
            geometry = {"type": "Point", "coordinates": [round(point.x, 6), round(point.y, 6)]}
        features.append(
            {"type": "Feature", "id": row["candidate_id"], "geometry": geometry, "properties": properties}
        )
    collection = {
        "type": "FeatureCollection",
        "name": findings.study_name,
        "scope": findings.scope_name,
        "date": findings.date.isoformat(),
        "notices": list(findings.notices),
        "features": features,
    }
    return json.dumps(collection, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _json_value(value: Any) -> Any:
    if not fmt.known(value):
        return None
    if pd.api.types.is_bool(value):
        return bool(value)
    if pd.api.types.is_number(value):
        number = float(value)
        return int(number) if number.is_integer() else number
    return str(value)


def _with_plan(findings: Findings, frame: GeoDataFrame) -> GeoDataFrame:
    """Return facilities or sites with the beds that plans convert there and the targets for which they demonstrate."""
    beds, shown = (findings.extras.get(name) for name in ("conversions", "demonstration"))
    if beds is not None and len(beds):
        turned = beds.set_index("site_id")["convert"].astype("float64")
        frame = frame.assign(convert=turned.reindex(frame.index))
    if shown is not None and len(shown):
        targets = shown.groupby("site_id")["target_id"].agg(lambda ids: ",".join(sorted(ids)))
        frame = frame.assign(demonstrates=targets.reindex(frame.index))
    return frame


def _layer(findings: Findings, name: str) -> GeoDataFrame:
    frame: GeoDataFrame = ordered(getattr(findings, name)).to_crs(GEOGRAPHIC)
    if "convert" in LAYERS[name]:
        frame = _with_plan(findings, frame)
    kept = [column for column in LAYERS[name] if column in frame.columns]
    return _typed(frame[[*kept, "geometry"]].copy(), kept)


def _typed(frame: GeoDataFrame, columns: list[str]) -> GeoDataFrame:
    """Return a layer each of whose `columns` has a type that a GeoPackage can hold."""
    for column in columns:
        # a column without any value, or with mixed ones, has no type that a GeoPackage could hold
        if frame[column].dtype != object:
            continue
        known = [value for value in frame[column] if fmt.known(value)]
        if known and all(pd.api.types.is_bool(value) for value in known):
            # yes, no, or nothing where nobody knows
            frame[column] = pd.array(
                [bool(v) if fmt.known(v) else None for v in frame[column]], dtype="boolean"
            )
        else:
            frame[column] = frame[column].map(lambda v: str(v) if fmt.known(v) else None).astype("str")
    return frame
