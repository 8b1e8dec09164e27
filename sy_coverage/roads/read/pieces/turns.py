"""Find the turns that signs forbid and barriers stop, in the terms of a network's links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.read import tags as osm_tags

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence

    from sy_coverage._osm import Restriction, Ways
    from sy_coverage.roads.graph.links import Array, Placement
    from sy_coverage.roads.read.pieces.chains import Chains
    from sy_coverage.roads.travel_modes import TravelMode

FORBIDS = frozenset({"no_left_turn", "no_right_turn", "no_straight_on", "no_u_turn", "no_entry", "no_exit"})
LEAVES_ONLY = frozenset({"only_left_turn", "only_right_turn", "only_straight_on", "only_u_turn"})
"""Of all that a restriction may say, only these close a turn: a sign about red lights or giving way closes none."""
MOST_LINKS = 24
"""The ways that a restriction goes over are no longer than this."""
Step = tuple[int, int]
"""A link and the direction in which it is gone."""
Path = tuple[Step, ...]


@dataclass(frozen=True)
class End:
    """An end of a link: the OSM way that lies there, and the directions of arriving there and of leaving."""

    way: int
    link: int
    arriving: int
    leaving: int


@dataclass(frozen=True)
class Reading:
    """What came of one restriction: the paths that are closed by a ban, by an only, or a word for why there are none."""

    why: str
    banned: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    """Those that an ``only_`` leaves no choice but to avoid."""


def ends_by_node(
    chains: Chains, ids: Array, ways: Ways, placement: Placement, nodes: Array
) -> dict[int, list[End]]:
    """Return the ends of links at the nodes `nodes`, by the node's OSM id."""
    found: dict[int, list[End]] = {}
    turned = placement.backward.astype(int)
    for node, way, leaving in (
        (chains.tail, chains.first_way, turned),
        (chains.head, chains.last_way, 1 - turned),
    ):
        here = np.flatnonzero(np.isin(ids[node], nodes))
        columns = (ids[node[here]], ways.ids[way[here]], placement.link[here], leaving[here])
        for n, w, link, out in zip(*(c.tolist() for c in columns), strict=True):
            end = End(w, link, 1 - out, out)
            there = found.setdefault(n, [])
            if end not in there:
                there.append(end)
    return found


def forbidden_turns(
    ways: Ways,
    chains: Chains,
    ids: Array,
    placement: Placement,
    modes: tuple[TravelMode, ...],
    barred: Mapping[str, frozenset[int]],
    notes: Counter[str],
) -> dict[str, Array]:
    """Return the turns each mode may not make, and count what was honoured and what was not.

    Parameters
    ----------
    barred
        By mode, the nodes that it cannot pass.

    Returns
    -------
    forbidden
        By mode, int64 of shape (paths, 2 m): link and direction in, link and direction out, over m links; −1 fills up those
        that are shorter.
    """
    ends = ends_by_node(chains, ids, ways, placement, _concerned(ways, barred))
    read = [(r, _read(r, ends)) for r in ways.restrictions]
    bound = {mode.name: [_binds(r, mode) for r, _ in read] for mode in modes}
    for i, (_, reading) in enumerate(read):
        words = [bound[mode.name][i] for mode in modes]
        # what binds none of these modes is no affair of this network
        said = next((word for word in words if word in ("ban", "only")), next((w for w in words if w), None))
        if said in ("ban", "only"):
            notes[f"turn_restrictions_{reading.why}"] += 1
        elif said is not None:
            notes[f"turn_restrictions_{said}"] += 1
    answer = {}
    for mode in modes:
        paths: set[Path] = {
            ((i.link, i.arriving), (o.link, o.leaving))
            for node in barred[mode.name]
            for i in ends.get(node, ())
            for o in ends[node]
            if o != i
        }
        for word, (_, reading) in zip(bound[mode.name], read, strict=True):
            paths.update({"ban": reading.banned, "only": reading.others}.get(word or "", ()))
        answer[mode.name] = _table(sorted(paths))
        notes[f"turns_closed_to_{mode.name}"] = len(paths)
    return answer


def _table(paths: Sequence[Path]) -> Array:
    longest = max((len(path) for path in paths), default=2)
    rows = np.full((len(paths), 2 * longest), -1, np.int64)
    for row, path in zip(rows, paths, strict=True):
        row[: 2 * len(path)] = [number for step in path for number in step]
    return rows


def _concerned(ways: Ways, barred: Mapping[str, frozenset[int]]) -> Array:
    """Return the nodes at which a restriction or a barrier can stand."""
    members = [m for r in ways.restrictions for m in r.members if m[0] == "via"]
    nodes = {i for _, kind, i in members if kind == "n"}.union(*barred.values())
    over = np.isin(ways.ids, [i for _, kind, i in members if kind == "w"])
    along = ways.refs[np.repeat(over, np.diff(ways.start))]
    return np.union1d(np.array(sorted(nodes), np.int64), along)


