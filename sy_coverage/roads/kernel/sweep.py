"""Run the kernel over many sites on several threads, and gather what it returns into one sparse matrix."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage.errors import InputError
from sy_coverage.roads.graph.legs import Legs
from sy_coverage.roads.kernel.nearest import nearest_sites
from sy_coverage.roads.kernel.search import BLOCK, WORD, reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.kernel.runs import Runs

    Room = tuple[Array, Array]

SITES_AT_ONCE = 32
"""Sites a thread takes at a time: enough to make up for the call, few enough to share the work out evenly."""
BATCH = 32 * SITES_AT_ONCE
"""Consecutive sites that are searched in an order of their own."""
ROOM = 2**20
"""Pairs there is room for at first; what is not used is never touched, so it costs nothing."""
KEPT = 8
"""Rooms that are kept for the next run: a fifth of the time of a short run is what the system takes to give them."""
BYTES_A_PAIR = 18
"""A column and a distance, and half as much room again while more are gathered."""
BYTES_A_RANK = 12
"""A distance and a site."""
SAMPLE = 32
"""Sites that are tried before a run that may be too large."""
MOST_SHARE = 0.8
"""Share of the machine's memory that an answer may take."""


_kept: list[Room] = []


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Return how much memory this machine has; None where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _require_room(sites: int, columns: int, pairs_of: Callable[[int], int]) -> None:
    """Refuse a run whose answer would not fit in this machine's memory, judged by a sample of its sites."""
    room = memory_bytes()
    if room is None or sites * columns * BYTES_A_PAIR <= room / 4:
        return
    sample = np.unique(np.linspace(0, sites - 1, SAMPLE).astype(np.int64)).tolist()
    pairs = sites * sum(pairs_of(site) for site in sample) / len(sample)
    needed = pairs * BYTES_A_PAIR
    if needed > room * MOST_SHARE:
        raise InputError(
            f"travel times: {sites:,} sites reach about {pairs / 1e6:,.0f} million points, which takes "
            f"{needed / 1e9:,.1f} GB of this machine's {room / 1e9:,.1f}; take a shorter cutoff or fewer sites at a time"
        )


def no_legs(points: int) -> Legs:
    """Return legs of `points` points that lead nowhere."""
    return Legs(np.zeros(points + 1, np.int64), np.zeros(0, np.int32), np.zeros(0))


