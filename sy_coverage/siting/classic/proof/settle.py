"""Turn a choice of sites into a plan, or refuse it: nothing leaves this room that our own arithmetic does not confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import CertificateError, some
from sy_coverage.siting.classic.proof import recount
from sy_coverage.siting.plan import Certificate, PlanFigures, SitingPlan, Stage
from sy_coverage.siting.solve.highs import Watch, relative_gap, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting.classic.asked.terms import Terms

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

OWN = "sy_coverage"
"""Named as the solver where our own bounds proved the answer and no other was asked."""


@dataclass(frozen=True)
class Found:
    """What a method hands in: sites, what it says they are worth, and the bound it proved."""

    chosen: Integers
    bound: float | None
    """For the problem as asked, constants included; None when nothing is known."""
    solver: str = OWN
    claimed: float | None = None
    """The objective as the method counted it; must agree with ours, or where it was cut short be no better than ours."""
    heuristic: float | None = None
    """The best that greedy and swap found; must not beat the answer."""
    service: Any = None
    """With capacities: CSR array sites × demand of shares served."""
    notes: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    """Stages that were proved before this one."""


def whole_objective(terms: Terms) -> bool:
    """Whether every objective of this problem is a whole number, so that bounds may be moved to the next one."""
    if terms.problem in {"lscp", "partial_cover"}:
        return terms.costs is None or bool((terms.costs == np.round(terms.costs)).all())
    # shared demand flows in whole persons where persons and beds are whole
    beds = (
        terms.capacities is None
        or not terms.split
        or bool((terms.capacities == np.round(terms.capacities)).all())
    )
    if terms.problem in {"mclp", "lscp_backup"}:
        return terms.whole and terms.decay is None and (beds or terms.problem == "lscp_backup")
    if terms.problem == "p_median" and not (terms.open_ended and terms.unserved_min is None):
        minutes = np.r_[terms.times.minutes.data, terms.unserved_min or 0.0]
        return terms.whole and beds and bool((minutes == np.round(minutes)).all())
    return False


def settle(terms: Terms, found: Found, watch: Watch) -> SitingPlan:
    """Return the plan that `found` makes, its objective and rules recomputed from the travel times.

    Raises
    ------
    CertificateError
        If a rule is broken, the objective is not what the method said, a heuristic beats it, or it beats its own bound.
    """
    chosen = np.sort(found.chosen)
    seen = recount.examine(terms, chosen, found.service)
    ids = tuple(terms.site_ids[i] for i in chosen)
    if seen.breaches:
        raise CertificateError(
            f"{terms.problem}: the plan {some(ids)} breaks {some(seen.breaches)}; it is not shown"
        )
    sense = recount.SENSES[terms.problem]
    if found.claimed is not None and not _as_claimed(terms, found, seen.objective):
        raise CertificateError(
            f"{terms.problem}: the solver counted {found.claimed!r} where the travel times give {seen.objective!r}"
        )
    if found.heuristic is not None and _better(terms, found.heuristic, seen.objective):
        raise CertificateError(
            f"{terms.problem}: greedy and swap reach {found.heuristic!r}, the solver's answer only {seen.objective!r}"
        )
    bound = found.bound
    if bound is not None and whole_objective(terms) and np.isfinite(bound):
        slack = 1e-6 * max(1.0, abs(bound) * 1e-6)
        bound = float(np.ceil(bound - slack) if sense == "min" else np.floor(bound + slack))
    if bound is not None and _better(terms, seen.objective, bound):
        raise CertificateError(
            f"{terms.problem}: the plan is worth {seen.objective!r}, beyond the bound {bound!r} said to be proved"
        )
    proved = bound is not None and _agrees(terms, bound, seen.objective)
    if proved:
        bound = seen.objective
    stage = Stage(
        terms.problem,
        sense,
        seen.objective,
        np.nan if bound is None else bound,
        proved=proved,
    )
    notes = (*found.notes, *watch.stopped)
    certificate = Certificate(
        terms.problem,
        seen.rules,
        (*found.stages, stage),
        found.solver,
        options_of(watch),
        found.heuristic,
        notes=notes,
    )
    return SitingPlan(
        ids,
        "optimal" if proved else "feasible",
        seen.objective,
        bound,
        None if bound is None else (0.0 if proved else relative_gap(seen.objective, bound)),
        certificate,
        recount.assignment(terms, seen),
        reasons=lambda: reasons(terms, chosen, seen),
        findings=left_out(terms, seen),
        figures=PlanFigures(new_sites=len(chosen), **{k: v for k, v in seen.details.items() if k != "sites"}),
    )


def _as_claimed(terms: Terms, found: Found, objective: float) -> bool:
    """Whether a solver's own count, with its rounding, is the objective that we count.

    An answer cut short may be worth more than its helper columns say, never less.
    """
    claimed, bound = found.claimed, found.bound
    if claimed is None or claimed == objective:
        return True
    cut_short = bound is None or not _agrees(terms, bound, claimed)
    near = 0.5 if whole_objective(terms) else 1e-6 * max(1.0, abs(objective))
    return abs(claimed - objective) < near or (cut_short and _better(terms, objective, claimed))


def _agrees(terms: Terms, one: float, other: float) -> bool:
    return one == other if whole_objective(terms) else same(one, other)


def _better(terms: Terms, one: float, other: float) -> bool:
    beats = one < other if recount.SENSES[terms.problem] == "min" else one > other
    return beats and not _agrees(terms, one, other)


def options_of(watch: Watch) -> tuple[tuple[str, str], ...]:
    """Return the options of a solve as text, for the certificate."""
    return (("time_limit_s", f"{watch.options.time_limit_s:g}"), ("gap", f"{watch.options.gap:g}"))


def impossible(terms: Terms, findings: DataFrame, watch: Watch, *, solver: str = OWN) -> SitingPlan:
    """Return the plan that says: there is none, and these are the reasons."""
    certificate = Certificate(
        terms.problem, (), (), solver, options_of(watch), None, notes=("proved_infeasible",)
    )
    return SitingPlan((), "infeasible", None, None, None, certificate, nobody(terms), findings=findings)


def no_answer(terms: Terms, bound: float | None = None) -> SitingPlan:
    """Return the plan that says: time ran out before anything was found."""
    return SitingPlan((), "no_answer", None, bound, None, None, nobody(terms))


def nobody(terms: Terms) -> pd.Series:
    """Return the assignment in which no demand point is served."""
    index = pd.Index(terms.times.demand_ids, name="demand_id", dtype=object)
    return pd.Series(None, index=index, name="site_id", dtype=object)


def findings(rows: Sequence[tuple[str, str, float]]) -> DataFrame:
    """Return findings as a frame: `reason_id`, `subject`, `value`."""
    return pd.DataFrame(list(rows), columns=["reason_id", "subject", "value"])


def points(terms: Terms, reason_id: str, positions: Any, values: Any = None) -> DataFrame:
    """Return findings that name demand points."""
    ids = [terms.times.demand_ids[i] for i in positions]
    numbers = [np.nan] * len(ids) if values is None else list(values)
    return findings([(reason_id, i, float(v)) for i, v in zip(ids, numbers, strict=True)])


def left_out(terms: Terms, seen: recount.Examination) -> DataFrame:
    """Return the demand points that the plan leaves unserved, with their weights."""
    if terms.problem not in {"mclp", "partial_cover"} and terms.unserved_min is None:
        return findings([])
    missed = np.flatnonzero(seen.site_of < 0)
    return points(terms, "demand_left_out", missed, terms.weights[missed])


def reasons(terms: Terms, chosen: Integers, seen: recount.Examination) -> DataFrame:
    """Return why each site is in the plan: what it serves, and what the plan would be without it.

    `reason_id` is ``required``, ``serves_demand`` (points), ``serves_weight``, ``alone_serves_demand``,
    ``alone_serves_weight`` (points and weight that no other site of the plan has in reach), or
    ``objective_without`` (the objective when this site closes and nothing else changes; not where sites themselves are
    what is counted, nor where demand is then out of reach).
    """
    rows: list[tuple[str, str, str, float]] = []
    reach = (
        recount.in_reach(terms, chosen) if terms.problem != "p_dispersion" else np.empty(0, dtype=np.int64)
    )
    cover = terms.cover
    for site in chosen:
        name = terms.site_ids[site]
        if site in terms.required:
            rows.append((name, "required", "", 1.0))
        if terms.problem != "p_dispersion":
            mine = seen.site_of == site
            rows.append((name, "serves_demand", "", float(mine.sum())))
            rows.append((name, "serves_weight", "", float(terms.weights[mine].sum())))
            demand = cover.indices[cover.indptr[site] : cover.indptr[site + 1]]
            alone = demand[reach[demand] == 1]
            rows.append((name, "alone_serves_demand", "", float(len(alone))))
            rows.append((name, "alone_serves_weight", "", float(terms.weights[alone].sum())))
        if terms.capacities is None and len(chosen) > 1 and terms.problem not in {"lscp", "partial_cover"}:
            without = recount.examine(terms, chosen[chosen != site]).objective
            if np.isfinite(without):
                rows.append((name, "objective_without", "", without))
    frame = pd.DataFrame(rows, columns=["site_id", "reason_id", "subject", "value"])
    return frame.set_index("site_id")
