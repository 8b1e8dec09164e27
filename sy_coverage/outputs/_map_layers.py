"""Turn findings into what a map draws: layers of light geometry, each with its popup rows and legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from sy_coverage.outputs import _map_geometry as light
from sy_coverage.outputs._map_words import Words, is_missing, is_yes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geopandas import GeoDataFrame
    from pandas import DataFrame, Series

    from sy_coverage.outputs.findings import Findings

UNIT_VERTICES, ROAD_VERTICES, CATCHMENT_VERTICES = 60_000, 160_000, 60_000
MOST_VILLAGES = 12_000
MOST_DOUBTS = 400
NEVER = -1
STATUS_COLOURS = {"today": "#4f83a8", "plan": "#c0dcea", "none": "#fbe5c3"}
"""Dark, middle and light: told apart in grey too, and by hatching; blue and sand for eyes that miss red or green."""

SHARE_COLOURS = ("#fbe5c3", "#d6dcc9", "#a9c7c9", "#6f9fb5", "#3f7499")
"""Fifths from nobody to everybody within reach, light to dark."""

ROAD_CLASSES = {
    "motorway": ("motorway", "motorway_link"),
    "trunk": ("trunk", "trunk_link", "primary", "primary_link"),
    "secondary": ("secondary", "secondary_link", "tertiary", "tertiary_link"),
}
"""Classes of OpenStreetMap's `highway` that are drawn alike; every other class is a minor road."""


@dataclass(frozen=True)
class Frame:
    """What every layer needs to know: the findings, the words, the points in time, and how geometry is made light."""

    findings: Findings
    words: Words
    years: tuple[int, ...]
    """Years in which sites open; empty when the plan has no phases."""
    last: int
    """Index of the last point in time, the whole plan; 0 is today, 1… the years."""
    bounds: tuple[float, float, float, float]
    tolerance: float
    shift: light.Shift | None
    units: GeoDataFrame
    """The units by id, simplified together and shifted."""

    @classmethod
    def of(cls, findings: Findings, shift: light.Shift | None) -> Frame:
        """Return the frame of `findings`."""
        phases = findings.proposals["phase"]
        years = tuple(sorted({int(p) for p in phases.dropna()}))
        # sites without a year open at the end: then the whole plan is one point in time more
        last = max(len(years) + int(phases.isna().any() or not years), 1)
        # without sites every point in time is today, but before and after can still be looked at
        west, south, east, north = (float(v) for v in findings.units.total_bounds)
        bounds = (west, south, east, north)
        tolerance = light.tolerance_for(bounds)
        units = findings.units.sort_index()
        shapes = light.simplified_coverage(units.geometry, tolerance=tolerance, vertices=UNIT_VERTICES)
        units = units.set_geometry(light.shifted(shapes, shift), crs=units.crs)
        return cls(findings, Words.of(findings), years, last, bounds, tolerance, shift, units)

    def states(self) -> list[str]:
        """Return the names of the points in time."""
        named = [self.words.say("state_today")]
        named += [self.words.say("state_year", year=year) for year in self.years]
        return named + [self.words.say("state_plan")] * (self.last + 1 - len(named))

    def opens(self, phase: Any) -> int:
        """Return the point in time from which a site of this phase is open."""
        return self.last if is_missing(phase) else 1 + self.years.index(int(phase))

    def points(self, frame: GeoDataFrame) -> Iterator[tuple[str, dict[str, Any], list[int]]]:
        """Yield (id, row, steps) of the rows that have a point, by id."""
        placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty].sort_index()
        whole = shapely.get_coordinates(light.shifted(placed.geometry, self.shift))
        whole = np.rint(whole * light.STEPS_PER_DEGREE).astype("int64").tolist()
        rows = placed.drop(columns=placed.geometry.name).to_dict("records")
        for row_id, row, at in zip(placed.index, rows, whole, strict=True):
            yield str(row_id), row, at


