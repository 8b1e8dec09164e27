"""Pack the program of a county's plan so that a page can solve it again: the rules as written for Python, nothing reduced, facilities as columns."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.planning.rules.bars import heirs
from sy_coverage.siting.planning.rules.targets import served_kinds
from sy_coverage.siting.sites import among

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting import PlanCase

    Floats = NDArray[np.float64]

MICRO = 1_000
"""Elder-minutes are kept to a thousandth."""


def packed(case: PlanCase, free: PlanCase) -> dict[str, Any] | None:
    """Return, as JSON can hold it, the program of `case`, whose facilities are the columns of `free`.

    What the plan requires, forbids and keeps are bounds beside it, so that a page can ask otherwise. None where the plan has rules
    that a page cannot ask again: years, a budget, a slack, conversions of beds that cost, beds for every elder.
    """
    rules = case.rules
    limited = (
        bool(served_kinds(case))
        or rules.budget is not None
        or rules.slack is not None
        or rules.prefer != "elders"
    )
    if rules.phases or limited or rules.conversion_cost or rules.beds_per_elder is not None:
        return None
    bare = replace(
        free, listed=free.listed.assign(required=False), rules=replace(free.rules, require=(), forbid=())
    )
    model = Model(bare, cheapest=False)
    stages: list[dict[str, Any]] = []
    for name, sense, objective, scale, turn, whole in _stages(bare, model):
        values, constant = objective()
        stages.append(
            {"id": name, "sense": sense, "constant": constant, "scale": scale, "turn": turn, "whole": whole, **_costs(values)}
        )  # fmt: skip
    matrix, row_lower, row_upper = model.program._matrix()  # noqa: SLF001  a program says its rows to nobody else
    most = np.where(bare.stands, 1.0, model.program.upper[model.x])
    # what stands today is not asked whether it lies too close to what else stands, or too far from care
    kept = ~_among_standing(matrix, row_upper, model.x[bare.stands])
    matrix = matrix[kept]
    values, place = np.unique(matrix.data, return_inverse=True)
    may_close = among(bare.sites.ids, rules.close)
    return {
        "sites": [str(i) for i in bare.ids],
        "standing": bare.stands.astype(int).tolist(),
        "lower": np.where(bare.stands, ~may_close & ~free.forbidden, free.required).astype(int).tolist(),
        "upper": np.where(free.forbidden, 0.0, most).astype(int).tolist(),
        "hard": most.astype(int).tolist(),
        "heirs": [[int(j), instead.tolist()] for j, instead, _ in heirs(bare) if len(instead)],
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


def _stages(case: PlanCase, model: Model) -> list[tuple[Any, ...]]:
    """Return the objectives in their order: id, sense, objective, what one step is worth, whether less is saved than spent, wholeness."""
    return [
        ("cost", "min", lambda: (model.cost(), model.fixed_cost), float(case.cost.step), 1, case.cost.exact),
        ("elders", "max", model.elders, float(case.weight.step), 1, case.weight.exact),
        ("elder_minutes", "max", model.minutes_to_centres, 1.0, -1, False),
        ("home_minutes", "max", model.minutes_to_homes, 1.0, -1, False),
        ("site_ranks", "min", lambda: (model.ranks(), 0.0), 1.0, 1, True),
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
