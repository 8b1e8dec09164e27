"""Split nodes where it matters how one came there: over a turn that is forbidden, along a ban, or through a private road."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sy_coverage.roads.graph.links import Array, Links

Step = tuple[int, int]
"""A link and the direction in which it is gone: 0 along it, 1 against it."""
OUTSIDE = -1
NODES_AT_MOST = 1
"""A road for the ends of trips that touches the other roads at so few nodes is no way through anyhow."""


@dataclass(frozen=True, eq=False)
class Turning:
    """Nodes split into copies, one for each way of having come there that may not go on everywhere.

    Copies are numbered after the nodes. A way into a junction is a pair of a link and 0 (along it) or 1 (against it).
    """

    arrival: Array
    """int64 of shape (links, 2): the node, or the copy of it, where who sets out on a link arrives."""
    onward: Array
    """int64 of shape (links, 2): where who comes from the node before the link arrives."""
    first: int
    """The number of the first copy: how many nodes there are."""
    origin: Array
    """int64 by copy: the node it is a copy of."""
    leaves: Array
    """int64 of shape (rows, 4), sorted: copy, link and direction that may be taken from it, and where that arrives."""
    twin: Array
    """int64 by copy: the node or copy that differs only in not being inside a private road; else itself."""


@dataclass(frozen=True)
class State:
    """Where one is and what of the way there still matters."""

    node: int
    zone: int = OUTSIDE
    """The roads for the ends of trips that one has entered and may not leave on the other side."""
    bans: frozenset[tuple[int, int]] = frozenset()
    """Forbidden paths of more than two links that one is on, and how many of their links are gone."""
    into: Step | None = None
    """The link one came by, where turns from it are forbidden."""


@dataclass(eq=False)
class Rules:
    """What the states of one travel mode follow from."""

    goes: Array
    """bool of shape (links, 2)."""
    starts: Array
    ends: Array
    """int64 of shape (links, 2): the node before and after each link in each direction."""
    closed: Mapping[Step, set[Step]] = field(default_factory=dict)
    paths: tuple[tuple[Step, ...], ...] = ()
    begins: Mapping[Step, list[int]] = field(default_factory=dict)
    """The paths that begin with a step."""
    zone: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """int64 by link: the number of the zone it is in, −1 outside."""
    gate: Array = field(default_factory=lambda: np.zeros(0, bool))
    """bool by node: other roads touch a zone here."""

    def after(self, state: State, step: Step) -> State | None:
        """Return the state after taking `step`, None if it may not be taken."""
        if state.into is not None and step in self.closed.get(state.into, ()):
            return None
        zone = int(self.zone[step[0]])
        if state.zone not in (OUTSIDE, zone):
            return None
        bans = set()
        for path, gone in state.bans:
            if self.paths[path][gone] == step:
                if gone + 1 == len(self.paths[path]):
                    return None
                bans.add((path, gone + 1))
            elif gone > 1 and step == _back(self.paths[path][gone - 1]):
                # to turn round on the way the ban goes over and come again would be to break it
                return None
        inside = state.zone if state.zone != OUTSIDE else zone if self.gate[state.node] else OUTSIDE
        return self.arrived(step, inside, bans)

    def arrived(self, step: Step, zone: int, bans: set[tuple[int, int]]) -> State:
        """Return the state at the end of `step`."""
        begun = {(path, 1) for path in self.begins.get(step, ())}
        return State(
            int(self.ends[step]), zone, frozenset(bans | begun), step if step in self.closed else None
        )


def _back(step: Step) -> Step:
    return step[0], 1 - step[1]


def turning(links: Links, nodes: int, mode: str, forbidden: Array, ends_only: Array | None = None) -> Turning:
    """Return the split nodes that `forbidden` turns and roads for the ends of trips ask for.

    Parameters
    ----------
    forbidden
        int64 of shape (paths, 2 m): link and direction, in the order they are gone; −1 where a path has fewer.
    ends_only
        Positions of links that a trip may use only where it begins or ends.
    """
    arrival = np.column_stack([links.head, links.tail]).astype(np.int64)
    private = np.zeros(len(links), dtype=bool)
    if ends_only is not None:
        private[ends_only] = True
    rules = _rules(links, nodes, mode, forbidden, private)
    onward = arrival.copy()
    specials = [
        (step, rules.arrived(step, OUTSIDE, set())) for step in sorted({*rules.closed, *rules.begins})
    ]
    entered = []
    for link in np.flatnonzero(rules.zone >= 0).tolist():
        for way in (0, 1):
            if rules.goes[link, way] and rules.gate[rules.starts[link, way]]:
                state = rules.after(State(int(rules.starts[link, way])), (link, way))
                entered.append(((link, way), state))
    number: dict[State, int] = {}
    for _, state in (*specials, *entered):
        if state is not None and state != State(state.node):
            number.setdefault(state, nodes + len(number))
    leaves = list(_spread(rules, nodes, number))
    for step, state in specials:
        arrival[step] = onward[step] = number[state]
    for step, state in entered:
        if state is not None:
            onward[step] = number.get(state, state.node)
    twin = [
        number.get(plain, plain.node if plain == State(plain.node) else own)
        for own, plain in ((n, State(s.node, OUTSIDE, s.bans, s.into)) for s, n in number.items())
    ]
    rows = np.array(leaves, np.int64).reshape(-1, 4)
    return Turning(
        arrival,
        onward,
        nodes,
        np.array([state.node for state in number], np.int64),
        rows[np.lexsort(rows.T[::-1])],
        np.array(twin, np.int64),
    )


def _spread(rules: Rules, nodes: int, number: dict[State, int]) -> Iterator[tuple[int, int, int, int]]:
    """Number every state that can be reached from those in `number`, and yield the rows of `Turning.leaves`."""
    waiting = list(number)
    if not waiting:
        return
    link, way = np.nonzero(rules.goes)
    start = rules.starts[link, way]
    order = np.argsort(start, kind="stable")
    link, way = link[order], way[order]
    first = np.searchsorted(start[order], np.arange(nodes + 1))
    while waiting:
        state = waiting.pop(0)
        for row in range(first[state.node], first[state.node + 1]):
            step = (int(link[row]), int(way[row]))
            then = rules.after(state, step)
            if then is None:
                continue
            there = then.node
            if then != State(then.node):
                if then not in number:
                    number[then] = nodes + len(number)
                    waiting.append(then)
                there = number[then]
            yield number[state], *step, there


def _rules(links: Links, nodes: int, mode: str, forbidden: Array, private: Array) -> Rules:
    goes = np.isfinite(links.minutes[mode])
    closed: dict[Step, set[Step]] = {}
    paths: list[tuple[Step, ...]] = []
    begins: dict[Step, list[int]] = {}
    for row in forbidden.tolist():
        path = tuple((a, b) for a, b in zip(row[::2], row[1::2], strict=True) if a >= 0)
        if not all(goes[step] for step in path[: 1 if len(path) == 2 else None]):
            continue
        if len(path) == 2:
            closed.setdefault(path[0], set()).add(path[1])
        else:
            begins.setdefault(path[0], []).append(len(paths))
            paths.append(path)
    ends = np.column_stack([links.head, links.tail]).astype(np.int64)
    zone, gate = _zones(links, nodes, np.asarray(goes.any(axis=1)), private)
    return Rules(goes, ends[:, ::-1], ends, closed, tuple(paths), begins, zone, gate)


def _zones(links: Links, nodes: int, used: Array, private: Array) -> tuple[Array, Array]:
    """Return the zone of every link, −1 for a road that all may pass or that leads nowhere else, and the nodes that are gates."""
    zone, gate = np.full(len(links), OUTSIDE, np.int64), np.zeros(nodes, dtype=bool)
    if not (private & used).any():
        return zone, gate
    private = private | _pockets(links, nodes, used, private)
    inside = np.flatnonzero(private & used)
    passing = np.flatnonzero(~private & used)
    gate[links.tail[passing]] = gate[links.head[passing]] = True
    # two links are of one zone if they meet where nobody else passes
    tail, head = links.tail[inside].astype(np.int64), links.head[inside].astype(np.int64)
    part = _joined(tail, head, ~gate)
    at = np.concatenate([np.column_stack([part, end])[gate[end]] for end in (tail, head)])
    doors = np.bincount(np.unique(at, axis=0)[:, 0], minlength=int(part.max()) + 1)
    zone[inside] = np.where(doors[part] > NODES_AT_MOST, part, OUTSIDE)
    return zone, gate


def _pockets(links: Links, nodes: int, used: Array, private: Array) -> Array:
    """Return the links that all may pass but that private roads alone join to the others: streets behind one entrance."""
    everywhere = np.ones(nodes, dtype=bool)
    tail, head = links.tail.astype(np.int64), links.head.astype(np.int64)
    which, public = np.flatnonzero(used), np.flatnonzero(used & ~private)
    pocket = np.zeros(len(links), dtype=bool)
    if not public.size:
        return pocket
    land = np.empty(len(links), np.int64)
    land[which] = _joined(tail[which], head[which], everywhere)
    part = _joined(tail[public], head[public], everywhere)
    size = np.bincount(part)
    # of the public roads of one land the largest part is outside; of equals the one met first
    first = np.zeros(size.size, np.int64)
    first[part[::-1]] = public[::-1]
    order = np.lexsort((first, -size, land[first]))
    _, leads = np.unique(land[first][order], return_index=True)
    outside = np.zeros(size.size, dtype=bool)
    outside[order[leads]] = True
    pocket[public] = ~outside[part]
    return pocket


def _joined(tail: Array, head: Array, open_nodes: Array) -> Array:
    """Return the number of the part of each link, of links that meet at nodes where `open_nodes` is true."""
    own = open_nodes.size + np.arange(tail.size)
    left = np.concatenate([own[open_nodes[end]] for end in (tail, head)])
    right = np.concatenate([end[open_nodes[end]] for end in (tail, head)])
    size = open_nodes.size + tail.size
    meet = sparse.coo_array((np.ones(left.size, np.int8), (left, right)), shape=(size, size))
    _, label = csgraph.connected_components(meet, directed=False)
    _, part = np.unique(label[own], return_inverse=True)
    numbers: Array = part
    return numbers
