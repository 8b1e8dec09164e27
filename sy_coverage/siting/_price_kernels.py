"""Hold the compiled inner loops that bound the weight so many sites can cover: prices of rows and of odd cuts, and the cuts.

Tables are as in `_kernels`: CSR as (`indptr`, `indices`) of int64, indices sorted in each row. An odd cut is three rows: of
their weight no more is covered than 1 + the sites they have, a site of all three counted twice.
"""

# ruff: noqa: C901, PLR0912  (a compiled loop is one function: calls would be passed a dozen arrays)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.siting._kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@compiled()
def _open_most(x: Any, ahead: Any, income: Any, tau: Any, p: int) -> None:
    """Move `x` along `income` and back to 0…1 with p in all; `ahead` becomes twice the new `x` less the old."""
    n = len(x)
    low, high = np.inf, -np.inf
    for j in range(n):
        ahead[j] = x[j] + tau[j] * income[j]
        low = min(low, (ahead[j] - 1.0) / tau[j])
        high = max(high, ahead[j] / tau[j])
    for _ in range(50):
        middle = 0.5 * (low + high)
        total = 0.0
        for j in range(n):
            total += min(1.0, max(0.0, ahead[j] - middle * tau[j]))
        if total > p:
            low = middle
        else:
            high = middle
    for j in range(n):
        new = min(1.0, max(0.0, ahead[j] - high * tau[j]))
        ahead[j] = 2.0 * new - x[j]
        x[j] = new


@compiled(
    "f8(i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],i8[:,::1],i8[::1],i8[::1],f8[::1],f8[::1],f8[::1],f8[::1],f8[::1],i8,i8)"
)
def most_bound(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    cut_rows: Integers,
    cut_ptr: Integers,
    cut_sites: Integers,
    cut_times: Floats,
    price: Floats,
    cut_price: Floats,
    x: Floats,
    z: Floats,
    p: int,
    rounds: int,
) -> float:
    """Return the least upper bound on weight covered by p sites that `rounds` primal-dual steps find.

    `price` (of rows), `cut_price` (of cuts), `x` (how much each site is open, p in all) and `z` (how much each row is covered)
    are moved towards the optimum of the linear relaxation, so that a next call goes on from there. Whatever the prices are, p
    sites collect at best the p largest sums of them, and rows keep what they do not pay: each bound holds by itself (Chambolle,
    Pock 2011; steps of Pock, Chambolle 2011).
    """
    n, m, cuts = len(ptr) - 1, len(weight), len(cut_price)
    best = np.inf
    tau, tau_row = np.zeros(n), weight.copy()
    sigma, sigma_cut = np.empty(m), np.empty(cuts)
    for j in range(n):
        for at in range(ptr[j], ptr[j + 1]):
            tau[j] += weight[demand[at]]
    for i in range(m):
        sigma[i] = weight[i] / (1.0 + sets_ptr[i + 1] - sets_ptr[i])
    for r in range(cuts):
        size = min(weight[cut_rows[r, 0]], weight[cut_rows[r, 1]], weight[cut_rows[r, 2]])
        total = 3.0
        for at in range(cut_ptr[r], cut_ptr[r + 1]):
            tau[cut_sites[at]] += size * cut_times[at]
            total += cut_times[at]
        for q in range(3):
            tau_row[cut_rows[r, q]] += size
        sigma_cut[r] = size / total
    for j in range(n):
        tau[j] = 1.0 / max(tau[j], 1e-12)
    for i in range(m):
        tau_row[i] = 1.0 / max(tau_row[i], 1e-12)
    income, ahead = np.empty(n), np.empty(n)
    kept, row_ahead = np.empty(m), np.empty(m)
    for step in range(rounds + 1):
        for j in range(n):
            total = 0.0
            for at in range(ptr[j], ptr[j + 1]):
                total += price[demand[at]]
            income[j] = total
        for i in range(m):
            kept[i] = weight[i] - price[i]
        for r in range(cuts):
            if cut_price[r] > 0.0:
                for at in range(cut_ptr[r], cut_ptr[r + 1]):
                    income[cut_sites[at]] += cut_price[r] * cut_times[at]
                for q in range(3):
                    kept[cut_rows[r, q]] -= cut_price[r]
        if step % 25 == 0:
            value = np.sum(np.maximum(kept, 0.0)) + np.sum(cut_price) + np.sum(np.sort(income)[n - p :])
            best = min(best, value)
        if step == rounds:
            break
        _open_most(x, ahead, income, tau, p)
        for i in range(m):
            new = min(1.0, max(0.0, z[i] + tau_row[i] * kept[i]))
            row_ahead[i] = 2.0 * new - z[i]
            z[i] = new
        for i in range(m):
            total = row_ahead[i]
            for at in range(sets_ptr[i], sets_ptr[i + 1]):
                total -= ahead[sets[at]]
            price[i] = max(0.0, price[i] + sigma[i] * total)
        for r in range(cuts):
            total = row_ahead[cut_rows[r, 0]] + row_ahead[cut_rows[r, 1]] + row_ahead[cut_rows[r, 2]] - 1.0
            for at in range(cut_ptr[r], cut_ptr[r + 1]):
                total -= cut_times[at] * ahead[cut_sites[at]]
            cut_price[r] = max(0.0, cut_price[r] + sigma_cut[r] * total)
    return best


