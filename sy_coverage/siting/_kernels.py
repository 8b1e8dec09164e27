"""Hold the compiled inner loops of siting: dominance, greedy, swap and price search on sparse 0/1 tables.

Tables are CSR as (`indptr`, `indices`) of int64, indices sorted in each row; `sets` are rows of sites, `members` their transpose.
"""

# ruff: noqa: C901, PLR0912  (a compiled loop is one function: calls would be passed a dozen arrays)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_compiled = numba.njit(cache=True, nogil=True)


@_compiled
def _within(indices: Any, a: int, a_end: int, b: int, b_end: int) -> bool:
    """Whether the sorted run a…a_end is a subset of the sorted run b…b_end."""
    while a < a_end:
        while b < b_end and indices[b] < indices[a]:
            b += 1
        if b == b_end or indices[b] != indices[a]:
            return False
        a += 1
        b += 1
    return True


@_compiled
def dominated(
    indptr: Integers, indices: Integers, members_ptr: Integers, members: Integers, cost: Floats, keep: Flags
) -> Flags:
    """Return which rows lie within another row that costs no more (of equal ones the first stays); never those to `keep`."""
    n = len(indptr) - 1
    out = np.zeros(n, dtype=np.bool_)
    for r in range(n):
        if keep[r]:
            continue
        size = indptr[r + 1] - indptr[r]
        if size == 0:
            out[r] = True
            continue
        rare = indices[indptr[r]]
        for at in range(indptr[r], indptr[r + 1]):
            c = indices[at]
            if members_ptr[c + 1] - members_ptr[c] < members_ptr[rare + 1] - members_ptr[rare]:
                rare = c
        for at in range(members_ptr[rare], members_ptr[rare + 1]):
            s = members[at]
            other = indptr[s + 1] - indptr[s]
            if s == r or out[s] or other < size or cost[s] > cost[r]:
                continue
            if other == size and cost[s] == cost[r] and s > r and not keep[s]:
                continue
            if _within(indices, indptr[r], indptr[r + 1], indptr[s], indptr[s + 1]):
                out[r] = True
                break
    return out


@_compiled
def implied(
    indptr: Integers, indices: Integers, members_ptr: Integers, members: Integers, need: Integers
) -> Flags:
    """Return which rows hold another whole row that needs no less, so that covering that one covers them."""
    n = len(indptr) - 1
    out = np.zeros(n, dtype=np.bool_)
    order = np.argsort(indptr[1:] - indptr[:-1], kind="mergesort")
    for r in order:
        if out[r] or indptr[r + 1] == indptr[r]:
            continue
        size = indptr[r + 1] - indptr[r]
        rare = indices[indptr[r]]
        for at in range(indptr[r], indptr[r + 1]):
            c = indices[at]
            if members_ptr[c + 1] - members_ptr[c] < members_ptr[rare + 1] - members_ptr[rare]:
                rare = c
        for at in range(members_ptr[rare], members_ptr[rare + 1]):
            s = members[at]
            other = indptr[s + 1] - indptr[s]
            if s == r or out[s] or other < size or need[s] > need[r]:
                continue
            if other == size and need[s] == need[r] and s < r:
                continue
            if _within(indices, indptr[r], indptr[r + 1], indptr[s], indptr[s + 1]):
                out[s] = True
    return out


@_compiled
def greedy_most(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    cost: Floats,
    p: int,
    budget: float,
) -> Integers:
    """Return sites chosen one after the other, each the one that newly covers most weight (per cost, with a budget)."""
    n = len(ptr) - 1
    gain = np.zeros(n)
    for j in range(n):
        for at in range(ptr[j], ptr[j + 1]):
            gain[j] += weight[demand[at]]
    covered = np.zeros(len(sets_ptr) - 1, dtype=np.bool_)
    taken = np.zeros(n, dtype=np.bool_)
    chosen = np.empty(n, dtype=np.int64)
    count, spent = 0, 0.0
    while count < p:
        best, best_value = -1, 0.0
        for j in range(n):
            if taken[j] or spent + cost[j] > budget:
                continue
            value = gain[j] if np.isinf(budget) else gain[j] / max(cost[j], 1e-12)
            if value > best_value:
                best, best_value = j, value
        if best < 0:
            break
        taken[best] = True
        chosen[count] = best
        count += 1
        spent += cost[best]
        for at in range(ptr[best], ptr[best + 1]):
            i = demand[at]
            if not covered[i]:
                covered[i] = True
                for to in range(sets_ptr[i], sets_ptr[i + 1]):
                    gain[sets[to]] -= weight[i]
    return chosen[:count].copy()