def layer(layer_id: str, group: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:
    """Return one layer as the page reads it."""
    return {"id": layer_id, "group": group, "type": kind, "name": name, "on": True} | rest


def counted_kinds(frame: Frame) -> set[str]:
    """Return the kinds whose presence makes a unit count as covered."""
    targets = frame.findings.policy.targets
    return {t.measure.facility_kind for t in targets if t.measure.of == "unit_coverage"}


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
    since, former = covered_from(frame), former_names(frame.units)
    reasons: dict[str, list[str]] = {}
    for unit_id, sentence in sorted(zip(found.left_out["unit_id"], found.left_out["sentence"], strict=True)):
        reasons.setdefault(unit_id, []).append(sentence)
    keys = (
        "former", "county", "status", words.elders_field, "share_today", "share_plan", "mean_today", "mean_plan",
        "centre_today", "centre_plan", "boundary", "why_not",
    )  # fmt: skip
    features: dict[str, list[dict[str, Any]]] = {"street": [], "township": [], "other": []}
    for unit_id, row in frame.units.iterrows():
        shape, start = row["geometry"], since[str(unit_id)]
        features[row["kind"]].append(
            {
                "t": row["name"],
                "s": words.say(f"kind_one_{row['kind']}"),
                "c": start,
                "a": [share_class(row["share_covered"]), share_class(row["share_covered_planned"])],
                "g": light.polygon_steps(shape),
                "p": light.point_steps(shape.representative_point()),
                "k": former.get(str(unit_id), []),
                "v": [
                    "、".join(former.get(str(unit_id), [])) or None,
                    words.text(row["county"]),
                    status_words(frame, start),
                    words.count(row["elders"]),
                    words.share(row["share_covered"]),
                    words.share(row["share_covered_planned"]),
                    words.number(row["nearest_mean_min"]),
                    words.number(row["nearest_mean_min_planned"]),
                    words.yes_no(row["has_centre"]),
                    words.yes_no(row["has_centre_planned"]),
                    words.word("boundary", row["boundary_quality"]),
                    words.text(reasons.get(unit_id)),
                ],
            }
        )
    return [
        layer(f"unit-{kind}", "units", "unit", words.say(f"kind_{kind}"), fields=words.fields(keys), features=rows)
        for kind, rows in features.items()
        if rows
    ]  # fmt: skip


def status_words(frame: Frame, start: int) -> str:
    """Return what is said of a unit that is covered from the point in time `start`."""
    if start == NEVER:
        return frame.words.say("status_none")
    if start == 0:
        return frame.words.say("status_today")
    if start <= len(frame.years):
        return frame.words.say("status_plan_year", year=frame.years[start - 1])
    return frame.words.say("status_plan")


def former_names(units: GeoDataFrame) -> dict[str, list[str]]:
    """Return the full names under which units were known before, by unit id, so that a search finds them too."""
    from sy_coverage.places.names import UnitNames, same, short_unit  # noqa: PLC0415  reads tables of names

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
    keys = ("units", "covered_today", "covered_plan", words.elders_field, "share_today", "share_plan",
            "new_sites", "cost", "proof")  # fmt: skip
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
                    words.count(row["covered_today"]),
                    words.count(row["covered_planned"]),
                    words.count(row["elders"]),
                    words.share(row["share_today"]),
                    words.share(row["share_planned"]),
                    words.count(row["new_sites"]),
                    words.number(row["cost"]),
                    words.say(proof_key(row)),
                ],
            }
        )
    return layer("names", "ground", "name", words.say("names"), fields=words.fields(keys), features=features)


def proof_key(county: Series) -> str:
    """Return the label that says whether a county's plan is proved."""
    if county["status"] in {"infeasible", "no_answer"} or is_missing(county["status"]):
        return "no_plan"
    return "proved" if not is_missing(county["proved"]) and bool(county["proved"]) else "not_proved"


def symbol_of(frame: Frame, kind: str) -> dict[str, str]:
    """Return the symbol and colour of a kind of facility."""
    known = frame.findings.policy.kinds.get(kind)
    return {"symbol": known.symbol, "colour": known.colour} if known else {"symbol": "circle", "colour": "#555555"}  # fmt: skip


def _kinds_in_order(frame: Frame, kinds: Series) -> list[str]:
    """Return the kinds that occur, in the policy's order, those it does not know last."""
    there = {str(k) for k in kinds.dropna()}
    known = [k for k in frame.findings.policy.kinds if k in there]
    return known + sorted(there - set(known))


