"""Find the turns that signs forbid and barriers stop, in the terms of a network's links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.read import tags as osm_tags

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from sy_coverage._osm import Restriction, Ways
    from sy_coverage.roads.graph.links import Array, Placement
    from sy_coverage.roads.read.chains import Chains
    from sy_coverage.roads.travel_modes import TravelMode


FOR_CARS = frozenset({"restriction", "restriction:motorcar", "restriction:motor_vehicle"})
"""Types of restriction that bind cars; others are for lorries or buses alone."""


@dataclass(frozen=True)
class End:
    """An end of a link: the OSM way that lies there, and the directions of arriving there and of leaving."""

    way: int
    link: int
    arriving: int
    leaving: int


def ends_by_node(chains: Chains, ids: Array, ways: Ways, placement: Placement) -> dict[int, list[End]]:
    """Return the ends of links at every node, by the node's OSM id."""
    found: dict[int, list[End]] = {}
    turned = placement.backward.astype(int)
    for node, way, leaving in (
        (chains.tail, chains.first_way, turned),
        (chains.head, chains.last_way, 1 - turned),
    ):
        columns = (ids[node], ways.ids[way], placement.link, leaving)
        for n, w, link, out in zip(*(c.tolist() for c in columns), strict=True):
            end = End(w, link, 1 - out, out)
            there = found.setdefault(n, [])
            if end not in there:
                there.append(end)
    return found


def forbidden_turns(
    ways: Ways, ends: Mapping[int, list[End]], modes: tuple[TravelMode, ...], notes: Counter[str]
) -> dict[str, Array]:
    """Return the turns each mode may not make, and count what was honoured and what was not.

    Returns
    -------
    forbidden
        By mode, int64 of shape (turns, 4): link and direction in, link and direction out.
    """
    answer = {}
    signed = [(r, tuple(_signed(r, ends, notes))) for r in ways.restrictions]
    for mode in modes:
        rows = [
            (i.link, i.arriving, o.link, o.leaving)
            for node, tags in ways.node_tags.items()
            if node in ends and osm_tags.is_barred(tags, mode)
            for i in ends[node]
            for o in ends[node]
            if o != i
        ]
        for restriction, turns in signed:
            if _binds(restriction, mode):
                rows.extend(turns)
        answer[mode.name] = np.unique(np.array(rows, np.int64).reshape(-1, 4), axis=0)
        notes[f"turns_closed_to_{mode.name}"] = len(answer[mode.name])
    return answer


def _binds(restriction: Restriction, mode: TravelMode) -> bool:
    if restriction.tags.get("type", "restriction") not in FOR_CARS:
        return False
    excepted = {word.strip() for word in restriction.tags.get("except", "").split(";")}
    return "vehicle" in mode.access and excepted.isdisjoint(mode.access)


def _signed(
    restriction: Restriction, ends: Mapping[int, list[End]], notes: Counter[str]
) -> Iterator[tuple[int, int, int, int]]:
    tags = restriction.tags
    word = (
        tags.get("restriction")
        or tags.get("restriction:motorcar")
        or tags.get("restriction:motor_vehicle", "")
    )
    members = {
        role: [(kind, i) for r, kind, i in restriction.members if r == role] for role in ("from", "via", "to")
    }
    via = members["via"]
    if len(via) != 1 or via[0][0] != "n" or not members["from"] or not members["to"]:
        notes["turn_restrictions_not_honoured_over_ways_or_incomplete"] += 1
        return
    there = ends.get(via[0][1], [])
    comes = [e for e in there if ("w", e.way) in members["from"]]
    goes = [e for e in there if ("w", e.way) in members["to"]]
    if not comes or not goes:
        notes["turn_restrictions_beside_the_network"] += 1
        return
    if len(comes) != len(members["from"]) or (
        len(goes) != len(members["to"]) and members["from"] != members["to"]
    ):
        # a way that runs through the junction uncut: which side is meant cannot be known
        notes["turn_restrictions_not_honoured_ambiguous"] += 1
        return
    notes["turn_restrictions_honoured"] += 1
    if word.startswith("only_"):
        closed = [(i, o) for i in comes for o in there if o not in goes]
    else:
        same = members["from"] == members["to"]
        closed = [(i, o) for i in comes for o in goes if not same or i == o]
    for i, o in closed:
        yield i.link, i.arriving, o.link, o.leaving