@_compiled
def swap_most(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    chosen: Integers,
    rounds: int,
) -> Integers:
    """Return `chosen` improved by the best exchange of one site in and one out, until none helps or `rounds` are done."""
    n = len(ptr) - 1
    count = np.zeros(len(sets_ptr) - 1, dtype=np.int64)
    is_in = np.zeros(n, dtype=np.bool_)
    for j in chosen:
        is_in[j] = True
        for at in range(ptr[j], ptr[j + 1]):
            count[demand[at]] += 1
    gain, loss = np.zeros(n), np.zeros(n)
    for j in range(n):
        for at in range(ptr[j], ptr[j + 1]):
            i = demand[at]
            if count[i] == 0:
                gain[j] += weight[i]
            elif count[i] == 1 and is_in[j]:
                loss[j] += weight[i]
    saved = np.zeros(n)
    for _ in range(rounds):
        # the site that loses least when nothing comes for it
        best_in, best_out, best = -1, -1, 1e-9
        for a in range(n):
            if is_in[a]:
                continue
            touched = 0
            for at in range(ptr[a], ptr[a + 1]):
                i = demand[at]
                if count[i] == 1:
                    touched += 1
                    for to in range(sets_ptr[i], sets_ptr[i + 1]):
                        if is_in[sets[to]]:
                            saved[sets[to]] += weight[i]
                            break
            if gain[a] > best or touched > 0:
                for b in chosen:
                    value = gain[a] - loss[b] + saved[b]
                    if value > best:
                        best_in, best_out, best = a, b, value
            for b in chosen:
                saved[b] = 0.0
        if best_in < 0:
            break
        for c in range(len(chosen)):
            if chosen[c] == best_out:
                chosen[c] = best_in
        _flip(best_out, -1, ptr, demand, sets_ptr, sets, weight, count, is_in, gain, loss)
        _flip(best_in, 1, ptr, demand, sets_ptr, sets, weight, count, is_in, gain, loss)
    return chosen


@_compiled
def _flip(
    j: int,
    by: int,
    ptr: Any,
    demand: Any,
    sets_ptr: Any,
    sets: Any,
    weight: Any,
    count: Any,
    is_in: Any,
    gain: Any,
    loss: Any,
) -> None:
    """Put site j in (by 1) or take it out (by −1), keeping count, gain and loss right."""
    if by > 0:
        loss[j] = 0.0
        is_in[j] = True
    for at in range(ptr[j], ptr[j + 1]):
        i = demand[at]
        w = weight[i]
        before = count[i]
        count[i] = before + by
        for to in range(sets_ptr[i], sets_ptr[i + 1]):
            s = sets[to]
            if by > 0:
                if before == 0:
                    gain[s] -= w
                    if s == j:
                        loss[s] += w
                elif before == 1 and is_in[s] and s != j:
                    loss[s] -= w
            elif before == 1:
                gain[s] += w
                if s == j:
                    loss[s] -= w
            elif before == 2 and is_in[s] and s != j:
                loss[s] += w
    if by < 0:
        is_in[j] = False
        loss[j] = 0.0


@_compiled
def greedy_all(
    ptr: Integers, demand: Integers, sets_ptr: Integers, sets: Integers, need: Integers, cost: Floats
) -> Integers:
    """Return sites that cover every row as often as it needs, dearest superfluous ones dropped again; empty if impossible."""
    n, m = len(ptr) - 1, len(sets_ptr) - 1
    left = need.copy()
    gain = np.zeros(n)
    for j in range(n):
        gain[j] = ptr[j + 1] - ptr[j]
    taken = np.zeros(n, dtype=np.bool_)
    open_rows = m
    while open_rows > 0:
        best, best_value = -1, 0.0
        for j in range(n):
            if not taken[j] and gain[j] > 0:
                value = gain[j] / max(cost[j], 1e-12)
                if value > best_value:
                    best, best_value = j, value
        if best < 0:
            return np.empty(0, dtype=np.int64)
        taken[best] = True
        for at in range(ptr[best], ptr[best + 1]):
            i = demand[at]
            left[i] -= 1
            if left[i] == 0:
                open_rows -= 1
                for to in range(sets_ptr[i], sets_ptr[i + 1]):
                    gain[sets[to]] -= 1
    # `left` is now ≤ 0: how often a row is covered beyond its need
    chosen = np.flatnonzero(taken)
    for j in chosen[np.argsort(-cost[chosen], kind="mergesort")]:
        spare = True
        for at in range(ptr[j], ptr[j + 1]):
            if left[demand[at]] == 0:
                spare = False
                break
        if spare:
            taken[j] = False
            for at in range(ptr[j], ptr[j + 1]):
                left[demand[at]] += 1
    return np.flatnonzero(taken)
