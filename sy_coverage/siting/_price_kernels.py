"""Hold the compiled inner loops that bound the weight so many sites can cover: prices of rows and of odd cuts, and the cuts.

Tables are as in `_kernels`: CSR as (`indptr`, `indices`) of int64, indices sorted in each row. An odd cut is a set of
2k + 1 rows: no more of them are covered than k + the open sites that reach them, each counted half as often as it reaches
them, rounded up.
"""

# ruff: noqa: C901, PLR0912, PLR0915  (a compiled loop is one function: calls would be passed a dozen arrays)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.siting._kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

BALANCE = 0.5
"""How long the steps of what is open and covered are, to those of prices; 1 is the textbook's, less is sooner near."""


@compiled()
def _open_most(x: Any, ahead: Any, income: Any, tau: Any, low: Any, high: Any, p: int, level: float) -> float:
    """Move `x` along `income` and back to low…high with p in all; `ahead` becomes twice the new `x` less the old.

    Returns the level that all sites are pushed down by; `level` is a guess of it.
    """
    n = len(x)
    least, most = np.inf, -np.inf
    for j in range(n):
        ahead[j] = x[j] + tau[j] * income[j]
        least = min(least, (ahead[j] - high[j]) / tau[j])
        most = max(most, (ahead[j] - low[j]) / tau[j])
    level = min(max(level, least), most)
    for _ in range(50):
        total, slope = 0.0, 0.0
        for j in range(n):
            value = ahead[j] - level * tau[j]
            if value >= high[j]:
                total += high[j]
            elif value <= low[j]:
                total += low[j]
            else:
                total += value
                slope += tau[j]
        if abs(total - p) <= 1e-9 * p:
            break
        if total > p:
            least = level
        else:
            most = level
        # by Newton's step, which hits in a few turns; where it leads astray, halfway between what is known
        level = level + (total - p) / slope if slope > 0.0 else 0.5 * (least + most)
        if not least < level < most:
            level = 0.5 * (least + most)
    for j in range(n):
        new = min(high[j], max(low[j], ahead[j] - level * tau[j]))
        ahead[j] = 2.0 * new - x[j]
        x[j] = new
    return level


@compiled()
def _collected(income: Any, low: Any, high: Any, p: int) -> float:
    """Return the most that p sites collect, of which those with `low` 1 are in and those with `high` 0 are out."""
    free, count, left, total = np.empty(len(income)), 0, p, 0.0
    for j in range(len(income)):
        if low[j] > 0.5:
            total += income[j]
            left -= 1
        elif high[j] > 0.5:
            free[count] = income[j]
            count += 1
    return total + np.sum(np.sort(free[:count])[max(count - left, 0) :]) if left > 0 else total


@compiled()
def _collect(
    ptr: Any,
    demand: Any,
    weight: Any,
    cut_ptr: Any,
    cut_rows: Any,
    cut_sites_ptr: Any,
    cut_sites: Any,
    cut_times: Any,
    price: Any,
    cut_price: Any,
    income: Any,
    kept: Any,
) -> None:
    """Write down what each site collects at these prices, and what each row keeps of its weight."""
    for j in range(len(ptr) - 1):
        total = 0.0
        for at in range(ptr[j], ptr[j + 1]):
            total += price[demand[at]]
        income[j] = total
    for i in range(len(weight)):
        kept[i] = weight[i] - price[i]
    for r in range(len(cut_price)):
        if cut_price[r] > 0.0:
            for at in range(cut_sites_ptr[r], cut_sites_ptr[r + 1]):
                income[cut_sites[at]] += cut_price[r] * cut_times[at]
            for at in range(cut_ptr[r], cut_ptr[r + 1]):
                kept[cut_rows[at]] -= cut_price[r]


