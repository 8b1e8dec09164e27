"""Hold the compiled inner loops of p-median: interchange of sites, and the Lagrangian bound by subgradient.

Pairs are given twice: by site (`s_ptr`, `s_demand`, `s_cost`) and by demand, nearest first (`d_ptr`, `d_site`, `d_cost`);
a cost is weight × minutes. A demand point without an open site in reach costs `penalty`.
"""

# ruff: noqa: C901, PLR0912  (a compiled loop is one function: calls would be passed a dozen arrays)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.siting.classic.kernels.common import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@compiled()
def _two_nearest(
    i: int, d_ptr: Any, d_site: Any, d_cost: Any, is_in: Any, penalty: float, one: Any, c1: Any, c2: Any
) -> None:
    """Write the nearest open site of demand i, its cost and the second nearest cost."""
    one[i], c1[i], c2[i] = -1, penalty, penalty
    for at in range(d_ptr[i], d_ptr[i + 1]):
        j = d_site[at]
        if is_in[j]:
            if one[i] < 0:
                one[i], c1[i] = j, d_cost[at]
            else:
                c2[i] = d_cost[at]
                break


@compiled("i8[::1](i8[::1],i8[::1],f8[::1],i8[::1],i8[::1],f8[::1],i8[::1],b1[::1],f8)")
def interchange(
    s_ptr: Integers,
    s_demand: Integers,
    s_cost: Floats,
    d_ptr: Integers,
    d_site: Integers,
    d_cost: Floats,
    chosen: Integers,
    fixed: Flags,
    penalty: float,
) -> Integers:
    """Return `chosen` improved by exchanging one site for another (never a `fixed` one) until no exchange helps."""
    n, m = len(s_ptr) - 1, len(d_ptr) - 1
    is_in = np.zeros(n, dtype=np.bool_)
    for j in chosen:
        is_in[j] = True
    one = np.empty(m, dtype=np.int64)
    c1, c2 = np.empty(m), np.empty(m)
    loss, back = np.zeros(n), np.zeros(n)
    total = 0.0
    for i in range(m):
        _two_nearest(i, d_ptr, d_site, d_cost, is_in, penalty, one, c1, c2)
        total += c1[i]
        if one[i] >= 0:
            loss[one[i]] += c2[i] - c1[i]
    current = chosen.copy()
    since, a = 0, 0
    while since < n:
        if not is_in[a]:
            gain = 0.0
            for at in range(s_ptr[a], s_ptr[a + 1]):
                i, c = s_demand[at], s_cost[at]
                if c < c1[i]:
                    gain += c1[i] - c
                    if one[i] >= 0:
                        back[one[i]] += c2[i] - c1[i]
                elif c < c2[i]:
                    back[one[i]] += c2[i] - c
            best, best_out = 1e-10 * max(1.0, total), -1
            for k in range(len(current)):
                b = current[k]
                value = gain - loss[b] + back[b]
                back[b] = 0.0
                if not fixed[b] and value > best:
                    best, best_out = value, k
            if best_out >= 0:
                out = current[best_out]
                is_in[out], is_in[a] = False, True
                current[best_out] = a
                total -= best
                # only demand near the two sites changes
                for j in (out, a):
                    for at in range(s_ptr[j], s_ptr[j + 1]):
                        i = s_demand[at]
                        if s_cost[at] <= c2[i]:
                            if one[i] >= 0:
                                loss[one[i]] -= c2[i] - c1[i]
                            _two_nearest(i, d_ptr, d_site, d_cost, is_in, penalty, one, c1, c2)
                            if one[i] >= 0:
                                loss[one[i]] += c2[i] - c1[i]
                since = 0
        since += 1
        a += 1
        if a == n:
            a = 0
    return np.sort(current)


@compiled("f8(i8[::1],i8[::1],f8[::1],i8[::1],i8,f8)")
def worth(
    d_ptr: Integers, d_site: Integers, d_cost: Floats, chosen: Integers, n: int, penalty: float
) -> float:
    """Return the total cost of serving all demand from its nearest chosen site."""
    is_in = np.zeros(n, dtype=np.bool_)
    for j in chosen:
        is_in[j] = True
    total = 0.0
    for i in range(len(d_ptr) - 1):
        cost = penalty
        for at in range(d_ptr[i], d_ptr[i + 1]):
            if is_in[d_site[at]]:
                cost = d_cost[at]
                break
        total += cost
    return total


