"""Draw what has an extent: streets and townships by status, borders, counties, catchments, water and roads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from sy_coverage.outputs.figures import canvas
from sy_coverage.outputs.maps.basis import geometry as light
from sy_coverage.outputs.maps.basis.frame import NEVER, counted_kinds, kinds_in_order, layer, symbol_of
from sy_coverage.outputs.maps.basis.words import is_missing, is_yes
from sy_coverage.outputs.text import words as outputs_words
from sy_coverage.places.ground.names import UnitNames, same, short_unit

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.maps.basis.frame import Frame

STATUS_COLOURS = {"today": canvas.TODAY, "plan": canvas.PLAN, "none": canvas.NONE}
"""Dark, middle and light: told apart in grey too, and by hatching; blue and sand for eyes that miss red or green."""

SHARE_COLOURS = ("#fbe5c3", "#e3e4cd", "#bdd5d1", "#90bac6", "#6497b2")
"""Fifths from nobody to everybody within reach, light to dark."""

CHANGES = ("add", "close", "slow")
RING_DEGREES = 0.0006
"""Some 60 m: where a change is a point on the map."""
ROAD_CLASSES = {
    "motorway": ("motorway", "motorway_link"),
    "trunk": ("trunk", "trunk_link", "primary", "primary_link"),
    "secondary": ("secondary", "secondary_link", "tertiary", "tertiary_link"),
}
"""Classes of OpenStreetMap's `highway` that are drawn alike; every other class is a minor road."""


def covered_from(frame: Frame) -> dict[str, int]:
    """Return from which point in time each unit is covered (`NEVER` if never)."""
    found = frame.findings
    kinds = counted_kinds(frame)
    own = found.proposals[found.proposals["kind"].isin(kinds)]
    opens = own["phase"].map(frame.opens, na_action=None).groupby(own["unit_id"]).max()
    result = {}
    for unit_id, row in found.units.iterrows():
        if is_yes(row["covered"]):
            result[str(unit_id)] = 0
        elif is_yes(row["covered_planned"]):
            result[str(unit_id)] = int(opens.get(unit_id, frame.last))
        else:
            result[str(unit_id)] = NEVER
    return result


def unit_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return streets, townships and others, coloured by when they are covered."""
    found, words = frame.findings, frame.words
    since, former, shares = covered_from(frame), former_names(frame.units), _share_classes(frame)
    reasons: dict[str, list[str]] = {}
    for unit_id, sentence in sorted(zip(found.left_out["unit_id"], found.left_out["sentence"], strict=True)):
        reasons.setdefault(unit_id, []).append(sentence)
    keys = (
        "former", "county", "status", words.elders_field, "share", "mean", "beside", "centre", "boundary", "why_not",
    )  # fmt: skip
    features: dict[str, list[dict[str, Any]]] = {"street": [], "township": [], "other": []}
    for unit_id, row in frame.units.iterrows():
        shape, start = row["geometry"], since[str(unit_id)]
        features[row["kind"]].append(
            {
                "t": row["name"],
                "s": words.unit(row["kind"]),
                "c": start,
                "i": str(unit_id),
                "a": [shares[str(unit_id)][0], shares[str(unit_id)][-1]],
                "h": shares[str(unit_id)],
                "g": light.polygon_steps(shape),
                "p": light.point_steps(shape.representative_point()),
                "k": former.get(str(unit_id), []),
                "v": [
                    "、".join(former.get(str(unit_id), [])) or None,
                    words.text(row["county"]),
                    status_words(frame, start),
                    words.count(row["elders"]),
                    words.change(
                        words.share(row["share_covered"]), words.share(row["share_covered_planned"])
                    ),
                    words.change(
                        words.number(row["nearest_mean_min"]), words.number(row["nearest_mean_min_planned"])
                    ),
                    outputs_words.shares_beside(frame.units.loc[[unit_id]], found.language) or None,
                    words.change(words.yes_no(row["has_centre"]), words.yes_no(row["has_centre_planned"])),
                    words.word("boundary", row["boundary_quality"]),
                    words.text(reasons.get(unit_id)),
                ],
            }
        )
    return [
        layer(f"unit-{kind}", "units", "unit", words.unit(kind, many=True), fields=words.fields(keys), features=rows)
        for kind, rows in features.items()
        if rows
    ]  # fmt: skip


def _share_classes(frame: Frame) -> dict[str, list[int]]:
    """Return by unit the fifth of its elders within reach at every point in time; without villages by year, today's until the last."""
    table, reach = frame.findings.units, frame.reach
    shares = [table["share_covered"]] * frame.last + [table["share_covered_planned"]]
    if reach is not None:
        unit = frame.findings.demand["unit_id"]
        elders = reach.elders.groupby(unit).sum()
        for state in range(1, frame.last):
            within = reach.elders.where(reach.within[state], 0.0).groupby(unit).sum()
            shares[state] = (within / elders.where(elders > 0)).reindex(table.index)
    return {
        str(unit_id): [share_class(share) for share in row]
        for unit_id, *row in zip(table.index, *shares, strict=True)
    }