@compiled(
    "f8(i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],"
    "i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],"
    "f8[::1],f8[::1],f8[::1],f8[::1],f8[::1],f8[::1],i8,i8,f8)"
)
def most_bound(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    weight: Floats,
    cut_ptr: Integers,
    cut_rows: Integers,
    cut_sites_ptr: Integers,
    cut_sites: Integers,
    cut_times: Floats,
    cut_right: Floats,
    price: Floats,
    cut_price: Floats,
    x: Floats,
    z: Floats,
    low: Floats,
    high: Floats,
    p: int,
    rounds: int,
    enough: float,
) -> float:
    """Return the least upper bound on weight covered by p sites that `rounds` primal-dual steps find.

    `price` (of rows), `cut_price` (of cuts), `x` (how much each site is open, p in all, within `low` and `high`, which are 0 or
    1) and `z` (how much each row is covered) are moved towards the optimum of the linear relaxation, so that a next call goes on
    from there. Whatever the prices are, p sites collect at best the p largest sums of them, and rows keep what they do not pay:
    each bound holds by itself (Chambolle, Pock 2011; steps of Pock, Chambolle 2011). A bound below `enough` ends the search.
    """
    n, m, cuts = len(ptr) - 1, len(weight), len(cut_price)
    best, level = np.inf, 0.0
    tau, tau_row = np.zeros(n), weight.copy()
    sigma, sigma_cut = np.empty(m), np.empty(cuts)
    for j in range(n):
        for at in range(ptr[j], ptr[j + 1]):
            tau[j] += weight[demand[at]]
    for i in range(m):
        sigma[i] = weight[i] / BALANCE / (1.0 + sets_ptr[i + 1] - sets_ptr[i])
    for r in range(cuts):
        size = np.inf
        for at in range(cut_ptr[r], cut_ptr[r + 1]):
            size = min(size, weight[cut_rows[at]])
        total = float(cut_ptr[r + 1] - cut_ptr[r])
        for at in range(cut_sites_ptr[r], cut_sites_ptr[r + 1]):
            tau[cut_sites[at]] += size * cut_times[at]
            total += cut_times[at]
        for at in range(cut_ptr[r], cut_ptr[r + 1]):
            tau_row[cut_rows[at]] += size
        sigma_cut[r] = size / BALANCE / total
    for j in range(n):
        tau[j] = BALANCE / max(tau[j], 1e-12)
    for i in range(m):
        tau_row[i] = BALANCE / max(tau_row[i], 1e-12)
    income, ahead = np.empty(n), np.empty(n)
    kept, row_ahead = np.empty(m), np.empty(m)
    for step in range(rounds + 1):
        _collect(
            ptr,
            demand,
            weight,
            cut_ptr,
            cut_rows,
            cut_sites_ptr,
            cut_sites,
            cut_times,
            price,
            cut_price,
            income,
            kept,
        )
        if step % 25 == 0:
            value = np.sum(np.maximum(kept, 0.0)) + np.sum(cut_price * cut_right)
            best = min(best, value + _collected(income, low, high, p))
            if best < enough:
                break
        if step == rounds:
            break
        level = _open_most(x, ahead, income, tau, low, high, p, level)
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
            total = -cut_right[r]
            for at in range(cut_ptr[r], cut_ptr[r + 1]):
                total += row_ahead[cut_rows[at]]
            for at in range(cut_sites_ptr[r], cut_sites_ptr[r + 1]):
                total -= cut_times[at] * ahead[cut_sites[at]]
            cut_price[r] = max(0.0, cut_price[r] + sigma_cut[r] * total)
    return best


@compiled(
    "f8(i8[::1],i8[::1],f8[::1],i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],f8[::1],f8[::1],f8[::1],f8[::1],i8,f8)"
)
def decided_by_prices(
    ptr: Integers,
    demand: Integers,
    weight: Floats,
    cut_ptr: Integers,
    cut_rows: Integers,
    cut_sites_ptr: Integers,
    cut_sites: Integers,
    cut_times: Floats,
    cut_right: Floats,
    price: Floats,
    cut_price: Floats,
    low: Floats,
    high: Floats,
    p: int,
    need: float,
) -> float:
    """Return the bound that these prices give, and put into `low` and `high` what they decide: −1 where no p sites are left.

    A choice worth `need` holds no site that must push out one which collects so much more that the bound falls below `need`
    (its `high` becomes 0), and holds each without which it would (its `low` becomes 1).
    """
    n, m = len(ptr) - 1, len(weight)
    income, kept = np.empty(n), np.empty(m)
    _collect(
        ptr,
        demand,
        weight,
        cut_ptr,
        cut_rows,
        cut_sites_ptr,
        cut_sites,
        cut_times,
        price,
        cut_price,
        income,
        kept,
    )
    value = np.sum(np.maximum(kept, 0.0)) + np.sum(cut_price * cut_right)
    value = float(value + _collected(income, low, high, p))
    inside = int(np.sum(low))
    free = np.flatnonzero((low < 0.5) & (high > 0.5))
    left = p - inside
    if left < 0 or len(free) < left:
        return -1.0
    order = np.sort(income[free])
    worst_in = order[len(free) - left] if left > 0 else np.inf
    best_out = order[len(free) - left - 1] if len(free) > left else -np.inf
    for j in free:
        if income[j] < worst_in and value - worst_in + income[j] < need:
            high[j] = 0.0
        elif income[j] > best_out and value - income[j] + best_out < need:
            low[j] = 1.0
    return value


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
