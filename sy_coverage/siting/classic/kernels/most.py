"""Hold the compiled inner loops of covering most with so many sites: greedy, exchanges, annealing.

Tables are as in `common`: CSR as (`indptr`, `indices`) of int64, indices sorted in each row.
"""

# ruff: noqa: C901  (a compiled loop is one function: calls would be passed a dozen arrays)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.siting.classic.kernels.common import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


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


@compiled()
def _put_in(
    start: Any, ptr: Any, demand: Any, sets_ptr: Any, sets: Any, weight: Any
) -> tuple[Any, Any, Any, Any, Any, float]:
    """Return `chosen`, where each site stands in it (−1: nowhere), the states of rows, gains, losses, and the weight covered."""
    n, m = len(ptr) - 1, len(sets_ptr) - 1
    chosen = start.copy()
    at_chosen = np.full(n, -1, dtype=np.int64)
    state = np.zeros((m, 2), dtype=np.int64)
    gain, loss = np.zeros(n), np.zeros(n)
    value = 0.0
    for j in range(n):
        for at in range(ptr[j], ptr[j + 1]):
            gain[j] += weight[demand[at]]
    for c in range(len(chosen)):
        value += gain[chosen[c]]
        at_chosen[chosen[c]] = c
        _flip(chosen[c], 1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
    return chosen, at_chosen, state, gain, loss, value


@compiled("i8[::1](i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],i8[::1])")
def exchanged(
    ptr: Integers, demand: Integers, sets_ptr: Integers, sets: Integers, weight: Floats, start: Integers
) -> Integers:
    """Return `start` improved by exchanges of one site for another until none helps."""
    chosen, at_chosen, state, gain, loss, _ = _put_in(start, ptr, demand, sets_ptr, sets, weight)
    _swaps(ptr, demand, sets_ptr, sets, weight, chosen, at_chosen, state, gain, loss)
    return np.sort(chosen)


@compiled("i8[::1](i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],i8[::1],f8,f8,i8,i8)")
def annealed(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    start: Integers,
    hot: float,
    cold: float,
    steps: int,
    seed: int,
) -> Integers:
    """Return the best choice that `steps` of simulated annealing from `start` come by, and exchanges then better.

    A step offers an exchange of a chosen site for one near it (rarely for any); an exchange that loses is taken with
    probability exp(−loss / temperature), the temperature falling from `hot` to `cold` (Kirkpatrick, Gelatt, Vecchi 1983).
    """
    np.random.seed(seed)  # noqa: NPY002  (compiled code knows no Generator state of its own)
    n, p = len(ptr) - 1, len(start)
    chosen, at_chosen, state, gain, loss, value = _put_in(start, ptr, demand, sets_ptr, sets, weight)
    best, best_value = chosen.copy(), value
    for step in range(steps):
        heat = hot * (cold / hot) ** (step / steps)
        where = np.random.randint(p)  # noqa: NPY002
        out = chosen[where]
        if ptr[out + 1] > ptr[out] and np.random.random() < 0.8:  # noqa: NPY002
            row = demand[ptr[out] + np.random.randint(ptr[out + 1] - ptr[out])]  # noqa: NPY002
            into = sets[sets_ptr[row] + np.random.randint(sets_ptr[row + 1] - sets_ptr[row])]  # noqa: NPY002
        else:
            into = np.random.randint(n)  # noqa: NPY002
        if at_chosen[into] >= 0:
            continue
        # what the exchange wins beyond this comes from rows that only `out` covers; often it is refused without them
        least = heat * np.log(max(np.random.random(), 1e-300))  # noqa: NPY002
        wins = gain[into] - loss[out]
        for at in range(ptr[into], ptr[into + 1]):
            row = demand[at]
            if state[row, 0] == 1 and state[row, 1] == out:
                wins += weight[row]
        if wins < least:
            continue
        value += wins
        at_chosen[out], at_chosen[into], chosen[where] = -1, where, into
        _flip(out, -1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
        _flip(into, 1, ptr, demand, sets_ptr, sets, weight, state, gain, loss)
        if value > best_value + 1e-9 * (1.0 + abs(best_value)):
            best_value = value
            best[:] = chosen
    return exchanged(ptr, demand, sets_ptr, sets, weight, best)
