"""Draw what can be reached: the parts of roads within each cutoff, cut at the exact minute, buffered and merged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.roads._sweep import usable_cores
from sy_coverage.roads.links import ranges, spans

if TYPE_CHECKING:
    from sy_coverage.roads.graph import Turning
    from sy_coverage.roads.links import Array, Links

BLOCKS = (4096, 512, 64, 8)
"""Links that follow each other lie together; where all of a block is reached its outline is looked up, not drawn again."""
ROUND = 2
"""Segments a quarter circle of a buffer is drawn with."""
SIMPLER = 0.25
"""Lines are drawn to within this share of the buffer."""


@dataclass(frozen=True, eq=False)
class Reach:
    """What one site reaches: minutes at nodes, its own place on a link, and the minutes to walk there."""

    nodes: Array
    minutes: Array
    link: int
    fraction: float
    access_min: float


@dataclass(frozen=True, eq=False)
class Part:
    """What a cutoff adds to a catchment: links with the fractions they are reached from and to, and whole blocks."""

    link: Array
    span: Array
    blocks: tuple[tuple[int, int], ...]


class Drawer:
    """The links of one mode in one direction, ready to be drawn as catchments of many sites."""

    def __init__(
        self,
        links: Links,
        nodes: int,
        mode: str,
        turns: Turning,
        *,
        to_site: bool,
        buffer_m: float,
        part: Array,
    ) -> None:
        """Index links by node and measure along their lines; `part` is the strongly connected part of each node."""
        self.links, self.buffer_m = links, buffer_m
        forward, backward = links.minutes[mode].T
        # what it takes to cross a link from its tail side and from its head side, seen from the site
        self.from_tail, self.from_head = (backward, forward) if to_site else (forward, backward)
        usable = np.flatnonzero(np.isfinite(forward) | np.isfinite(backward))
        # dead ends that can only be left, or never, would keep a block of good roads from being whole
        apart = part[links.tail[usable]] != part[links.head[usable]]
        self.order = usable[np.lexsort((usable, part[links.tail[usable]], apart))]
        self.position = np.full(len(links), -1, np.int64)
        self.position[self.order] = np.arange(self.order.size)
        self.at_node, self.node_start = _incidence(links, nodes)
        steps = np.r_[0.0, np.hypot(*np.diff(links.xy, axis=0).T)]
        along = np.cumsum(steps)
        self.along = along - np.repeat(along[links.start[:-1]], np.diff(links.start))
        self.total = self.along[links.start[1:] - 1]
        self.minutes_at = np.full(nodes + turns.origin.size, np.inf)
        self.whole_node = np.r_[np.arange(nodes), turns.origin]
        self.first_copy, self.leaves = nodes, np.zeros((0, 3), np.int64) if to_site else turns.leaves
        ends = np.column_stack([links.head, links.tail])
        # to the site a link is crossed into where it arrives, from the site out of the node it leaves
        self.at_tail, self.at_head = (turns.arrival if to_site else ends).T[::-1]
        self.outlines: dict[tuple[int, int], Any] = {}

    def catchments(self, reaches: list[Reach], cutoffs: list[float]) -> list[list[Any]]:
        """Return for each site its polygon at each of the ascending `cutoffs`, None where nothing is reached."""
        parts = [self._parts(reach, cutoffs) for reach in reaches]
        with ThreadPoolExecutor(usable_cores()) as pool:
            self._outline({block for site in parts for part in site for block in part.blocks}, pool)
            return list(pool.map(self._merged, parts))

    def _parts(self, reach: Reach, cutoffs: list[float]) -> list[Part]:
        at = self.minutes_at
        at[reach.nodes] = reach.minutes
        rows, _ = spans(self.node_start, np.unique(self.whole_node[reach.nodes]))
        which = np.unique(np.r_[self.at_node[rows], reach.link]).astype(np.int64)
        which = which[self.position[which] >= 0]
        tail_min, head_min = self._ends(which, reach)
        at[reach.nodes] = np.inf
        done = np.zeros(which.size, dtype=bool)
        drawn: set[tuple[int, int]] = set()
        answer = []
        for cutoff in cutoffs:
            near, far = self._reached(which, tail_min, head_min, cutoff)
            whole = near + far >= 1
            blocks, covered = self._blocks(self.position[which[whole]])
            fresh = ~done
            fresh[np.flatnonzero(whole)[covered]] = False
            done |= whole
            link, span = _spans_of(which, near, far, self._own(reach, which, cutoff), whole, fresh)
            answer.append(Part(link, span, tuple(b for b in blocks if b not in drawn)))
            drawn.update(blocks)
        return answer

    def _ends(self, which: Array, reach: Reach) -> tuple[Array, Array]:
        """Return the minutes at the tail and the head of links, as far as the turn there may be made."""
        at = self.minutes_at
        minutes = np.column_stack([at[self.at_tail[which]], at[self.at_head[which]]])
        copies = reach.nodes[reach.nodes >= self.first_copy]
        if copies.size and len(self.leaves):
            rows = self.leaves[np.isin(self.leaves[:, 0], copies)]
            place = np.searchsorted(which, rows[:, 1])
            known = (place < which.size) & (which[np.minimum(place, which.size - 1)] == rows[:, 1])
            np.minimum.at(minutes, (place[known], rows[known, 2]), at[rows[known, 0]])
        return minutes[:, 0], minutes[:, 1]

    def _reached(self, which: Array, tail_min: Array, head_min: Array, cutoff: float) -> tuple[Array, Array]:
        with np.errstate(invalid="ignore"):
            near = np.clip((cutoff - tail_min) / self.from_tail[which], 0, 1)
            far = np.clip((cutoff - head_min) / self.from_head[which], 0, 1)
        # a link that is closed that way has infinite minutes: nothing of it is reached
        return np.nan_to_num(near, nan=0.0), np.nan_to_num(far, nan=0.0)

    def _own(self, reach: Reach, which: Array, cutoff: float) -> tuple[Array, Array]:
        left = cutoff - reach.access_min
        at = np.flatnonzero(which == reach.link)
        if left < 0 or not at.size:
            return at[:0], np.zeros((0, 2))
        back = reach.fraction - left / self.from_head[reach.link]
        ahead = reach.fraction + left / self.from_tail[reach.link]
        return at, np.array([[max(back, 0.0), min(ahead, 1.0)]])

    def _blocks(self, positions: Array) -> tuple[list[tuple[int, int]], Array]:
        """Return the largest blocks that lie wholly in `positions`, and which positions they cover."""
        blocks: list[tuple[int, int]] = []
        covered = np.zeros(positions.size, dtype=bool)
        for size in BLOCKS:
            left = np.flatnonzero(~covered)
            block, where, count = np.unique(positions[left] // size, return_inverse=True, return_counts=True)
            whole = count == np.minimum(size, self.order.size - block * size)
            blocks.extend((size, int(b)) for b in block[whole])
            covered[left[whole[where]]] = True
        return blocks, covered

    def _outline(self, needed: set[tuple[int, int]], pool: ThreadPoolExecutor) -> None:
        """Draw the outlines of blocks, large ones from small ones, and remember them."""
        import shapely  # noqa: PLC0415

        levels = {size: {b for s, b in needed if s == size} for size in BLOCKS}
        for size, smaller in pairwise(BLOCKS):
            fan = size // smaller
            last = (self.order.size - 1) // smaller
            fresh = {b for b in levels[size] if (size, b) not in self.outlines}
            levels[smaller] |= {c for b in fresh for c in range(b * fan, min((b + 1) * fan, last + 1))}

        def draw(key: tuple[int, int]) -> Any:
            size, block = key
            if size == BLOCKS[-1]:
                which = self.order[block * size : (block + 1) * size]
                return shapely.union_all(self._drawn(self.links.lines(which)))
            smaller = BLOCKS[BLOCKS.index(size) + 1]
            fan = size // smaller
            parts = range(block * fan, (block + 1) * fan)
            return shapely.union_all(
                [self.outlines[smaller, p] for p in parts if (smaller, p) in self.outlines]
            )

        for size in reversed(BLOCKS):
            fresh_keys = [(size, b) for b in sorted(levels[size]) if (size, b) not in self.outlines]
            self.outlines.update(zip(fresh_keys, pool.map(draw, fresh_keys), strict=True))

    def _drawn(self, lines: Array) -> Array:
        import shapely  # noqa: PLC0415

        simple = shapely.simplify(lines, self.buffer_m * SIMPLER)
        drawn: Array = shapely.buffer(simple, self.buffer_m, quad_segs=ROUND)
        return drawn

    def _merged(self, parts: list[Part]) -> list[Any]:
        import shapely  # noqa: PLC0415

        so_far: Any = None
        answer = []
        for part in parts:
            shapes = [self.outlines[b] for b in part.blocks]
            if part.link.size:
                shapes.extend(self._drawn(self.cut(part.link, part.span)))
            if so_far is not None:
                shapes.append(so_far)
            # every cutoff contains the one before it, whatever was simplified
            so_far = shapely.union_all(shapes) if len(shapes) > 1 else (shapes[0] if shapes else None)
            answer.append(so_far)
        return answer

    def cut(self, link: Array, span: Array) -> Array:
        """Return LineStrings of parts of links, from fraction ``span[:, 0]`` to ``span[:, 1]``."""
        import shapely  # noqa: PLC0415

        begin, end = span[:, 0] * self.total[link], span[:, 1] * self.total[link]
        rows, owner = spans(self.links.start, link)
        along = self.along[rows]
        inside = (along > begin[owner]) & (along < end[owner])
        at = np.concatenate([begin, along[inside], end])
        part = np.concatenate([np.arange(link.size), owner[inside], np.arange(link.size)])
        xy = np.concatenate([self._place(link, begin), self.links.xy[rows[inside]], self._place(link, end)])
        order = np.lexsort(
            (np.r_[np.zeros(link.size), np.ones(inside.sum()), np.full(link.size, 2)], at, part)
        )
        lines: Array = np.asarray(shapely.linestrings(xy[order], indices=part[order]), dtype=object)
        return lines

    def _place(self, link: Array, metres: Array) -> Array:
        """Return x, y of places along links."""
        first, last = self.links.start[link], self.links.start[link + 1] - 1
        rows, owner = ranges(first, last - first)
        passed = np.bincount(owner, self.along[rows + 1] < metres[owner], minlength=link.size).astype(
            np.int64
        )
        before = np.minimum(first + passed, last - 1)
        length = self.along[before + 1] - self.along[before]
        share = np.clip((metres - self.along[before]) / np.where(length > 0, length, 1.0), 0.0, 1.0)[:, None]
        a, b = self.links.xy[before], self.links.xy[before + 1]
        place: Array = a + share * (b - a)
        return place


def _incidence(links: Links, nodes: int) -> tuple[Array, Array]:
    at = np.concatenate([links.tail, links.head])
    which = np.concatenate([np.arange(len(links)), np.arange(len(links))])
    order = np.argsort(at, kind="stable")
    return which[order], np.r_[0, np.cumsum(np.bincount(at, minlength=nodes))].astype(np.int64)


def _spans_of(
    which: Array, near: Array, far: Array, own: tuple[Array, Array], whole: Array, fresh: Array
) -> tuple[Array, Array]:
    """Return links and fractions of the reached parts of those that are `fresh`."""
    full = np.flatnonzero(whole & fresh)
    head = np.flatnonzero(~whole & fresh & (near > 0))
    tail = np.flatnonzero(~whole & fresh & (far > 0))
    mine = np.flatnonzero(fresh[own[0]])
    link = which[np.concatenate([full, head, tail, own[0][mine]])]
    span = np.concatenate(
        [
            np.tile([0.0, 1.0], (full.size, 1)),
            np.column_stack([np.zeros(head.size), near[head]]),
            np.column_stack([1 - far[tail], np.ones(tail.size)]),
            own[1][mine],
        ]
    )
    return link, span
