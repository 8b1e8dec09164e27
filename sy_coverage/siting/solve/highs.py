"""Speak to HiGHS: build a sparse model, solve it, and believe nothing the solver says without its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from sy_coverage.errors import InputError, SolverError
from sy_coverage.siting.solve.watch import REALS, Progress, SolveOptions, Watch, relative_gap, same

if TYPE_CHECKING:
    import highspy
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Answer", "Model", "Progress", "SolveOptions", "Watch", "relative_gap", "same", "solve"]

SEED = 20250101
INTEGRALITY = 1e-5
"""How far from a whole number an integer column may come back; farther is an error, never rounded away."""
ROWS = 1e-6
"""How far a row may be broken, relative to what it adds up: the rounding of a solver."""


@dataclass(frozen=True)
class Answer:
    """What the solver found, and how far it is to be believed."""

    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    """``optimal`` only when bound and objective meet; a limit or Ctrl-C gives ``feasible`` or ``no_answer``."""
    x: Floats
    """Value of each column, integer columns exactly whole; empty when there is no solution."""
    objective: float | None
    """The cost of `x`, recomputed from the model's own numbers."""
    bound: float | None
    """No solution can be better than this; None when nothing is known."""
    gap: float | None
    solver: str
    """Name and version, such as ``HiGHS 1.16.0``."""
    interrupted: bool = False
    row_duals: Floats = field(default_factory=lambda: np.empty(0))
    """Prices of the rows, only of a model without integer columns that was solved to the end."""


def _finite(values: ArrayLike, what: str, *, infinite: bool = False) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    wrong = np.isnan(array) if infinite else ~np.isfinite(array)
    if wrong.any():
        at = np.flatnonzero(np.atleast_1d(wrong))
        raise InputError(f"{what}: {len(at)} values are not numbers, the first at position {at[0]}")
    return array


