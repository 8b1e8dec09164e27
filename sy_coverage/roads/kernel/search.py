"""Run the travel-time kernel: bounded bucket-queue shortest paths from many sites, compiled once and cached on disk."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

    from sy_coverage.roads.graph.links import Array

logger = logging.getLogger(__name__)

BLOCK = 64
"""Nodes are neighbours on a Hilbert curve, so what a search touches is kept track of by blocks of this many."""
WORD = 8
"""Marks of blocks are looked at this many at a time."""
PAGE = 64
"""Entries of the queue on one page; the last one holds the page that follows."""
SHORT = 4
"""Roads of this many steps are searched to their end without asking at each step whether that is worth while."""

NONE = np.uint32(2**32 - 1)
ONE = np.uint32(1)
TWO = np.uint32(2)
_SIX = np.uint32(6)  # 2⁶ is BLOCK
LAST = np.uint32(PAGE - 1)
# the bits below the head of a step: the road goes on to the next step; it ends at a node whose own roads come next
GOES_ON = np.uint32(2)
OPENS = np.uint32(1)

_I8 = nb.types.Array(nb.int64, 1, "C", readonly=True)
_I4 = nb.types.Array(nb.int32, 1, "C", readonly=True)
_U4 = nb.types.Array(nb.uint32, 1, "C", readonly=True)
_F8 = nb.types.Array(nb.float64, 1, "C", readonly=True)
_OUT_F8 = nb.float64[::1]
_OUT_I4 = nb.int32[::1]
_OUT_I8 = nb.int64[::1]
_OUT_U4 = nb.uint32[::1]
_OUT_U1 = nb.uint8[::1]


def tuple_of(*kinds: Any) -> Any:
    """Return the compiled type of a tuple of these kinds."""
    return nb.types.Tuple(kinds)  # type: ignore[no-untyped-call]  # numba has no types


RUNS = tuple_of(_U4, _U4, _U4, _F8)
LEGS = tuple_of(_I8, _I4, _F8)


def compiled(signature: Any) -> Callable[[Any], Any]:
    """Compile a function once for this signature, kept on disk where that can be written."""

    def compile_it(function: Any) -> Any:
        try:
            return nb.njit(signature, nogil=True, cache=True)(function)
        except (RuntimeError, OSError) as reason:
            # neither the package's folder nor the user's cache can be written: compile in every process
            logger.info("compiled kernels cannot be kept on disk (%s)", reason)
            return nb.njit(signature, nogil=True)(function)

    return compile_it


def _fetch(_: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        data = context.make_array(kind)(context, builder, arguments[0])
        at = builder.zext(arguments[1], ir.IntType(64))
        tools: Any = cgutils
        place = tools.get_item_pointer(context, builder, kind, data, [at])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = tools.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
        # to be read, likely more than once, and data rather than code
        builder.call(call, [builder.bitcast(place, byte), *(ir.Constant(number, i) for i in (0, 3, 1))])
        return context.get_dummy_value()

    return nb.types.void(array, index), generate


fetch: Any = intrinsic(_fetch)
"""Have ``array[index]`` brought into the cache while the search goes on elsewhere: a fifth of the time on large graphs."""


@compiled(tuple_of(_OUT_U4, _OUT_U4, _OUT_U4, _OUT_F8, nb.float64)(_I8, _I4, _F8))
def unroll(  # noqa: C901, PLR0912 - one loop that must stay in one compiled function
    indptr: Array, heads: Array, minutes: Array
) -> tuple[Array, Array, Array, Array, float]:
    """Return the roads out of every node, step by step through the nodes where nothing else meets.

    More than half of the nodes of a road graph lie along a road or at its end. A search that writes their minutes in
    passing need not put them in its queue. Node u owns the steps ``first[u]`` to ``first[u + 1]``; those before
    ``chains[u]`` make up its short roads. A step is four times the node it leads to, plus 2 if the road goes on with the
    step that follows, plus 1 if the roads of the node it leads to are still to be searched. Nodes along a road have
    their plain arcs, for sites that stand there. The last item is the minutes of the longest road.
    """
    nodes = indptr.size - 1
    one, other, crossing = np.full(nodes, -1), np.full(nodes, -1), np.zeros(nodes, np.bool_)
    for tail in range(nodes):
        for arc in range(indptr[tail], indptr[tail + 1]):
            for here, there in ((tail, np.int64(heads[arc])), (np.int64(heads[arc]), tail)):
                if there in (one[here], other[here]):
                    continue
                if one[here] < 0:
                    one[here] = there
                elif other[here] < 0:
                    other[here] = there
                else:
                    crossing[here] = True
    first, chains = np.zeros(nodes + 1, np.uint32), np.zeros(nodes, np.uint32)
    # an arc is met once along a road, and once more as an arc of a node along it; a short road is tried at the very end
    most = 2 * heads.size + SHORT
    step, step_min = np.empty(most, np.uint32), np.empty(most, np.float64)
    at = 0
    longest = 0.0
    for node in range(nodes):
        for long in (False, True):
            chains[node] = at
            for arc in range(indptr[node], indptr[node + 1]):
                begun = at
                total = 0.0
                before: Any = node
                here = np.int64(heads[arc])
                ahead: Any = arc
                while ahead >= 0:
                    step_min[at] = minutes[ahead]
                    total += minutes[ahead]
                    ahead, ways = -1, 0
                    for on in range(indptr[here], indptr[here + 1]):
                        if heads[on] != before:
                            ahead, ways = on, ways + 1
                    if crossing[here] or not crossing[node]:
                        ahead = -1
                    opens = ahead < 0 and (ways > 0 or not crossing[node])
                    step[at] = 4 * here + 2 * (ahead >= 0) + opens
                    at += 1
                    if ahead >= 0:
                        before, here = here, np.int64(heads[ahead])
                if (at - begun > SHORT) != long:
                    at = begun
                longest = max(longest, total)
        first[node + 1] = at
    return first, chains, step[:at].copy(), step_min[:at].copy(), longest


@compiled(tuple_of(nb.uint32, nb.uint32, nb.uint32)(_OUT_U4, nb.uint32, nb.uint32, nb.uint32))
def turn_page(queue: Array, at: Any, free: Any, unused: Any) -> tuple[Any, Any, Any]:
    """Return where the page begins that follows the full one which ends `at`, and the pages that are free then.

    Where no room is left that is said by no `unused` ones; what the queue holds is then worth nothing.
    """
    if free != NONE:
        queue[at] = free
        return free, queue[free], unused
    if unused + PAGE > queue.size:
        return np.uint32(at - (at & LAST)), free, NONE
    queue[at] = unused
    return unused, free, np.uint32(unused + PAGE)


_SEARCH = nb.boolean(
    *(RUNS, LEGS, nb.int64, nb.float64, nb.float64, _OUT_U4, _OUT_U4, _OUT_U4, _OUT_F8, _OUT_U1),
    *(_I4, _OUT_I4),
)


def searching(*, labelled: bool) -> Any:  # noqa: C901, PLR0915 - what it holds is one loop
    """Return a compiled search; one that is `labelled` also keeps which site each node's minutes are from."""

    def search(  # noqa: C901, PLR0912, PLR0915 - one loop that must stay in one compiled function
        runs: tuple[Array, Array, Array, Array],
        sites: tuple[Array, Array, Array],
        site: int,
        cutoff: float,
        width: float,
        queue: Array,
        begins: Array,
        ends: Array,
        node_min: Array,
        mark: Array,
        leg_site: Array,
        whose: Array,
    ) -> bool:
        """Write the minutes of all nodes within the cutoff of `site` and mark their blocks; return whether `queue` had room.

        Bucket b of the queue holds the entries from ``begins[b]`` to ``ends[b]``, page after page. There are a power of
        two of them, and together they are longer than any road and any leg, so a ring of them is enough. Labels are
        corrected within a bucket, hence minutes are exact sums along the shortest path whatever the width. If
        `labelled`, `leg_site` says whose the legs are and `whose` is written by node, of equals the lower number.
        """
        first, chains, step, step_min = runs
        leg_ptr, leg_node, leg_min = sites
        mask = np.uint32(begins.size - 1)
        per_minute = 1.0 / width
        beyond = np.nextafter(cutoff, np.inf)
        free = NONE
        unused = np.uint32(begins.size * PAGE)
        for bucket in range(begins.size):
            begins[bucket] = ends[bucket] = bucket * PAGE
        for leg in range(leg_ptr[site], leg_ptr[site + 1]):
            there = leg_min[leg]
            head = np.uint32(leg_node[leg])
            owner = leg_site[leg] if labelled else np.int32(0)
            if there < min(node_min[head], beyond) or (
                labelled and there == node_min[head] and owner < whose[head]
            ):
                node_min[head] = there
                if labelled:
                    whose[head] = owner
                mark[head >> _SIX] = 1
                into = np.uint32(np.int64(there * per_minute)) & mask
                at = ends[into]
                queue[at] = head
                at += ONE
                if at & LAST == LAST:
                    at, free, unused = turn_page(queue, at, free, unused)
                ends[into] = at
        turn = np.int64(0)
        idle = 0
        while idle < begins.size:
            slot = np.uint32(turn) & mask
            entry = begins[slot]
            idle += 1
            while entry != ends[slot]:
                idle = 0
                if unused == NONE:
                    return False
                node = queue[entry]
                entry += ONE
                if entry & LAST == LAST:
                    page = queue[entry]
                    queue[entry - LAST] = free
                    free = np.uint32(entry - LAST)
                    entry = page
                here = node_min[node]
                if np.int64(here * per_minute) != turn:
                    continue  # was reached sooner, and is done
                owner = whose[node] if labelled else np.int32(0)
                at_step, chain, last = first[node], chains[node], first[node + ONE]
                there = here
                while at_step < chain:
                    # nothing here depends on a guess of what is nearer: the processor works on several steps at once
                    there += step_min[at_step]
                    ahead = step[at_step]
                    at_step += ONE
                    head = ahead >> TWO
                    before = node_min[head]
                    nearer = there < min(before, beyond)
                    if labelled:
                        nearer |= (there == before) & (owner < whose[head])
                        whose[head] = owner if nearer else whose[head]
                    node_min[head] = there if nearer else before
                    mark[head >> _SIX] |= np.uint8(nearer)
                    fetch(step, first[head])
                    fetch(step_min, first[head])
                    into = np.uint32(np.int64(there * per_minute)) & mask
                    at = ends[into]
                    queue[at] = head
                    at += np.uint32(nearer) & ahead & OPENS
                    if at & LAST == LAST:
                        at, free, unused = turn_page(queue, at, free, unused)
                    ends[into] = at
                    there = there if ahead & GOES_ON else here
                while at_step < last:
                    there += step_min[at_step]
                    ahead = step[at_step]
                    at_step += ONE
                    head = ahead >> TWO
                    if there < min(node_min[head], beyond) or (
                        labelled and there == node_min[head] and owner < whose[head]
                    ):
                        node_min[head] = there
                        if labelled:
                            whose[head] = owner
                        mark[head >> _SIX] = 1
                        if ahead & GOES_ON:
                            continue
                        if ahead & OPENS:
                            fetch(step, first[head])
                            fetch(step_min, first[head])
                            into = np.uint32(np.int64(there * per_minute)) & mask
                            at = ends[into]
                            queue[at] = head
                            at += ONE
                            if at & LAST == LAST:
                                at, free, unused = turn_page(queue, at, free, unused)
                            ends[into] = at
                    else:
                        while ahead & GOES_ON:
                            ahead = step[at_step]
                            at_step += ONE
                    there = here
            begins[slot] = ends[slot] = entry - (entry & LAST)
            turn += 1
        return True

    return compiled(_SEARCH)(search)


