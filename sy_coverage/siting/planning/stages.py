"""Reach the objectives of a policy plan one after the other, each proved, fixed and counted again before the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from sy_coverage.errors import CertificateError
from sy_coverage.siting.plan import Stage
from sy_coverage.siting.planning.check.figures import Figures, figures
from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.planning.model.served import weights_of, within_reach
from sy_coverage.siting.planning.model.worst import least_longest_way
from sy_coverage.siting.planning.rules.targets import coverage_kinds, requirements, served_kinds
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.highs import SolveOptions
    from sy_coverage.siting.solve.stages import Reached

TIE_BREAK = "site_ranks"
"""The stage that chooses among plans that are equal in everything a planner asked for."""
TIE_SECONDS = 8.0
"""It may take this long; a plan is not less proved when it takes longer."""


@dataclass(frozen=True)
class Solved:
    """What the stages came to, before it is called a plan."""

    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    sites: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    figures: Figures | None = None
    solver: str = ""
    elastic: bool = False
    stopped: tuple[str, ...] = ()
    """Why the solve ended early, where not by its time: ``interrupted``, ``memory_limit``."""


def solve_stages(
    case: PlanCase,
    *,
    watch: highs.Watch,
    elastic: bool = False,
    forbidden: tuple[int, ...] = (),
    most: int | None = None,
) -> Solved:
    """Return the sites that are best by one objective after the other.

    Parameters
    ----------
    elastic
        Targets may be missed; the first objective is to come as near to them as can be.
    forbidden
        Positions of candidates that must stay closed.
    most
        Stop after so many stages.
    """
    run = _run(case, watch=watch, elastic=elastic, forbidden=forbidden, most=most)
    if not run.steps:
        return Solved(run.status, solver=run.solver, stopped=watch.stopped)
    checked = figures(case, run.sites)
    stages = tuple(_stage(case, checked, run.sites, step) for step in run.steps)
    stopped = watch.stopped if run.told_apart else (*watch.stopped, "indistinct")
    return Solved(run.status, run.sites, stages, checked, run.solver, elastic, stopped)


@dataclass(frozen=True)
class _Step:
    """One stage as the solver tells it."""

    name: str
    answer: Reached
    constant: float
    """What no choice changes, in the steps of the objective."""
    turn: float
    """−1 where the program counts what is saved or lacking, and the stage what is left."""


@dataclass(frozen=True)
class _Run:
    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    steps: tuple[_Step, ...] = ()
    sites: tuple[str, ...] = ()
    solver: str = ""
    told_apart: bool = True


def _run(
    case: PlanCase, *, watch: highs.Watch, elastic: bool, forbidden: tuple[int, ...], most: int | None
) -> _Run:
    model = Model(case, elastic=elastic, forbidden=forbidden)
    steps: list[_Step] = []
    status: Literal["optimal", "feasible", "infeasible", "no_answer"] = "optimal"
    told_apart = True
    for name, sense, objective, whole, turn in _objectives(model, elastic=elastic)[:most]:
        between_equals = name == TIE_BREAK
        time = highs.Watch(_tie_options(watch)) if between_equals else watch
        if name == "worst_min":
            answer, constant = least_longest_way(model, watch=watch), 0.0
        else:
            answer, constant = model.program.attempt(
                objective, sense, whole=whole, watch=time, settle=between_equals
            )
        if answer.value is None and not steps:
            return _Run(answer.status, solver=answer.solver)
        if answer.indistinct:
            told_apart = False
            continue
        if between_equals and answer.status != "optimal":
            break  # the plan is as good as any; only which of equal plans it is stays as the solver left it
        if answer.value is None:
            status = "feasible"  # the earlier stages stand; this one ran out of time or memory
            break
        steps.append(_Step(name, answer, constant, turn))
        if answer.status != "optimal":
            status = "feasible"  # what it reached is kept, and the later stages go on from there
        elif name == "elder_minutes" and elastic and case.rules.budget is not None:
            # one budget ties all counties together: where the centres are decided, the homes of each are asked by themselves
            model.program.keep_if_alone(model.x[case.of_kind(*coverage_kinds(case))], watch)
    last = steps[-1].answer
    sites = tuple(s for s, x in zip(case.ids, last.x[model.x], strict=True) if x > 0.5)
    solver = next((s.answer.solver for s in reversed(steps) if s.answer.solver), "")
    return _Run(status if told_apart else "feasible", tuple(steps), sites, solver, told_apart)


def _tie_options(watch: highs.Watch) -> SolveOptions:
    return replace(watch.options, time_limit_s=max(0.01, min(watch.left_s, TIE_SECONDS)))


def without(
    case: PlanCase, position: int, *, watch: highs.Watch, elastic: bool
) -> tuple[str, dict[str, float]]:
    """Return the status, and the first two objectives by id, of the best plan that leaves one candidate closed."""
    run = _run(case, watch=watch, elastic=elastic, forbidden=(position,), most=2)
    total = float(sum(r.needed for r in requirements(case)))
    values = {}
    for step in run.steps:
        scale, value = _scale(case, step.name), step.answer.value or 0.0
        values[step.name] = total - value if step.turn < 0 else (step.constant + value) * scale
    return run.status, values


def _scale(case: PlanCase, name: str) -> float:
    """Return what one step of an objective stands for."""
    if name == "served":
        return float(weights_of(case).step)
    return {"cost": float(case.cost.step), "elders": float(case.weight.step)}.get(name, 1.0)


def _objectives(
    model: Model, *, elastic: bool
) -> list[tuple[str, Any, Callable[[], tuple[NDArray[Any], float]], bool, float]]:
    """Return the stages: name, sense, objective with its constant, whether it is whole, and −1 where less is saved than spent."""
    case = model.case
    cost_first = not elastic or case.rules.budget is None
    stages: list[Any] = []
    if case.rules.differ_from:
        stages.append(("sites_differing", "max", lambda: (model.differing(), 0.0), True, 1.0))
    if elastic:
        stages.append(("towards_targets", "min", lambda: (model.shortfall(), 0.0), True, -1.0))
    if case.rules.adopted:
        stages.append(("sites_changed", "min", model.changed, True, 1.0))
    cost: Any = ("cost", "min", lambda: (model.cost(), model.fixed_cost), case.cost.exact, 1.0)
    elders: Any = ("elders", "max", model.elders, case.weight.exact, 1.0)
    if case.rules.slack is not None:
        stages += [elders, cost]
    else:
        stages += [cost, elders] if cost_first else [elders]
    if case.rules.prefer == "worst_min":
        stages.insert(stages.index(elders), ("worst_min", "min", None, False, 1.0))
    stages.append(("elder_minutes", "max", model.minutes_to_centres, False, -1.0))
    if served_kinds(case):
        reached = partial(within_reach, case, model.program, model.x)
        stages.append(("served", "max", reached, weights_of(case).exact, 1.0))
    stages += [
        ("home_minutes", "max", model.minutes_to_homes, False, -1.0),
        ("site_ranks", "min", lambda: (model.ranks(), 0.0), True, 1.0),
    ]
    return stages


def _stage(case: PlanCase, checked: Figures, sites: tuple[str, ...], taken: _Step) -> Stage:
    """Return one stage in our own arithmetic, and refuse a solver whose numbers are not ours.

    Raises
    ------
    CertificateError
        If the recomputed value is not the one the solver claims.
    """
    name, step, constant, turn = taken.name, taken.answer, taken.constant, taken.turn
    scale = _scale(case, name)
    whole = {
        "cost": checked.cost,
        "elders": checked.elders_covered,
        "elder_minutes": checked.elder_minutes,
        "home_minutes": checked.home_minutes,
        "site_ranks": case.rank_sum(sites),
        "towards_targets": float(checked.towards_targets),
        "worst_min": checked.longest_way_min,
        "served": float(checked.served["within"].sum()),
        "sites_differing": float(case.sites_differing(sites)),
        "sites_changed": float(case.sites_changed(sites)),
    }[name]
    base = float(checked.targets["needed"].sum()) if name == "towards_targets" else constant * scale

    def ours(value: float) -> float:
        return base - value if turn < 0 else base + value * scale

    claimed, bound = ours(step.value or 0.0), ours(step.bound if step.bound is not None else float("nan"))
    sense: Literal["min", "max"] = (
        "max" if name in {"elders", "served", "towards_targets", "sites_differing"} else "min"
    )
    # an answer cut short may hold more than its helper columns say, never less
    short = step.status != "optimal" and (whole > claimed) == (sense == "max")
    if not short and not _close(whole, claimed):
        raise CertificateError(
            f"the solver says {name} is {claimed:.9g}, but recomputed from the travel times it is {whole:.9g}; "
            "the plan is not shown"
        )
    proved = step.status == "optimal" and _close(whole, bound)
    return Stage(name, sense, whole, whole if proved else bound, proved)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-7 * max(1.0, abs(one), abs(other))
