"""Optimise one objective after the other, each proved and fixed before the next, part by part where parts are independent."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.watch import REALS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LARGE = 30_000
"""Parts with as many numbers in their rows are asked whether they have another answer before the best of equals is looked for."""
SMALL = 1_000
"""Parts of at most so many columns are solved as they are: there HiGHS takes longer to get ready than to solve."""
MOST_DECIMALS = 6
"""Numbers with more decimals than this are treated as reals: compared to 1e-9 relative instead of exactly."""


@dataclass(frozen=True)
class Scaled:
    """Numbers as whole multiples of one exact step, so that their sums can be compared without rounding."""

    counts: Floats
    """`counts · step` are the numbers; whole when `exact`."""
    step: Fraction
    exact: bool

    def total(self, chosen: ArrayLike) -> float:
        """Return the sum of the chosen numbers, exact where they are whole multiples of the step."""
        picked = self.counts[np.asarray(chosen)]
        if self.exact:
            return float(sum((int(v) for v in picked), start=0) * self.step)
        return float(sum((Fraction(v) for v in picked.tolist()), start=Fraction(0)) * self.step)


def scaled(numbers: ArrayLike) -> Scaled:
    """Return `numbers` (≥ 0) as whole multiples of their greatest common step where they have at most six decimals."""
    array = np.asarray(numbers, dtype=np.float64)
    for decimals in range(MOST_DECIMALS + 1):
        whole = np.round(array * 10**decimals)
        if (np.abs(whole / 10**decimals - array) <= 1e-12 * np.maximum(1.0, np.abs(array))).all():
            step = gcd(*(int(v) for v in whole.tolist())) or 1
            return Scaled(whole / step, Fraction(step, 10**decimals), exact=True)
    return Scaled(array.copy(), Fraction(1), exact=False)


@dataclass(frozen=True)
class Reached:
    """How far one stage came."""

    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    x: Floats
    """A value for each column; empty without an answer."""
    value: float | None
    bound: float | None
    solver: str
    indistinct: bool = False
    """The solver takes for equal what an earlier stage tells apart: its numbers are too large for its rounding."""


class Program:
    """Columns and rows that grow from stage to stage; an objective splits it into independent parts and solves each."""

    def __init__(self) -> None:
        """Begin empty."""
        self.lower: Floats = np.empty(0)
        self.upper: Floats = np.empty(0)
        self.integer: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self.start: Floats = np.empty(0)
        """The best answer so far; new columns join it with the value they were given."""
        self.solved = False
        self._triplets: list[tuple[Integers, Integers, Floats]] = []
        self._row_lower: list[Floats] = []
        self._row_upper: list[Floats] = []
        self._rows = 0
        self._stage = 0
        self._reals: list[_Real] = []
        self._wholes: list[tuple[Integers, Floats, float, float]] = []
        """Of each part that a stage of whole numbers fixed: columns, cost, what was reached, 1 where less is better and −1 else."""

    def columns(
        self, count: int, *, lower: ArrayLike = 0.0, upper: ArrayLike = 1.0, integer: bool, start: float = 0.0
    ) -> Integers:
        """Add `count` columns and return their indices."""
        first = len(self.lower)
        self.lower = np.r_[self.lower, np.broadcast_to(np.asarray(lower, dtype=float), (count,))]
        self.upper = np.r_[self.upper, np.broadcast_to(np.asarray(upper, dtype=float), (count,))]
        self.integer = np.r_[self.integer, np.full(count, integer)]
        self.start = np.r_[self.start, np.full(count, start)]
        return np.arange(first, first + count)

    def rows(
        self,
        row: ArrayLike,
        column: ArrayLike,
        value: ArrayLike,
        *,
        count: int,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
    ) -> None:
        """Add `count` rows from triplets whose rows are counted from 0."""
        r = np.asarray(row, dtype=np.int64)
        v = np.broadcast_to(np.asarray(value, dtype=float), r.shape)
        self._triplets.append((r + self._rows, np.asarray(column, dtype=np.int64), v))
        self._row_lower.append(np.broadcast_to(np.asarray(lower, dtype=float), (count,)))
        self._row_upper.append(np.broadcast_to(np.asarray(upper, dtype=float), (count,)))
        self._rows += count

    def row(
        self, column: ArrayLike, value: ArrayLike = 1.0, *, lower: float = -np.inf, upper: float = np.inf
    ) -> None:
        """Add one row."""
        column = np.asarray(column, dtype=np.int64)
        self.rows(np.zeros(len(column), dtype=np.int64), column, value, count=1, lower=lower, upper=upper)

    def fork(self) -> Program:
        """Return a program of its own that begins as this one, to be asked what this one shall not keep."""
        other = copy(self)
        for name in ("lower", "upper", "start"):
            setattr(other, name, getattr(self, name).copy())
        for name in ("_triplets", "_row_lower", "_row_upper", "_reals", "_wholes"):
            setattr(other, name, list(getattr(self, name)))
        return other

    def take(self, x: Floats) -> None:
        """Go on from the answer `x`, which keeps every row."""
        self.start, self.solved = x, True

    def _matrix(self) -> tuple[Any, Floats, Floats]:
        shape = (self._rows, len(self.lower))
        if not self._triplets:
            return sparse.csr_array(shape), np.empty(0), np.empty(0)
        r, c, v = (np.concatenate([t[i] for t in self._triplets]) for i in range(3))
        matrix = sparse.csr_array(sparse.coo_array((v, (r, c)), shape=shape))
        return matrix, np.concatenate(self._row_lower), np.concatenate(self._row_upper)

    def attempt(
        self,
        objective: Callable[[], tuple[Floats, float]],
        sense: Literal["min", "max"],
        *,
        whole: bool,
        watch: highs.Watch,
        settle: bool = False,
    ) -> tuple[Reached, float]:
        """Return the best answer for an objective that is written now, and its constant; none where memory runs out."""
        try:
            cost, constant = objective()
            given: dict[str, Any] = {"watch": watch, "settle": settle, "constant": constant}
            return self.optimise(cost, sense, whole=whole, **given), constant
        except MemoryError:
            watch.out_of_memory = True
            return Reached("no_answer", np.empty(0), None, None, ""), 0.0

    def optimise(
        self,
        cost: Floats,
        sense: Literal["min", "max"],
        *,
        whole: bool,
        watch: highs.Watch,
        settle: bool = False,
        constant: float = 0.0,
    ) -> Reached:
        """Return the best answer for `cost`, and fix its value for whatever comes next.

        Parameters
        ----------
        whole
            Every value the objective can take is a whole number, so a bound may be moved to the next one.
        settle
            No stage comes after this one: the objective only chooses among answers that are equal so far; of a large part that
            has no other, nothing is asked.
        constant
            What no choice changes of the objective, of which `cost` is added or saved: real numbers meet their bound relative to
            the whole of it.
        """
        matrix, row_lower, row_upper = self._matrix()
        free = self.upper > self.lower
        x = np.where(free, self.start, self.lower)
        fixed = matrix @ np.where(free, 0.0, self.lower)
        low, high = row_lower - fixed, row_upper - fixed
        parts = _parts(matrix, free)
        size = 1e-7 * (1.0 + np.abs(fixed))
        if ((low > size) | (high < -size))[parts.lone_rows].any():
            return Reached("infeasible", np.empty(0), None, None, "")
        value, status, name = float(cost[~free] @ x[~free]), "optimal", ""
        bound = value
        kept: list[tuple[Integers, float]] = []
        for columns, rows in parts.pieces:
            if self.solved and not cost[columns].any():
                continue
            piece = _Piece(matrix[rows][:, columns], low[rows], high[rows], columns, rows)
            if settle and self._settled_already(piece, cost, watch):
                here = float(cost[columns] @ x[columns])
                value, bound = value + here, bound + here
                continue
            answer, prices = self._solve(piece, cost, sense, watch, whole=whole, settle=settle)
            name = answer.solver or name
            if answer.objective is None:
                return Reached(answer.status, np.empty(0), None, None, name)
            x[columns] = answer.x
            reached, limit, proved = _settled(answer, sense, whole=whole)
            value, bound = value + reached, bound + limit
            status = status if proved else "feasible"
            if whole and not rows.size:  # each column by itself: none can stand otherwise and be as good
                alone = columns[cost[columns] != 0]
                self.lower[alone] = self.upper[alone] = x[alone]
                continue
            if proved and prices is not None:
                self._narrow(piece, prices, reached if sense == "min" else -reached)
            kept.append((columns, reached))
        if not self._tells_apart(x):
            return Reached("no_answer", np.empty(0), None, None, name, indistinct=True)
        self._fix_all(kept, cost, sense, whole=whole)
        # what is saved may be little beside what is left, and the solver's rounding of it much
        if not whole and abs(value - bound) <= REALS * abs(abs(constant) - abs(value)):
            status = "optimal"
        self.start, self.solved = x, True
        self._stage += 1
        return Reached(status, x, value, bound, name)  # type: ignore[arg-type]  # built from Answer.status

    def _solve(
        self,
        piece: _Piece,
        cost: Floats,
        sense: Literal["min", "max"],
        watch: highs.Watch,
        *,
        whole: bool,
        settle: bool,
    ) -> tuple[highs.Answer, _Prices | None]:
        """Return the best answer for one part, and prices of its rows that bound it where integer columns can be told by them."""
        columns = piece.columns
        if piece.matrix.shape[0] == 0:  # nothing holds a column back: it goes where its cost draws it
            up = (cost[columns] < 0) if sense == "min" else (cost[columns] > 0)
            x = np.where(up, self.upper[columns], self.lower[columns])
            if self.solved:
                x = np.where(cost[columns] == 0, self.start[columns], x)
            best = float(cost[columns] @ x)
            return highs.Answer("optimal", x, best, best, 0.0, ""), None
        whole_columns = self.integer[columns]
        if (settle or not whole) and whole_columns.any():
            return self._ask(piece, cost, sense, watch, integer=whole_columns), None
        # with all columns real first: its answer is often whole, and its prices bound the answer that is; not where minutes
        # are counted: what earlier stages may lose by half a unit lets real columns save more than whole ones can
        answer = self._ask(piece, cost, sense, watch, integer=False)
        if not whole_columns.any():
            return answer, None
        prices = None
        if answer.status == "optimal":
            prices = self._prices(piece, cost, sense, answer.row_duals)
            answer = self._whole(piece, cost, sense, answer, prices.bound)
        if answer.status not in {"infeasible", "optimal"}:
            answer = self._ask(piece, cost, sense, watch, integer=whole_columns)
        return answer, prices

    def _ask(
        self,
        piece: _Piece,
        cost: Floats,
        sense: Literal["min", "max"],
        watch: highs.Watch,
        *,
        integer: ArrayLike,
    ) -> highs.Answer:
        at = piece.columns
        model = highs.Model(sense)
        model.add_columns(cost[at], lower=self.lower[at], upper=self.upper[at], integer=integer)
        model.add_rows(piece.matrix, lower=piece.lower, upper=piece.upper)
        large = len(at) > SMALL
        # no start is handed over: given one, HiGHS 1.16 may solve a model in presolve and still answer with the start
        return highs.solve(model, watch=watch, presolve=large, leaps=large)

    def _whole(
        self, piece: _Piece, cost: Floats, sense: str, relaxed: highs.Answer, bound: float
    ) -> highs.Answer:
        """Return the answer of the relaxed part as one of the part itself, if it is whole and as good as `bound`; else none."""
        at = piece.columns
        x = np.where(self.integer[at], np.round(relaxed.x), relaxed.x)
        value = float(cost[at] @ x)
        answer = replace(relaxed, x=x, objective=value, bound=bound if sense == "min" else -bound)
        off = np.abs(x - relaxed.x).max(initial=0.0)
        if off > highs.INTEGRALITY or piece.broken(x) or not _settled(answer, sense, whole=True)[2]:
            return replace(answer, status="no_answer")
        return answer

    def _prices(self, piece: _Piece, cost: Floats, sense: str, duals: Floats) -> _Prices:
        """Return what columns cost alone when rows have prices, and the bound that this gives whatever the prices are (Lagrange)."""
        at = piece.columns
        turn = 1.0 if sense == "min" else -1.0
        y = turn * duals
        y = np.where((y > 0) & np.isinf(piece.lower), 0.0, y)
        y = np.where((y < 0) & np.isinf(piece.upper), 0.0, y)
        low, high = (np.where(np.isinf(limit), 0.0, limit) for limit in (piece.lower, piece.upper))
        alone = turn * cost[at] - piece.matrix.T @ y
        bound = float(np.where(y > 0, y * low, y * high).sum())
        bound += float(np.minimum(alone * self.lower[at], alone * self.upper[at]).sum())
        return _Prices(alone, bound)

    def _narrow(self, piece: _Piece, prices: _Prices, reached: float) -> None:
        """Fix the integer columns that no answer as good as the whole number `reached` has otherwise.

        A column whose other value would lift the bound past `reached` keeps its value in every answer that later stages
        may give.
        """
        at = piece.columns
        unit = self.integer[at] & (self.upper[at] - self.lower[at] == 1.0)
        limit = reached + 0.5 + 1e-6 * max(1.0, abs(reached))
        shut, stay = (
            unit & (prices.bound + prices.alone > limit),
            unit & (prices.bound - prices.alone > limit),
        )
        self.upper[at[shut]] = self.lower[at[shut]]
        self.lower[at[stay]] = self.upper[at[stay]]

    def _fix_all(self, kept: list[tuple[Integers, float]], cost: Floats, sense: str, *, whole: bool) -> None:
        for columns, reached in kept:
            self._fix(columns, cost[columns], reached, sense, whole=whole)

    def _fix(self, columns: Integers, cost: Floats, reached: float, sense: str, *, whole: bool) -> None:
        """Keep later stages from losing what this one reached: half a unit for whole objectives, for real ones less than what counts as equal."""
        used = cost != 0
        if not used.any():
            return
        if whole:
            turn = 1.0 if sense == "min" else -1.0
            self._wholes.append((columns[used], cost[used], reached, turn))
        room = 0.5 if whole else 1e-10 * max(1.0, abs(reached))
        if sense == "min":
            self.row(columns[used], cost[used], upper=reached + room)
        else:
            self.row(columns[used], cost[used], lower=reached - room)
        if not whole:
            turn = 1.0 if sense == "max" else -1.0
            self._reals.append(_Real(self._stage, columns[used], turn * cost[used], self._rows - 1))

    def _tells_apart(self, x: Floats) -> bool:
        """Whether `x` keeps, counted exactly, what every earlier stage of whole numbers reached."""
        for columns, cost, reached, turn in self._wholes:
            if self.integer[columns].all():
                now = sum(int(c) * round(v) for c, v in zip(cost.tolist(), x[columns].tolist(), strict=True))
                if turn * (now - round(reached)) > 0:
                    return False
        return True

    def keep_if_alone(self, columns: Integers, watch: highs.Watch) -> bool:
        """Fix `columns` as they are where no other choice of them is as good in the first stage of real numbers; return whether it did.

        What comes after is then asked of the other columns alone, which falls into small parts.
        """
        matrix, row_lower, row_upper = self._matrix()
        free = self.upper > self.lower
        fixed = matrix @ np.where(free, 0.0, self.lower)
        low, high, choice = row_lower - fixed, row_upper - fixed, np.zeros(len(self.lower))
        choice[columns] = 1.0
        for at, rows in _parts(matrix, free).pieces:
            mine = choice * np.isin(np.arange(len(choice)), at)
            if not mine.any():
                continue
            piece = _Piece(matrix[rows][:, at], low[rows], high[rows], at, rows)
            if not self._settled_already(piece, mine, watch):
                return False
        kept = columns[free[columns]]
        self.lower[kept] = self.upper[kept] = np.round(self.start[kept])
        return True

    def _settled_already(self, piece: _Piece, choice: Floats, watch: highs.Watch) -> bool:
        """Whether no other choice of the columns that `choice` tells apart is as good in the first stage of real numbers.

        Solved is that stage again, without the row that keeps what it reached and with this choice forbidden: as fast as the
        stage was, where an objective across such a row takes many times as long.
        """
        if piece.matrix.nnz < LARGE:
            return False
        mine = [r for r in self._reals if np.isin(r.columns, piece.columns).any()]
        mine = [r for r in mine if r.stage == mine[0].stage]
        told = piece.columns[choice[piece.columns] != 0]
        if not mine or not (self.integer[told] & (self.lower[told] >= 0) & (self.upper[told] <= 1)).all():
            return False
        worth = np.zeros(len(self.lower))
        for real in mine:
            worth[real.columns] += real.worth
        worth, x = worth[piece.columns], self.start[piece.columns]
        kept = ~np.isin(piece.rows, [r.row for r in mine])
        model = highs.Model("max")
        at = piece.columns
        model.add_columns(worth, lower=self.lower[at], upper=self.upper[at], integer=self.integer[at])
        model.add_rows(piece.matrix[kept], lower=piece.lower[kept], upper=piece.upper[kept])
        chosen = np.flatnonzero(choice[at] != 0)
        on = x[chosen] > 0.5
        other = (np.zeros(len(chosen), dtype=np.int64), chosen, np.where(on, -1.0, 1.0))
        model.add_rows(other, lower=np.array([1.0 - on.sum()]))
        answer = highs.solve(model, watch=watch)
        if answer.status == "infeasible":
            return True
        reached = float(worth @ x)
        return answer.bound is not None and answer.bound < reached - 1e-7 * max(1.0, abs(reached))


@dataclass(frozen=True)
class _Piece:
    matrix: Any
    lower: Floats
    upper: Floats
    columns: Integers
    rows: Integers
    """Which rows of the program these are."""

    def broken(self, x: Floats) -> bool:
        """Whether `x` breaks a row by more than rounding."""
        activity, slack = self.matrix @ x, highs.ROWS * (1.0 + abs(self.matrix) @ np.abs(x))
        return bool(((activity < self.lower - slack) | (activity > self.upper + slack)).any())


@dataclass(frozen=True)
class _Real:
    """What one part reached in a stage of real numbers, and the row that keeps it."""

    stage: int
    columns: Integers
    worth: Floats
    """To be as large as can be."""
    row: int


@dataclass(frozen=True)
class _Prices:
    """What each column of a part costs when its rows have prices, and the bound these give; both to be as small as can be."""

    alone: Floats
    bound: float


@dataclass(frozen=True)
class _Parts:
    pieces: Sequence[tuple[Integers, Integers]]
    """Columns and rows of each independent part, in order of their first column."""
    lone_rows: Integers
    """Rows all of whose columns are fixed."""


def _parts(matrix: Any, free: NDArray[np.bool_]) -> _Parts:
    rows, columns = matrix.shape
    at = np.flatnonzero(free)
    coo = matrix[:, at].tocoo()
    keep = coo.data != 0
    links = sparse.coo_array(
        (np.ones(int(keep.sum())), (coo.row[keep], rows + coo.col[keep])), shape=(rows + len(at),) * 2
    )
    _, label = connected_components(links, directed=False)
    row_label, column_label = label[:rows], label[rows:]
    lone = np.flatnonzero(~np.isin(row_label, column_label))
    order, row_order = np.argsort(column_label, kind="stable"), np.argsort(row_label, kind="stable")
    found, starts = np.unique(column_label[order], return_index=True)
    row_from = np.searchsorted(row_label[row_order], found, side="left")
    row_to = np.searchsorted(row_label[row_order], found, side="right")
    groups = np.split(at[order], starts[1:]) if len(found) else []
    pieces = [
        (np.sort(group), np.sort(row_order[a:b]))
        for group, a, b in zip(groups, row_from, row_to, strict=True)
    ]
    pieces.sort(key=lambda piece: int(piece[0][0]))
    del columns
    return _Parts(pieces, lone)


def _settled(answer: highs.Answer, sense: str, *, whole: bool) -> tuple[float, float, bool]:
    """Return what one part reached, its bound, and whether they meet."""
    value = float(answer.objective)  # type: ignore[arg-type]  # only called with an objective
    bound = answer.bound
    if bound is None:
        return value, -np.inf if sense == "min" else np.inf, False
    if whole:
        value = float(np.round(value))
        # rounding of the solver, and never a whole step
        slack = min(0.4, 1e-6 * max(1.0, abs(bound) * 1e-3))
        bound = float(np.ceil(bound - slack) if sense == "min" else np.floor(bound + slack))
        return value, bound, value == bound
    return value, value if highs.same(value, bound) else bound, highs.same(value, bound)
