"""Hold the compiled inner loops of siting: dominance, greedy, swap and price search on sparse 0/1 tables.

Tables are CSR as (`indptr`, `indices`) of int64, indices sorted in each row; `sets` are rows of sites, `members` their transpose.
"""

# ruff: noqa: C901, PLR0912  (a compiled loop is one function: calls would be passed a dozen arrays)
from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


Kernel = TypeVar("Kernel", bound="Callable[..., Any]")


def compiled(signature: str | None = None) -> Callable[[Kernel], Kernel]:
    """Compile for one signature when this module is loaded (from the cache on disk, after the first time).

    So that no solve has to wait, its clock running, for a compiler.
    """
    compiler: Any = (
        numba.njit(signature, cache=True, nogil=True) if signature else numba.njit(cache=True, nogil=True)
    )
    made: Callable[[Kernel], Kernel] = compiler
    return made


@compiled()
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


@compiled("b1[::1](i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],b1[::1])")
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


@compiled("b1[::1](i8[::1],i8[::1],i8[::1],i8[::1],i8[::1])")
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


@compiled("i8[::1](i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],i8,f8)")
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


@compiled()
def _flip(
    j: int,
    by: int,
    ptr: Any,
    demand: Any,
    sets_ptr: Any,
    sets: Any,
    weight: Any,
    state: Any,
    gain: Any,
    loss: Any,
) -> None:
    """Put site j in (by 1) or take it out (by −1), keeping gain and loss right.

    `state` holds for each row how many chosen sites cover it, and the sum of their numbers: where it is one, its number.
    """
    for at in range(ptr[j], ptr[j + 1]):
        i = demand[at]
        w = weight[i]
        before = state[i, 0]
        if by > 0:
            if before == 0:
                loss[j] += w
            elif before == 1:
                loss[state[i, 1]] -= w
        elif before == 1:
            loss[j] -= w
        state[i, 0] = before + by
        state[i, 1] += by * j
        if by < 0 and before == 2:
            loss[state[i, 1]] += w
        if (by > 0 and before == 0) or (by < 0 and before == 1):
            for to in range(sets_ptr[i], sets_ptr[i + 1]):
                gain[sets[to]] -= by * w


