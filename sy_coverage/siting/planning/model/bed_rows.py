"""Write beds as columns and rows of a plan: elders assigned to homes in reach, beds turned into nursing beds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.policy.standards import exact
from sy_coverage.policy.targets import CITY
from sy_coverage.siting.planning.rules import nursing
from sy_coverage.siting.planning.rules.beds import beds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.stages import Program

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_ROOM = 1e-7
"""Relative slack of the rows of elders and beds: rounding may not decide; whether beds suffice is counted again exactly."""


def tied_by_beds(case: PlanCase) -> Flags:
    """Return which candidates are tied to others by beds: those that bring beds for the need, or beds that are counted."""
    tied = np.zeros(len(case.ids), dtype=bool)
    asked = beds(case)
    if asked is not None:
        tied[list(asked.site.values())] = True
    return tied | nursing.counting(case) if nursing.planned(case) else tied


def rows_of_beds(case: PlanCase, program: Program, x: Integers, *, priced: bool) -> Integers:
    """Add what beds ask of the sites `x`, and return a column for each home of how many of its beds are converted.

    Where the conversions are the same whatever opens they need no columns, unless they are asked for (`priced`).
    """
    _assign(case, program, x)
    if not (nursing.depend(case) or (priced and nursing.planned(case))):
        return np.empty(0, dtype=np.int64)
    return _convert(case, program, x)


def _assign(case: PlanCase, program: Program, x: Integers) -> None:
    """Every group of elders finds the beds it needs; no home gives more than it has, a candidate only when it opens."""
    asked = beds(case)
    if asked is None:
        return
    pairs = [(g, h) for g, group in enumerate(asked.groups) for h in group.homes]
    of_group = np.array([g for g, _ in pairs], dtype=np.int64)
    need = np.array([float(g.need) for g in asked.groups])
    flow = program.columns(len(pairs), upper=need[of_group], integer=False)
    program.rows(of_group, flow, 1.0, count=len(need), upper=need)
    counties, county = np.unique([g.county_id for g in asked.groups], return_inverse=True)
    least = np.bincount(county, weights=need, minlength=len(counties)) * case.rules.beds_share
    program.rows(county[of_group], flow, 1.0, count=len(counties), lower=least * (1 - _ROOM))
    homes = sorted({h for _, h in pairs})
    at = {h: r for r, h in enumerate(homes)}
    of_home = np.array([at[h] for _, h in pairs], dtype=np.int64)
    have = np.array([float(asked.beds[h]) for h in homes])
    proposed = np.array([h in asked.site for h in homes], dtype=bool)
    opens = np.flatnonzero(proposed)
    columns = x[[asked.site[homes[r]] for r in opens]]
    program.rows(
        np.r_[of_home, opens],
        np.r_[flow, columns],
        np.r_[np.ones(len(flow)), -have[opens]],
        count=len(homes),
        upper=np.where(proposed, 0.0, have),
    )


def _convert(case: PlanCase, program: Program, x: Integers) -> Integers:
    target = case.policy.bed_share
    if target is None:
        return np.empty(0, dtype=np.int64)
    share = exact(target.value or 0.0)
    there = nursing.homes(case, case.ids)
    known = there["beds"].notna() & there["nursing_beds"].notna() & (there["nursing_beds"] <= there["beds"])
    there = there[known]
    count, skilled = there["beds"].to_numpy(float), there["nursing_beds"].to_numpy(float)
    column = program.columns(len(there), upper=count - skilled, integer=True)
    site = case.candidates.index.get_indexer(there.index)
    proposed = np.flatnonzero(site >= 0)
    program.rows(
        np.r_[np.arange(len(proposed)), np.arange(len(proposed))],
        np.r_[column[proposed], x[site[proposed]]],
        np.r_[np.ones(len(proposed)), (skilled - count)[proposed]],
        count=len(proposed),
        upper=0.0,
    )
    whole, part = share.denominator, share.numerator
    surplus = whole * skilled - part * count
    for place in nursing.places(case):
        here = ((there["county_id"] == place) | (place == CITY)).to_numpy()
        new = np.flatnonzero(here & (site >= 0))
        given = float(surplus[here & (site < 0)].sum())
        program.row(
            np.r_[column[here], x[site[new]]],
            np.r_[np.full(int(here.sum()), float(whole)), surplus[new]],
            lower=-given - 0.5,
        )
    return column