@compiled("i8[::1](i8[::1],i8[::1],f8[::1],i8,i8[::1],i8,f8)")
def greedy(
    s_ptr: Integers, s_demand: Integers, s_cost: Floats, m: int, first: Integers, p: int, penalty: float
) -> Integers:
    """Return p sites: those of `first`, then each the one that saves most."""
    n = len(s_ptr) - 1
    c1 = np.full(m, penalty)
    chosen = np.empty(p, dtype=np.int64)
    is_in = np.zeros(n, dtype=np.bool_)
    for count in range(p):
        best, best_value = -1, -1.0
        if count < len(first):
            best = first[count]
        else:
            for j in range(n):
                if is_in[j]:
                    continue
                value = 0.0
                for at in range(s_ptr[j], s_ptr[j + 1]):
                    value += max(0.0, c1[s_demand[at]] - s_cost[at])
                if value > best_value:
                    best, best_value = j, value
        is_in[best] = True
        chosen[count] = best
        for at in range(s_ptr[best], s_ptr[best + 1]):
            i = s_demand[at]
            c1[i] = min(c1[i], s_cost[at])
    return chosen


@compiled("f8[::1](i8[::1],i8[::1],f8[::1],f8[::1],i8)")
def reduced_costs(d_ptr: Integers, d_site: Integers, d_cost: Floats, price: Floats, n: int) -> Floats:
    """Return, for each site, the sum over demand of min(0, cost − price)."""
    rho = np.zeros(n)
    for i in range(len(d_ptr) - 1):
        for at in range(d_ptr[i], d_ptr[i + 1]):
            c = d_cost[at] - price[i]
            if c >= 0.0:
                break
            rho[d_site[at]] += c
    return rho


@compiled(
    "Tuple((f8,f8[::1],i8[::1]))(i8[::1],i8[::1],f8[::1],f8[::1],b1[::1],b1[::1],f8[::1],i8,i8,f8,i8,i8,f8)"
)
def bound_by_prices(
    d_ptr: Integers,
    d_site: Integers,
    d_cost: Floats,
    price: Floats,
    fixed: Flags,
    closed: Flags,
    often: Floats,
    n: int,
    p: int,
    upper: float,
    rounds: int,
    patience: int,
    close: float,
) -> tuple[float, Floats, Integers]:
    """Return the best Lagrangian bound in `rounds` subgradient steps from `price`, its prices, and the sites it chose.

    Sites that are `fixed` are always chosen, sites that are `closed` never; how `often` each was chosen lately is kept, as a
    share. Stops when the bound comes within `close` of `upper`.
    """
    m = len(d_ptr) - 1
    best, best_price, best_chosen = -np.inf, price.copy(), np.arange(p)
    theta, since = 1.0, 0
    direction = np.zeros(m)
    picked = np.zeros(n, dtype=np.bool_)
    for _ in range(rounds):
        rho = reduced_costs(d_ptr, d_site, d_cost, price, n)
        key = np.where(fixed, -np.inf, np.where(closed, np.inf, rho))
        chosen = np.argsort(key, kind="mergesort")[:p].copy()
        picked[:] = False
        often *= 0.9
        value = price.sum()
        for j in chosen:
            picked[j] = True
            often[j] += 0.1
            value += rho[j]
        if value > best:
            if value > best + 1e-6 * abs(best):
                since = 0
            best = value
            best_price[:] = price
            best_chosen = chosen
        else:
            since += 1
        if best >= upper - close:
            break
        if since > patience:
            theta *= 0.6
            since = 0
            price[:] = best_price
            if theta < 1e-5:
                break
            continue
        norm = 0.0
        for i in range(m):
            g = 1.0
            for at in range(d_ptr[i], d_ptr[i + 1]):
                if d_cost[at] >= price[i]:
                    break
                if picked[d_site[at]]:
                    g -= 1.0
            direction[i] = g + 0.3 * direction[i]
            norm += direction[i] * direction[i]
        if norm < 1e-12:
            break
        step = theta * (1.02 * upper - value) / norm
        for i in range(m):
            price[i] = max(0.0, price[i] + step * direction[i])
    return best, best_price, best_chosen
