"""Count whom homes and other kinds for some of the elders only have within the cutoff: each in its own county."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.planning.model.minutes import today_within
from sy_coverage.siting.planning.rules.targets import served_kinds
from sy_coverage.siting.solve.stages import Scaled, scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.stages import Program

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


def weights_of(case: PlanCase) -> Scaled:
    """Return those whom the kinds are for, kind after kind, in exact steps."""
    kinds = served_kinds(case)
    return case.once(
        "weights of those served", lambda: scaled(np.concatenate([case.people(k) for k in kinds]))
    )


def within_reach(case: PlanCase, program: Program, x: Integers) -> tuple[Floats, float]:
    """Return the objective *people whom the kinds are for within their cutoff* in exact steps, and the part that no choice changes."""
    counts = weights_of(case).counts.reshape(-1, len(case.demand))
    constant = 0.0
    parts: list[tuple[Integers, Floats]] = []
    for kind, people in zip(served_kinds(case), counts, strict=True):
        within = case.reach(kind).within
        for county in case.counties:
            mine = np.where(case.county_of_demand == county, people, 0.0)
            today = within_cutoff(today_within(case, kind, county), case.cutoffs(kind))
            constant += float(mine[today].sum())
            rows = np.flatnonzero(case.sites.of_kind(kind) & (case.sites.county == county))
            villages = np.flatnonzero((mine > 0) & ~today)
            pairs = within[rows][:, villages].tocoo()
            z = program.columns(len(villages), integer=False)
            program.rows(
                np.r_[np.arange(len(villages)), pairs.col],
                np.r_[z, x[rows[pairs.row]]],
                np.r_[np.ones(len(villages)), -np.ones(len(pairs.row))],
                count=len(villages),
                upper=0.0,
            )
            parts.append((z, mine[villages]))
    objective = np.zeros(len(program.lower))
    for z, weight in parts:
        objective[z] = weight
    return objective, constant