class Model:
    """A linear model with integer columns, gathered from arrays; nothing is copied one variable at a time."""

    def __init__(self, sense: Literal["min", "max"] = "min") -> None:
        """Begin without columns and rows."""
        self.sense: Literal["min", "max"] = sense
        self.cost: Floats = np.empty(0)
        self.lower: Floats = np.empty(0)
        self.upper: Floats = np.empty(0)
        self.integer: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self.row_lower: Floats = np.empty(0)
        self.row_upper: Floats = np.empty(0)
        self._blocks: list[Any] = []
        self._matrix: Any = None

    def add_columns(
        self, cost: ArrayLike, *, lower: ArrayLike = 0.0, upper: ArrayLike = 1.0, integer: ArrayLike = True
    ) -> Integers:
        """Add a column for each of `cost` and return their indices; bounds and `integer` are one for all, or one each.

        Raises
        ------
        InputError
            If a cost is not finite, a bound is NaN, or a lower bound lies above its upper one.
        """
        costs = np.atleast_1d(_finite(cost, "cost"))
        low = np.broadcast_to(_finite(lower, "lower bound", infinite=True), costs.shape)
        high = np.broadcast_to(_finite(upper, "upper bound", infinite=True), costs.shape)
        if (low > high).any():
            raise InputError(f"column {int(np.argmax(low > high))}: lower bound above upper bound")
        first, self._matrix = len(self.cost), None
        self.cost = np.r_[self.cost, costs]
        self.lower, self.upper = np.r_[self.lower, low], np.r_[self.upper, high]
        self.integer = np.r_[self.integer, np.broadcast_to(np.asarray(integer, dtype=bool), costs.shape)]
        return np.arange(first, len(self.cost))

    def add_rows(self, matrix: Any, *, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf) -> Integers:
        """Add rows ``lower ≤ matrix · x ≤ upper`` and return their indices.

        Parameters
        ----------
        matrix
            Sparse or dense, rows × (at most all present) columns; or triplets ``(row, column, value)`` of arrays,
            rows counted from 0, where an entry given twice counts as the sum.
        lower, upper
            One for all rows, or one each; with triplets an array also says how many rows there are.

        Raises
        ------
        InputError
            If a coefficient is not finite, a bound is NaN, bounds cross, or a column does not exist.
        """
        if isinstance(matrix, tuple):
            row, column, value = (np.atleast_1d(part) for part in matrix)
            sizes = [np.size(b) for b in (lower, upper) if np.ndim(b)]
            rows = max([*sizes, int(row.max()) + 1 if len(row) else 0])
            if len(column) and int(column.max()) >= len(self.cost):
                raise InputError(f"column {int(column.max())} does not exist: there are {len(self.cost)}")
            value = np.broadcast_to(value, row.shape)
            matrix = sparse.coo_array((value, (row, column)), shape=(rows, len(self.cost)))
        block = sparse.csr_array(matrix, dtype=np.float64)
        if block.shape[1] > len(self.cost):
            raise InputError(f"rows have {block.shape[1]} columns, the model {len(self.cost)}")
        block.sum_duplicates()
        _finite(block.data, "coefficients")
        low = np.broadcast_to(_finite(lower, "lower limit", infinite=True), (block.shape[0],))
        high = np.broadcast_to(_finite(upper, "upper limit", infinite=True), (block.shape[0],))
        if (low > high).any():
            raise InputError(f"row {int(np.argmax(low > high))}: lower limit above upper limit")
        first, self._matrix = len(self.row_lower), None
        self._blocks.append(block)
        self.row_lower, self.row_upper = np.r_[self.row_lower, low], np.r_[self.row_upper, high]
        return np.arange(first, len(self.row_lower))

    def set_objective(self, cost: ArrayLike, sense: Literal["min", "max"]) -> None:
        """Replace the costs of all columns, and whether they are minimised or maximised.

        Raises
        ------
        InputError
            If there is not one finite cost for each column.
        """
        costs = np.atleast_1d(_finite(cost, "cost"))
        if costs.shape != self.cost.shape:
            raise InputError(f"{len(costs)} costs for {len(self.cost)} columns")
        self.cost, self.sense = costs, sense

    @property
    def matrix(self) -> Any:
        """Return all rows as one CSR array, rows × columns; put together once, and not to be changed."""
        if self._matrix is None:
            blocks = []
            for block in self._blocks:
                b = block.copy()
                b.resize((block.shape[0], len(self.cost)))
                blocks.append(b)
            self._matrix = sparse.csr_array(
                sparse.vstack(blocks) if blocks else (0, len(self.cost)), dtype=np.float64
            )
        return self._matrix

    def breaches(self, x: Floats) -> Integers:
        """Return the indices of the rows that `x` breaks by more than rounding."""
        matrix = self.matrix
        activity, size = matrix @ x, abs(matrix) @ np.abs(x)
        slack = ROWS * (1.0 + size)
        return np.flatnonzero((activity < self.row_lower - slack) | (activity > self.row_upper + slack))


def solve(
    model: Model,
    *,
    options: SolveOptions | None = None,
    start: ArrayLike | None = None,
    watch: Watch | None = None,
    presolve: bool = True,
    leaps: bool = True,
) -> Answer:
    """Return the best solution of `model` found in time, with its bound; one thread, fixed seed, no output.

    Parameters
    ----------
    options
        Time and gap; those of `watch` where that is given.
    start
        A value for each column, offered to the search as an answer that may be improved; it need not be feasible.
    watch
        The clock of a problem of several stages; this solve takes what is left on it.
    presolve
        Whether HiGHS may make the model smaller first; off where we have done so already, or where it is small.
    leaps
        Whether HiGHS may leap for some answer before it searches; off where the search itself is a matter of milliseconds.

    Raises
    ------
    SolverError
        If HiGHS refuses an option or the model, fails, says the model is unbounded, or answers with something that
        is not whole where it must be or breaks a row.
    InputError
        If `start` does not fit.
    """
    watch = watch or Watch(options or SolveOptions())
    with watch:
        try:
            return _solve(model, watch, start, presolve=presolve, leaps=leaps)
        except MemoryError:
            watch.out_of_memory = True
            return Answer("no_answer", np.empty(0), None, None, None, "HiGHS")