def proposal_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return the proposed sites by kind, numbered as in the proposals."""
    found, words = frame.findings, frame.words
    keys = ("kind", "unit", "county", "premises", "cost", "phase", "gained", "medical", "upgrade_of", "why")
    names = found.facilities["name"]

    def feature(row: dict[str, Any], at: list[int]) -> dict[str, Any]:
        return {
            "t": row["name"],
            "n": int(row["number"]),
            "f": frame.opens(row["phase"]),
            "p": at,
            "v": [
                words.kind(row["kind"]),
                words.text(row["unit"]),
                words.text(row["county"]),
                words.word("premises", row["premises"]),
                words.number(row["cost"]),
                words.year(row["phase"]),
                words.count(row["elders_gained"]),
                words.number(row["medical_min"]),
                words.text(names.get(row["upgrade_of"], row["upgrade_of"])),
                words.text(row["why"]),
            ],
        }

    return _by_kind(frame, found.proposals, "proposal", "proposals", "pin", keys, feature)


def facility_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return the facilities by kind; hollow when not yet open, grey when closed."""
    words = frame.words
    keys = ("kind", "open", "opens_on", "address", "beds", "nursing_beds", "located")

    def feature(row: dict[str, Any], at: list[int]) -> dict[str, Any]:
        return {
            "t": row["name"],
            "o": row["status"],
            "p": at,
            "v": [
                words.kind(row["kind"]),
                words.word("status", row["status"]),
                words.day(row.get("opens_on")),
                words.text(row.get("address")),
                words.count(row.get("beds")),
                words.count(row.get("nursing_beds")),
                words.word("location", row.get("location_status")),
            ],
        }

    layers = _by_kind(frame, frame.findings.facilities, "facility", "facilities", "symbol", keys, feature)
    if len(frame.findings.counties) > 1:
        # a map of many counties stays calm: only the kinds the plan speaks of are switched on
        spoken = counted_kinds(frame) | set(frame.findings.proposals["kind"])
        names = {frame.words.kind(kind) for kind in spoken}
        layers = [one | {"on": one["name"] in names} for one in layers]
    return layers


def _by_kind(
    frame: Frame,
    places: GeoDataFrame,
    prefix: str,
    group: str,
    kind_of_layer: str,
    keys: tuple[str, ...],
    feature: Callable[[dict[str, Any], list[int]], dict[str, Any]],
) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for _, row, at in frame.points(places):
        rows.setdefault(str(row["kind"]), []).append(feature(row, at))
    return [
        layer(f"{prefix}-{n}", group, kind_of_layer, frame.words.kind(kind) or kind,
              fields=frame.words.fields(keys), features=rows[kind], **symbol_of(frame, kind))
        for n, kind in enumerate(_kinds_in_order(frame, places["kind"]), start=1)
        if kind in rows
    ]  # fmt: skip


def village_layers(frame: Frame) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the villages not covered and those covered, and what must be said of those left out."""
    found, words = frame.findings, frame.words
    demand = found.demand
    notes = []
    if len(demand) > MOST_VILLAGES:
        # sorted by id first, so that equal numbers of elders are cut alike whatever the order of rows
        demand = demand.sort_index().sort_values("elders", ascending=False, kind="stable").head(MOST_VILLAGES)
        left = len(found.demand) - MOST_VILLAGES
        notes.append(
            words.say("statement_villages", shown=words.count(MOST_VILLAGES), left=words.count(left))
        )
    keys = ("unit", words.elders_field, "near_today", "near_plan")
    unit_names = found.units["name"]
    without: list[dict[str, Any]] = []
    covered: list[dict[str, Any]] = []
    for demand_id, row, at in frame.points(demand):
        feature = {
            "t": words.text(row.get("name")) or demand_id,
            "p": at,
            "r": round(float(np.clip(1.2 + np.sqrt(row["elders"]) / 9, 1.4, 5.5)), 1),
            "v": [
                words.text(unit_names.get(row["unit_id"])),
                words.count(row["elders"]),
                words.minutes_or_beyond(row["nearest_min"]),
                words.minutes_or_beyond(row["nearest_planned_min"]),
            ],
        }
        if is_yes(row["covered"]):
            covered.append(feature)
            continue
        if is_yes(row["covered_planned"]):
            feature["u"] = frame.last
            covered.append(feature | {"f": frame.last, "u": NEVER})
        without.append(feature)
    layers = [
        layer(f"village-{name}", "villages", "dot", words.say(f"villages_{name}"), on=name == "uncovered",
              style=name, fields=words.fields(keys), features=rows)
        for name, rows in (("uncovered", without), ("covered", covered))
        if rows
    ]  # fmt: skip
    return layers, notes


def catchment_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return the catchments by kind and cutoff: what is reached today, and what each later point in time adds."""
    sheds, proposals = frame.findings.catchments, frame.findings.proposals
    if sheds.empty:
        return []
    flat = sheds.reset_index().sort_values(["facility_id", "cutoff_min"])
    starts = {site: frame.opens(phase) for site, phase in proposals["phase"].items()}
    flat["start"] = flat["facility_id"].map(starts).fillna(0).astype(int)
    groups = [
        (kind, minutes)
        for kind in _kinds_in_order(frame, flat["kind"])
        for minutes in sorted(flat.loc[flat["kind"] == kind, "cutoff_min"].unique())
    ]
    layers = []
    for rank, (kind, minutes) in enumerate(groups):
        own = flat[(flat["kind"] == kind) & (flat["cutoff_min"] == minutes)]
        before: Any = shapely.Polygon()
        features = []
        for start in sorted(own["start"].unique()):
            shapes = light.shifted(own.loc[own["start"] == start, "geometry"], frame.shift)
            reached = shapely.union_all(shapes)
            added = shapely.difference(reached, before)
            before = shapely.union(before, reached)
            drawn = shapely.simplify(added, frame.tolerance * 2)
            features.append({"f": int(start), "g": light.polygon_steps(drawn)})
        name = frame.words.say("catchment", kind=frame.words.kind(kind), minutes=frame.words.number(minutes))
        layers.append(
            layer(f"catchment-{rank + 1}", "catchments", "shed", name, on=False, features=features,
                  **symbol_of(frame, kind))
        )  # fmt: skip
    return layers


