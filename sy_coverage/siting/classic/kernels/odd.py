"""Hold the compiled inner loops that find odd cuts: sets of rows that half-open sites cover by more than any choice can.

Tables are as in `common`; what an odd cut is stands in `prices`.
"""

# ruff: noqa: C901, PLR0912, PLR0915  (a compiled loop is one function: calls would be passed a dozen arrays)
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.siting.classic.kernels.common import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@compiled("Tuple((i8[:,::1],f8[::1]))(i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],f8[::1],i8,f8,i8)")
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
    most_each: int,
) -> tuple[Integers, Floats]:
    """Return triples of rows that `x` and `z` cover by more than `least` beyond what any choice can, and the excess.

    Each row is tried with pairs of those `near` rows no lighter than it that share most with it without being the same; the
    `most_each` best are returned, which keeps them from crowding round the heaviest rows.
    """
    n, m = len(ptr) - 1, len(sets_ptr) - 1
    held, shared = np.zeros(m), np.zeros(m)
    for i in range(m):
        for at in range(sets_ptr[i], sets_ptr[i + 1]):
            held[i] += x[sets[at]]
    found, worth, count = np.empty((most_each * m, 3), dtype=np.int64), np.empty(most_each * m), 0
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
        order, first = np.argsort(promise[:size])[:near], count
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
            if third < 0:
                continue
            place = count
            if count - first == most_each:
                place = first + int(np.argmin(worth[first:count]))
                if worth[place] >= most:
                    continue
            else:
                count += 1
            found[place, 0], found[place, 1], found[place, 2] = i, k, third
            worth[place] = most
        for at in range(sets_ptr[i], sets_ptr[i + 1]):
            of_one[sets[at]] = False
        for t in range(met):
            shared[touched[t]] = 0.0
    return found[:count].copy(), worth[:count].copy()


@compiled("void(i8[:,::1],f8[::1],i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],f8[::1],i8,f8)")
def grow_odd_sets(
    found: Integers,
    excess: Floats,
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    x: Floats,
    z: Floats,
    near: int,
    least: float,
) -> None:
    """Add pairs of rows to the odd sets in `found` (each padded by −1) as long as each adds `least` to its `excess`.

    A set exceeds what any choice can by half of: 1, less what of `x` reaches an odd number of its rows, less what its rows are
    covered less than once, less what they are reached more than covered.
    """
    n, m = len(ptr) - 1, len(sets_ptr) - 1
    odd, met, one = np.zeros(n, dtype=np.bool_), np.zeros(m, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    slack = np.empty(m)
    for i in range(m):
        total = 1.0 - 2.0 * z[i]
        for at in range(sets_ptr[i], sets_ptr[i + 1]):
            total += x[sets[at]]
        slack[i] = total
    # only sites that are open at all count
    open_ptr, open_sets = np.zeros(m + 1, dtype=np.int64), np.empty(len(sets), dtype=np.int64)
    for i in range(m):
        open_ptr[i + 1] = open_ptr[i]
        for at in range(sets_ptr[i], sets_ptr[i + 1]):
            if x[sets[at]] > 1e-3:
                open_sets[open_ptr[i + 1]] = sets[at]
                open_ptr[i + 1] += 1
    touched, change = np.empty(m, dtype=np.int64), np.empty(m)
    for r in range(len(found)):
        size, first = 0, found[r, 0]
        while size < found.shape[1] and found[r, size] >= 0:
            for at in range(open_ptr[found[r, size]], open_ptr[found[r, size] + 1]):
                odd[open_sets[at]] = not odd[open_sets[at]]
            size += 1
        while size + 2 <= found.shape[1]:
            count = 0
            for q in range(size):
                met[found[r, q]] = True
            for q in range(size):
                for at in range(open_ptr[found[r, q]], open_ptr[found[r, q] + 1]):
                    j = open_sets[at]
                    if not odd[j]:
                        continue
                    for to in range(ptr[j], ptr[j + 1]):
                        k = demand[to]
                        if met[k] or slack[k] > 0.5 or weight[k] < weight[first]:
                            continue
                        met[k] = True
                        total = slack[k]
                        for by in range(open_ptr[k], open_ptr[k + 1]):
                            total += -x[open_sets[by]] if odd[open_sets[by]] else x[open_sets[by]]
                        touched[count], change[count] = k, total
                        count += 1
            order = np.argsort(change[:count])[:near]
            one_row, other_row, best = -1, -1, -2.0 * least
            for a in range(len(order)):
                k = touched[order[a]]
                for at in range(open_ptr[k], open_ptr[k + 1]):
                    one[open_sets[at]] = True
                for b in range(a + 1, len(order)):
                    other = touched[order[b]]
                    total = change[order[a]] + change[order[b]]
                    if total - 2.0 >= best:
                        break
                    for at in range(open_ptr[other], open_ptr[other + 1]):
                        j = open_sets[at]
                        if one[j]:
                            total += 2.0 * x[j] if odd[j] else -2.0 * x[j]
                    if total < best:
                        one_row, other_row, best = k, other, total
                for at in range(open_ptr[k], open_ptr[k + 1]):
                    one[open_sets[at]] = False
            for q in range(size):
                met[found[r, q]] = False
            for q in range(count):
                met[touched[q]] = False
            if one_row < 0:
                break
            for k in (one_row, other_row):
                found[r, size] = k
                size += 1
                for at in range(open_ptr[k], open_ptr[k + 1]):
                    odd[open_sets[at]] = not odd[open_sets[at]]
            excess[r] -= 0.5 * best
        for q in range(size):
            for at in range(open_ptr[found[r, q]], open_ptr[found[r, q] + 1]):
                odd[open_sets[at]] = False
