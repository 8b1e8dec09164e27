"""Solve the classic problems where a site has only so much room: beds, shared out or one site for each demand point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage.errors import CertificateError
from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.classic.proof.recount import ALL_SERVED, nearest
from sy_coverage.siting.classic.proof.settle import Found, findings, impossible, no_answer, points, settle
from sy_coverage.siting.classic.search.median_search import greedy, priced
from sy_coverage.siting.classic.search.pairs import pairs_of
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.watch import REALS, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting.classic.asked.terms import Terms
    from sy_coverage.siting.plan import SitingPlan

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """A model and where its columns are: sites first, then what goes from demand to site."""

    model: highs.Model
    sites: Integers
    flows: Integers
    site: Integers
    """Position of the site of each flow."""
    demand: Integers
    minutes: Floats


def planned(asked: Terms, method: Callable[[Terms, Watch], SitingPlan]) -> SitingPlan:
    """Return the plan that `method` makes of what was asked; where sites have only so much room, the one made here."""
    with Watch(asked.options) as watch:
        try:
            return method(asked, watch) if asked.capacities is None else solve(asked, watch)
        except MemoryError:
            if watch.in_hand is None:
                raise
            watch.out_of_memory = True
        return settle(asked, watch.in_hand, watch)


def solve(asked: Terms, watch: Watch) -> SitingPlan:
    """Return the plan for terms with capacities: all demand, or most of it, given to sites that have room for it."""
    if asked.problem == "p_center":
        return _center(asked, watch)
    why = _short(asked)
    if why is not None:
        return impossible(asked, why, watch)
    layout = _layout(asked)
    answer = highs.solve(layout.model, watch=watch)
    if asked.problem == "lscp_backup" and answer.status == "optimal":
        return _backup(asked, layout, answer, watch)
    return _plan(asked, layout, answer, watch)


def _allowed_pairs(asked: Terms) -> tuple[Integers, Integers, Floats]:
    """Return site, demand and minutes of every pair that may be used: in reach, allowed, and with room."""
    assert asked.capacities is not None  # noqa: S101  (the caller asked)
    coo = asked.times.minutes.tocoo()
    site, demand, minutes = coo.coords[0].astype(np.int64), coo.coords[1].astype(np.int64), coo.data
    room, weight = asked.capacities[site], asked.weights[demand]
    fits = (room > 0) | (weight == 0) if asked.split else weight <= room
    limit = np.inf if asked.cutoff is None else asked.cutoff
    keep = np.isin(site, asked.allowed) & within_cutoff(minutes, limit) & fits
    return site[keep], demand[keep], minutes[keep]


def _short(asked: Terms) -> DataFrame | None:
    """Return why there can be no plan, where counting shows it; None where it does not."""
    assert asked.capacities is not None  # noqa: S101  (the caller asked)
    if asked.problem not in ALL_SERVED:
        return None
    _, demand, _ = _allowed_pairs(asked)
    reached = np.isin(np.arange(len(asked.weights)), demand)
    if not reached.all():
        lost = np.flatnonzero(~reached)
        in_reach = np.zeros(len(asked.weights), dtype=bool)
        in_reach[asked.cover[asked.allowed].indices] = True
        word = "unreachable_demand" if asked.cutoff is None else "uncoverable_demand"
        far, full = lost[~in_reach[lost]], lost[in_reach[lost]]
        return pd.concat(
            [
                points(asked, word, far, asked.weights[far]),
                points(asked, "no_site_large_enough", full, asked.weights[full]),
            ],
            ignore_index=True,
        )
    free = np.sort(asked.capacities[np.setdiff1d(asked.allowed, asked.required)])[::-1]
    count = len(free) if asked.p is None else asked.p - len(asked.required)
    room = float(asked.capacities[asked.required].sum() + free[:count].sum())
    need = float(asked.weights.sum())
    return findings([("capacity_short", "", need - room)]) if need > room * (1 + 1e-12) else None


def _layout(asked: Terms, *, radius: float | None = None) -> Layout:
    """Return the model of `asked`: who goes where, within capacities; with `radius` the pairs up to it only."""
    assert asked.capacities is not None  # noqa: S101  (the caller asked)
    site, demand, minutes = _allowed_pairs(asked)
    if radius is not None:
        near = minutes <= radius
        site, demand, minutes = site[near], demand[near], minutes[near]
    column = np.full(len(asked.site_ids), -1, dtype=np.int64)
    column[asked.allowed] = np.arange(len(asked.allowed))
    model = highs.Model("min")
    sites = model.add_columns(
        np.zeros(len(asked.allowed)), lower=np.isin(asked.allowed, asked.required).astype(float)
    )
    nobody = asked.weights[demand] == 0
    all_served = asked.problem in ALL_SERVED
    if all_served and nobody.any():
        rows, index = np.unique(demand[nobody], return_inverse=True)
        model.add_rows((index, column[site[nobody]], 1.0), lower=np.ones(len(rows)))
    site, demand, minutes = site[~nobody], demand[~nobody], minutes[~nobody]
    weight, room = asked.weights[demand], asked.capacities[site]
    # shared demand flows in persons, so that whole persons and whole beds give whole answers
    most = np.minimum(weight, room) if asked.split else np.ones(len(site))
    load = np.ones(len(site)) if asked.split else weight
    flows = model.add_columns(np.zeros(len(site)), upper=most, integer=not asked.split)
    flow_at = np.arange(len(site))
    rows, index = np.unique(demand, return_inverse=True)
    whole = asked.weights[rows] if asked.split else np.ones(len(rows))
    model.add_rows((index, flows, 1.0), lower=whole if all_served else -np.inf, upper=whole)
    model.add_rows(
        (np.r_[flow_at, flow_at], np.r_[flows, sites[column[site]]], np.r_[np.ones(len(site)), -most]),
        upper=np.zeros(len(site)),
    )
    model.add_rows(
        (
            np.r_[column[site], np.arange(len(sites))],
            np.r_[flows, sites],
            np.r_[load, -asked.capacities[asked.allowed]],
        ),
        upper=np.zeros(len(sites)),
    )
    if asked.p is not None:
        model.add_rows(np.ones((1, len(sites))), lower=asked.p, upper=asked.p)
    layout = Layout(model, sites, flows, site, demand, minutes)
    _aim(asked, layout, load)
    return layout


def _aim(asked: Terms, layout: Layout, load: Floats) -> None:
    """Give the model the objective of its problem, and the row on money or on the share where there is one."""
    model = layout.model
    cost = np.zeros(len(model.cost))
    prices = np.ones(len(asked.allowed)) if asked.costs is None else asked.costs[asked.allowed]
    one = np.zeros(len(layout.sites), dtype=np.int64)
    if asked.budget is not None:
        model.add_rows((one, layout.sites, prices), upper=np.array([asked.budget]))
    if asked.problem in {"lscp", "lscp_backup", "partial_cover"}:
        cost[layout.sites] = prices
    if asked.problem == "partial_cover" and asked.needed > 0:
        flow_row = np.zeros(len(layout.flows), dtype=np.int64)
        model.add_rows((flow_row, layout.flows, load / asked.needed), lower=np.ones(1))
    if asked.problem == "mclp":
        cost[layout.flows] = load
    if asked.problem == "p_median":
        cost[layout.flows] = load * layout.minutes
    model.set_objective(cost, "max" if asked.problem == "mclp" else "min")


def _service(asked: Terms, layout: Layout, answer: highs.Answer) -> tuple[Integers, Any]:
    """Return the sites, and the share of each demand point that each serves.

    Shared demand is sent again with the sites fixed: a corner of that problem is whole where persons and beds are.
    """
    assert asked.capacities is not None  # noqa: S101  (the caller asked)
    chosen = asked.allowed[answer.x[layout.sites] > 0.5]
    flow = answer.x[layout.flows]
    if asked.split and len(flow):
        flow = _resent(asked, layout, chosen)
    part = flow / asked.weights[layout.demand] if asked.split else flow
    used = part > 1e-12
    triplets = (part[used], (layout.site[used], layout.demand[used]))
    service = sparse.csr_array(triplets, shape=asked.times.minutes.shape)
    if asked.problem in ALL_SERVED:
        service = _with_nobody(asked, service, chosen)
    return chosen, service


def _resent(asked: Terms, layout: Layout, chosen: Integers) -> Floats:
    """Return the best flows to the `chosen` sites, whole where the data are."""
    assert asked.capacities is not None  # noqa: S101  (the caller asked)
    open_ = np.isin(layout.site, chosen)
    site, demand, minutes = layout.site[open_], layout.demand[open_], layout.minutes[open_]
    model = highs.Model("max" if asked.problem in {"mclp", "partial_cover"} else "min")
    cost = np.ones(len(site)) if model.sense == "max" else minutes
    flows = model.add_columns(cost, upper=asked.weights[demand], integer=False)
    rows, index = np.unique(demand, return_inverse=True)
    whole = asked.weights[rows]
    model.add_rows((index, flows, 1.0), lower=whole if asked.problem in ALL_SERVED else -np.inf, upper=whole)
    places, index = np.unique(site, return_inverse=True)
    model.add_rows((index, flows, 1.0), upper=asked.capacities[places])
    # a small problem that is always solved to its end, even when the time of the large one is over
    answer = highs.solve(model, options=highs.SolveOptions(time_limit_s=600.0))
    if answer.objective is None:
        raise CertificateError(f"{asked.problem}: demand does not fit the sites that the solver chose")
    flow = np.zeros(len(layout.site))
    sent = answer.x
    if asked.whole and (asked.capacities == np.round(asked.capacities)).all():
        sent = np.where(np.abs(sent - np.round(sent)) < 1e-6, np.round(sent), sent)
    flow[open_] = sent
    return flow


def _with_nobody(asked: Terms, service: Any, chosen: Integers) -> Any:
    """Return `service` with demand points of weight 0 given to the nearest chosen site."""
    site_of = nearest(asked, chosen)[0]
    empty = np.flatnonzero((asked.weights == 0) & (site_of >= 0))
    extra = sparse.csr_array((np.ones(len(empty)), (site_of[empty], empty)), shape=service.shape)
    return sparse.csr_array(service + extra)


def _plan(asked: Terms, layout: Layout, answer: highs.Answer, watch: Watch) -> SitingPlan:
    if answer.status == "infeasible":
        word = "no_single_source_plan" if not asked.split else "capacity_out_of_reach"
        return impossible(asked, findings([(word, "", np.nan)]), watch, solver=answer.solver)
    if answer.objective is None:
        return no_answer(asked, answer.bound)
    chosen, service = _service(asked, layout, answer)
    bound = _of_all_times(asked, answer.bound, watch)
    return settle(asked, Found(chosen, bound, answer.solver, answer.objective, service=service), watch)


def _of_all_times(asked: Terms, bound: float | None, watch: Watch) -> float | None:
    """Return the bound of a plan whose missing pairs may take no longer than the cutoff at which the times end."""
    if asked.problem != "p_median" or not asked.open_ended or bound is None:
        return bound
    pairs = pairs_of(asked, unserved_min=asked.known_min)
    p = (asked.p or 0) + 1
    low = priced(pairs, p, greedy(pairs, p), REALS, watch).bound
    return min(bound, low) if np.isfinite(low) else None


def _backup(asked: Terms, layout: Layout, answer: highs.Answer, watch: Watch) -> SitingPlan:
    """Return, of the smallest sets of sites with room for all, the one that has most demand in reach of two."""
    first = _plan(replace(asked, problem="lscp"), layout, answer, watch)
    if first.objective is None or first.certificate is None:
        return first
    count = int(first.objective)
    model, free = layout.model, layout.sites
    cover = sparse.csr_array(asked.cover[asked.allowed].T.astype(np.float64))
    rows = np.flatnonzero(asked.weights > 0)
    twice = model.add_columns(asked.weights[rows], integer=False)
    between = sparse.csr_array((len(rows), len(model.cost) - len(free) - len(rows)))
    one = sparse.eye_array(len(rows), format="csr")
    model.add_rows(sparse.hstack([-cover[rows], between, one], format="csr"), upper=-1.0)
    model.add_rows((np.zeros(len(free), dtype=np.int64), free, 1.0), lower=count, upper=np.array([count]))
    aim = np.zeros(len(model.cost))
    aim[twice] = asked.weights[rows]
    model.set_objective(aim, "max")
    second = highs.solve(model, watch=watch)
    asked = replace(asked, p=count)
    stages = first.certificate.stages
    if second.objective is None:
        chosen, service = _service(asked, layout, answer)
        return settle(asked, Found(chosen, None, answer.solver, service=service, stages=stages), watch)
    chosen, service = _service(asked, layout, second)
    return settle(
        asked,
        Found(chosen, second.bound, second.solver, second.objective, service=service, stages=stages),
        watch,
    )


def _center(asked: Terms, watch: Watch) -> SitingPlan:
    """Return the plan whose farthest served pair is nearest: the least radius at which all demand finds room."""
    why = _short(asked)
    if why is not None:
        return impossible(asked, why, watch)
    _, demand, minutes = _allowed_pairs(asked)
    steps = np.unique(minutes)
    best_of_each = np.full(len(asked.weights), np.inf)
    np.minimum.at(best_of_each, demand, minutes)
    low, high = int(np.searchsorted(steps, best_of_each.max())), len(steps) - 1
    best: tuple[Layout, highs.Answer] | None = None
    proved_low, middle = low, high
    while low <= high:
        layout = _layout(asked, radius=float(steps[middle]))
        answer = highs.solve(layout.model, watch=watch)
        if answer.objective is not None:
            best = (layout, answer)
            high = middle - 1
        elif answer.status == "infeasible":
            if middle == len(steps) - 1:
                return _plan(asked, layout, answer, watch)
            low = proved_low = middle + 1
        else:
            break
        middle = (low + high) // 2
    if best is None:
        return no_answer(asked, float(steps[proved_low]))
    chosen, service = _service(asked, *best)
    return settle(asked, Found(chosen, float(steps[proved_low]), best[1].solver, service=service), watch)
