"""Run the kernel of the nearest sites: one sweep from all sites at once, compiled once and cached on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sy_coverage.roads.kernel.search import (
    BLOCK,
    GOES_ON,
    LAST,
    LEGS,
    NONE,
    ONE,
    OPENS,
    PAGE,
    RUNS,
    TWO,
    compiled,
    search_labelled,
    turn_page,
)

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array

_FULL = np.uint32(PAGE - 2)
"""Where the entries of a page end: there are two numbers in each, a node and a site."""
_MINUTES = nb.float64[:, ::1]
_SITES = nb.int32[:, ::1]


@nb.njit(inline="always")
def place(best: Array, whose: Array, row: Any, there: float, site: Any) -> bool:
    """Put `site` among the nearest of a row, each site once and of equals the lower first; return whether it is nearer than was known."""
    last = best.shape[1] - 1
    if there > best[row, last] or (there == best[row, last] and site >= whose[row, last]):
        return False
    for rank in range(last):
        if whose[row, rank] == site:
            if there >= best[row, rank]:
                return False
            last = rank
            break
    while last > 0 and (
        there < best[row, last - 1] or (there == best[row, last - 1] and site < whose[row, last - 1])
    ):
        best[row, last], whose[row, last] = best[row, last - 1], whose[row, last - 1]
        last -= 1
    best[row, last], whose[row, last] = there, site
    return True


@compiled(nb.boolean(RUNS, LEGS, nb.float64, nb.float64, nb.int64, nb.uint32[::1], _MINUTES, _SITES))
def spread(  # noqa: C901, PLR0912, PLR0915 - one loop that must stay in one compiled function
    runs: tuple[Array, Array, Array, Array],
    sites: tuple[Array, Array, Array],
    cutoff: float,
    width: float,
    buckets: int,
    queue: Array,
    best: Array,
    whose: Array,
) -> bool:
    """Write by node the minutes to its nearest sites and which they are; return whether `queue` had room.

    `best` and `whose`, of shape (nodes, k), are full of ``inf`` and −1 before; what follows within the cutoff is as in
    `_kernel.search`, with one label a site at every node instead of one.
    """
    first, _, step, step_min = runs
    leg_ptr, leg_node, leg_min = sites
    begins, ends = np.empty(buckets, np.uint32), np.empty(buckets, np.uint32)
    for bucket in range(buckets):
        begins[bucket] = ends[bucket] = bucket * PAGE
    mask = np.uint32(buckets - 1)
    per_minute = 1.0 / width
    free = NONE
    unused = np.uint32(buckets * PAGE)
    turn = np.int64(0)
    idle = 0
    site, leg = np.int64(-1), np.int64(0)
    at_step, last = np.uint32(0), np.uint32(0)
    here, there = 0.0, 0.0
    while idle < buckets:
        # the next label to try: from a leg of a site as long as there are any, then along the roads out of a node
        if leg < leg_node.size:
            while leg >= leg_ptr[site + 1]:
                site += 1
            head, there, ahead = np.uint32(leg_node[leg]), leg_min[leg], OPENS
            leg += 1
        elif at_step < last:
            ahead = step[at_step]
            there += step_min[at_step]
            at_step += ONE
            head = ahead >> TWO
        else:
            slot = np.uint32(turn) & mask
            entry = begins[slot]
            if entry == ends[slot]:
                begins[slot] = ends[slot] = entry - (entry & LAST)
                turn += 1
                idle += 1
                continue
            idle = 0
            if unused == NONE:
                return False
            tail, site = queue[entry], np.int64(queue[entry + ONE])
            entry += TWO
            if entry & LAST == _FULL:
                page = queue[entry]
                queue[entry - _FULL] = free
                free = np.uint32(entry - _FULL)
                entry = page
            begins[slot] = entry
            for rank in range(best.shape[1]):
                if whose[tail, rank] == site and np.int64(best[tail, rank] * per_minute) == turn:
                    here = there = best[tail, rank]
                    at_step, last = first[tail], first[tail + ONE]
            continue
        if there <= cutoff and place(best, whose, np.int64(head), there, site):
            if ahead & GOES_ON:
                continue
            if ahead & OPENS:
                into = np.uint32(np.int64(there * per_minute)) & mask
                at = ends[into]
                queue[at], queue[at + ONE] = head, np.uint32(site)
                at += TWO
                if at & LAST == _FULL:
                    at, free, unused = turn_page(queue, at, free, unused)
                ends[into] = at
        else:
            while ahead & GOES_ON:
                ahead = step[at_step]
                at_step += ONE
        there = here
    return True


@compiled(nb.void(LEGS, LEGS, nb.float64, _MINUTES, _SITES, _MINUTES, _SITES))
def choose(
    demand: tuple[Array, Array, Array],
    direct: tuple[Array, Array, Array],
    cutoff: float,
    best: Array,
    whose: Array,
    point_best: Array,
    point_whose: Array,
) -> None:
    """Write by demand point what `spread` found at the nodes its legs lead to, and the sites it is led to directly."""
    leg_ptr, leg_node, leg_min = demand
    pair_ptr, pair_site, pair_min = direct
    single = best.shape[1] == 1
    for point in range(point_best.shape[0]):
        near, site = np.inf, np.int32(-1)
        for leg in range(leg_ptr[point], leg_ptr[point + 1]):
            if single:
                # nearly every run, and a third of its time when every label is put in its place
                there = best[leg_node[leg], 0] + leg_min[leg]
                if there < near or (there == near and whose[leg_node[leg], 0] < site):
                    near, site = there, whose[leg_node[leg], 0]
                continue
            for rank in range(best.shape[1]):
                there = best[leg_node[leg], rank] + leg_min[leg]
                if there <= cutoff and there < np.inf:
                    place(point_best, point_whose, point, there, np.int64(whose[leg_node[leg], rank]))
        if near <= cutoff and site >= 0:
            point_best[point, 0], point_whose[point, 0] = near, site
        for pair in range(pair_ptr[point], pair_ptr[point + 1]):
            if pair_min[pair] <= cutoff:
                place(point_best, point_whose, point, pair_min[pair], np.int64(pair_site[pair]))


def nearest_sites(
    runs: tuple[Array, ...],
    sites: tuple[Array, ...],
    demand: tuple[Array, ...],
    direct: tuple[Array, ...],
    *,
    k: int,
    cutoff_min: float,
    ring: tuple[float, int],
) -> tuple[Array, Array]:
    """Return minutes and sites of shape (demand points, k): ``inf`` and −1 where fewer are within the cutoff."""
    by_node = (_nearest if k == 1 else _k_nearest)(runs, sites, k, cutoff_min, ring)
    at_points = _empty(demand[0].size - 1, k)
    choose(demand, direct, cutoff_min, *by_node, *at_points)
    return at_points


def _empty(rows: int, k: int) -> tuple[Array, Array]:
    return np.full((rows, k), np.inf), np.full((rows, k), -1, np.int32)


def _room(ring: tuple[float, int], nodes: int) -> int:
    # room that is not used is never touched, so it costs nothing
    return 2 * ring[1] * PAGE + 4 * nodes


def _nearest(
    runs: tuple[Array, ...], sites: tuple[Array, ...], _: int, cutoff_min: float, ring: tuple[float, int]
) -> tuple[Array, Array]:
    """Return by node the minutes to the nearest site, as if all sites were one, and then which one it was."""
    nodes = runs[1].size
    begins, ends = np.empty(ring[1], np.uint32), np.empty(ring[1], np.uint32)
    room = _room(ring, nodes)
    # neighbours follow each other in the queue, and share a cache
    order = np.argsort(sites[1], kind="stable")
    together = np.array([0, order.size]), sites[1][order], sites[2][order]
    leg_site = np.repeat(np.arange(sites[0].size - 1, dtype=np.int32), np.diff(sites[0]))[order]
    done = False
    while not done:
        minutes, whose = np.full(nodes, np.inf), np.full(nodes, -1, np.int32)
        mark, queue = np.zeros(nodes // BLOCK + 1, np.uint8), np.empty(room, np.uint32)
        done = search_labelled(
            *(runs, together, 0, cutoff_min, ring[0], queue, begins, ends, minutes, mark),
            *(leg_site, whose),
        )
        room *= 2
    return minutes.reshape(-1, 1), whose.reshape(-1, 1)


def _k_nearest(
    runs: tuple[Array, ...], sites: tuple[Array, ...], k: int, cutoff_min: float, ring: tuple[float, int]
) -> tuple[Array, Array]:
    room = _room(ring, runs[1].size)
    done = False
    while not done:
        best, whose = _empty(runs[1].size, k)
        done = spread(runs, sites, cutoff_min, *ring, np.empty(room, np.uint32), best, whose)
        room *= 2
    return best, whose
