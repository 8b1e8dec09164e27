"""Count a policy plan again from its frames and travel times, and refuse one that does not hold."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import CertificateError, InputError, some
from sy_coverage.siting.plan import Verification, require_assignment, require_numbers, same_number
from sy_coverage.siting.planning import demonstration
from sy_coverage.siting.planning.certify import rules_of
from sy_coverage.siting.planning.check.figures import figures
from sy_coverage.siting.planning.explain.sites import as_kept, case_of
from sy_coverage.siting.planning.phases import check
from sy_coverage.siting.planning.rules import nursing
from sy_coverage.siting.planning.rules.case import read_case

if TYPE_CHECKING:
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase


def verify_policy(plan: SitingPlan, **asked_for: Any) -> Verification:
    """Return what a policy plan comes to when it is counted again from the frames and travel times, without the solver.

    Of a plan of several years every year is counted. Of demonstration sites the number, the criteria and the elders near them
    are counted, of conversions of beds every place's share.

    Parameters
    ----------
    plan
        The plan, as `policy_plan` returned it.
    **asked_for
        What `policy_plan` was asked for, as it was asked for; only a plan that does not hold this itself needs it, such as
        one that another process handed over.

    Returns
    -------
    verification
        Every rule and target recomputed, the first objective, and the figures of the plan.

    Raises
    ------
    CertificateError
        If a rule or target does not hold, or a figure is not what the plan says.
    InputError
        If the plan is none of `policy_plan`.
    """
    if asked_for:
        given = {k: v for k, v in asked_for.items() if k != "options"}
        case = as_kept(plan, read_case(**given))
    else:
        case = case_of(plan)
    certificate = plan.certificate
    if certificate is None:
        raise InputError("verify_policy: needs a plan with a certificate")
    chosen = case.with_kept(plan.sites, plan.figures.closed)
    again = figures(case, chosen)
    ours = {
        "cost": again.cost,
        "elders": again.elders_covered,
        "elder_minutes": again.elder_minutes,
        "home_minutes": again.home_minutes,
        "towards_targets": float(again.towards_targets),
        "site_ranks": case.rank_sum(chosen),
        "worst_min": again.longest_way_min,
        "served": float(again.served["within"].sum()),
        "sites_differing": float(case.sites_differing(chosen)),
        "sites_changed": float(case.sites_changed(chosen)),
        **demonstration.recount(case, plan),
    }
    if plan.figures.years is not None:  # also where no year opens anything
        ours |= check.recount(case, plan)
    said = ("cost", "elders_covered", "elder_minutes")
    differ = [k for k in said if not _same(getattr(plan.figures, k), getattr(again, k))]
    wrong = [s.objective_id for s in certificate.stages if not same_number(s.value, ours[s.objective_id])]
    unproved = [s.objective_id for s in certificate.stages if s.proved and not same_number(s.value, s.bound)]
    first = certificate.stages[0]
    elastic = first.objective_id == "towards_targets"
    missed = [] if elastic or again.met else ["targets"]
    false_claim = ["status"] if plan.status == "optimal" and not certificate.proved else []
    found = [
        *again.broken,
        *_of_marks_and_beds(case, plan),
        *differ,
        *wrong,
        *unproved,
        *missed,
        *false_claim,
        *(f"rule not named: {r}" for r in rules_of(case, elastic=elastic) if r not in certificate.rules),
        *(() if plan.figures.targets_met == again.met else ("targets_met",)),
        *(() if again.targets.equals(plan.figures.targets) else ("figures: targets",)),
        *(() if plan.bound == first.bound or np.isnan(first.bound) else ("bound",)),
    ]
    if found or plan.objective != first.value:
        raise CertificateError(
            f"the plan does not hold when counted again: {some(found or ['objective'])}; it is not to be used"
        )
    require_numbers(plan, first.value, first.sense)
    require_assignment(plan, again.assignment)
    rules = pd.DataFrame({"holds": True}, index=pd.Index(certificate.rules, name="rule_id"))
    return Verification(certificate.problem, plan.objective, rules, {**ours, "targets": again.targets})


def _of_marks_and_beds(case: PlanCase, plan: SitingPlan) -> list[str]:
    """Return what does not hold of the demonstration sites and conversions a plan names."""
    found = demonstration.breaches(case, plan)
    if case.rules.conversion_cost is not None:
        table = plan.figures.conversions
        if table is None:
            return [*found, "nursing_beds"]
        found += [
            f"nursing_beds:{place}"
            for place in nursing.lacking(
                case, case.with_kept(plan.sites, plan.figures.closed), table["convert"]
            )
        ]
        spent = Fraction(str(case.rules.conversion_cost)) * int(table["convert"].fillna(0).sum())
        sites = sum(
            (Fraction(str(c)) for c in case.candidates.loc[list(plan.sites), "cost"]), start=Fraction(0)
        )
        closed = [i for i in case.movable if i not in case.with_kept(plan.sites, plan.figures.closed)]
        sites -= sum((Fraction(str(case.rules.close.get(i, 0))) for i in closed), start=Fraction(0))
        if not _same(plan.figures.cost, float(spent + sites)):
            found.append("cost")
    return found


def _same(one: float | None, other: float) -> bool:
    return one is not None and same_number(one, other)
