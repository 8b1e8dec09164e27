"""Spread a plan over years, each with its money or number of sites, in one model: most elder-years, targets met by the last."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage.errors import CertificateError, InputError, some
from sy_coverage.siting import _solver, demonstration, infeasible
from sy_coverage.siting._policy_bars import hosts
from sy_coverage.siting._policy_case import CITY
from sy_coverage.siting._policy_check import figures
from sy_coverage.siting._policy_model import Model
from sy_coverage.siting._policy_nursing import conversion_cost, conversions
from sy_coverage.siting._policy_rules import coverage_kinds
from sy_coverage.siting._policy_stations import services
from sy_coverage.siting.certificate import Certificate, SitingPlan, Stage
from sy_coverage.siting.explain import Reasons, reason_frame
from sy_coverage.siting.policy_plan import Solved, of_beds, rules_of, solve_stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sy_coverage.siting._policy_case import Case
    from sy_coverage.siting._policy_check import Figures
    from sy_coverage.siting._solver import SolveOptions
    from sy_coverage.siting._stages import Reached

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Year:
    """What one year may open; None: no limit."""

    year: int
    budget: float | None = None
    """10⁴ yuan; what is left over is not carried to the next year."""
    sites: int | None = None


def years_of(phases: Mapping[int, Mapping[str, float | None]]) -> tuple[Year, ...]:
    """Return the years in order.

    Raises
    ------
    InputError
        If a year has neither a ``budget`` nor ``sites``, an unknown key, or a number that is none.
    """
    found = []
    for year, limits in sorted(phases.items()):
        unknown = sorted(set(limits) - {"budget", "sites"})
        if unknown:
            raise InputError(f"phases: {year} has unknown keys {some(unknown)}; allowed are budget, sites")
        budget, sites = limits.get("budget"), limits.get("sites")
        if budget is None and sites is None:
            raise InputError(f"phases: {year} has neither a budget nor a number of sites; give one")
        for key, value in (("budget", budget), ("sites", sites)):
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise InputError(f"phases: {key} of {year} must be a finite number, 0 or more, not {value}")
        found.append(Year(int(year), budget, None if sites is None else int(sites)))
    return tuple(found)


def phased_plan(
    case: Case, phases: Mapping[int, Mapping[str, float | None]], *, options: SolveOptions
) -> SitingPlan:
    """Return the plan of a case over several years.

    Once open, a site stays open. Of all plans that keep every rule, meet every target by the last year and keep within
    each year's money and number: one with the most elders within the cutoff, summed over the years; of those the
    cheapest; then the one that opens earliest; then the least sum over years of the ranks of its ids.
    `details["years"]` says what each year buys. Where the targets cannot be met so, the plan is ``infeasible`` and
    `details["attainable"]` comes as near to them as the years allow.
    """
    years = years_of(phases)
    with _solver.Watch(options) as watch:
        run = _Phased(case, years, elastic=False).solve(watch)
        if run.status != "infeasible":
            return _finished(case, years, run, options, elastic=False)
        whole = solve_stages(case.but(budget=None), watch=watch, most=1)
        if whole.status == "infeasible":
            return infeasible.explained(case.but(budget=None), whole, watch=watch)
        meanwhile = _Phased(case, years, elastic=True).solve(watch)
    attainable = None
    if meanwhile.answers:
        attainable = _finished(case, years, meanwhile, options, elastic=True)
    certificate = Certificate(
        "phased_plan",
        (),
        attainable.certificate.stages[:1] if attainable and attainable.certificate else (),
        meanwhile.solver,
        _options(case, years, options),
        None,
        notes=("no choice of candidates and years meets every target",),
    )
    findings = reason_frame(_why_not(years, whole), policy=case.policy)
    details = {"attainable": attainable, "targets_met": False}
    return SitingPlan((), "infeasible", None, None, None, certificate, findings=findings, details=details)


@dataclass(frozen=True)
class _Run:
    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    answers: tuple[tuple[str, Literal["min", "max"], Reached, float], ...]
    """Stage, sense, what was reached, and the constant (or, for shortfalls, what is needed in all)."""
    opens: dict[str, int]
    solver: str


class _Phased:
    """The rules of a case at the last year, and a copy of the sites for each year before."""

    def __init__(self, case: Case, years: tuple[Year, ...], *, elastic: bool) -> None:
        self.case, self.years, self.elastic = case, years, elastic
        self.model = Model(case, elastic=elastic, cheapest=False)
        program, last = self.model.program, self.model.x
        count = len(last)
        upper = program.upper[last]
        self.x = [program.columns(count, upper=upper, integer=True) for _ in years[:-1]] + [last]
        each = np.arange(count)
        for before, after in zip(self.x, self.x[1:], strict=False):
            program.rows(
                np.r_[each, each],
                np.r_[before, after],
                np.r_[np.ones(count), -np.ones(count)],
                count=count,
                upper=0.0,
            )
        for x in self.x[:-1]:
            for dependent, host in hosts(case):
                program.row([x[dependent], x[host]], [1.0, -1.0], upper=0.0)
            for service in services(case):
                group = service.stations
                program.row(np.r_[x[service.centre], x[group]], np.r_[1.0, -np.ones(len(group))], upper=0.0)
        # beds converted by the end of each year; those of the last year are the model's own
        total = self.model.convert
        most = program.upper[total]
        self.convert = [program.columns(len(total), upper=most, integer=True) for _ in years[:-1]] + [total]
        for before, after in zip(self.convert, self.convert[1:], strict=False):
            for one, other in zip(before, after, strict=True):
                program.row([one, other], [1.0, -1.0], upper=0.0)
        for year, t in zip(years, range(len(years)), strict=True):
            self._limit(year, t)

    def _limit(self, year: Year, t: int) -> None:
        """Keep the new sites of a year within its budget and number."""
        program, case = self.model.program, self.case
        columns, signs = self.x[t], np.ones(len(self.x[t]))
        costs = case.cost.counts
        if t > 0:
            columns = np.r_[columns, self.x[t - 1]]
            signs, costs = np.r_[signs, -signs], np.r_[costs, -costs]
        if year.budget is not None:
            beds = self.convert[t]
            before = self.convert[t - 1] if t > 0 else beds[:0]
            price = np.r_[np.full(len(beds), case.bed_price), np.full(len(before), -case.bed_price)]
            limit = year.budget / float(case.cost.step)
            if case.cost.exact:
                limit = float(np.floor(limit + 1e-9 * max(1.0, limit))) + 0.5
            program.row(np.r_[columns, beds, before], np.r_[costs, price], upper=limit)
        if year.sites is not None:
            program.row(columns, signs, upper=float(year.sites))

    def solve(self, watch: _solver.Watch) -> _Run:
        """Optimise one objective after the other."""
        program, case = self.model.program, self.case
        answers: list[tuple[str, Literal["min", "max"], Reached, float]] = []
        status: Literal["optimal", "feasible", "infeasible", "no_answer"] = "optimal"
        stages: list[tuple[str, Literal["min", "max"], Any, bool]] = [
            ("elder_years", "max", self._elder_years, case.weight.exact),
            ("cost", "min", lambda: (self.model.cost(), 0.0), case.cost.exact),
            ("open_years", "max", lambda: (self._every(np.ones(len(case.ids))), 0.0), True),
            ("site_ranks", "min", lambda: (self._every(np.arange(1.0, len(case.ids) + 1)), 0.0), True),
        ]
        if self.elastic:
            needed = float(sum(n.needed for n in self.model.needs))
            stages.insert(0, ("towards_targets", "min", lambda: (self.model.shortfall(), needed), True))
        for name, sense, objective, whole in stages:
            cost, constant = objective()
            answer = program.optimise(cost, sense, whole=whole, watch=watch)
            if answer.value is None:
                if not answers:
                    return _Run(answer.status, (), {}, answer.solver)
                status = "feasible"
                break
            answers.append((name, sense, answer, constant))
            if answer.status != "optimal":
                status = "feasible"
                break
        x = answers[-1][2].x
        opens = {}
        for j, site_id in enumerate(case.ids):
            when = [
                year.year for year, columns in zip(self.years, self.x, strict=True) if x[columns[j]] > 0.5
            ]
            if when:
                opens[site_id] = when[0]
        return _Run(status, tuple(answers), opens, next(a[2].solver for a in reversed(answers)))

    def _every(self, values: Floats) -> Floats:
        objective = np.zeros(len(self.model.program.lower))
        for x in self.x:
            objective[x] = values
        return objective

    def _elder_years(self) -> tuple[Floats, float]:
        """Return elders within the cutoff, summed over years, in exact steps, and the part that no choice changes."""
        program, weight, constant = self.model.program, self.case.weight.counts, 0.0
        parts: list[tuple[Integers, Floats]] = []
        for kind in coverage_kinds(self.case):
            reach = self.case.reach(kind)
            constant += float(weight[reach.today].sum()) * len(self.years)
            cover, elders = _merged(reach, weight)
            coo = cover.tocoo()
            for x in self.x:
                z = program.columns(len(elders), integer=False)
                program.rows(
                    np.r_[np.arange(len(z)), coo.row],
                    np.r_[z, x[coo.col]],
                    np.r_[np.ones(len(z)), -np.ones(len(coo.row))],
                    count=len(z),
                    upper=0.0,
                )
                parts.append((z, elders))
        objective = np.zeros(len(program.lower))
        for z, elders in parts:
            objective[z] = elders
        return objective, constant


def _merged(reach: Any, weight: Floats) -> tuple[Any, Floats]:
    """Return (groups × sites, elders by group) of the demand not reached today, merged where cover sets are equal."""
    cover = reach.within.tocsc()
    groups: dict[bytes, int] = {}
    rows: list[Integers] = []
    elders: list[float] = []
    for i in np.flatnonzero(~reach.today & (weight > 0) & (np.diff(cover.indptr) > 0)):
        sites = np.sort(cover.indices[cover.indptr[i] : cover.indptr[i + 1]]).astype(np.int64)
        at = groups.setdefault(sites.tobytes(), len(rows))
        if at == len(rows):
            rows.append(sites)
            elders.append(0.0)
        elders[at] += weight[i]
    indptr = np.r_[0, np.cumsum([len(r) for r in rows])].astype(np.int64)
    columns = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    matrix = sparse.csr_array(
        (np.ones(len(columns)), columns, indptr), shape=(len(rows), reach.within.shape[0])
    )
    return matrix, np.array(elders)


def _why_not(years: tuple[Year, ...], whole: Solved) -> list[dict[str, object]]:
    if whole.figures is None:
        return []
    budgets = [y.budget for y in years if y.budget is not None]
    if len(budgets) == len(years):
        enough = sum(budgets) >= whole.figures.cost
        reason_id = "phase_budget_not_carried" if enough else "phase_budget_too_small"
        row = {"reason_id": reason_id, "value": sum(budgets), "other": whole.figures.cost}
    else:
        row = {
            "reason_id": "phase_sites_too_few",
            "value": sum(y.sites for y in years if y.sites is not None),
            "other": len(whole.sites),
        }
    return [{"subject": CITY, **row}]


def _options(case: Case, years: tuple[Year, ...], options: SolveOptions) -> tuple[tuple[str, str], ...]:
    return (
        *((k, str(v)) for k, v in sorted(vars(case.setting).items())),
        ("phases", "; ".join(f"{y.year}: budget {y.budget}, sites {y.sites}" for y in years)),
        ("gap", str(options.gap)),
        ("time_limit_s", str(options.time_limit_s)),
    )


def _finished(
    case: Case, years: tuple[Year, ...], run: _Run, options: SolveOptions, *, elastic: bool
) -> SitingPlan:
    """Return the certified plan, every year recomputed from the frames."""
    if not run.answers:
        findings = infeasible.no_answer(case)
        return SitingPlan((), "no_answer", None, None, None, None, findings=findings)
    by_year = [_open_by(run.opens, year.year) for year in years]
    checked = [figures(case, sites) for sites in by_year]
    last = checked[-1]
    _require_rules(case, years, run, checked, elastic=elastic)
    stages = tuple(_stage(case, years, run.opens, checked, *answer) for answer in run.answers)
    _require_unbeaten(case, years, run, checked)
    proved = run.status == "optimal" and all(s.proved for s in stages)
    shown = demonstration.shown(case, tuple(sorted(run.opens)), options=options)
    stages = (*stages, *shown.stages)
    proved = proved and all(s.proved for s in shown.stages)
    certificate = Certificate(
        "phased_plan",
        (*rules_of(case, elastic=elastic), "years"),
        stages,
        run.solver,
        _options(case, years, options),
        None,
        notes=infeasible.notes(case),
    )
    sites = tuple(sorted(run.opens))
    solved = Solved("optimal" if proved else "feasible", sites, stages, last, run.solver, elastic=elastic)
    first = stages[0]
    return SitingPlan(
        sites,
        solved.status,
        first.value,
        first.bound,
        0.0 if first.proved else _solver.relative_gap(first.value, first.bound),
        certificate,
        assignment=last.assignment.rename("site_id"),
        phase=dict(sorted(run.opens.items())),
        reasons=Reasons(case, solved, options, dict(run.opens)),
        findings=infeasible.with_more(infeasible.remarks(case, sites), shown.findings),
        details={
            "cost": last.cost,
            "elders_covered": last.elders_covered,
            "elder_minutes": last.elder_minutes,
            "targets": last.targets,
            "targets_met": last.met,
            "new_sites": len(sites),
            "years": _table(case, years, run.opens, checked),
            **of_beds(case, last),
            **shown.details,
        },
    )


def _open_by(opens: Mapping[str, int], year: int) -> tuple[str, ...]:
    return tuple(sorted(s for s, y in opens.items() if y <= year))


def _spent(case: Case, opens: Mapping[str, int], year: int) -> Fraction:
    new = [s for s, y in opens.items() if y == year]
    return sum((Fraction(str(c)) for c in case.candidates.loc[new, "cost"]), start=Fraction(0))


def _keeps_limits(case: Case, years: tuple[Year, ...], opens: Mapping[str, int]) -> bool:
    for year in years:
        if year.budget is not None and _spent(case, opens, year.year) > Fraction(str(year.budget)):
            return False
        if year.sites is not None and sum(y == year.year for y in opens.values()) > year.sites:
            return False
    return sum(_conversions(case, years, opens).values()) == _beds(case, opens)


def _beds(case: Case, opens: Mapping[str, int]) -> int:
    """Return how many beds must be nursing beds more by the last year."""
    price = Fraction(str(case.setting.conversion_cost or 0.0))
    if price == 0:
        return int(conversions(case, opens)["convert"].fillna(0).sum())
    return int(conversion_cost(case, opens) / price)


def _conversions(case: Case, years: tuple[Year, ...], opens: Mapping[str, int]) -> dict[int, int]:
    """Return how many beds each year turns into nursing beds: as early as the money that sites leave allows."""
    price, left, found = Fraction(str(case.setting.conversion_cost or 0.0)), _beds(case, opens), {}
    for year in years:
        most = left
        if year.budget is not None and price > 0:
            most = min(left, int((Fraction(str(year.budget)) - _spent(case, opens, year.year)) / price))
        found[year.year] = most
        left -= most
    return found


def _require_rules(
    case: Case, years: tuple[Year, ...], run: _Run, checked: list[Figures], *, elastic: bool
) -> None:
    # before the last year a required site need not be open yet, nor beds suffice
    late = ("required:", "beds:", "nursing_beds:")
    early = [b for f in checked[:-1] for b in f.broken if not b.startswith(late)]
    broken = [*early, *checked[-1].broken]
    if broken or not _keeps_limits(case, years, run.opens):
        raise CertificateError(f"the plan breaks rules: {some(broken or ['years'])}; it is not shown")
    if not elastic and not checked[-1].met:
        raise CertificateError("the plan misses targets in its last year; it is not shown")


def _stage(
    case: Case,
    years: tuple[Year, ...],
    opens: Mapping[str, int],
    checked: list[Figures],
    name: str,
    sense: Literal["min", "max"],
    answer: Reached,
    constant: float,
) -> Stage:
    """Return one stage recomputed, and refuse a solver whose numbers are not ours."""
    scale = {"cost": float(case.cost.step), "elder_years": float(case.weight.step)}.get(name, 1.0)
    last = years[-1].year
    rank = {s: i + 1 for i, s in enumerate(case.ids)}
    held = {s: sum(opens[s] <= y.year <= last for y in years) for s in opens}
    ours = {
        "elder_years": sum(f.elders_covered for f in checked),
        "cost": checked[-1].cost,
        "open_years": float(sum(held.values())),
        "site_ranks": float(sum(rank[s] * n for s, n in held.items())),
        "towards_targets": float(checked[-1].towards_targets),
    }[name]

    def theirs(value: float) -> float:
        return constant - value if name == "towards_targets" else (constant + value) * scale

    sense = "max" if name == "towards_targets" else sense
    claimed = theirs(answer.value or 0.0)
    bound = theirs(answer.bound if answer.bound is not None else float("nan"))
    ahead = answer.status != "optimal" and (ours > claimed) == (sense == "max")
    if not ahead and not _solver.same(ours, claimed):
        raise CertificateError(
            f"the solver says {name} is {claimed:.9g}, but recomputed it is {ours:.9g}; the plan is not shown"
        )
    proved = answer.status == "optimal" and _solver.same(ours, bound)
    return Stage(name, sense, ours, ours if proved else bound, proved)


def _require_unbeaten(case: Case, years: tuple[Year, ...], run: _Run, checked: list[Figures]) -> None:
    """Refuse a proved plan that gains elders when one site opens in another year, or two sites exchange theirs."""
    if run.status != "optimal":
        return
    best = sum(f.elders_covered for f in checked)
    movable = [s for s in run.opens if case.candidates.loc[s, "kind"] in coverage_kinds(case)]
    hosted = {i for pair in hosts(case) for i in pair}
    movable = [s for s in movable if case.position(s) not in hosted]
    tries: list[tuple[str, int, str | None]] = [
        (s, y.year, None) for s in movable for y in years if y.year < run.opens[s]
    ]
    tries += [(a, run.opens[b], b) for a in movable for b in movable if run.opens[a] > run.opens[b]]
    kind_of = case.candidates["kind"]
    for a, year, b in tries[:2000]:
        moved = dict(run.opens) | {a: year} | ({b: run.opens[a]} if b is not None else {})
        if not _keeps_limits(case, years, moved):
            continue
        total = 0.0
        for kind in coverage_kinds(case):
            reach, weight = case.reach(kind), case.weight
            for y in years:
                open_ = [
                    case.position(s) for s, when in moved.items() if when <= y.year and kind_of[s] == kind
                ]
                near = reach.today | (np.asarray(reach.within[open_].sum(axis=0)).ravel() > 0)
                total += weight.total(near)
        if total > best and not _solver.same(total, best):
            raise CertificateError(
                f"a plan said to be the best gains if {a} opens in {year}; it is not shown"
            )


def _table(
    case: Case, years: tuple[Year, ...], opens: Mapping[str, int], checked: list[Figures]
) -> pd.DataFrame:
    """Return what each year buys: `year`; `budget`, `cost`, `new_sites`, `elders_covered`, `elders_gained`, `towards_targets`."""
    before, converted = figures(case, ()).elders_covered, _conversions(case, years, opens)
    price = float(case.setting.conversion_cost or 0.0)
    rows = []
    for year, reached in zip(years, checked, strict=True):
        rows.append(
            {
                "year": year.year,
                "budget": year.budget,
                "sites_allowed": year.sites,
                "new_sites": sum(y == year.year for y in opens.values()),
                "cost": float(_spent(case, opens, year.year)) + price * converted[year.year],
                "beds_converted": converted[year.year],
                "elders_covered": reached.elders_covered,
                "elders_gained": reached.elders_covered - before,
                "towards_targets": reached.towards_targets,
                "targets_met": reached.met,
            }
        )
        before = reached.elders_covered
    return pd.DataFrame(rows).set_index("year")


def recount(case: Case, plan: SitingPlan) -> dict[str, float]:
    """Return the stages of a plan of several years, counted again from the years in which its sites open.

    Raises
    ------
    CertificateError
        If a year spends or opens more than it may.
    """
    table = plan.details["years"]
    years = tuple(
        Year(
            int(year),
            None if pd.isna(row["budget"]) else float(row["budget"]),
            None if pd.isna(row["sites_allowed"]) else int(row["sites_allowed"]),
        )
        for year, row in table.iterrows()
    )
    if set(plan.phase) != set(plan.sites) or not _keeps_limits(case, years, plan.phase):
        raise CertificateError("the plan breaks rules: years; it is not to be used")
    checked = [figures(case, _open_by(plan.phase, y.year)) for y in years]
    rank = {s: i + 1 for i, s in enumerate(case.ids)}
    held = {s: sum(opens <= y.year for y in years) for s, opens in plan.phase.items()}
    return {
        "elder_years": sum(f.elders_covered for f in checked),
        "open_years": float(sum(held.values())),
        "site_ranks": float(sum(rank[s] * n for s, n in held.items())),
    }
