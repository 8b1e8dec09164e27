"""Try to beat a plan with our own greedy and swap; a proved plan that is beaten was no proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage.errors import CertificateError
from sy_coverage.siting.planning.rules.bars import heirs, hosts, one_of, too_close, too_far_from_care
from sy_coverage.siting.planning.rules.beds import bed_table, beds, too_short_of_beds
from sy_coverage.siting.planning.rules.nursing import conversion_cost, counting, depend
from sy_coverage.siting.planning.rules.stations import barred_stations, services
from sy_coverage.siting.planning.rules.targets import (
    coverage_kinds,
    near_centres,
    near_enough,
    present_today,
    requirements,
    too_far_today,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.siting.planning.check.figures import Figures
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.planning.rules.targets import Requirement

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MOST_TRIES = 40_000
"""Swaps that are tried at most; each is checked against every rule."""
_BATCH = 512


class Tally:
    """Count quickly what sets of sites come to: many sets at once, a column each."""

    def __init__(self, case: PlanCase) -> None:
        """Prepare the counting of `case`."""
        self.case = case
        self.needs = requirements(case)
        self.cost = case.cost.counts
        self.open = ~case.forbidden
        if case.rules.medical == "bar":
            self.open[too_far_from_care(case)] = False
        clash = too_close(case)
        self.open[clash.barred] = False
        self.open[barred_stations(case)] = False
        self.services = [s for s in services(case) if len(s.stations)]
        self.pairs = [tuple(p) for p in clash.both]
        self.pairs += [
            (a, b) for _, group in one_of(case) for i, a in enumerate(group) for b in group[i + 1 :]
        ]
        self.far = [(near_enough(case, k)[:, v], len(v)) for k, v in too_far_today(case).items()]
        self.hosts, self.heirs = hosts(case), heirs(case)
        unit, kinds = case.sites.unit, case.sites.kind
        self.unit, self.kinds = unit, kinds
        self.in_unit: dict[str, Any] = {}
        for kind in {n.kind for n in self.needs if n.counts == "units"}:
            mine = np.flatnonzero((kinds == kind) & (unit >= 0))
            self.in_unit[kind] = sparse.csr_array(
                (np.ones(len(mine)), (unit[mine], mine)), shape=(len(case.units), len(case.ids))
            )
        place = case.unit_of_demand
        self.of_unit = sparse.csr_array(
            (case.weight.counts, (place, np.arange(len(place)))), shape=(len(case.units), len(place))
        )
        self.whole = np.asarray(self.of_unit.sum(axis=1)).ravel()

    def covered(self, kind: str, sets: Any) -> Any:
        """Return which units are covered by each set: units × sets."""
        case, rule = self.case, self.case.rules.rule
        answer = np.ones((len(case.units), sets.shape[1]), dtype=bool)
        if rule in {"presence", "both"}:
            present = present_today(case, kind)
            answer &= present[:, None] | (self.in_unit[kind] @ sets > 0)
        if rule in {"access", "both"}:
            reach = case.reach(kind)
            near = reach.today[:, None] | (reach.within.T @ sets > 0)
            least = case.share * self.whole
            answer &= self.of_unit @ near.astype(float) >= (least - 1e-9 * np.maximum(1.0, least))[:, None]
        return answer

    def reached(self, need: Requirement, sets: Any) -> Any:
        """Return how much of `need` each set reaches."""
        if need.counts == "sites":
            count = need.have + sets[need.members].sum(axis=0)
            for base, others in need.unless:
                count = count + ((base < 0 or sets[base]) & ~sets[others].any(axis=0))
            return count
        return self.covered(need.kind, sets)[need.members].sum(axis=0)

    def allowed(self, sets: Any) -> Any:
        """Return which sets keep the rules other than targets."""
        good = ~(sets & ~self.open[:, None]).any(axis=0) & sets[self.case.required].all(axis=0)
        for a, b in self.pairs:
            good &= ~(sets[a] & sets[b])
        for dependent, others in self.hosts:
            good &= ~sets[dependent] | sets[others].any(axis=0)
        for facility, instead, may_close in self.heirs:
            replaced = sets[instead].any(axis=0)
            good &= ~(sets[facility] & replaced) & (may_close or (sets[facility] | replaced))
        for near, count in self.far:
            good &= (near.T @ sets > 0).sum(axis=0) == count
        if self.case.rules.running_budget is not None:
            good &= self.case.running_costs @ sets <= self.case.rules.running_budget * (1 + 1e-9)
        for service in self.services:
            good &= ~sets[service.centre] | sets[service.stations].any(axis=0)
        for column in np.flatnonzero(good) if beds(self.case) is not None else ():
            ids = (self.case.ids[j] for j in np.flatnonzero(sets[:, column]))
            there = bed_table(self.case, ids)
            good[column] = not too_short_of_beds(self.case, there)
        return good

    def met(self, sets: Any) -> Any:
        """Return which sets meet every target."""
        good = np.ones(sets.shape[1], dtype=bool)
        for need in self.needs:
            if need.missing:
                good &= self.reached(need, sets) >= need.needed
        return good

    def best(self, sets: Any) -> Flags:
        """Return which sets are allowed and meet every target."""
        allowed = self.allowed(sets)
        answer = allowed.copy()
        at = np.flatnonzero(allowed)
        answer[at] = self.met(sets[:, at])
        return np.asarray(answer)


def require_unbeaten(
    case: PlanCase, sites: Iterable[str], checked: Figures, *, elastic: bool, proved: bool
) -> float | None:
    """Return the cost our own greedy and swap come to, and refuse a plan they beat though it is said to be the best.

    Raises
    ------
    CertificateError
        If the plan is said to be proved and something better was found.
    """
    if elastic:
        return None
    tally = Tally(case)
    x = np.zeros(len(case.ids), dtype=bool)
    x[[case.position(s) for s in sites]] = True
    own = greedy(tally)
    price = None if own is None else _price(case, own)
    if proved and price is not None and price < checked.cost - 1e-7 * max(1.0, abs(checked.cost)):
        raise CertificateError(
            f"a plan said to be the cheapest costs {checked.cost:g}, but our own search finds one for {price:g}; it is not shown"
        )
    if proved:
        better = improved(tally, x)
        if better is not None:
            raise CertificateError(f"a plan said to be the best can be improved: {better}; it is not shown")
    return price


def _price(case: PlanCase, x: Flags) -> float:
    """Return the cost of a set of sites with the conversions of beds it asks for."""
    beds = conversion_cost(case, [case.ids[j] for j in np.flatnonzero(x)])
    return case.cost.total(x) + float(beds - case.saved)


def greedy(tally: Tally) -> Flags | None:
    """Return sites chosen cheapest first, without those that prove unnecessary; None where this does not meet the targets."""
    case = tally.case
    x = case.required | (case.stands & ~case.forbidden)
    blocked = ~tally.open
    for need in sorted(tally.needs, key=lambda n: (n.counts == "units", not n.upgrades)):
        for _ in range(len(case.ids)):
            if int(tally.reached(need, x[:, None])[0]) >= need.needed:
                break
            j = _next(tally, need, x, blocked)
            if j is None:
                return None
            _open(tally, x, blocked, j)
    for site in sorted(np.flatnonzero(x & ~case.required), key=lambda s: -tally.cost[s]):
        if tally.cost[site] > 0:
            x[site] = False
            x[site] = not tally.best(x[:, None])[0]
    return x if tally.best(x[:, None])[0] else None


def _open(tally: Tally, x: Flags, blocked: Flags, j: int) -> None:
    """Open a site with the host and the stations it needs, and block what may not stand beside it."""
    x[j] = True
    for dependent, others in tally.hosts:
        if dependent == j and not x[others].any():
            x[others[np.argmin(tally.cost[others])]] = True
    for facility, instead, _ in tally.heirs:
        x[facility] &= not x[instead].any()
    for service in tally.services:
        if service.centre == j and not x[service.stations].any():
            x[service.stations[np.argmin(tally.cost[service.stations])]] = True
    for a, b in tally.pairs:
        blocked[a] |= x[b]
        blocked[b] |= x[a]


def _next(tally: Tally, need: Requirement, x: Flags, blocked: Flags) -> int | None:
    """Return the site that brings `need` most for its cost."""
    case = tally.case
    if need.counts == "sites":
        left = [j for j in need.members if not x[j] and not blocked[j]]
        return min(left, key=lambda j: (tally.cost[j], j), default=None)
    covered = tally.covered(need.kind, x[:, None])[:, 0]
    lacking = np.zeros(len(case.units), dtype=bool)
    lacking[need.members] = ~covered[need.members]
    mine = (tally.kinds == need.kind) & ~x & ~blocked
    gain = np.zeros(len(case.ids))
    if case.rules.rule != "access":
        present = present_today(case, need.kind)
        empty = lacking & ~present & ~(tally.in_unit[need.kind] @ x > 0)
        inside = tally.unit >= 0
        gain[inside] += empty[tally.unit[inside]]
    if case.rules.rule != "presence":
        reach = case.reach(need.kind)
        near = reach.today | (reach.within.T @ x > 0)
        place = case.unit_of_demand
        useful = case.weight.counts * ~near * lacking[place] / np.maximum(1.0, tally.whole[place])
        gain += reach.within @ useful
    at = np.flatnonzero(mine & (gain > 0))
    if not len(at):
        return None
    worth = gain[at] / np.maximum(tally.cost[at], 1e-6)
    return int(at[np.lexsort((at, -worth))[0]])


def improved(tally: Tally, x: Flags) -> str | None:
    """Return in words how closing or exchanging one site of `x` makes it better, or None."""
    case, cost = tally.case, tally.cost
    centres, cover = {*coverage_kinds(case)}, near_centres(case)
    tries: list[tuple[int, int]] = [(int(j), -1) for j in np.flatnonzero(x & ~case.required & (cost > 0))]
    priced = counting(case) if depend(case) else np.zeros(len(x), dtype=bool)
    tries = [(j, k) for j, k in tries if not priced[j]]
    for j in np.flatnonzero(x & ~case.required):
        same = (tally.kinds == tally.kinds[j]) & ~x & tally.open & (cost <= cost[j]) & ~priced
        if priced[j]:  # another home may ask for other conversions, whose price is not counted here
            continue
        if case.rules.scope == "county":
            same &= case.county_of_site == case.county_of_site[j]
        equal = same & (cost == cost[j])
        if case.rules.prefer == "elders" and tally.kinds[j] in centres and equal.any():
            same &= ~equal | (_gain(case, cover, x, int(j)) > 0)
        else:
            same &= ~equal
        tries += [(int(j), int(k)) for k in np.flatnonzero(same)]
    most = MOST_TRIES if case.rules.rule == "presence" else MOST_TRIES // 10
    tries = tries[:most]
    for first in range(0, len(tries), _BATCH):
        some = tries[first : first + _BATCH]
        sets = np.repeat(x[:, None], len(some), axis=1)
        for column, (closed, opened) in enumerate(some):
            sets[closed, column] = False
            if opened >= 0:
                sets[opened, column] = True
        good = np.flatnonzero(tally.best(sets))
        if len(good):
            closed, opened = some[int(good[0])]
            if opened < 0:
                return f"{case.ids[closed]} is not needed"
            return f"{case.ids[opened]} instead of {case.ids[closed]}"
    return None


def _gain(case: PlanCase, reach: Any, x: Flags, j: int) -> Floats:
    """Return how many elders more are within the cutoff if the site `j` of `x` is exchanged for each other site, in exact steps."""
    counts = reach.within.T @ x.astype(float) + reach.today
    weight = case.weight.counts
    only = np.zeros(len(weight), dtype=bool)
    mine = reach.within.indices[reach.within.indptr[j] : reach.within.indptr[j + 1]]
    only[mine] = counts[mine] == 1
    return np.asarray(reach.within @ (weight * ((counts == 0) | only))) - float(weight[only].sum())