def road_layers(frame: Frame) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the roads by class as an own base map, and what must be said when minor ones had to be left out."""
    words = frame.words
    if frame.findings.roads.empty:
        return [], []
    extent = max(frame.bounds[2] - frame.bounds[0], frame.bounds[3] - frame.bounds[1])
    roads = light.near(frame.findings.roads, np.asarray(frame.findings.units.geometry), extent * 0.02)
    names = {highway: name for name, members in ROAD_CLASSES.items() for highway in members}
    classes = roads["highway"].map(lambda h: names.get(str(h), "minor"))
    layers, left, notes = [], ROAD_VERTICES, []
    for name in (*ROAD_CLASSES, "minor"):
        own = roads[classes == name]
        if own.empty:
            continue
        lines = light.merged_lines(
            light.shifted(own.geometry, frame.shift),
            tolerance=frame.tolerance * (1 if name != "minor" else 2),
        )
        left -= int(shapely.get_num_coordinates(lines))
        if left < 0:
            notes.append(words.say("statement_roads"))
            break
        layers.append(
            layer(f"road-{name}", "ground", "line", words.say(f"road_{name}"), style=f"road-{name}",
                  g=light.line_steps(lines))
        )  # fmt: skip
    return layers, notes


def doubt_layers(frame: Frame) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the records to verify as marks on the map, and all of them (the first few hundred) as a list."""
    found, words = frame.findings, frame.words
    tables: dict[str, Any] = {
        "facilities": found.facilities,
        "candidates": found.proposals,
        "proposals": found.proposals,
        "demand": found.demand,
        "units": found.units,
    }
    doubts: DataFrame = found.doubts
    if len(doubts):
        doubts = doubts.sort_values(
            ["county_id", "frame", "row_id", "doubt_id", "sentence"], na_position="last"
        )
    marks, rows = [], []
    for _, row in doubts.iterrows():
        at = _place_of(tables.get(row["frame"]), row["row_id"], frame)
        title = words.text(row["name"]) or str(row["row_id"])
        entry: dict[str, Any] = {"t": title, "v": [words.text(row["sentence"])]}
        if at is not None:
            entry["p"] = at
            marks.append(entry)
        rows.append(entry)
    shown = rows[:MOST_DOUBTS]
    listed = {
        "title": words.say("doubts_list"),
        "note": words.say("doubts_count", count=words.count(len(rows)), shown=words.count(len(shown)))
        if len(rows) > len(shown)
        else ("" if rows else words.say("doubts_none")),
        "rows": shown,
        "count": len(rows),
        "missing": words.say("not_on_map"),
    }
    if not marks:
        return [], listed
    mark = layer("doubts", "checks", "doubt", words.say("doubts_on_map"), on=False,
                 fields=words.fields(("doubt",)), features=marks)  # fmt: skip
    return [mark], listed


def _place_of(table: Any, row_id: Any, frame: Frame) -> list[int] | None:
    if table is None or row_id not in table.index:
        return None
    geometry = table.geometry.loc[row_id]
    if geometry is None or is_missing(geometry) or geometry.is_empty:
        return None
    point = geometry if geometry.geom_type == "Point" else geometry.representative_point()
    return light.point_steps(light.shifted([point], frame.shift)[0])
