"""Hold the compiled inner loops that bound the weight so many sites can cover: prices of rows and of odd cuts.

Tables are as in `common`: CSR as (`indptr`, `indices`) of int64, indices sorted in each row. An odd cut is a set of
2k + 1 rows: no more of them are covered than k + the open sites that reach them, each counted half as often as it reaches
them, rounded up.
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
