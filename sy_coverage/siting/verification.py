"""Look at a plan again with nothing but the travel times: the rules it keeps, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage._frames import require_ids
from sy_coverage.errors import CertificateError, InputError, some
from sy_coverage.siting.classic.asked.terms import Terms, terms
from sy_coverage.siting.classic.proof import recount
from sy_coverage.siting.plan import Verification, require_assignment, require_numbers
from sy_coverage.siting.planning.recount import verify_policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

    from sy_coverage.roads.travel_times import TravelTimes
    from sy_coverage.siting.classic.asked.decay import Decay
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.solve.watch import SolveOptions


def verify(
    plan: SitingPlan,
    times: TravelTimes | None = None,
    *,
    cutoff: float | None = None,
    weights: Any = None,
    p: Any = None,
    budget: float | None = None,
    costs: Any = None,
    share: float | None = None,
    k: Any = 1,
    decay: Decay | None = None,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    capacities: Any = None,
    split: bool = True,
    unserved_min: float | None = None,
    options: SolveOptions | None = None,
) -> Verification:
    """Return what a plan comes to when it is counted again, without the solver.

    A plan of `policy_plan` holds its frames and travel times and needs no other argument; one that says that targets cannot
    be met is looked at through the best that can be had meanwhile.

    Parameters
    ----------
    plan
        The plan, as `lscp`, `mclp` and the others returned it.
    times, cutoff, weights, p, budget, costs, share, k, decay, required, forbidden, capacities, split, unserved_min, options
        What the plan was asked for, as it was asked for.

    Returns
    -------
    verification
        Every rule recomputed, the objective, and the figures.

    Raises
    ------
    CertificateError
        If a rule does not hold, the objective, bound, gap, status or assignment is not what the plan says, or a point that
        is said to be out of reach is not.
    InputError
        If the plan has no certificate, or an argument is no use.
    UnknownIdError
        If the plan names sites that `times` do not know.
    """
    if plan.certificate is None:
        raise InputError(
            "verify: the plan has no certificate: there is neither an answer nor a proof of none"
        )
    problem = plan.certificate.problem
    if problem in {"policy_plan", "phased_plan"}:
        return _of_policy(plan)
    if problem not in recount.SENSES:
        raise InputError(f"verify: '{problem}' is no classic problem ({', '.join(sorted(recount.SENSES))})")
    if times is None:
        raise InputError(f"verify: a plan of {problem} is looked at with its travel times; give them")
    asked = terms(
        problem,
        times,
        cutoff=cutoff,
        weights=weights,
        p=p,
        budget=budget,
        costs=costs,
        share=share,
        k=k,
        decay=decay,
        required=required,
        forbidden=forbidden,
        capacities=capacities,
        split=split,
        unserved_min=unserved_min,
        options=options,
    )
    if plan.objective is None:
        return _none(asked, plan)
    require_ids(plan.sites, asked.site_ids, "plan")
    position = {site: i for i, site in enumerate(asked.site_ids)}
    chosen = np.array([position[s] for s in plan.sites], dtype=np.int64)
    seen = recount.examine(asked, chosen, _service(asked, plan))
    if seen.breaches:
        raise CertificateError(f"{problem}: the plan {some(plan.sites)} breaks {some(seen.breaches)}")
    require_numbers(plan, seen.objective, recount.SENSES[problem])
    require_assignment(plan, recount.assignment(asked, seen))
    return Verification(problem, seen.objective, _held(seen.rules), seen.details)


def _of_policy(plan: SitingPlan) -> Verification:
    attainable = plan.figures.attainable
    if plan.objective is not None or attainable is None:
        return verify_policy(plan)
    if plan.sites or plan.figures.targets_met:
        raise CertificateError("a plan without an objective names sites, or says that targets are met")
    asked, kept = (dict(p.certificate.options) if p.certificate else {} for p in (plan, attainable))
    # where a rule itself cannot be kept, such as beds enough, the plan beside it was made without that rule
    given_up = any(kept.get(name) != value for name, value in asked.items())
    if attainable.figures.targets_met and not given_up:
        raise CertificateError("a plan says that targets cannot be met, and another beside it meets them")
    return verify_policy(attainable)


def _held(names: Iterable[str]) -> DataFrame:
    return pd.DataFrame({"holds": True}, index=pd.Index(list(names), name="rule_id"))


def _service(asked: Terms, plan: SitingPlan) -> Any:
    """Return the shares that a plan with capacities says each site serves, as a CSR array sites × demand."""
    if asked.capacities is None:
        return None
    table = plan.figures.service
    if table is None:
        raise CertificateError(f"{asked.problem}: the plan does not say who serves whom")
    site = pd.Index(asked.site_ids).get_indexer(table["site_id"])
    demand = pd.Index(asked.times.demand_ids).get_indexer(table["demand_id"])
    if (site < 0).any() or (demand < 0).any():
        raise CertificateError(
            f"{asked.problem}: the plan serves points or sites that the travel times do not know"
        )
    return sparse.csr_array((table["share"].to_numpy(), (site, demand)), shape=asked.times.minutes.shape)


def _none(asked: Terms, plan: SitingPlan) -> Verification:
    """Look again at the reasons a plan gives for there being none; those that counting can decide."""
    if plan.sites or plan.status not in {"infeasible", "no_answer"}:
        raise CertificateError(
            f"{asked.problem}: a plan without an objective names sites, or says '{plan.status}'"
        )
    named = plan.findings[plan.findings["reason_id"].isin(["uncoverable_demand", "unreachable_demand"])]
    reach = recount.in_reach(asked, asked.allowed)
    if asked.decay is not None and asked.cutoff is not None:
        _, minutes = recount.nearest(asked, asked.allowed)
        reach = np.where(np.isfinite(minutes), asked.decay.share(minutes, asked.cutoff) > 0, 0)
    lost = {d for d, count, k in zip(asked.times.demand_ids, reach, asked.k, strict=True) if count < k}
    wrong = sorted(set(named["subject"]) - lost)
    if wrong:
        raise CertificateError(f"{asked.problem}: said to be out of reach, but are not: {some(wrong)}")
    return Verification(asked.problem, None, _held(["reasons"] if len(named) else []), {})
