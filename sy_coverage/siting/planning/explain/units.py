"""Say why each unit that a target counts stays without a centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.siting.planning.check.beat import Tally
from sy_coverage.siting.planning.rules.targets import requirements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.planning.rules.targets import Requirement
    from sy_coverage.siting.reasons import Row


def left_out(case: PlanCase, sites: tuple[str, ...]) -> list[Row]:
    """Return for each unit that a target counts and the plan leaves uncovered why that is so."""
    rows: list[Row] = []
    tally = Tally(case)
    x = np.zeros(len(case.ids), dtype=bool)
    x[[case.position(s) for s in sites]] = True
    for need in requirements(case):
        if need.counts != "units" or not len(need.members):
            continue
        covered = tally.covered(need.kind, x[:, None])[:, 0]
        reached = int(covered[need.members].sum())
        taken = _dearest(case, need, x)
        lacking = need.members[~covered[need.members]]
        rows += [_why_not(case, need, int(u), reached, taken) for u in lacking]
    return rows


def _dearest(case: PlanCase, need: Requirement, x: NDArray[np.bool_]) -> float:
    mine = x & np.isin(case.sites.unit, need.members) & case.sites.of_kind(need.kind)
    return float(case.candidates["cost"].to_numpy(float)[mine].max()) if mine.any() else float("nan")


def _why_not(case: PlanCase, need: Requirement, u: int, reached: int, taken: float) -> Row:
    unit_id = case.units.index[u]
    here = (case.sites.unit == u) & case.sites.of_kind(need.kind)
    row = about(need, "left_out_not_needed", reached) | {"subject": unit_id, "places": (unit_id,)}
    if not here.any() and case.rules.rule != "access":
        return row | {"reason_id": "left_out_no_candidate"}
    if reached < need.needed:
        reason = "left_out_budget" if case.rules.budget is not None else "left_out_short"
        return row | {"reason_id": reason}
    least = float(case.candidates["cost"].to_numpy(float)[here].min()) if here.any() else float("nan")
    if least > taken:
        return row | {"reason_id": "left_out_dearer", "value": least, "other": taken}
    return row


def about(need: Requirement, reason: str, value: float) -> Row:
    """Return a row of reasons about one target in one place."""
    return {
        "reason_id": reason,
        "subject": need.scope_id,
        "target_id": need.target_id,
        "scope_id": need.scope_id,
        "value": value,
        "other": need.needed,
        "whole": len(need.members) if need.counts == "units" else None,
    }
