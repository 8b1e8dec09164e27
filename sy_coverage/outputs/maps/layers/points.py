"""Draw what stands at a point: facilities, proposed sites, villages, and the records to verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.outputs.maps.basis import geometry as light
from sy_coverage.outputs.maps.basis.frame import NEVER, counted_kinds, kinds_in_order, layer, symbol_of
from sy_coverage.outputs.maps.basis.words import is_missing, is_yes

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.outputs.maps.basis.frame import Frame

MOST_VILLAGES = 12_000
MOST_DOUBTS = 400


def proposal_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return the proposed sites by kind, numbered as in the proposals."""
    found, words = frame.findings, frame.words
    keys = ("kind", "unit", "county", "premises", "cost", "phase", "gained", "medical", "upgrade_of", "why")
    names = found.facilities["name"]
    reasons: dict[str, list[str]] = {}
    for site_id, sentence in zip(found.reasons["site_id"], found.reasons["sentence"], strict=True):
        reasons.setdefault(str(site_id), []).append(str(sentence))

    def feature(site_id: str, row: dict[str, Any], at: list[int]) -> dict[str, Any]:
        return {
            "t": row["name"],
            "i": site_id,
            "n": int(row["number"]),
            "w": words.text(row["county"]) or "",
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
                reasons.get(site_id) or words.text(row["why"]),
            ],
        }

    return _by_kind(frame, found.proposals, "proposal", "proposals", "pin", keys, feature)


def facility_layers(frame: Frame) -> list[dict[str, Any]]:
    """Return the facilities by kind; hollow when not yet open, grey when closed."""
    words = frame.words
    keys = ("kind", "open", "opens_on", "address", "beds", "nursing_beds", "located")

    def feature(facility_id: str, row: dict[str, Any], at: list[int]) -> dict[str, Any]:
        return {
            "t": row["name"],
            "i": facility_id,
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
    feature: Callable[[str, dict[str, Any], list[int]], dict[str, Any]],
) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row_id, row, at in frame.points(places):
        rows.setdefault(str(row["kind"]), []).append(feature(row_id, row, at))
    return [
        layer(f"{prefix}-{n}", group, kind_of_layer, frame.words.kind(kind) or kind,
              fields=frame.words.fields(keys), features=rows[kind], **symbol_of(frame, kind))
        for n, kind in enumerate(kinds_in_order(frame, places["kind"]), start=1)
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
            words.say(f"statement_{found.homes}", shown=words.count(MOST_VILLAGES), left=words.count(left))
        )
    keys = ("unit", words.elders_field, "near")
    unit_names = found.units["name"]
    without: list[dict[str, Any]] = []
    covered: list[dict[str, Any]] = []
    changes = _changes(frame)
    for demand_id, row, at in frame.points(demand):
        since, reached = changes[demand_id]
        feature = {
            "t": words.text(row.get("name")) or demand_id,
            "i": demand_id,
            "p": at,
            "r": round(float(np.clip(1.2 + np.sqrt(row["elders"]) / 9, 1.4, 5.5)), 1),
            "c": since,
            "m": reached,
            "v": [
                words.text(unit_names.get(row["unit_id"])),
                words.count(row["elders"]),
                words.change(
                    words.minutes_or_beyond(row["nearest_min"]),
                    words.minutes_or_beyond(row["nearest_planned_min"]),
                ),
            ],
        }
        if since == 0:
            covered.append(feature)
            continue
        if since > 0:
            feature["u"] = since
            covered.append(feature | {"f": since, "u": NEVER})
        without.append(feature)
    layers = [
        layer(f"village-{name}", "villages", "dot", words.say(f"{found.homes}_{name}"), on=name == "uncovered",
              style=name, fields=words.fields(keys), features=rows)
        for name, rows in (("uncovered", without), ("covered", covered))
        if rows
    ]  # fmt: skip
    return layers, notes


def _changes(frame: Frame) -> dict[str, tuple[int, list[list[float]]]]:
    """Return, by village, from which point in time it is within the cutoff, and its nearest centre whenever that changes.

    A change is the point in time, the minutes (-1: beyond the time computed), and the place of the centre in `centres` (-1: not known).
    """
    demand, reach = frame.findings.demand, frame.reach
    if reach is None:
        covered, planned = (demand[name].map(is_yes) for name in ("covered", "covered_planned"))
        starts = np.where(covered, 0, np.where(planned, frame.last, NEVER))
        return {str(i): (int(start), []) for i, start in zip(demand.index, starts, strict=True)}
    places = {centre: n for n, centre in enumerate(_centre_ids(frame))}
    within = np.array([column.to_numpy(bool) for column in reach.within])
    starts = np.where(within.any(axis=0), within.argmax(axis=0), NEVER)
    minutes = [column.round(1).fillna(NEVER).tolist() for column in reach.minutes]
    centres = [[places.get(str(c), NEVER) for c in column] for column in reach.centres]
    changes: dict[str, tuple[int, list[list[float]]]] = {}
    for n, demand_id in enumerate(demand.index):
        reached: list[list[float]] = []
        for state, (near, at) in enumerate(zip(minutes, centres, strict=True)):
            now = [int(near[n]) if near[n] == int(near[n]) else near[n], at[n]]
            if not reached or reached[-1][1:] != now:
                reached.append([state, *now])
        changes[str(demand_id)] = (int(starts[n]), reached)
    return changes


def _centre_ids(frame: Frame) -> list[str]:
    """Return the ids of the centres that are nearest to some village at some point in time, in order."""
    reach = frame.reach
    return (
        []
        if reach is None
        else sorted({str(c) for column in reach.centres for c in column if not is_missing(c)})
    )


def centres(frame: Frame) -> list[dict[str, Any]]:
    """Return the name and place of every centre that is nearest to some village."""
    found, listed = frame.findings, []
    for centre in _centre_ids(frame):
        table = found.facilities if centre in found.facilities.index else found.proposals
        known = centre in table.index
        at = _place_of(table, centre, frame) if known else None
        listed.append({"t": str(table.loc[centre, "name"]) if known else centre, "i": centre, "p": at or []})
    return listed


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