def _solve(model: Model, watch: Watch, start: ArrayLike | None, *, presolve: bool, leaps: bool) -> Answer:
    # HiGHS is loaded when something is to be solved, not when the room is entered
    import highspy  # noqa: PLC0415

    name = f"HiGHS {highspy.HIGHS_VERSION_MAJOR}.{highspy.HIGHS_VERSION_MINOR}.{highspy.HIGHS_VERSION_PATCH}"
    if watch.over:
        return Answer("no_answer", np.empty(0), None, None, None, name, watch.interrupted)
    if len(model.cost) == 0 and len(model.breaches(np.empty(0))):
        # HiGHS calls every model without columns empty, whatever its rows ask for
        return Answer("infeasible", np.empty(0), None, None, None, name)
    highs = _silent()
    _set_options(highs, watch, presolve=presolve, leaps=leaps)
    _pass(highs, model)
    if start is not None:
        values = np.atleast_1d(_finite(start, "start"))
        if values.shape != model.cost.shape:
            raise InputError(f"start has {len(values)} values for {len(model.cost)} columns")
        _offer(highs, values)
    _listen(highs, watch)
    if highs.run() == highspy.HighsStatus.kError:
        if highs.getModelStatus() == highspy.HighsModelStatus.kMemoryLimit:
            raise MemoryError  # what it holds then, bounds above all, is nothing to go by
        # another use of HiGHS in this process with other threads makes run() fail without solving: start its pool anew
        highspy.Highs.resetGlobalScheduler(True)
        _require(highs.run(), "to run", highspy)
    return _answer(highs, model, watch, name)


def _silent() -> highspy.Highs:
    return _silent_class()()


@cache
def _silent_class() -> type[highspy.Highs]:
    import highspy  # noqa: PLC0415

    class Silent(highspy.Highs):
        def enableCallbacks(self) -> None:  # noqa: N802  (HiGHS's own name)
            # called while it is set up, when it would print its banner
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()  # type: ignore[no-untyped-call]  # highspy's own, without types

    return Silent


def _require(status: Any, what: str, highspy: Any) -> None:
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refused {what}; this is a defect: report it with the study that caused it")


def _set_options(highs: highspy.Highs, watch: Watch, *, presolve: bool, leaps: bool) -> None:
    import highspy  # noqa: PLC0415

    settings: dict[str, bool | int | float | str] = {
        "output_flag": False,
        "threads": 1,
        "parallel": "off",
        "presolve": "choose" if presolve else "off",
        "mip_heuristic_run_feasibility_jump": leaps,
        "random_seed": SEED,
        "mip_rel_gap": float(watch.options.gap),
        "mip_abs_gap": REALS,
        "time_limit": float(watch.left_s),
    }
    for option, value in settings.items():
        if highs.setOptionValue(option, value) != highspy.HighsStatus.kOk:
            raise SolverError(f"HiGHS refused the option {option}={value!r}")


def _pass(highs: highspy.Highs, model: Model) -> None:
    import highspy  # noqa: PLC0415

    columns = model.matrix.tocsc()
    status = highs.passModel(
        len(model.cost),
        len(model.row_lower),
        int(columns.nnz),
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize if model.sense == "min" else highspy.ObjSense.kMaximize),
        0.0,
        model.cost,
        model.lower,
        model.upper,
        model.row_lower,
        model.row_upper,
        columns.indptr.astype(np.int32),
        columns.indices.astype(np.int32),
        columns.data.astype(np.float64),
        model.integer.astype(np.int32),
    )
    _require(status, "the model", highspy)


def _offer(highs: highspy.Highs, start: Floats) -> None:
    """Let HiGHS try `start` while it searches.

    Not by setSolution: a solution that is there before presolve may come back as the answer, called optimal, although
    presolve has found a better one. Offered during the search it is an incumbent like any that HiGHS finds itself.
    """
    waiting = [start]

    def give(event: Any) -> None:
        if waiting:
            event.data_in.setSolution(waiting.pop())

    highs.cbMipUserSolution.subscribe(give)


