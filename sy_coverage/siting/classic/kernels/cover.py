"""Hold the compiled inner loops that cover every row: greedy, a search by row weights, and a bound by row prices.

Tables are as in `common`: CSR as (`indptr`, `indices`) of int64, indices sorted in each row.
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


@compiled("i8[::1](i8[::1],i8[::1],i8[::1],i8[::1],i8[::1],f8[::1])")
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


@compiled("i8[::1](i8[::1],i8[::1],i8[::1],i8[::1],i8[::1],i8,i8,i8)")
def reweighted(
    ptr: Integers,
    demand: Integers,
    sets_ptr: Integers,
    sets: Integers,
    start: Integers,
    steps: int,
    target: int,
    seed: int,
) -> Integers:
    """Return a smaller choice of sites that covers every row once, if `steps` of a search by row weights find one.

    Rows that stay uncovered grow heavier until the search gives in to them (Gao, Weise, Li 2015). Stops at `target` sites.
    """
    np.random.seed(seed)  # noqa: NPY002  (compiled code knows no Generator state of its own)
    n, m = len(ptr) - 1, len(sets_ptr) - 1
    weight = np.ones(m, dtype=np.int64)
    count = np.zeros(m, dtype=np.int64)
    is_in = np.zeros(n, dtype=np.bool_)
    score = np.zeros(n, dtype=np.int64)  # weight a site would add; of a site that is in, what it alone holds
    stamp = np.zeros(n, dtype=np.int64)
    may_add = np.ones(n, dtype=np.bool_)
    bare, place, bare_count = np.empty(m, dtype=np.int64), np.full(m, -1, dtype=np.int64), 0
    members, at_member, size = np.empty(n, dtype=np.int64), np.full(n, -1, dtype=np.int64), 0
    for i in range(m):
        bare[i], place[i] = i, i
    bare_count = m
    for j in range(n):
        score[j] = ptr[j + 1] - ptr[j]
    best = start.copy()
    banned = -1
    phase, step, k = 0, 0, 0  # phase 0: put the start in; 1: search
    queue = start
    while True:
        move, into = -1, True
        if phase == 0:
            if k == len(queue):
                phase = 1
                continue
            move, into = queue[k], True
            k += 1
        else:
            if bare_count == 0:
                best = members[:size].copy()
                if size <= target or size <= 1:
                    break
            elif step % 2 == 0:
                step += 1
                # add: a site of a random uncovered row, of most score, longest untouched
                row = bare[np.random.randint(bare_count)]  # noqa: NPY002
                for at in range(sets_ptr[row], sets_ptr[row + 1]):
                    j = sets[at]
                    if may_add[j] and (
                        move < 0
                        or score[j] > score[move]
                        or (score[j] == score[move] and stamp[j] < stamp[move])
                    ):
                        move = j
                if move < 0:
                    continue
                for b in range(bare_count):
                    i = bare[b]
                    weight[i] += 1
                    for at in range(sets_ptr[i], sets_ptr[i + 1]):
                        score[sets[at]] += 1
                banned = move
            if move < 0:
                if bare_count > 0:
                    step += 1
                if step >= steps:
                    break
                into = False
                for b in range(size):
                    j = members[b]
                    if j == banned:
                        continue
                    if (
                        move < 0
                        or score[j] < score[move]
                        or (score[j] == score[move] and stamp[j] < stamp[move])
                    ):
                        move = j
                if move < 0:
                    break
            stamp[move] = step
        if into:
            is_in[move] = True
            members[size], at_member[move] = move, size
            size += 1
            score[move] = 0
        else:
            is_in[move] = False
            size -= 1
            members[at_member[move]] = members[size]
            at_member[members[size]] = at_member[move]
            at_member[move] = -1
            score[move] = 0
            may_add[move] = False
        for at in range(ptr[move], ptr[move + 1]):
            i = demand[at]
            if into:
                count[i] += 1
                if count[i] == 1:
                    score[move] += weight[i]
                    bare_count -= 1
                    bare[place[i]] = bare[bare_count]
                    place[bare[bare_count]] = place[i]
                    place[i] = -1
                for to in range(sets_ptr[i], sets_ptr[i + 1]):
                    s = sets[to]
                    if s == move:
                        continue
                    may_add[s] = True
                    if count[i] == 1 or (count[i] == 2 and is_in[s]):
                        score[s] -= weight[i]
            else:
                count[i] -= 1
                if count[i] == 0:
                    score[move] += weight[i]
                    place[i] = bare_count
                    bare[bare_count] = i
                    bare_count += 1
                for to in range(sets_ptr[i], sets_ptr[i + 1]):
                    s = sets[to]
                    if s == move:
                        continue
                    may_add[s] = True
                    if count[i] == 0 or (count[i] == 1 and is_in[s]):
                        score[s] += weight[i]
    return np.sort(best)


@compiled("f8(i8[::1],i8[::1],i8[::1],f8[::1],f8[::1],f8,i8)")
def priced(
    ptr: Integers, demand: Integers, need: Integers, cost: Floats, price: Floats, target: float, steps: int
) -> float:
    """Return a lower bound on the cost of covering every row; `price`, of rows, becomes the one that gives it.

    For any prices ≥ 0: what the needs are worth, less what the sites that are worth more than their cost then bring
    (Lagrange), by steps along the averaged subgradient (Held, Wolfe, Crowder 1974). Stops above `target`, which is enough.
    What rounding can do to so many sums is taken off: prices may grow large where no prices reach the target.
    """
    n, m = len(ptr) - 1, len(need)
    rounding = 1.2e-16 * (n + 2 * m + 4)
    best, pace, stale = -np.inf, 0.5, 0
    lack, smooth, kept = np.empty(m), np.zeros(m), price.copy()
    for _ in range(steps):
        value = 0.0
        for i in range(m):
            value += price[i] * need[i]
            lack[i] = need[i]
        summed = value
        for j in range(n):
            rest = cost[j]
            for at in range(ptr[j], ptr[j + 1]):
                rest -= price[demand[at]]
            summed += 2.0 * cost[j] - rest
            if rest < 0:
                value += rest
                for at in range(ptr[j], ptr[j + 1]):
                    lack[demand[at]] -= 1
        value -= rounding * summed
        stale += 1
        if value > best:
            if value > best + 1e-4 * abs(best):
                stale = 0
            best = value
            kept[:] = price
        if best > target:
            break
        if stale >= 10:
            pace, stale = 0.9 * pace, 0
        size = 0.0
        for i in range(m):
            smooth[i] = 0.7 * smooth[i] + 0.3 * lack[i]
            if price[i] > 0 or smooth[i] > 0:
                size += smooth[i] * smooth[i]
        if size == 0 or pace < 1e-3:
            break
        length = pace * max(1.05 * target - value, 1e-3 * abs(target)) / size
        for i in range(m):
            price[i] = max(0.0, price[i] + length * smooth[i])
    price[:] = kept
    return best


@compiled("Tuple((i8,i8[::1]))(i8[::1],i8[::1],i8[::1],i8[::1],i8,i8)")
def within(
    ptr: Integers, demand: Integers, sets_ptr: Integers, sets: Integers, p: int, most: int
) -> tuple[int, Integers]:
    """Return 1 and at most p sites that cover every row once, 0 where there are none, −1 where `most` steps do not tell.

    One of the sites of an uncovered row must open: they are tried in turn, and stay shut once tried. The row with the
    fewest is taken; rows without a site in common, and how much the best site still covers, say when so many cannot do.
    """
    n, m = len(ptr) - 1, len(sets_ptr) - 1
    count = np.zeros(m, dtype=np.int64)  # how often a row is covered
    shut = np.zeros(n, dtype=np.int64)  # depth + 1 at which a site was tried; 0: free
    gain = np.zeros(n, dtype=np.int64)  # uncovered rows of a site
    choices = np.empty((p + 1, n), dtype=np.int64)
    length, at = np.zeros(p + 1, dtype=np.int64), np.zeros(p + 1, dtype=np.int64)
    seen = np.zeros(n, dtype=np.int64)
    taken = np.empty(p, dtype=np.int64)
    for j in range(n):
        gain[j] = ptr[j + 1] - ptr[j]
    bare, depth, steps, stamp = m, 0, 0, 0
    fresh = True
    while True:
        if fresh:
            if bare == 0:
                return 1, taken[:depth].copy()
            steps += 1
            if steps > most:
                return -1, taken[:0].copy()
            length[depth], at[depth] = 0, 0
            left = p - depth
            # what the `left` best sites would cover if they shared nothing, at most left · best
            best = 0
            for j in range(n):
                if shut[j] == 0 and gain[j] > best:
                    best = gain[j]
            if left > 0 and best * left >= bare:
                fewest, row, apart = n + 1, -1, 0
                stamp += 1
                for i in range(m):
                    if count[i] > 0:
                        continue
                    options, free = 0, True
                    for to in range(sets_ptr[i], sets_ptr[i + 1]):
                        j = sets[to]
                        if shut[j] == 0:
                            options += 1
                            if seen[j] == stamp:
                                free = False
                    if options < fewest:
                        fewest, row = options, i
                    if options == 0:
                        break
                    if free:
                        apart += 1
                        if apart > left:
                            break
                        for to in range(sets_ptr[i], sets_ptr[i + 1]):
                            seen[sets[to]] = stamp
                if fewest > 0 and apart <= left:
                    for to in range(sets_ptr[row], sets_ptr[row + 1]):
                        j = sets[to]
                        if shut[j] == 0:
                            choices[depth, length[depth]] = j
                            length[depth] += 1
                    # the site that covers most first
                    for a in range(1, length[depth]):
                        j, b = choices[depth, a], a
                        while b > 0 and gain[choices[depth, b - 1]] < gain[j]:
                            choices[depth, b] = choices[depth, b - 1]
                            b -= 1
                        choices[depth, b] = j
            fresh = False
        if at[depth] == length[depth]:
            for a in range(length[depth]):
                shut[choices[depth, a]] = 0
            if depth == 0:
                return 0, taken[:0].copy()
            depth -= 1
            j = taken[depth]
            for to in range(ptr[j], ptr[j + 1]):
                i = demand[to]
                count[i] -= 1
                if count[i] == 0:
                    bare += 1
                    for back in range(sets_ptr[i], sets_ptr[i + 1]):
                        gain[sets[back]] += 1
            continue
        j = choices[depth, at[depth]]
        at[depth] += 1
        shut[j] = depth + 1
        taken[depth] = j
        for to in range(ptr[j], ptr[j + 1]):
            i = demand[to]
            count[i] += 1
            if count[i] == 1:
                bare -= 1
                for back in range(sets_ptr[i], sets_ptr[i + 1]):
                    gain[sets[back]] -= 1
        depth += 1
        fresh = True
