"""Recompute, without any solver, what a choice of sites is worth and which rules it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from sy_coverage.roads.travel_times import within_cutoff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from sy_coverage.siting.classic.asked.terms import Terms

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SENSES: dict[str, Literal["min", "max"]] = {
    "lscp": "min",
    "lscp_backup": "max",
    "mclp": "max",
    "partial_cover": "min",
    "p_median": "min",
    "p_center": "min",
    "p_dispersion": "max",
}
ALL_SERVED = frozenset({"lscp", "lscp_backup", "p_median", "p_center"})
"""Problems whose plan must serve every demand point."""
_LOAD = 1e-7
"""How far a load may pass a capacity, or a share of service pass 1, relative to it: the rounding of sums of fractions."""


@dataclass(frozen=True)
class Examination:
    """What a choice of sites is worth, by our own arithmetic."""

    objective: float
    rules: tuple[str, ...]
    """Ids of all rules that were looked at."""
    breaches: tuple[str, ...]
    """Ids of those that do not hold, each with what breaks it."""
    site_of: Integers
    """Position of the site that serves each demand point; −1 where none does."""
    minutes: Floats
    """Minutes from each demand point to that site; ``inf`` where none serves it."""
    details: Mapping[str, Any] = field(default_factory=dict)


def nearest(terms: Terms, chosen: Integers) -> tuple[Integers, Floats]:
    """Return the nearest of the `chosen` sites within the cutoff for each demand point (ties: the first id), and the minutes."""
    matrix = terms.times.minutes
    site_of = np.full(matrix.shape[1], -1, dtype=np.int64)
    minutes = np.full(matrix.shape[1], np.inf)
    limit = np.inf if terms.cutoff is None else terms.cutoff
    for site in np.sort(chosen):
        at = slice(matrix.indptr[site], matrix.indptr[site + 1])
        demand, taken = matrix.indices[at], matrix.data[at]
        better = (taken < minutes[demand]) & within_cutoff(taken, limit)
        site_of[demand[better]], minutes[demand[better]] = site, taken[better]
    return site_of, minutes


def in_reach(terms: Terms, chosen: Integers) -> Integers:
    """Return how many of the `chosen` sites each demand point has within the cutoff."""
    cover = terms.cover
    counts = np.zeros(cover.shape[1], dtype=np.int64)
    for site in chosen:
        counts[cover.indices[cover.indptr[site] : cover.indptr[site + 1]]] += 1
    return counts


def examine(terms: Terms, chosen: Integers, service: Any = None) -> Examination:
    """Return the objective and the broken rules of a choice of sites, from the travel times alone.

    Parameters
    ----------
    chosen
        Positions of the sites, none twice.
    service
        With capacities: CSR array sites × demand of the share of each demand point that each site serves.
    """
    if terms.problem == "p_dispersion":
        return _dispersion(terms, chosen)
    if service is not None:
        return _with_capacities(terms, chosen, service)
    site_of, minutes = nearest(terms, chosen)
    reach = in_reach(terms, chosen)
    k = terms.k
    covered = reach >= k
    rules, breaches = _of_the_choice(terms, chosen)
    details: dict[str, Any] = {"sites": len(chosen)}
    if terms.cutoff is not None:
        details |= {
            "demand_covered": int(covered.sum()),
            "weight_covered": _weight_covered(terms, covered, minutes),
        }
    if terms.costs is not None:
        details["cost"] = _sum(terms.costs[chosen])
    if terms.unserved_min is not None:
        unserved = ~np.isfinite(minutes)
        details |= {"demand_unserved": int(unserved.sum()), "weight_unserved": _sum(terms.weights[unserved])}
    elif terms.problem in ALL_SERVED:
        everyone = covered if terms.cutoff is not None else np.isfinite(minutes)
        rules.append("all_served")
        if not everyone.all():
            breaches.append(f"all_served: {int((~everyone).sum())} demand points are not")
    if terms.problem == "partial_cover":
        rules.append("share_served")
        if not enough(terms, details["weight_covered"]):
            breaches.append(f"share_served: {details['weight_covered']:g} of {terms.needed:g}")
    objective = _objective(terms, chosen, covered, reach, minutes)
    return Examination(objective, tuple(rules), tuple(breaches), site_of, minutes, details)


def enough(terms: Terms, weight: float) -> bool:
    """Whether `weight` covered reaches the share that was asked for; whole weights exactly, others to 1e-9 relative."""
    return weight >= terms.needed - (0.0 if terms.whole else 1e-9 * max(1.0, terms.needed))


def _sum(values: Floats) -> float:
    """Return the sum of `values` with one rounding only, whatever their order."""
    return math.fsum(values.tolist())


def _objective(terms: Terms, chosen: Integers, covered: Any, reach: Integers, minutes: Floats) -> float:
    if terms.problem in {"lscp", "partial_cover"}:
        return float(len(chosen)) if terms.costs is None else _sum(terms.costs[chosen])
    if terms.problem == "lscp_backup":
        return _sum(terms.weights[reach >= 2])
    if terms.problem == "mclp":
        return _weight_covered(terms, covered, minutes)
    if terms.problem == "p_median":
        if terms.unserved_min is not None:
            minutes = np.where(np.isfinite(minutes), minutes, terms.unserved_min)
        return _sum(terms.weights * np.where(terms.weights > 0, minutes, 0.0))
    return float(minutes.max()) if len(minutes) else 0.0


def _weight_covered(terms: Terms, covered: Any, minutes: Floats) -> float:
    """Return the weight within the cutoff; with gradual coverage each point's share of its own."""
    if terms.decay is None or terms.cutoff is None:
        return _sum(terms.weights[covered])
    served = np.isfinite(minutes)
    return _sum(terms.weights[served] * terms.decay.share(minutes[served], terms.cutoff))


