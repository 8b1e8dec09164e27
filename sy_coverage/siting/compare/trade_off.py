"""Tell what more elders cost: plans from the cheapest to the one that reaches most elders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage.errors import CertificateError, InputError
from sy_coverage.siting.planning.check.figures import count, opened_with, spent_on
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase


def trade_off(
    plan: SitingPlan,
    *,
    points: int = 12,
    keep_targets: bool = True,
    options: highs.SolveOptions | None = None,
) -> DataFrame:
    """Return plans that keep every rule of `plan`, from the cheapest to the one that reaches most elders.

    No plan in the table costs as little and reaches as many elders as another: each is the cheapest for its number of
    elders, and reaches the most for its cost (the ε-constraint method, each point solved to proof).

    Parameters
    ----------
    plan
        A plan of `policy_plan` that has sites; its budget does not bind here.
    points
        How many to look for; fewer come back where no more exist, or where the time is up.
    keep_targets
        Whether every point must meet the targets; if not, the curve begins with opening nothing that is not required.
    options
        Time for the whole table.

    Returns
    -------
    curve
        Indexed by `point` from 1: `cost` (10⁴ yuan), `elders_covered`, `share_covered`, `new_sites`,
        `cost_per_elder_more` (yuan for each elder more than the point before; missing for the first), `targets_met`,
        `sites` (ids).

    Raises
    ------
    InputError
        If the plan is none of `policy_plan`, or `points` is below 2.
    """
    if points < 2:
        raise InputError(f"points={points}: a curve needs 2 or more")
    case = case_of(plan).but(budget=None, slack=None, cost_limit=None, differ_from=())
    with highs.Watch(options or highs.SolveOptions()) as watch:
        found = _curve(case, points, watch, keep_targets=keep_targets)
    whole = float(case.demand[case.elders_column].sum())
    rows = pd.DataFrame(
        [
            {
                "cost": float(spent_on(case, sites)),
                "elders_covered": c.elders_covered,
                "share_covered": c.elders_covered / whole if whole else np.nan,
                "new_sites": len(case.opened_in(sites)),
                "targets_met": c.met,
                "sites": case.opened_in(sites),
            }
            for _, sites in sorted(found.items())
            for c in (count(case, opened_with(case, sites)),)
        ],
        index=pd.RangeIndex(1, len(found) + 1, name="point"),
    )
    if ((rows["cost"].diff() <= 0) | (rows["elders_covered"].diff() <= 0)).any():
        raise CertificateError("the curve has a point that another one beats; it is not shown")
    more = rows["cost"].diff() * 10_000 / rows["elders_covered"].diff()
    rows.insert(4, "cost_per_elder_more", more)
    return rows


def _curve(
    case: PlanCase, points: int, watch: highs.Watch, *, keep_targets: bool
) -> dict[float, tuple[str, ...]]:
    """Return sites by elders covered (in exact steps): both ends, then points in the widest gaps."""
    step = 1.0 if case.weight.exact else 1e-6 * max(1.0, float(case.weight.counts.sum()))
    first, last = (_point(case, e, watch, keep_targets=keep_targets) for e in (None, np.inf))
    if first is None or last is None:
        return {}
    found = dict([first, last])
    # (from, to, next to try): what lies strictly between two points is not known yet
    gaps = [(first[0], last[0], (first[0] + last[0]) / 2)]
    while len(found) < points and gaps and not watch.over:
        gaps.sort(key=lambda g: (g[1] - g[0], -g[0]))
        low, high, aim = gaps.pop()
        if high - low <= step:
            continue
        at_least = max(low + step, float(np.ceil(aim)) if case.weight.exact else aim)
        got = _point(case, at_least, watch, keep_targets=keep_targets)
        if got is None:
            break
        if got[0] < high:
            found[got[0]] = got[1]
            gaps += [(low, got[0], (low + got[0]) / 2), (got[0], high, (got[0] + high) / 2)]
        elif aim > low + step:
            gaps.append((low, high, low + step))  # nothing in the upper half: ask for the very next point
    return found


def _point(
    case: PlanCase, least: float | None, watch: highs.Watch, *, keep_targets: bool
) -> tuple[float, tuple[str, ...]] | None:
    """Return (elders in exact steps, sites) of the cheapest plan with `least` elders (None: any, inf: most); None if not proved."""
    # targets that may be missed at no price are none
    model = Model(case, elastic=not keep_targets, cheapest=least is None and keep_targets)
    program = model.program
    stages = [("cost", "min"), ("elders", "max"), ("ranks", "min")]
    if least is not None and np.isfinite(least):
        objective, constant = model.elders()
        used = np.flatnonzero(objective)
        room = 0.5 if case.weight.exact else 1e-9 * max(1.0, least)
        program.row(used, objective[used], lower=least - constant - room)
    elif least is not None:
        stages = [("elders", "max"), ("cost", "min"), ("ranks", "min")]
    elders, x = 0.0, np.empty(0)
    for name, sense in stages:
        constant = 0.0
        if name == "elders":
            objective, constant = model.elders()
            whole = case.weight.exact
        else:
            objective, whole = (model.cost(), case.cost.exact) if name == "cost" else (model.ranks(), True)
        answer = program.optimise(objective, sense, whole=whole, watch=watch, settle=name == "ranks")  # type: ignore[arg-type]  # min or max
        if answer.status != "optimal" or answer.value is None:
            return None
        x = answer.x
        if name == "elders":
            elders = constant + answer.value
    return elders, tuple(s for s, v in zip(case.ids, x[model.x], strict=True) if v > 0.5)
