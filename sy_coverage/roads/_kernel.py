"""Run the travel-time kernel: bounded bucket-queue shortest paths from many sites, compiled once and cached on disk."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sy_coverage.roads.links import Array

logger = logging.getLogger(__name__)

BLOCK = 64
"""Nodes are neighbours on a Hilbert curve, so what a search touches is kept track of by blocks of this many."""

ROOM = 2**19
"""Pairs there is room for at first."""

_I4 = nb.types.Array(nb.int32, 1, "C", readonly=True)
_I8 = nb.types.Array(nb.int64, 1, "C", readonly=True)
_F8 = nb.types.Array(nb.float64, 1, "C", readonly=True)
_OUT_F8 = nb.float64[::1]
_OUT_I4 = nb.int32[::1]
_OUT_I8 = nb.int64[::1]
_ROWS: Any = nb.types.Tuple((_OUT_I8, _OUT_I4, _OUT_F8))  # type: ignore[no-untyped-call]  # numba has no types


def compiled(signature: Any) -> Callable[[Any], Any]:
    def compile_it(function: Any) -> Any:
        try:
            return nb.njit(signature, nogil=True, cache=True)(function)
        except (RuntimeError, OSError) as reason:
            # neither the package's folder nor the user's cache can be written: compile in every process
            logger.info("compiled kernels cannot be kept on disk (%s)", reason)
            return nb.njit(signature, nogil=True)(function)

    return compile_it


@compiled(
    _ROWS(
        *(_I8, _I4, _F8),  # the graph
        *(_I8, _I4, _F8, nb.int64, nb.int64),  # the legs of the sites, and which sites
        *(_I8, _I4, _F8),  # the legs of the demand points
        *(_I8, _I4, _F8),  # pairs on one link
        *(nb.float64, nb.float64, nb.int64),
        *(_OUT_F8, _OUT_F8),
    )
)
def reach(  # noqa: C901, PLR0912, PLR0915 - one loop that must stay in one compiled function
    indptr: Array,
    heads: Array,
    minutes: Array,
    leg_ptr: Array,
    leg_node: Array,
    leg_min: Array,
    first: int,
    last: int,
    to_ptr: Array,
    to_point: Array,
    to_min: Array,
    pair_ptr: Array,
    pair_point: Array,
    pair_min: Array,
    cutoff: float,
    width: float,
    buckets: int,
    node_min: Array,
    point_min: Array,
) -> tuple[Array, Array, Array]:
    """Search from sites `first`…`last` and return (pairs per site, demand point, minutes), points ascending.

    `node_min` (per node) and `point_min` (per demand point) are work arrays full of ``inf``, and are so again
    afterwards. Without any demand point the nodes themselves are returned. `buckets` is a power of two and
    ``buckets × width`` exceeds the longest arc and the longest leg, so that a ring of buckets is enough. Labels
    are corrected within a bucket, hence distances are exact sums along the shortest path whatever the width.
    """
    to_nodes = point_min.size == 0
    answer = node_min if to_nodes else point_min
    ring = np.full(buckets, -1, np.int32)
    mask = buckets - 1
    per_minute = 1.0 / width
    room = 4096
    queued_node = np.empty(room, np.int32)
    queued_next = np.empty(room, np.int32)
    queued_min = np.empty(room, np.float64)
    node_mark = np.zeros(node_min.size // BLOCK + 1, np.uint8)
    node_block = np.empty(node_mark.size, np.int32)
    point_mark = np.zeros(point_min.size // BLOCK + 1, np.uint8)
    point_block = np.empty(point_mark.size, np.int32)
    counts = np.zeros(last - first, np.int64)
    # room that is not used is never touched, so it costs nothing
    columns = np.empty(ROOM, np.int32)
    values = np.empty(ROOM, np.float64)
    written = 0
    for site in range(first, last):
        node_blocks = 0
        free = -1
        top = 0
        live = 0
        turn = np.int64(0)
        for leg in range(leg_ptr[site], leg_ptr[site + 1]):
            there = leg_min[leg]
            node = leg_node[leg]
            if there <= cutoff and there < node_min[node]:
                if node_mark[node // BLOCK] == 0:
                    node_mark[node // BLOCK] = 1
                    node_block[node_blocks] = node // BLOCK
                    node_blocks += 1
                node_min[node] = there
                slot = np.int64(there * per_minute) & mask
                if top == room:
                    room *= 2
                    queued_node = np.append(queued_node, np.empty(room - top, np.int32))
                    queued_next = np.append(queued_next, np.empty(room - top, np.int32))
                    queued_min = np.append(queued_min, np.empty(room - top, np.float64))
                queued_node[top] = node
                queued_min[top] = there
                queued_next[top] = ring[slot]
                ring[slot] = top
                top += 1
                live += 1
        while live > 0:
            slot = turn & mask
            while ring[slot] >= 0:
                entry = ring[slot]
                ring[slot] = queued_next[entry]
                node = queued_node[entry]
                here = queued_min[entry]
                queued_next[entry] = free
                free = entry
                live -= 1
                if here > node_min[node]:
                    continue
                for arc in range(indptr[node], indptr[node + 1]):
                    there = here + minutes[arc]
                    if there > cutoff:
                        continue
                    head = heads[arc]
                    before = node_min[head]
                    if there >= before:
                        continue
                    if before == np.inf and node_mark[head // BLOCK] == 0:
                        node_mark[head // BLOCK] = 1
                        node_block[node_blocks] = head // BLOCK
                        node_blocks += 1
                    node_min[head] = there
                    if free >= 0:
                        entry = free
                        free = queued_next[entry]
                    else:
                        if top == room:
                            room *= 2
                            queued_node = np.append(queued_node, np.empty(room - top, np.int32))
                            queued_next = np.append(queued_next, np.empty(room - top, np.int32))
                            queued_min = np.append(queued_min, np.empty(room - top, np.float64))
                        entry = top
                        top += 1
                    into = np.int64(there * per_minute) & mask
                    queued_node[entry] = head
                    queued_min[entry] = there
                    queued_next[entry] = ring[into]
                    ring[into] = entry
                    live += 1
            turn += 1
        point_blocks = 0
        if not to_nodes:
            for block in range(node_blocks):
                start = int(node_block[block]) * BLOCK
                for node in range(start, min(start + BLOCK, node_min.size)):
                    here = node_min[node]
                    if here == np.inf:
                        continue
                    for leg in range(to_ptr[node], to_ptr[node + 1]):
                        there = here + to_min[leg]
                        point = to_point[leg]
                        if there <= cutoff and there < point_min[point]:
                            if point_mark[point // BLOCK] == 0:
                                point_mark[point // BLOCK] = 1
                                point_block[point_blocks] = point // BLOCK
                                point_blocks += 1
                            point_min[point] = there
            for pair in range(pair_ptr[site], pair_ptr[site + 1]):
                there = pair_min[pair]
                point = pair_point[pair]
                if there <= cutoff and there < point_min[point]:
                    if point_mark[point // BLOCK] == 0:
                        point_mark[point // BLOCK] = 1
                        point_block[point_blocks] = point // BLOCK
                        point_blocks += 1
                    point_min[point] = there
        begun = written
        blocks = np.sort(node_block[:node_blocks]) if to_nodes else np.sort(point_block[:point_blocks])
        if columns.size < written + blocks.size * BLOCK:
            more = max(columns.size, blocks.size * BLOCK)
            columns = np.append(columns, np.empty(more, np.int32))
            values = np.append(values, np.empty(more, np.float64))
        for block in blocks:
            start = int(block) * BLOCK
            for item in range(start, min(start + BLOCK, answer.size)):
                if answer[item] != np.inf:
                    columns[written] = item
                    values[written] = answer[item]
                    written += 1
        counts[site - first] = written - begun
        for block in range(node_blocks):
            start = int(node_block[block]) * BLOCK
            node_mark[node_block[block]] = 0
            node_min[start : min(start + BLOCK, node_min.size)] = np.inf
        for block in range(point_blocks):
            start = int(point_block[block]) * BLOCK
            point_mark[point_block[block]] = 0
            point_min[start : min(start + BLOCK, point_min.size)] = np.inf
    if 2 * written < columns.size:
        return counts, columns[:written].copy(), values[:written].copy()
    return counts, columns[:written], values[:written]


_NEAREST: Any = nb.types.Tuple((nb.float64[:, ::1], nb.int32[:, ::1]))  # type: ignore[no-untyped-call]  # numba has no types


@compiled(
    _NEAREST(
        *(_I8, _I4, _F8),  # the graph
        *(_I8, _I4, _F8),  # the legs of the sites
        *(nb.int64, nb.float64, nb.float64, nb.int64),
    )
)
def spread(  # noqa: C901, PLR0912, PLR0915 - one loop that must stay in one compiled function
    indptr: Array,
    heads: Array,
    minutes: Array,
    leg_ptr: Array,
    leg_node: Array,
    leg_min: Array,
    k: int,
    cutoff: float,
    width: float,
    buckets: int,
) -> tuple[Array, Array]:
    """Search from all sites at once; return for every node the minutes to its `k` nearest sites and which they are.

    Shape (nodes, k); ``inf`` and −1 where there are fewer within the cutoff. Of sites equally near the one with the
    lower number comes first.
    """
    nodes = indptr.size - 1
    best = np.full((nodes, k), np.inf)
    whose = np.full((nodes, k), -1, np.int32)
    ring = np.full(buckets, -1, np.int32)
    mask = buckets - 1
    per_minute = 1.0 / width
    room = 65536
    queued_node = np.empty(room, np.int32)
    queued_site = np.empty(room, np.int32)
    queued_next = np.empty(room, np.int32)
    queued_min = np.empty(room, np.float64)
    free = -1
    top = 0
    live = 0
    turn = np.int64(0)
    sites = leg_ptr.size - 1
    site = 0
    leg = np.int64(0)
    leg_end = np.int64(0)
    arc = np.int64(0)
    arc_end = np.int64(0)
    here = 0.0
    label = np.int32(-1)
    done = False
    while not done:
        # the next label to try: from a leg of a site as long as there are any, then along the arcs of a node
        if site < sites or leg < leg_end:
            if leg == leg_end:
                leg = leg_ptr[site]
                leg_end = leg_ptr[site + 1]
                label = np.int32(site)
                site += 1
                continue
            node = leg_node[leg]
            there = leg_min[leg]
            leg += 1
        elif arc < arc_end:
            node = heads[arc]
            there = here + minutes[arc]
            arc += 1
        else:
            if live == 0:
                done = True
                continue
            slot = turn & mask
            entry = ring[slot]
            if entry < 0:
                turn += 1
                continue
            ring[slot] = queued_next[entry]
            queued_next[entry] = free
            free = entry
            live -= 1
            tail = queued_node[entry]
            here = queued_min[entry]
            label = queued_site[entry]
            for rank in range(k):
                if whose[tail, rank] == label and best[tail, rank] == here:
                    arc = indptr[tail]
                    arc_end = indptr[tail + 1]
            continue
        if there > cutoff:
            continue
        last = k - 1
        if there > best[node, last] or (there == best[node, last] and label >= whose[node, last]):
            continue
        known = False
        for rank in range(k):
            if whose[node, rank] == label:
                last = rank
                known = there >= best[node, rank]
                break
        if known:
            continue
        while last > 0 and (
            there < best[node, last - 1] or (there == best[node, last - 1] and label < whose[node, last - 1])
        ):
            best[node, last] = best[node, last - 1]
            whose[node, last] = whose[node, last - 1]
            last -= 1
        best[node, last] = there
        whose[node, last] = label
        if free >= 0:
            entry = free
            free = queued_next[entry]
        else:
            if top == room:
                room *= 2
                queued_node = np.append(queued_node, np.empty(room - top, np.int32))
                queued_site = np.append(queued_site, np.empty(room - top, np.int32))
                queued_next = np.append(queued_next, np.empty(room - top, np.int32))
                queued_min = np.append(queued_min, np.empty(room - top, np.float64))
            entry = top
            top += 1
        into = np.int64(there * per_minute) & mask
        queued_node[entry] = node
        queued_site[entry] = label
        queued_min[entry] = there
        queued_next[entry] = ring[into]
        ring[into] = entry
        live += 1
    return best, whose
