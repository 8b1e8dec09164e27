"""Prove the plans of a study a second time, and write the proofs so that others can add them up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sy_coverage import labels, siting
from sy_coverage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sy_coverage.labels import Language
    from sy_coverage.siting import ExactProof, SitingPlan


def second_proofs(plans: Mapping[str, SitingPlan], *, time_limit_s: float) -> dict[str, ExactProof]:
    """Return a second proof of the least cost of every plan that is one for least cost and meets its targets."""
    found = {}
    for county_id, plan in plans.items():
        try:
            found[county_id] = siting.second_proof(plan, time_limit_s=time_limit_s)
        except InputError:  # years, a budget that is too small, a slack: nothing that has a least cost
            continue
    return found


def as_json(proofs: Mapping[str, ExactProof]) -> bytes:
    """Return proofs with every leaf: by county what the plan costs, the bound, and prices of the rules as fractions."""
    whole = {
        county_id: {
            "proofs": ["recount", "solver", *(["exact"] if one.proved else [])],
            "cost": one.cost,
            "bound": one.bound,
            "proved": one.proved,
            "nodes": one.nodes,
            "leaves": list(one.leaves),
        }
        for county_id, one in proofs.items()
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def sentences(
    proofs: Mapping[str, ExactProof], language: Language, *, names: Mapping[str, str]
) -> Iterator[str]:
    """Yield in words what each second proof came to."""
    for county_id, one in proofs.items():
        key = "study.proved_twice" if one.proved else "study.proved_once"
        place = names.get(county_id, county_id)
        yield labels.text(key, language, place=place, cost=one.cost, bound=one.bound, leaves=len(one.leaves))