def reached(
    runs: Runs,
    sites: Legs,
    demand: Legs | None,
    direct: Legs,
    *,
    points: int,
    cutoff_min: float,
    threads: int | None = None,
) -> Any:
    """Return minutes from every site to every point within the cutoff, as a CSR array sites × points.

    Parameters
    ----------
    sites
        Legs by site.
    demand
        Legs by node; None returns the minutes to the nodes themselves (`points` is then 0).
    direct
        Legs by site straight to demand points on the same link.
    points
        How many demand points there are.

    Raises
    ------
    InputError
        If the answer would not fit in this machine's memory; that is known before the long run starts.
    """
    nodes = runs.nodes
    count = sites.ptr.size - 1
    if demand is not None and not points:  # the kernel takes no points to mean the nodes
        return sparse.csr_array((count, 0))
    to = no_legs(nodes) if demand is None else demand
    ring = _ring(runs, sites, cutoff_min)
    own = threading.local()
    spare: list[Room] = []

    def search(which: Array) -> tuple[Array, Array, Array]:
        if not hasattr(own, "work"):
            step = BLOCK * WORD
            own.work = [np.full(-(-items // step) * step, np.inf) for items in (nodes, points)]
        room = _room(spare)
        found: tuple[Array, Array, Array] = reach(
            *(runs.arrays, _arrays(sites), which, _arrays(to), _arrays(direct)),
            *(float(cutoff_min), *ring, *own.work, *room),
        )
        return found

    _require_room(count, points or nodes, lambda site: int(search(np.array([site]))[0][0]))
    tasks = _tasks(sites)
    shape = count, nodes if demand is None else points
    workers = min(threads or usable_cores(), max(len(tasks), 1))
    if workers == 1:
        matrix = _gathered(tasks, map(search, tasks), spare, shape)
    else:
        with ThreadPoolExecutor(workers) as pool:
            matrix = _gathered(tasks, pool.map(search, tasks), spare, shape)
    _kept.extend([room for room in spare if room[0].size == ROOM][: max(KEPT - len(_kept), 0)])
    return matrix


def _room(spare: list[Room]) -> Room:
    """Return room for pairs that nobody uses: of this run, of an earlier one, or new."""
    for rooms in (spare, _kept):
        try:
            return rooms.pop()
        except IndexError:  # several threads take from them
            continue
    return np.empty(ROOM, np.int32), np.empty(ROOM)


def _ring(runs: Runs, sites: Legs, cutoff_min: float) -> tuple[float, int]:
    return runs.ring(max(runs.longest_min, float(sites.minutes.max(initial=0.0))), cutoff_min)


def _arrays(legs: Legs) -> tuple[Array, Array, Array]:
    return legs.ptr, legs.node, legs.minutes


def _tasks(sites: Legs) -> list[Array]:
    """Return positions of sites as they are searched: in each batch neighbours follow each other and share a cache."""
    count = sites.ptr.size - 1
    # a site without legs costs nothing, wherever it stands
    node = np.append(sites.node, np.int32(0))[sites.ptr[:-1]]
    order = np.lexsort((node, np.arange(count) // BATCH))
    return [order[i : i + SITES_AT_ONCE] for i in range(0, count, SITES_AT_ONCE)]


def _gathered(
    tasks: list[Array],
    answers: Iterable[tuple[Array, Array, Array]],
    spare: list[Room],
    shape: tuple[int, int],
) -> Any:
    """Return one matrix, rows by site; the room of each batch is used again, so that the pairs are held once and not twice."""
    coming = iter(answers)
    start = np.zeros(shape[0] + 1, np.int64)
    indices, data = np.empty(0, np.int32), np.empty(0)
    for first in range(0, len(tasks), BATCH // SITES_AT_ONCE):
        batch = [(task, *next(coming)) for task in tasks[first : first + BATCH // SITES_AT_ONCE]]
        for task, counts, _, _ in batch:
            start[task + 1] = counts
        rows = slice(first * SITES_AT_ONCE, first * SITES_AT_ONCE + BATCH + 1)
        start[rows] = np.cumsum(start[rows])
        if (end := int(start[rows][-1])) > data.size:
            if not first:
                indices, data = np.empty(end, np.int32), np.empty(end)
            more = max(end, data.size + data.size // 2 * (first > 0))
            # nobody else holds these arrays, and what grows in place is not copied
            indices.resize(more, refcheck=False)
            data.resize(more, refcheck=False)
        for task, counts, columns, minutes in batch:
            ends = np.cumsum(counts).tolist()
            for at, begun, done in zip(start[task].tolist(), [0, *ends[:-1]], ends, strict=True):
                indices[at : at + done - begun] = columns[begun:done]
                data[at : at + done - begun] = minutes[begun:done]
            spare.append((columns, minutes))
    indices.resize(int(start[-1]), refcheck=False)
    data.resize(int(start[-1]), refcheck=False)
    wide = np.int64 if start[-1] > np.iinfo(np.int32).max else np.int32
    matrix = sparse.csr_array((data, indices.astype(wide, copy=False), start.astype(wide)), shape=shape)
    matrix.has_sorted_indices = True
    return matrix


@dataclass(frozen=True, eq=False)
class Nearest:
    """The `k` nearest sites of every demand point: minutes and position of the site, shape (points, k)."""

    minutes: Array
    """``inf`` where fewer sites are within the cutoff."""
    site: Array
    """−1 where fewer sites are within the cutoff."""


def nearest(runs: Runs, sites: Legs, demand: Legs, direct: Legs, *, k: int, cutoff_min: float) -> Nearest:
    """Return the `k` nearest sites of every demand point, all in one sweep; of equals the lower position first.

    Parameters
    ----------
    sites
        Legs by site.
    demand, direct
        Legs by demand point: to nodes, and straight to sites on the same link.

    Raises
    ------
    InputError
        If so many would not fit in this machine's memory; that is known before the search.
    """
    # there are no more than there are sites
    ranks = max(min(k, sites.ptr.size - 1), 1)
    _require_ranks(k, ranks * runs.nodes + k * (demand.ptr.size - 1))
    minutes, site = nearest_sites(
        *(runs.arrays, _arrays(sites), _arrays(demand), _arrays(direct)),
        k=ranks,
        cutoff_min=float(cutoff_min),
        ring=_ring(runs, sites, cutoff_min),
    )
    if ranks == k:
        return Nearest(minutes, site)
    none = ((0, 0), (0, k - ranks))
    return Nearest(np.pad(minutes, none, constant_values=np.inf), np.pad(site, none, constant_values=-1))


def _require_ranks(k: int, ranks: int) -> None:
    """Refuse so many nearest sites that what is kept of them at nodes and points would not fit in this machine's memory."""
    room, needed = memory_bytes(), ranks * BYTES_A_RANK
    if room is not None and needed > room * MOST_SHARE:
        raise InputError(
            f"nearest: the {k:,} nearest sites of every point take {needed / 1e9:,.1f} GB of this machine's "
            f"{room / 1e9:,.1f}; ask for fewer, or for travel_times within a cutoff"
        )
