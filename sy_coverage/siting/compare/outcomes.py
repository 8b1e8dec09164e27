"""Say of every candidate what became of it in a plan: chosen, not needed and what taking it would cost, or barred, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.siting.planning.check.beat import Tally
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.planning.rules.bars import medical_minutes, too_close, too_far_from_care
from sy_coverage.siting.planning.rules.stations import barred_stations, services
from sy_coverage.siting.planning.stages import solve_stages
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.highs import SolveOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase

    Flags = NDArray[np.bool_]
    Row = dict[str, Any]

COLUMNS = ("outcome", "reason", "subject", "value", "limit", "extra_cost")
"""`outcome`: chosen, not_needed, barred; `reason`: the id of a label ``siting.outcome_<reason>``, which takes the other columns."""
WITHIN = 1e-6


def outcomes(plan: SitingPlan) -> DataFrame:
    """Return what became of every candidate of the counties that a policy plan was made for.

    Parameters
    ----------
    plan
        Of `policy_plan`; of one whose targets cannot all be met, the best meanwhile is looked at.

    Returns
    -------
    outcomes
        Indexed by `candidate_id`, sorted: `outcome` (``chosen``, ``not_needed``, ``barred``), `reason`, `subject`, `value` and
        `limit` (the number that bars it, and what it may be), and `extra_cost`: by how much more than the plan the targets are
        met, 10⁴ yuan at most, if it is taken and what it makes needless is left out; missing where no such change is known.

    Raises
    ------
    InputError
        If it is no such plan, or has no sites.
    """
    case = case_of(plan.best)
    tally = Tally(case)
    chosen = np.isin(case.ids, plan.best.sites)
    # facilities that the plan decides about are columns too: those that stay are open
    gone = np.isin(case.ids, list(plan.best.figures.closed))
    opened = _settled(tally, (chosen | (case.stands & ~gone))[:, None])[:, 0]
    bars = _bars(case)
    rows: dict[str, Row] = {}
    for j, site_id in enumerate(case.ids):
        if site_id not in case.listed.index:
            continue
        if chosen[j]:
            rows[site_id] = {"outcome": "chosen", "reason": "chosen"}
        elif j in bars:
            rows[site_id] = {"outcome": "barred", **bars[j]}
        else:
            extra = _extra_cost(case, tally, opened, j)
            label = "not_needed" if np.isfinite(extra) else "not_needed_alone"
            rows[site_id] = {"outcome": "not_needed", "reason": label, "extra_cost": extra}
    for reason, site_id in case.left_out:
        rows[site_id] = {"outcome": "barred", "reason": reason.removeprefix("candidate_")}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS)).rename_axis("candidate_id")
    for column in ("value", "limit", "extra_cost"):
        frame[column] = pd.to_numeric(frame[column]).astype("float64")
    frame["subject"] = frame["subject"].astype(object).where(frame["subject"].notna(), "")
    return frame.sort_index()


def cost_without(
    plan: SitingPlan, site_ids: set[str], *, options: SolveOptions | None = None
) -> float | None:
    """Return the least cost that meets a plan's targets without any of `site_ids`, or None if they cannot be met then.

    Raises
    ------
    InputError
        If it is no plan of `policy_plan`, or has no sites.
    """
    case = case_of(plan.best)
    if not site_ids & set(plan.best.sites):
        return plan.figures.cost if plan.figures.cost is not None else plan.objective
    gone = site_ids & set(case.listed.index)
    rules = (*case.rules.forbid, *sorted(gone - set(case.rules.forbid)))
    with highs.Watch(options or SolveOptions()) as watch:
        solved = solve_stages(case.but(forbid=rules, budget=None), watch=watch, most=1)
    return None if solved.figures is None else float(solved.figures.cost)


def _bars(case: PlanCase) -> dict[int, Row]:
    """Return what bars each candidate that is barred: the first rule that does, with its numbers."""
    found: dict[int, Row] = {}
    layers = case.listed["barred_by"] if "barred_by" in case.listed.columns else None
    for j in np.flatnonzero(case.forbidden):
        layer = None if layers is None else layers.get(case.ids[j])
        named = isinstance(layer, str)
        found[int(j)] = {"reason": "no_go", "subject": layer} if named else {"reason": "forbidden"}
    if case.rules.medical == "bar":
        minutes, limit = medical_minutes(case), case.rules.medical_min
        for j in too_far_from_care(case):
            row = {"reason": "far_from_care" if np.isfinite(minutes[j]) else "no_care", "limit": limit}
            found.setdefault(int(j), row | {"value": minutes[j]})
    for j in too_close(case).barred:
        other, minutes_apart = _nearest_open_home(case, int(j))
        row = {
            "reason": "too_close",
            "subject": other,
            "value": minutes_apart,
            "limit": case.rules.spread_min,
        }
        found.setdefault(int(j), row)
    without = {s.centre for s in services(case) if not len(s.stations)}
    for j in barred_stations(case):
        area = case.candidates["floor_area_m2"].iloc[int(j)]
        row = {"reason": "no_station"} if int(j) in without else {"reason": "floor_area", "value": area}
        found.setdefault(int(j), row)
    return found


def _nearest_open_home(case: PlanCase, j: int) -> tuple[str, float]:
    """Return the open home of its kind that is nearest to a candidate by the minutes between homes, and the minutes."""
    times, kind = case.between_homes, case.sites.kind[j]
    assert times is not None  # noqa: S101  homes were found too close by them
    coo = times.minutes.tocoo()
    standing = {i for i, k in zip(case.standing.ids, case.standing.kind, strict=True) if k == kind}
    best = ("", np.inf)
    for r, c, minutes in zip(coo.row, coo.col, coo.data, strict=True):
        pair = {times.site_ids[r], times.demand_ids[c]}
        other = pair - {case.ids[j]}
        if case.ids[j] in pair and len(other) == 1 and other <= standing and minutes < best[1]:
            best = (next(iter(other)), float(minutes))
    return best


def _settled(tally: Tally, sets: Flags) -> Flags:
    """Return sets of open sites in which a facility that is rebuilt or moved has left, and one that is not has stayed."""
    found = sets.copy()
    for facility, instead, may_close in tally.heirs:
        replaced = found[instead].any(axis=0)
        found[facility] = ~replaced & (found[facility] if may_close else True)
    return found


def _extra_cost(case: PlanCase, tally: Tally, chosen: Flags, j: int) -> float:
    """Return by how much dearer the plan is with a candidate and, if that helps, without one of its sites; NaN if no such plan."""
    with_it = chosen.copy()
    with_it[j] = True
    drops = np.flatnonzero(chosen & ~case.required & ~case.stands)
    sets = np.repeat(with_it[:, None], len(drops) + 1, axis=1)
    sets[drops, np.arange(1, len(drops) + 1)] = False
    sets = _settled(tally, sets)
    good = tally.best(sets)
    if not good.any():
        return float("nan")
    costs = case.candidates["cost"].to_numpy(dtype="float64")
    extra = costs @ sets[:, good] - float(costs @ chosen)
    least = float(extra.min())
    return 0.0 if abs(least) < WITHIN else least
