"""Pack the program of a county's plan so that a page can solve it again: the rules as written for Python, nothing reduced, facilities as columns."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.sites import among

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.siting import PlanCase

    Floats = NDArray[np.float64]

MICRO = 1_000
"""Elder-minutes are kept to a thousandth."""


def packed(case: PlanCase, switched: Iterable[str]) -> dict[str, Any] | None:
    """Return, as JSON can hold it, the program of `case` in which the facilities `switched` are columns like the candidates, at no cost.

    None where the plan has rules that a page cannot ask again: years, a budget, conversions of beds. A facility that a candidate
    rebuilds into one that counts for the same target stays as it stands.
    """
    rules = case.rules
    if rules.phases or rules.budget is not None or rules.conversion_cost or rules.beds_per_elder is not None:
        return None
    free = _with_columns(case, switched)
    model = Model(free, cheapest=False)
    stages: list[dict[str, Any]] = []
    for name, sense, objective, scale, turn, whole in _stages(case, free, model):
        values, constant = objective()
        stages.append(
            {
                "id": name,
                "sense": sense,
                "constant": constant,
                "scale": scale,
                "turn": turn,
                "whole": whole,
                **_costs(values),
            }
        )
    matrix, row_lower, row_upper = model.program._matrix()  # noqa: SLF001  a program says its rows to nobody else
    standing = ~among(free.sites.ids, case.sites.row_of)
    upper = np.where(standing, 1.0, model.program.upper[model.x])
    # what stands today is not asked whether it lies too close to what else stands, or too far from care
    kept = ~_among_standing(matrix, row_upper, model.x[standing])
    matrix = matrix[kept]
    values, place = np.unique(matrix.data, return_inverse=True)
    return {
        "sites": [str(i) for i in free.ids],
        "standing": standing.astype(int).tolist(),
        "lower": case_lower(case, free).tolist(),
        "upper": upper.astype(int).tolist(),
        "columns": len(model.program.lower),
        "most": _limits(model.program.upper),
        "integer": _runs(model.program.integer),
        "ends": _stream(np.diff(matrix.indptr)),
        "at": _stream(_steps(matrix)),
        "values": values.tolist(),
        "value": _stream(place),
        "row_lower": _limits(row_lower[kept]),
        "row_upper": _limits(row_upper[kept]),
        "stages": stages,
    }


def _with_columns(case: PlanCase, switched: Iterable[str]) -> PlanCase:
    """Return the case with the facilities `switched` as candidates that cost nothing."""
    counted = set(case.sites.upgrade_of[among(case.sites.upgrade_of, _counted_before(case))])
    located = case.facilities.geometry.notna() & ~case.facilities.geometry.is_empty
    chosen = case.facilities.index.isin(set(switched) - counted) & located.to_numpy()
    own = case.facilities[chosen].reindex(columns=case.candidates.columns)
    own = own.assign(cost=0.0, required=False, upgrade_of=None, host_id=None)
    candidates = pd.concat([case.candidates, own]).sort_index()
    candidates["required"] = False
    rules = replace(case.rules, require=(), forbid=())
    return replace(case, rules=rules, facilities=case.facilities[~chosen], candidates=candidates)


def _counted_before(case: PlanCase) -> set[str]:
    """Return the open facilities of a kind that a target counts one by one."""
    kinds: set[str] = set()
    for target in case.policy.targets:
        if target.measure.of == "facility_count":
            kinds |= set(target.measure.kinds)
    return set(case.standing.ids[case.standing.of_kind(*kinds)])


def case_lower(case: PlanCase, free: PlanCase) -> Any:
    """Return which columns must be 1, as the plan itself is asked."""
    must = set(case.sites.ids[case.required])
    return among(free.sites.ids, must).astype(int)


def _stages(case: PlanCase, free: PlanCase, model: Model) -> list[tuple[Any, ...]]:
    """Return the objectives in their order: id, sense, objective, what one step is worth, whether less is saved than spent, wholeness."""
    ranks = np.array([case.position(i) + 1.0 if i in case.sites.row_of else 0.0 for i in free.ids])

    def of_ranks() -> tuple[Floats, float]:
        values = np.zeros(len(model.program.lower))
        values[model.x] = ranks
        return values, 0.0

    return [
        ("cost", "min", lambda: (model.cost(), 0.0), float(free.cost.step), 1, free.cost.exact),
        ("elders", "max", model.elders, float(free.weight.step), 1, free.weight.exact),
        ("elder_minutes", "max", model.minutes_to_centres, 1.0, -1, False),
        ("home_minutes", "max", model.minutes_to_homes, 1.0, -1, False),
        ("site_ranks", "min", of_ranks, 1.0, 1, True),
    ]


def _among_standing(matrix: Any, row_upper: Floats, standing: Any) -> NDArray[np.bool_]:
    """Return the rows that only keep facilities of today from standing beside each other."""
    is_standing = np.zeros(matrix.shape[1])
    is_standing[standing] = 1.0
    entries = np.diff(matrix.indptr)
    of_standing = (matrix != 0).astype(float) @ is_standing
    return np.asarray((entries == of_standing) & (entries > 1) & (row_upper == 1.0))


def _costs(values: Floats) -> dict[str, Any]:
    """Return an objective: the columns it has, and their costs in thousandths."""
    at = np.flatnonzero(values)
    exact = np.rint(values[at] * MICRO)
    return {"at": _stream(np.diff(at, prepend=0)), "cost": _stream(exact)}


def _steps(matrix: Any) -> Any:
    """Return the columns of each row as steps from the one before, the first from that of the row before, back and forth."""
    matrix.sort_indices()
    steps = np.diff(matrix.indices.astype(np.int64), prepend=0)
    return np.where(steps < 0, -2 * steps - 1, 2 * steps)


def _runs(flags: Any) -> list[int]:
    """Return how many in a row are false, then true, then false, …."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags])).tolist()
    ends = [0, *edges, len(flags)]
    return [after - before for before, after in pairwise(ends)]


def _limits(values: Floats) -> list[Any]:
    """Return limits of rows: a number each, null where there is none, equal ones in a row once with how often."""
    told: list[Any] = []
    for value in values.tolist():
        plain = None if np.isinf(value) else int(value) if float(value).is_integer() else value
        if told and told[-2] == plain and told[-2] is not True:
            told[-1] += 1
        else:
            told += [plain, 1]
    return told


def _stream(numbers: Any) -> str:
    """Return whole numbers ≥ 0 as base64 of zlib of 7 bits a byte, the lowest first."""
    left = np.asarray(numbers, dtype=np.uint64)
    digits = [(left >> np.uint64(7 * k)) & np.uint64(127) for k in range(10)]
    more = np.array(
        [(left >> np.uint64(7 * (k + 1))) > 0 for k in range(9)] + [np.zeros(len(left), dtype=bool)]
    )
    table = np.array([d.astype(np.uint8) for d in digits]) | (more.astype(np.uint8) << 7)
    used = np.vstack([np.ones(len(left), dtype=bool), more[:-1]])
    stream = table.T[used.T].astype(np.uint8).tobytes()
    return base64.b64encode(zlib.compress(stream, 9)).decode("ascii")