def _binds(restriction: Restriction, mode: TravelMode) -> str | None:
    """Return how a restriction binds `mode`: ``ban``, ``only``, None, or a word for why it does not."""
    tags = restriction.tags
    kind = tags.get("type", "restriction").partition(":")[2]
    if kind and kind not in mode.access:
        return None
    excepted = {word.strip() for word in tags.get("except", "").split(";")}
    if not excepted.isdisjoint(mode.access):
        return None
    # people on foot heed only what is said to them
    usual = ("restriction",) if "vehicle" in mode.access or kind else ()
    for key in (*(f"restriction:{name}" for name in mode.access), *usual):
        if key not in tags and f"{key}{osm_tags.CONDITIONAL}" not in tags:
            continue
        word = osm_tags.in_force(tags, key)
        hours = osm_tags.old_hours(tags)
        if word is None or (hours is not None and not osm_tags.holds(hours)):
            return "at_times_and_not_in_force"
        words = {part.strip().lower() for part in word.split(";")}
        if not words.isdisjoint(FORBIDS):
            return "ban"
        return "of_a_kind_that_closes_nothing" if words.isdisjoint(LEAVES_ONLY) else "only"
    return None


def _read(restriction: Restriction, ends: Mapping[int, list[End]]) -> Reading:
    members: dict[str, list[tuple[str, int]]] = {"from": [], "via": [], "to": []}
    for role, kind, i in restriction.members:
        members.setdefault(role, []).append((kind, i))
    sources, via, targets = ({i for k, i in members[r] if k == "w"} for r in ("from", "via", "to"))
    nodes = [i for kind, i in members["via"] if kind == "n"]
    if not members["via"]:
        return Reading("without_via_not_honoured")
    if not sources or not targets or (via and nodes) or len(nodes) > 1:
        return Reading("incomplete_not_honoured")
    if via:
        return _over_ways(sources, via, targets, ends)
    there = ends.get(nodes[0], [])
    comes = [e for e in there if e.way in sources]
    goes = [e for e in there if e.way in targets]
    if not comes or not goes:
        return Reading("beside_the_network")
    same = sources == targets
    if len(comes) != len(sources) or (len(goes) != len(targets) and not same):
        # a way that runs through the junction uncut: which side is meant cannot be known
        return Reading("not_honoured_ambiguous")
    return Reading(
        "honoured",
        tuple(_turn(i, o) for i in comes for o in goes if not same or i == o),
        tuple(_turn(i, o) for i in comes for o in there if o not in goes),
    )


def _turn(comes: End, goes: End) -> Path:
    return (comes.link, comes.arriving), (goes.link, goes.leaving)


def _over_ways(sources: set[int], via: set[int], targets: set[int], ends: Mapping[int, list[End]]) -> Reading:
    """Follow the ways that a restriction goes over, from the way it comes from to the one it goes to."""
    arrives = {(e.link, e.arriving): node for node, there in ends.items() for e in there}
    banned: list[Path] = []
    others: list[Path] = []
    starts = [(node, e) for node, there in ends.items() for e in there if e.way in sources]
    for node, comes in starts:
        for path, last in _followed(node, via, ends, arrives):
            if path[0][0] == comes.link:
                continue
            before: Path = ((comes.link, comes.arriving), *path)
            for e in ends[last]:
                whole = (*before, (e.link, e.leaving))
                (banned if e.way in targets else others).append(whole)
    if not banned:
        return Reading("over_ways_beside_the_network")
    if len({p[0] for p in banned}) > len(sources) or len({p[-1] for p in banned}) > len(targets):
        return Reading("not_honoured_ambiguous")
    reached = {path[:-1] for path in banned}
    return Reading("over_ways_honoured", tuple(banned), tuple(p for p in others if p[:-1] in reached))


def _followed(
    node: int, via: set[int], ends: Mapping[int, list[End]], arrives: Mapping[Step, int]
) -> Iterator[tuple[Path, int]]:
    """Yield every way along links of `via` that begins at `node`, and the node where it ends."""
    waiting: list[tuple[Path, int]] = [((), node)]
    while waiting:
        path, here = waiting.pop()
        for e in ends.get(here, ()):
            step = (e.link, e.leaving)
            ahead = arrives.get(step)
            if e.way in via and ahead is not None and e.link not in {link for link, _ in path}:
                longer = (*path, step)
                yield longer, ahead
                if len(longer) < MOST_LINKS:
                    waiting.append((longer, ahead))
