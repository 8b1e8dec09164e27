"""Decide what to open next, with proof and reasons."""

from __future__ import annotations

from sy_coverage.siting.candidates.generate import generate_candidates, generate_stations
from sy_coverage.siting.candidates.marks import NoGo, one_place, outside_no_go
from sy_coverage.siting.candidates.premises import premises_candidates
from sy_coverage.siting.candidates.rows import Where
from sy_coverage.siting.classic import (
    lscp,
    lscp_backup,
    mclp,
    p_center,
    p_dispersion,
    p_median,
    partial_cover,
)
from sy_coverage.siting.classic.asked.decay import LinearDecay, StepDecay
from sy_coverage.siting.compare.alternatives import alternatives, repair, site_prices
from sy_coverage.siting.compare.closures import closures, idle_centres
from sy_coverage.siting.compare.futures import RobustPlan, robust_plan
from sy_coverage.siting.compare.outcomes import cost_without, outcomes
from sy_coverage.siting.compare.referral import referral_chain
from sy_coverage.siting.compare.scope_price import scope_price
from sy_coverage.siting.compare.second_proof import ExactProof, second_proof
from sy_coverage.siting.compare.side_by_side import compare_plans
from sy_coverage.siting.compare.trade_off import trade_off
from sy_coverage.siting.compare.works import Works, carried_out
from sy_coverage.siting.plan import Certificate, PlanFigures, SitingPlan, Stage, Verification
from sy_coverage.siting.planning import plan_case, policy_plan
from sy_coverage.siting.planning.demonstration import demonstration_sites
from sy_coverage.siting.planning.recount import verify_policy
from sy_coverage.siting.planning.rules.case import PlanCase, read_case
from sy_coverage.siting.planning.rules.conversions import nursing_bed_conversions
from sy_coverage.siting.planning.rules.criteria import Criteria
from sy_coverage.siting.planning.rules.plan_rules import PlanRules
from sy_coverage.siting.planning.rules.stations import village_clusters
from sy_coverage.siting.reasons import sentences
from sy_coverage.siting.solve.highs import Progress, SolveOptions
from sy_coverage.siting.verification import verify

__all__ = [
    "Certificate",
    "Criteria",
    "ExactProof",
    "LinearDecay",
    "NoGo",
    "PlanCase",
    "PlanFigures",
    "PlanRules",
    "Progress",
    "RobustPlan",
    "SitingPlan",
    "SolveOptions",
    "Stage",
    "StepDecay",
    "Verification",
    "Where",
    "Works",
    "alternatives",
    "carried_out",
    "closures",
    "compare_plans",
    "cost_without",
    "demonstration_sites",
    "generate_candidates",
    "generate_stations",
    "idle_centres",
    "lscp",
    "lscp_backup",
    "mclp",
    "nursing_bed_conversions",
    "one_place",
    "outcomes",
    "outside_no_go",
    "p_center",
    "p_dispersion",
    "p_median",
    "partial_cover",
    "plan_case",
    "policy_plan",
    "premises_candidates",
    "read_case",
    "referral_chain",
    "repair",
    "robust_plan",
    "scope_price",
    "second_proof",
    "sentences",
    "site_prices",
    "trade_off",
    "verify",
    "verify_policy",
    "village_clusters",
]


def __dir__() -> list[str]:
    return list(__all__)