def status_words(frame: Frame, start: int) -> str:
    """Return what is said of a unit that is covered from the point in time `start`."""
    if start == NEVER:
        return frame.words.say(frame.status_key("none"))
    if start == 0:
        return frame.words.say(frame.status_key("today"))
    if start <= len(frame.years):
        return frame.words.say(frame.status_key("plan_year"), year=frame.years[start - 1])
    return frame.words.say(frame.status_key("plan"))


def former_names(units: GeoDataFrame) -> dict[str, list[str]]:
    """Return the full names under which units were known before, by unit id, so that a search finds them too."""
    found: dict[str, list[str]] = {}
    for (county_id, name), unit_ids in sorted(UnitNames.of(units).unit_ids.items()):
        for unit_id in unit_ids if county_id else ():
            now = same(str(units.loc[unit_id, "name"]))
            if name != short_unit(name) and name != now:
                found.setdefault(unit_id, []).append(name)
    return found


def share_class(share: Any) -> int:
    """Return which fifth a share of 0..1 lies in, 0 to 4; `NEVER` where there is none."""
    return NEVER if is_missing(share) else min(int(float(share) * len(SHARE_COLOURS)), len(SHARE_COLOURS) - 1)


def border_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return township borders (estimated ones apart) and county borders, each drawn once, from the same light shapes."""
    words, units = frame.words, frame.units
    shapes = np.asarray(units.geometry, dtype=object)
    estimated = (units["boundary_quality"] == "estimated").to_numpy()
    lines = {
        "estimated": shapely.unary_union(shapely.boundary(shapes[estimated])),
        "official": shapely.unary_union(shapely.boundary(shapes[~estimated])),
    }
    # a border next to an estimated unit is itself estimated
    lines["official"] = shapely.difference(lines["official"], lines["estimated"])
    counties = units["county_id"].to_numpy()
    outer = shapely.unary_union(
        [
            light.outline(shapes[counties == county], tolerance=frame.tolerance * 2)
            for county in sorted(set(counties))
        ]
    )
    lines["county"] = outer
    return [
        layer(f"border-{name}", "ground", "line", words.say(f"border_{name}"), style=f"border-{name}",
              g=light.line_steps(shapely.line_merge(line) if line.geom_type.startswith("Multi") else line))
        for name, line in lines.items()
        if not shapely.is_empty(line)
    ]  # fmt: skip


def county_features(frame: Frame) -> dict[str, Any]:
    """Return the counties as labels with their figures."""
    found, words = frame.findings, frame.words
    keys = ("units", "covered", words.elders_field, "share", "new_sites", "cost", "proof")  # fmt: skip
    features = []
    for county_id, row in found.counties.sort_index().iterrows():
        own = frame.units[frame.units["county_id"] == county_id]
        if own.empty:
            continue
        whole = shapely.union_all(np.asarray(own.geometry, dtype=object))
        features.append(
            {
                "t": row["county"],
                "p": light.point_steps(whole.representative_point()),
                "v": [
                    words.count(row["units"]),
                    words.change(words.count(row["covered_today"]), words.count(row["covered_planned"])),
                    words.count(row["elders"]),
                    words.change(words.share(row["share_today"]), words.share(row["share_planned"])),
                    words.count(row["new_sites"]),
                    words.number(row["cost"]),
                    words.say(proof_key(found, str(county_id))),
                ],
            }
        )
    return layer("names", "ground", "name", words.say("names"), fields=words.fields(keys), features=features)


def proof_key(findings: Findings, county_id: str) -> str:
    """Return the label that says whether a county's plan is proved."""
    county = findings.counties.loc[county_id]
    if county["new_sites"] > 0 and findings.falls_short(county_id):
        return "short"
    if county["status"] in {"infeasible", "no_answer"} or is_missing(county["status"]):
        return "no_plan"
    return "proved" if not is_missing(county["proved"]) and bool(county["proved"]) else "not_proved"