def _listen(highs: highspy.Highs, watch: Watch) -> None:
    def stop(event: Any) -> None:
        if watch.interrupted:
            event.data_in.user_interrupt = True

    def tell(event: Any) -> None:
        seen = event.data_out
        best, bound = float(seen.mip_primal_bound), float(seen.mip_dual_bound)
        watch.say(best if np.isfinite(best) else None, bound if np.isfinite(bound) else None)

    highs.cbMipInterrupt.subscribe(stop)
    highs.cbSimplexInterrupt.subscribe(stop)
    highs.cbIpmInterrupt.subscribe(stop)
    if watch.options.progress is not None:
        highs.cbMipLogging.subscribe(tell)


def _answer(highs: highspy.Highs, model: Model, watch: Watch, name: str) -> Answer:
    import highspy  # noqa: PLC0415

    status, said = highs.getModelStatus(), highspy.HighsModelStatus
    nothing = np.empty(0)
    if status in {said.kInfeasible, said.kUnboundedOrInfeasible}:
        if status == said.kUnboundedOrInfeasible and not np.isfinite(np.r_[model.lower, model.upper]).all():
            raise SolverError(
                "HiGHS cannot tell whether the model is unbounded or infeasible: bound its columns"
            )
        return Answer("infeasible", nothing, None, None, None, name)
    limits = {
        said.kTimeLimit,
        said.kInterrupt,
        said.kMemoryLimit,
        said.kSolutionLimit,
        said.kIterationLimit,
        said.kObjectiveTarget,
        said.kUnknown,
    }
    if status not in limits | {said.kOptimal, said.kModelEmpty}:
        raise SolverError(f"HiGHS ended with '{highs.modelStatusToString(status)}'")
    watch.out_of_memory |= status == said.kMemoryLimit
    info = highs.getInfo()
    has_integers = bool(model.integer.any())
    bound = _bound(model, float(info.mip_dual_bound)) if has_integers else None
    has_solution = status == said.kModelEmpty or info.primal_solution_status == 2  # 2: feasible
    # after a limit HiGHS hands out a full vector of numbers even when it has found nothing
    if not has_solution:
        return Answer("no_answer", nothing, None, bound, None, name, watch.interrupted)
    solution = highs.getSolution()
    x = _whole(model, np.asarray(solution.col_value, dtype=np.float64))
    objective = float(model.cost @ x)
    duals = nothing
    if not has_integers and status in {said.kOptimal, said.kModelEmpty}:
        bound = objective if len(model.cost) == 0 else float(info.objective_function_value)
        duals = np.asarray(solution.row_dual, dtype=np.float64)
    proved = (
        status in {said.kOptimal, said.kModelEmpty}
        and bound is not None
        and (same(objective, bound) or (bound > objective) == (model.sense == "min"))
    )
    gap = None if bound is None else (0.0 if proved else relative_gap(objective, bound))
    return Answer(
        "optimal" if proved else "feasible", x, objective, bound, gap, name, watch.interrupted, duals
    )


def _bound(model: Model, bound: float) -> float | None:
    """Return the solver's bound, moved to the next whole number where every objective is whole."""
    if not np.isfinite(bound):
        return None
    counted = model.cost != 0
    if model.integer[counted].all() and (model.cost == np.round(model.cost)).all():
        slack = 1e-6 * max(1.0, abs(bound) * 1e-3)
        return float(np.ceil(bound - slack) if model.sense == "min" else np.floor(bound + slack))
    return bound


def _whole(model: Model, x: Floats) -> Floats:
    nearest = np.round(x)
    off = np.abs(x - nearest)
    wrong = model.integer & (off > INTEGRALITY)
    if wrong.any():
        raise SolverError(
            f"HiGHS answered with {x[wrong][0]} in an integer column ({int(wrong.sum())} such columns)"
        )
    x = np.where(model.integer, nearest, x)
    x = np.clip(x, model.lower, model.upper)
    broken = model.breaches(x)
    if len(broken):
        raise SolverError(f"HiGHS answered with a solution that breaks {len(broken)} rows of the model")
    return x
