"""Decide what to open next, with proof and reasons."""

from __future__ import annotations

from sy_coverage.siting._policy_marks import Criteria
from sy_coverage.siting._policy_stations import village_clusters
from sy_coverage.siting._solver import Progress, SolveOptions
from sy_coverage.siting._terms import Setting
from sy_coverage.siting._verify import Verification, verify
from sy_coverage.siting.beds import nursing_bed_conversions
from sy_coverage.siting.candidates import generate_candidates, generate_stations
from sy_coverage.siting.certificate import Certificate, SitingPlan, Stage
from sy_coverage.siting.decay import LinearDecay, StepDecay
from sy_coverage.siting.demonstration import demonstration_sites
from sy_coverage.siting.explain import closures, sentences
from sy_coverage.siting.policy_plan import policy_plan
from sy_coverage.siting.premises import premises_candidates
from sy_coverage.siting.problems import (
    lscp,
    lscp_backup,
    mclp,
    p_center,
    p_dispersion,
    p_median,
    partial_cover,
)
from sy_coverage.siting.scenarios import compare_plans, scope_price, trade_off, verify_policy

__all__ = [
    "Certificate",
    "Criteria",
    "LinearDecay",
    "Progress",
    "Setting",
    "SitingPlan",
    "SolveOptions",
    "Stage",
    "StepDecay",
    "Verification",
    "closures",
    "compare_plans",
    "demonstration_sites",
    "generate_candidates",
    "generate_stations",
    "lscp",
    "lscp_backup",
    "mclp",
    "nursing_bed_conversions",
    "p_center",
    "p_dispersion",
    "p_median",
    "partial_cover",
    "policy_plan",
    "premises_candidates",
    "scope_price",
    "sentences",
    "trade_off",
    "verify",
    "verify_policy",
    "village_clusters",
]
