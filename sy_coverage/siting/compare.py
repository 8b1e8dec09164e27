"""Set plans side by side: what more elders cost, what the county rule costs, and what differs between two plans."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import CertificateError, InputError, some
from sy_coverage.siting.planning import case_asked, demonstration, plan_of, rules_of
from sy_coverage.siting.planning.check.figures import count, figures, opened_with, spent_on
from sy_coverage.siting.planning.explain import as_kept, case_of
from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.planning.phases import check
from sy_coverage.siting.planning.rules import nursing
from sy_coverage.siting.solve import highs
from sy_coverage.siting.verify import Verification, require_assignment, require_numbers

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import Case


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
    case = case_of(plan).but(budget=None)
    with highs.Watch(options or highs.SolveOptions()) as watch:
        found = _curve(case, points, watch, keep_targets=keep_targets)
    whole = float(case.demand[case.setting.elders].sum())
    rows = pd.DataFrame(
        [
            {
                "cost": float(spent_on(case, sites)),
                "elders_covered": c.elders_covered,
                "share_covered": c.elders_covered / whole if whole else np.nan,
                "new_sites": len(sites),
                "targets_met": c.met,
                "sites": sites,
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
    case: Case, points: int, watch: highs.Watch, *, keep_targets: bool
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
    case: Case, least: float | None, watch: highs.Watch, *, keep_targets: bool
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


def scope_price(plan: SitingPlan, *, options: highs.SolveOptions | None = None) -> DataFrame:
    """Return what it costs that every county meets the coverage rates by itself, against the rates over all units at once.

    Returns
    -------
    prices
        Indexed by `scope` (``county``, ``city``): `status`, `cost`, `new_sites`, `elders_covered`, `sites`; the
        difference of the two costs is the price of the county rule.

    Raises
    ------
    InputError
        If the plan is none of `policy_plan`.
    """
    case = case_of(plan)
    rows = []
    for scope in ("county", "city"):
        other = plan_of(case.but(scope=scope), options=options or highs.SolveOptions())
        rows.append({"scope": scope, "status": other.status, **_summary(other)})
    return pd.DataFrame(rows).set_index("scope")


def compare_plans(one: SitingPlan, other: SitingPlan) -> DataFrame:
    """Return the sites of two plans side by side.

    Returns
    -------
    comparison
        Indexed by `site_id`, sorted: `kind`, `unit_id`, `cost`, `in_one`, `in_other`. `.attrs["totals"]` is a frame
        of `cost`, `new_sites` and `elders_covered` of both, and how many sites they share.

    Raises
    ------
    InputError
        If a plan is none of `policy_plan`.
    """
    cases = [case_of(p).candidates for p in (one, other)]
    rows = []
    for site_id in sorted({*one.sites, *other.sites}):
        site = next(c.loc[site_id] for c in cases if site_id in c.index)
        rows.append(
            {
                "site_id": site_id,
                "kind": site["kind"],
                "unit_id": site["unit_id"],
                "cost": float(site["cost"]),
                "in_one": site_id in one.sites,
                "in_other": site_id in other.sites,
            }
        )
    columns = ["site_id", "kind", "unit_id", "cost", "in_one", "in_other"]
    frame = pd.DataFrame(rows, columns=columns).set_index("site_id")
    totals = pd.DataFrame([_summary(p) for p in (one, other)], index=pd.Index(["one", "other"], name="plan"))
    frame.attrs["totals"] = totals.drop(columns="sites").assign(
        shared=int((frame["in_one"] & frame["in_other"]).sum())
    )
    return frame


def verify_policy(plan: SitingPlan, **asked_for: Any) -> Verification:
    """Return what a policy plan comes to when it is counted again from the frames and travel times, without the solver.

    Of a plan of several years every year is counted. Of demonstration sites the number, the criteria and the elders near them
    are counted, of conversions of beds every place's share.

    Parameters
    ----------
    plan
        The plan, as `policy_plan` returned it.
    **asked_for
        What `policy_plan` was asked for, as it was asked for; only a plan that does not hold this itself needs it, such as
        one that another process handed over.

    Returns
    -------
    verification
        Every rule and target recomputed, the first objective, and the figures of the plan.

    Raises
    ------
    CertificateError
        If a rule or target does not hold, or a figure is not what the plan says.
    InputError
        If the plan is none of `policy_plan`.
    """
    if asked_for:
        given = {k: v for k, v in asked_for.items() if k not in {"phases", "options"}}
        case = as_kept(plan, case_asked(**given))
    else:
        case = case_of(plan)
    certificate = plan.certificate
    if certificate is None:
        raise InputError("verify_policy: needs a plan with a certificate")
    again = figures(case, plan.sites)
    ours = {
        "cost": again.cost,
        "elders": again.elders_covered,
        "elder_minutes": again.elder_minutes,
        "home_minutes": again.home_minutes,
        "towards_targets": float(again.towards_targets),
        "site_ranks": float(sum(case.position(s) + 1 for s in plan.sites)),
        **demonstration.recount(case, plan),
    }
    if "years" in plan.details:  # also where no year opens anything
        ours |= check.recount(case, plan)
    said = ("cost", "elders_covered", "elder_minutes")
    differ = [k for k in said if not highs.same(plan.details[k], getattr(again, k))]
    wrong = [s.objective_id for s in certificate.stages if not highs.same(s.value, ours[s.objective_id])]
    unproved = [s.objective_id for s in certificate.stages if s.proved and not highs.same(s.value, s.bound)]
    first = certificate.stages[0]
    elastic = first.objective_id == "towards_targets"
    missed = [] if elastic or again.met else ["targets"]
    false_claim = ["status"] if plan.status == "optimal" and not certificate.proved else []
    found = [
        *again.broken,
        *_of_marks_and_beds(case, plan),
        *differ,
        *wrong,
        *unproved,
        *missed,
        *false_claim,
        *(f"rule not named: {r}" for r in rules_of(case, elastic=elastic) if r not in certificate.rules),
        *(() if plan.details["targets_met"] == again.met else ("targets_met",)),
        *(() if plan.details["targets"].equals(again.targets) else ("details: targets",)),
        *(() if plan.bound == first.bound or np.isnan(first.bound) else ("bound",)),
    ]
    if found or plan.objective != first.value:
        raise CertificateError(
            f"the plan does not hold when counted again: {some(found or ['objective'])}; it is not to be used"
        )
    require_numbers(plan, first.value, first.sense)
    require_assignment(plan, again.assignment)
    rules = pd.DataFrame({"holds": True}, index=pd.Index(certificate.rules, name="rule_id"))
    return Verification(certificate.problem, plan.objective, rules, {**ours, "targets": again.targets})


def _of_marks_and_beds(case: Case, plan: SitingPlan) -> list[str]:
    """Return what does not hold of the demonstration sites and conversions a plan names."""
    found = demonstration.breaches(case, plan)
    if case.setting.conversion_cost is not None:
        table = plan.details["conversions"]
        found += [f"nursing_beds:{place}" for place in nursing.lacking(case, plan.sites, table["convert"])]
        spent = Fraction(str(case.setting.conversion_cost)) * int(table["convert"].fillna(0).sum())
        sites = sum(
            (Fraction(str(c)) for c in case.candidates.loc[list(plan.sites), "cost"]), start=Fraction(0)
        )
        if not highs.same(float(spent + sites), plan.details["cost"]):
            found.append("cost")
    return found


def _summary(plan: SitingPlan) -> dict[str, object]:
    return {
        "cost": plan.details.get("cost"),
        "new_sites": len(plan.sites),
        "elders_covered": plan.details.get("elders_covered"),
        "sites": plan.sites,
    }