search_one = searching(labelled=False)
search_labelled = searching(labelled=True)


@compiled(nb.void(LEGS, nb.float64, _OUT_F8, _OUT_U1, _OUT_F8, _OUT_U1))
def hand_on(
    to: tuple[Array, Array, Array],
    cutoff: float,
    node_min: Array,
    node_mark: Array,
    point_min: Array,
    point_mark: Array,
) -> None:
    """Write the minutes of all demand points that legs lead to from marked nodes, and make the nodes ``inf`` again."""
    to_ptr, to_point, to_min = to
    words = node_mark.view(np.uint64)
    for word in range(words.size):
        if words[word] == 0:
            continue
        for block in range(word * WORD, word * WORD + WORD):
            if node_mark[block] == 0:
                continue
            node_mark[block] = 0
            for node in range(block * BLOCK, block * BLOCK + BLOCK):
                here = node_min[node]
                if here == np.inf:
                    continue
                node_min[node] = np.inf
                for leg in range(to_ptr[node], to_ptr[node + 1]):
                    there = here + to_min[leg]
                    point = to_point[leg]
                    if there <= cutoff and there < point_min[point]:
                        point_min[point] = there
                        point_mark[point // BLOCK] = 1


@compiled(tuple_of(_OUT_I4, _OUT_F8, nb.int64)(_OUT_F8, _OUT_U1, _OUT_I4, _OUT_F8, nb.int64))
def gather(
    answer: Array, mark: Array, columns: Array, values: Array, written: int
) -> tuple[Array, Array, int]:
    """Append what marked blocks of `answer` hold to `columns` and `values`, and make them ``inf`` again."""
    words = mark.view(np.uint64)
    for word in range(words.size):
        if words[word] == 0:
            continue
        if columns.size < written + WORD * BLOCK:
            columns = np.append(columns, np.empty(columns.size, np.int32))
            values = np.append(values, np.empty(values.size, np.float64))
        for block in range(word * WORD, word * WORD + WORD):
            if mark[block] == 0:
                continue
            mark[block] = 0
            there = answer[block * BLOCK : block * BLOCK + BLOCK]
            column, value = columns[written : written + BLOCK], values[written : written + BLOCK]
            every = True
            for item in range(BLOCK):
                every &= there[item] < np.inf
            if every:
                for item in range(BLOCK):
                    column[item] = block * BLOCK + item
                    value[item] = there[item]
                written += BLOCK
            else:
                count = 0
                for item in range(BLOCK):
                    column[count] = block * BLOCK + item
                    value[count] = there[item]
                    count += there[item] < np.inf
                written += count
            there[:] = np.inf
    return columns, values, written


@compiled(
    tuple_of(_OUT_I8, _OUT_I4, _OUT_F8)(
        *(RUNS, LEGS, _I8, LEGS, LEGS),
        *(nb.float64, nb.float64, nb.int64),
        *(_OUT_F8, _OUT_F8, _OUT_I4, _OUT_F8),
    )
)
def reach(
    runs: tuple[Array, Array, Array, Array],
    sites: tuple[Array, Array, Array],
    which: Array,
    to: tuple[Array, Array, Array],
    direct: tuple[Array, Array, Array],
    cutoff: float,
    width: float,
    buckets: int,
    node_min: Array,
    point_min: Array,
    columns: Array,
    values: Array,
) -> tuple[Array, Array, Array]:
    """Search from the sites `which` and return (pairs by site, demand point, minutes), points ascending by site.

    Parameters
    ----------
    runs
        What `unroll` returns, but for the longest road.
    sites, to, direct
        Legs (pointer, node or point, minutes): by site to nodes, by node to demand points, by site to demand points.
        Without any demand point the nodes themselves are returned.
    node_min, point_min
        By node and by demand point, up to a multiple of ``BLOCK × WORD``: full of ``inf``, and so again afterwards.
    columns, values
        Room for the answer, at least ``BLOCK × WORD``. They are what is returned, unless they prove too short.
    """
    node_mark = np.zeros(node_min.size // BLOCK, np.uint8)
    point_mark = np.zeros(point_min.size // BLOCK, np.uint8)
    begins, ends = np.empty(buckets, np.uint32), np.empty(buckets, np.uint32)
    queue = np.empty(2 * buckets * PAGE, np.uint32)
    counts = np.zeros(which.size, np.int64)
    nobody = np.empty(0, np.int32)
    pair_ptr, pair_point, pair_min = direct
    written = 0
    for i in range(which.size):
        begun = written
        while not search_one(
            runs, sites, which[i], cutoff, width, queue, begins, ends, node_min, node_mark, nobody, nobody
        ):
            queue = np.empty(2 * queue.size, np.uint32)
            gather(node_min, node_mark, columns, values, written)
        if point_min.size == 0:
            columns, values, written = gather(node_min, node_mark, columns, values, written)
        else:
            hand_on(to, cutoff, node_min, node_mark, point_min, point_mark)
            for pair in range(pair_ptr[which[i]], pair_ptr[which[i] + 1]):
                point = pair_point[pair]
                if pair_min[pair] <= cutoff and pair_min[pair] < point_min[point]:
                    point_min[point] = pair_min[pair]
                    point_mark[point // BLOCK] = 1
            columns, values, written = gather(point_min, point_mark, columns, values, written)
        counts[i] = written - begun
    return counts, columns, values