def catchment_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return the catchments by kind and cutoff: all that is within reach, as one area for every point in time that differs."""
    sheds = frame.findings.catchments
    flat = sheds[sheds.geometry.notna()].reset_index().sort_values(["facility_id", "cutoff_min"])
    if flat.empty:
        return []
    starts = {site: frame.opens(phase) for site, phase in frame.findings.proposals["phase"].items()}
    flat["start"] = flat["facility_id"].map(starts).fillna(0).astype(int)
    flat["fine"] = shapely.make_valid(
        shapely.simplify(light.shifted(flat.geometry, frame.shift), frame.tolerance / 2)
    )
    joined: list[tuple[str, float, int, Any]] = []
    for kind in kinds_in_order(frame, flat["kind"]):
        for minutes, own in flat[flat["kind"] == kind].groupby("cutoff_min"):
            reached: list[Any] = []
            for start, opening in own.groupby("start"):
                reached = [shapely.union_all([*reached, *opening["fine"]])]
                joined.append((kind, minutes, int(start), reached[0]))
    drawn = light.within_budget(
        [shape for *_, shape in joined], tolerance=frame.tolerance, vertices=frame.budget.catchments
    )
    features: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for (kind, minutes, start, _), shape in zip(joined, drawn, strict=True):
        before = features.setdefault((kind, minutes), [])
        if before:
            before[-1]["u"] = start
        before.append({"f": start, "u": NEVER, "g": light.polygon_steps(shape)})
    words = frame.words
    return [
        layer(f"catchment-{n}", "catchments", "shed",
              words.say("catchment", kind=words.kind(kind), minutes=words.number(minutes)),
              on=False, features=rows, **symbol_of(frame, kind))
        for n, ((kind, minutes), rows) in enumerate(features.items(), start=1)
    ]  # fmt: skip


def road_layers(frame: Frame) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the roads by class as an own base map, and what must be said when minor ones had to be left out."""
    words = frame.words
    if frame.findings.roads.empty:
        return [], []
    extent = max(frame.bounds[2] - frame.bounds[0], frame.bounds[3] - frame.bounds[1])
    roads = light.near(frame.findings.roads, np.asarray(frame.findings.units.geometry), extent * 0.02)
    names = {highway: name for name, members in ROAD_CLASSES.items() for highway in members}
    classes = roads["highway"].map(lambda h: names.get(str(h), "minor"))
    layers, left, notes = [], frame.budget.roads, []
    for name in (*ROAD_CLASSES, "minor"):
        own = roads[classes == name]
        if own.empty:
            continue
        lines = light.merged_lines(
            light.shifted(own.geometry, frame.shift),
            tolerance=frame.tolerance * (1 if name != "minor" else 2),
            most=left,
        )
        left -= left + 1 if lines is None else int(shapely.get_num_coordinates(lines))
        if left < 0:
            notes.append(words.say("statement_roads"))
            break
        layers.append(
            layer(f"road-{name}", "ground", "line", words.say(f"road_{name}"), style=f"road-{name}",
                  g=light.line_steps(lines))
        )  # fmt: skip
    return layers, notes


def change_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return the roads that the study takes for new, closed or slower: lines as they are, areas by their outline, points by a ring."""
    changes = frame.findings.road_changes
    if changes is None or changes.empty:
        return []
    layers = []
    for change in CHANGES:
        own = changes[changes["change"] == change].geometry
        if own.empty:
            continue
        shapes = light.shifted(own, frame.shift)
        lines = [shape if shape.geom_type.endswith("LineString") else shape.boundary if shape.area else shape.buffer(RING_DEGREES).boundary
                 for shape in shapes]  # fmt: skip
        drawn = light.merged_lines(
            gpd.GeoSeries(lines, crs=own.crs), tolerance=frame.tolerance, most=frame.budget.roads
        )
        layers.append(
            layer(f"change-{change}", "ground", "line", frame.words.say(f"change_{change}"), on=True, style=f"change-{change}",
                  g=light.line_steps(drawn))
        )  # fmt: skip
    return layers


def water_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return lakes and rivers as part of the own base map."""
    water = frame.findings.water
    if water is None or water.empty:
        return []
    extent = max(frame.bounds[2] - frame.bounds[0], frame.bounds[3] - frame.bounds[1])
    water = light.near(water, np.asarray(frame.findings.units.geometry), extent * 0.02)
    wet, lines = (water[water["water"] == kind].geometry for kind in ("area", "line"))
    layers = []
    if len(wet):
        drawn = light.within_budget(
            light.shifted(wet, frame.shift), tolerance=frame.tolerance, vertices=frame.budget.water
        )
        shapes = [part for shape in drawn for part in light.polygon_steps(shape)]
        layers.append(layer("water-area", "ground", "water", frame.words.say("water_area"), g=shapes))
    if len(lines):
        rivers = light.merged_lines(light.shifted(lines, frame.shift), tolerance=frame.tolerance)
        layers.append(
            layer("water-line", "ground", "line", frame.words.say("water_line"), style="water-line",
                  g=light.line_steps(rivers))
        )  # fmt: skip
    return layers