def _of_the_choice(terms: Terms, chosen: Integers) -> tuple[list[str], list[str]]:
    """Return the rules on the choice itself, and those that are broken."""
    rules, breaches = ["required_sites", "forbidden_sites"], []
    if not np.isin(terms.required, chosen).all():
        breaches.append("required_sites: one is missing")
    if not np.isin(chosen, terms.allowed).all() or len(np.unique(chosen)) != len(chosen):
        breaches.append("forbidden_sites: one is forbidden, or counted twice")
    if terms.p is not None:
        rules.append("number_of_sites")
        if len(chosen) != terms.p:
            breaches.append(f"number_of_sites: {len(chosen)} instead of {terms.p}")
    if terms.budget is not None and terms.costs is not None:
        rules.append("budget")
        spent = _sum(terms.costs[chosen])
        if spent > terms.budget + 1e-9 * max(1.0, terms.budget):
            breaches.append(f"budget: {spent:g} of {terms.budget:g}")
    return rules, breaches


def _with_capacities(terms: Terms, chosen: Integers, service: Any) -> Examination:
    coo = service.tocoo()
    site, demand, part = coo.coords[0], coo.coords[1], coo.data
    held = np.asarray(terms.times.minutes[site, demand]).ravel() if len(site) else np.empty(0)
    given: Floats = np.bincount(demand, part, minlength=len(terms.weights)).astype(np.float64)
    full = given >= 1 - _LOAD
    weight = _sum(terms.weights[demand] * part)
    rules, breaches = _of_the_choice(terms, chosen)
    for rule, breach in (
        ("served_within_reach", _out_of_reach(terms, site, demand)),
        ("served_by_open_sites", int((~np.isin(site, chosen)).sum())),
        ("capacities", _overfull(terms, site, demand, part)),
        ("served_once", _not_once(terms, given, part)),
        ("all_served", int((~full).sum()) if terms.problem in ALL_SERVED else None),
        ("share_served", int(not _reaches(terms, weight)) if terms.problem == "partial_cover" else None),
    ):
        if breach is not None:
            rules.append(rule)
        if breach:
            breaches.append(f"{rule}: broken {breach} times")
    site_of, minutes = np.full(len(given), -1, dtype=np.int64), np.full(len(given), np.inf)
    # each demand point is shown with the site that serves most of it; the first id where two serve the same
    order = np.lexsort((site, -part, demand))
    first = order[np.r_[True, np.diff(demand[order]) > 0]] if len(order) else order
    site_of[demand[first]], minutes[demand[first]] = site[first], held[first]
    if terms.problem == "mclp":
        objective = weight
    elif terms.problem == "p_median":
        objective = _sum(terms.weights[demand] * part * held)
    elif terms.problem == "p_center":
        objective = float(held.max()) if len(held) else 0.0
    else:
        objective = _objective(terms, chosen, full, in_reach(terms, chosen), minutes)
    details: dict[str, Any] = {
        "sites": len(chosen),
        "demand_served": int(full.sum()),
        "weight_served": weight,
        "service": _service_table(terms, site, demand, part),
    }
    if terms.costs is not None:
        details["cost"] = _sum(terms.costs[chosen])
    return Examination(objective, tuple(rules), tuple(breaches), site_of, minutes, details)