@compiled()
def _swaps(
    ptr: Any,
    demand: Any,
    sets_ptr: Any,
    sets: Any,
    weight: Any,
    chosen: Any,
    at_chosen: Any,
    state: Any,
    gain: Any,
    loss: Any,
) -> float:
    """Exchange one site in for one out, each time the best one out, until none helps; return what was won."""
    n = len(ptr) - 1
    saved = np.zeros(n)
    won, since, a = 0.0, 0, 0
    while since < n:
        if at_chosen[a] < 0 and gain[a] > 0.0:
            for at in range(ptr[a], ptr[a + 1]):
                i = demand[at]
                if state[i, 0] == 1:
                    saved[state[i, 1]] += weight[i]
            best_out, best = -1, 1e-9 * (1.0 + gain[a])
            for b in chosen:
                value = gain[a] - loss[b] + saved[b]
                saved[b] = 0.0
                if value > best:
                    best_out, best = b, value
            if best_out >= 0:
                where = at_chosen[best_out]
                chosen[where], at_chosen[a], at_chosen[best_out] = a, where, -1
                _flip(best_out, -1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
                _flip(a, 1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
                won += best
                since = 0
        since += 1
        a += 1
        if a == n:
            a = 0
    return won


@compiled("i8[::1](i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],i8[::1],i8,i8)")
def swap_most(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    start: Integers,
    shakes: int,
    seed: int,
) -> Integers:
    """Return `start` improved by exchanges, then shaken `shakes` times: some sites out, others greedily in, exchanges again."""
    np.random.seed(seed)  # noqa: NPY002  (compiled code knows no Generator state of its own)
    n, m, p = len(ptr) - 1, len(sets_ptr) - 1, len(start)
    chosen = start.copy()
    at_chosen = np.full(n, -1, dtype=np.int64)
    state = np.zeros((m, 2), dtype=np.int64)
    gain, loss = np.zeros(n), np.zeros(n)
    for j in range(n):
        for at in range(ptr[j], ptr[j + 1]):
            gain[j] += weight[demand[at]]
    for c in range(p):
        at_chosen[chosen[c]] = c
        _flip(chosen[c], 1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
    _swaps(ptr, demand, sets_ptr, sets, weight, chosen, at_chosen, state, gain, loss)
    best = chosen.copy()
    value = 0.0  # of `chosen`, counted from `best`
    for _ in range(shakes):
        for _ in range(min(p, 2 + np.random.randint(1 + p // 8))):  # noqa: NPY002
            where = np.random.randint(p)  # noqa: NPY002
            out = chosen[where]
            value -= loss[out]
            at_chosen[out] = -1
            _flip(out, -1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
            into = -1
            for j in range(n):
                if at_chosen[j] < 0 and j != out and (into < 0 or gain[j] > gain[into]):
                    into = j
            if into < 0:
                into = out
            value += gain[into]
            chosen[where], at_chosen[into] = into, where
            _flip(into, 1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
        value += _swaps(ptr, demand, sets_ptr, sets, weight, chosen, at_chosen, state, gain, loss)
        if value > 1e-9:
            best[:] = chosen
            value = 0.0
        elif value < -1e-9:
            for c in range(p):
                if chosen[c] != best[c]:
                    _flip(chosen[c], -1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
                    at_chosen[chosen[c]] = -1
            for c in range(p):
                if chosen[c] != best[c]:
                    _flip(best[c], 1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
            for c in range(p):
                chosen[c] = best[c]
                at_chosen[best[c]] = c
            value = 0.0
    return np.sort(best)


@compiled("f8(i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],f8[::1],i8,i8)")
def most_bound(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    price: Floats,
    x: Floats,
    p: int,
    rounds: int,
) -> float:
    """Return the least upper bound on weight covered by p sites that `rounds` primal-dual steps find.

    `price` (of rows, between 0 and their weight) and `x` (of sites, between 0 and 1, p in all) are moved towards the
    optimum of the linear relaxation, so that a next call goes on from there. Whatever the prices are, p sites collect at
    best the p largest sums of them, and rows keep what they do not pay: each bound holds by itself (Chambolle, Pock 2011).
    """
    n, m = len(ptr) - 1, len(weight)
    best = np.inf
    tau, sigma = np.empty(m), np.empty(n)
    for i in range(m):
        tau[i] = 2.0 * weight[i] / max(1, sets_ptr[i + 1] - sets_ptr[i])
    for j in range(n):
        total = 0.0
        for at in range(ptr[j], ptr[j + 1]):
            total += weight[demand[at]]
        sigma[j] = 0.5 / max(total, 1e-12)
    income, moved = np.empty(n), np.empty(n)
    for step in range(rounds + 1):
        for j in range(n):
            total = 0.0
            for at in range(ptr[j], ptr[j + 1]):
                total += price[demand[at]]
            income[j] = total
        if step % 25 == 0:
            value = np.sum(weight - price) + np.sum(np.sort(income)[n - p :])
            best = min(best, value)
        if step == rounds:
            break
        low, high = np.inf, -np.inf
        for j in range(n):
            moved[j] = x[j] + sigma[j] * income[j]
            low = min(low, (moved[j] - 1.0) / sigma[j])
            high = max(high, moved[j] / sigma[j])
        for _ in range(50):
            middle = 0.5 * (low + high)
            total = 0.0
            for j in range(n):
                total += min(1.0, max(0.0, moved[j] - middle * sigma[j]))
            if total > p:
                low = middle
            else:
                high = middle
        for j in range(n):
            new = min(1.0, max(0.0, moved[j] - high * sigma[j]))
            moved[j] = 2.0 * new - x[j]
            x[j] = new
        for i in range(m):
            total = -1.0
            for at in range(sets_ptr[i], sets_ptr[i + 1]):
                total += moved[sets[at]]
            price[i] = min(weight[i], max(0.0, price[i] - tau[i] * total))
    return best