@compiled("Tuple((i8[:,::1],f8[::1]))(i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],f8[::1],i8,f8)")
def odd_triples(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    x: Floats,
    z: Floats,
    near: int,
    least: float,
) -> tuple[Integers, Floats]:
    """Return triples of rows that `x` and `z` cover by more than `least` beyond what any choice can, and weight × excess.

    Each row is tried with pairs of those `near` rows no lighter than it that share most with it without being the same.
    """
    n, m = len(ptr) - 1, len(sets_ptr) - 1
    held, shared = np.zeros(m), np.zeros(m)
    for i in range(m):
        for at in range(sets_ptr[i], sets_ptr[i + 1]):
            held[i] += x[sets[at]]
    found, worth, count = np.empty((8 * m, 3), dtype=np.int64), np.empty(8 * m), 0
    touched = np.empty(m, dtype=np.int64)
    of_one, of_two = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    for i in range(m):
        if z[i] < 0.6 or held[i] > 1.4:
            continue
        met = 0
        for at in range(sets_ptr[i], sets_ptr[i + 1]):
            j = sets[at]
            if x[j] <= 1e-4:
                continue
            of_one[j] = True
            for to in range(ptr[j], ptr[j + 1]):
                k = demand[to]
                if shared[k] == 0.0:
                    touched[met] = k
                    met += 1
                shared[k] += x[j]
        others, size = np.empty(met, dtype=np.int64), 0
        promise = np.empty(met)
        for t in range(met):
            k, s = touched[t], shared[touched[t]]
            if k != i and z[k] >= 0.6 and held[k] <= 1.4 and 0.1 < s < 0.97 and weight[k] >= weight[i]:
                others[size] = k
                slack = weight[i] * (held[k] - z[k])
                promise[size] = slack - (min(s, 1.0 - s) + 0.05) * min(weight[k], 2.0 * weight[i])
                size += 1
        order = np.argsort(promise[:size])[:near]
        for a in range(len(order)):
            k, third, most = others[order[a]], -1, least
            for at in range(sets_ptr[k], sets_ptr[k + 1]):
                of_two[sets[at]] = True
            for b in range(a + 1, len(order)):
                other = others[order[b]]
                both, all_three = 0.0, 0.0
                for at in range(sets_ptr[other], sets_ptr[other + 1]):
                    j = sets[at]
                    if of_two[j]:
                        both += x[j]
                        if of_one[j]:
                            all_three += x[j]
                sites = held[i] + held[k] + held[other] - shared[k] - shared[other] - both + 2.0 * all_three
                excess = z[i] + z[k] + z[other] - 1.0 - sites
                if excess > most:
                    third, most = other, excess
            for at in range(sets_ptr[k], sets_ptr[k + 1]):
                of_two[sets[at]] = False
            if third >= 0 and count < len(worth):
                found[count, 0], found[count, 1], found[count, 2] = i, k, third
                worth[count] = most * weight[i]
                count += 1
        for at in range(sets_ptr[i], sets_ptr[i + 1]):
            of_one[sets[at]] = False
        for t in range(met):
            shared[touched[t]] = 0.0
    return found[:count].copy(), worth[:count].copy()
