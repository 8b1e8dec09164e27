"""Read here what must be reached: targets, kinds of facilities, and how coverage is counted."""

from sy_coverage.policy.loading import load_policy, shipped_policies
from sy_coverage.policy.standards import reaches_share, units_needed
from sy_coverage.policy.targets import Kind, Policy, Readings, Target, policy_from

__all__ = [
    "Kind",
    "Policy",
    "Readings",
    "Target",
    "load_policy",
    "policy_from",
    "reaches_share",
    "shipped_policies",
    "units_needed",
]


def __dir__() -> list[str]:
    return list(__all__)