def _out_of_reach(terms: Terms, site: Integers, demand: Integers) -> int:
    """Return how many pairs served are not within the cutoff (or not known at all)."""
    if not len(site):
        return 0
    return int((~np.asarray(terms.cover[site, demand]).ravel().astype(bool)).sum())


def _overfull(terms: Terms, site: Integers, demand: Integers, part: Floats) -> int:
    """Return how many sites serve more than they have room for."""
    load = np.bincount(site, part * terms.weights[demand], minlength=len(terms.site_ids))
    room = np.zeros(len(terms.site_ids)) if terms.capacities is None else terms.capacities
    return int((load > room + _LOAD * np.maximum(1.0, room)).sum())


def _not_once(terms: Terms, given: Floats, part: Floats) -> int:
    """Return how many demand points are served more than once, or in parts where each has one site."""
    split = 0 if terms.split else int((part != 1).sum())
    return int((given > 1 + _LOAD).sum()) + int((part < 0).sum()) + split


def _reaches(terms: Terms, weight: float) -> bool:
    return weight >= terms.needed - _LOAD * max(1.0, terms.needed)


def _service_table(terms: Terms, site: Integers, demand: Integers, part: Floats) -> DataFrame:
    """Return who serves whom: `demand_id`, `site_id`, `share` of the demand point, in the order of the ids."""
    order = np.lexsort((site, demand))
    return pd.DataFrame(
        {
            "demand_id": np.array(terms.times.demand_ids, dtype=object)[demand[order]],
            "site_id": np.array(terms.site_ids, dtype=object)[site[order]],
            "share": part[order],
        }
    )


def _dispersion(terms: Terms, chosen: Integers) -> Examination:
    rules, breaches = _of_the_choice(terms, chosen)
    dense = terms.times.minutes[np.sort(chosen)][:, np.sort(chosen)].tocoo()
    apart = dense.coords[0] != dense.coords[1]
    objective = float(dense.data[apart].min()) if apart.any() else float("inf")
    nobody = np.full(len(terms.times.demand_ids), -1, dtype=np.int64)
    return Examination(
        objective, tuple(rules), tuple(breaches), nobody, np.full(len(nobody), np.inf), {"sites": len(chosen)}
    )


def assignment(terms: Terms, examination: Examination) -> Series:
    """Return the id of the site that serves each demand point, by `demand_id`; missing where none does."""
    ids = np.array([*terms.site_ids, None], dtype=object)
    return pd.Series(
        ids[examination.site_of],
        index=pd.Index(terms.times.demand_ids, name="demand_id", dtype=object),
        name="site_id",
        dtype=object,
    )
