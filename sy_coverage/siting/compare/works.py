"""Tell where an adopted plan stands against its years and targets, which sites slip, and which plan mends it with the fewest changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import InputError, UnknownIdError, some
from sy_coverage.places.works import MILESTONES
from sy_coverage.siting.planning import plan_case
from sy_coverage.siting.planning.check.figures import count, opened_with

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.highs import SolveOptions

STEPS = (1, 1, 4, 1)
"""Quarters from now to 立项, on to 开工, 竣工 and 运营, where the list itself does not show how long they take."""
SHOWN_BY = 3
"""So many sites of the list must have taken a step before their median decides how long it takes."""


@dataclass(frozen=True)
class Works:
    """How an adopted plan is carried out."""

    on: pd.Period
    """The quarter in which it is looked at."""
    ends: pd.Period
    """The quarter by whose end the targets must hold."""
    sites: DataFrame
    """By `site_id`: `name`, `kind`, `due`, `approved`, `started`, `completed`, `opened` (quarters), `stage` (``opened``,
    ``completed``, ``started``, ``approved``, ``waiting``, ``stopped``), `expected` (the quarter in which it opens as things
    go; missing where it is stopped), `late_quarters` (after it was due), `slips` (stopped, or not open by `ends`),
    `cost_planned`, `cost_real` (10⁴ yuan)."""
    targets: DataFrame
    """By (`target_id`, `scope_id`): `needed`, `today` (before the plan), `now` (with what is open), `expected` (with what opens
    by `ends` as things go), `adopted` (were all of it built)."""
    cost_planned: float
    """10⁴ yuan that the adopted sites were to cost."""
    cost_expected: float
    """The same with the real cost where the list gives it, without the sites that are stopped."""
    steps: tuple[int, ...]
    """Quarters that the steps to 立项, 开工, 竣工 and 运营 are taken to last."""
    new_by: pd.Period
    """The quarter in which a site opens on which work begins now."""
    slipped: tuple[str, ...]
    done: tuple[str, ...]
    """Sites on which work has begun: they stay."""
    unread: tuple[tuple[int, str, str], ...]
    """Cells of the list that are no quarter or amount: (row, field, text)."""
    repaired: SitingPlan | None = field(repr=False)
    """The plan that meets the targets with the fewest changes, then the least cost; None where nothing slips. Its first stage,
    ``sites_changed``, counts the sites left out and the new ones."""

    @property
    def dropped(self) -> tuple[str, ...]:
        """Return the adopted sites that the repaired plan does without."""
        plan = None if self.repaired is None else self.repaired.best
        return () if plan is None else tuple(sorted({*self.sites.index} - {*plan.sites}))

    @property
    def added(self) -> tuple[str, ...]:
        """Return the sites that the repaired plan takes in their place."""
        plan = None if self.repaired is None else self.repaired.best
        return () if plan is None else tuple(sorted({*plan.sites} - {*self.sites.index}))


def carried_out(
    case: PlanCase,
    works: DataFrame,
    *,
    on: dt.date | str | pd.Period,
    ends: dt.date | str | pd.Period | None = None,
    steps: Sequence[int] | None = None,
    options: SolveOptions | None = None,
) -> Works:
    """Return where an adopted plan stands, what slips, and the plan that mends it with the fewest changes, then the least cost.

    A site is expected to open when the steps that are left have taken as long as they took elsewhere in the list (the median of
    three sites or more), else as long as `steps` says; none of them ends before the quarter `on`. Sites on which work has begun
    stay, those that slip are left out, and new ones are taken only where a site begun now opens in time.

    Parameters
    ----------
    case
        What is planned, as `read_case` has read it; its candidates hold every site of the list.
    works
        The adopted sites, as `places.read_works` returns them.
    on
        The quarter (or a day in it) in which the list is true.
    ends
        The quarter by whose end the targets must hold; None: that of the policy's last day.
    steps
        Quarters to 立项, 开工, 竣工 and 运营, such as ``(1, 1, 4, 1)``; they decide over the list.
    options
        Time limit, gap, progress.

    Returns
    -------
    works
        Sites, targets, money and the repaired plan, which is certified.

    Raises
    ------
    InputError
        If the list is empty or names a site twice, or the policy says no day and `ends` is not given.
    UnknownIdError
        If the list names sites that are no candidates.
    """
    now, last = pd.Period(on, freq="Q"), _last(case, ends)
    rows = works.set_axis(_ids_of(case, works["site"]), axis=0).rename_axis("site_id").sort_index()
    taken = _steps(rows, steps)
    sites = _sites(case, rows, now, last, taken)
    slipped = tuple(sites.index[sites["slips"]])
    done = tuple(sites.index[sites["stage"].isin(("opened", "completed", "started"))])
    real = sites["cost_real"].where(sites["stage"] != "stopped")
    new_by = now + sum(taken)
    priced = _at_real_cost(case, sites)
    targets = _targets(case, sites)
    repaired = None
    if slipped or not (targets["expected"] >= targets["needed"]).all():
        repaired = _repaired(priced, sites, slipped, done, in_time=new_by <= last, options=options)
    return Works(
        on=now,
        ends=last,
        sites=sites,
        targets=targets,
        cost_planned=float(sites["cost_planned"].sum()),
        cost_expected=float(real.fillna(sites["cost_planned"]).where(sites["stage"] != "stopped", 0.0).sum()),
        steps=taken,
        new_by=new_by,
        slipped=slipped,
        done=done,
        unread=tuple(works.attrs.get("unread", ())),
        repaired=repaired,
    )


def _last(case: PlanCase, ends: Any) -> pd.Period:
    day = ends if ends is not None else case.policy.ends
    if day is None:
        raise InputError(
            f"carried_out: policy {case.policy.id} says no day by which it must be met; give `ends`"
        )
    return pd.Period(day, freq="Q")


def _ids_of(case: PlanCase, named: Iterable[str]) -> list[str]:
    """Return the candidates that a list names by id or name."""
    by_name: dict[str, list[str]] = {}
    for site_id, name in case.listed["name"].items():
        by_name.setdefault(str(name), []).append(str(site_id))
    found, unknown = [], []
    for one in named:
        ids = [one] if one in case.listed.index else by_name.get(one, [])
        found += ids[:1]
        if len(ids) != 1:
            unknown.append(f"{one} ({some(ids)})" if ids else one)
    if unknown:
        raise UnknownIdError(
            f"works: sites that are no candidates, or names of several: {some(unknown)}; give their ids"
        )
    if not found:
        raise InputError("works: the list has no sites")
    twice = sorted({i for i in found if found.count(i) > 1})
    if twice:
        raise InputError(f"works: sites in more than one row: {some(twice)}; keep one row each")
    return found


def _steps(rows: DataFrame, given: Sequence[int] | None) -> tuple[int, ...]:
    if given is not None:
        if len(given) != len(MILESTONES) or any(n != int(n) or n < 0 for n in given):
            raise InputError(f"steps={given!r}: must be four whole numbers of quarters, 0 or more")
        return tuple(int(n) for n in given)
    found = [STEPS[0]]
    for before, after, usual in zip(MILESTONES, MILESTONES[1:], STEPS[1:], strict=False):
        both = rows[rows[before].notna() & rows[after].notna()]
        took = [late.ordinal - early.ordinal for early, late in zip(both[before], both[after], strict=True)]
        found.append(int(np.ceil(np.median(took))) if len(took) >= SHOWN_BY else usual)
    return tuple(max(0, n) for n in found)


def _sites(
    case: PlanCase, rows: DataFrame, now: pd.Period, last: pd.Period, steps: tuple[int, ...]
) -> DataFrame:
    stages, expected = [], []
    for row in rows.itertuples():
        reached = [
            n
            for n, name in enumerate(MILESTONES)
            if not pd.isna(getattr(row, name)) and getattr(row, name) <= now
        ]
        at = max(reached, default=-1)
        stages.append("stopped" if row.stopped and at < len(MILESTONES) - 1 else (*MILESTONES, "waiting")[at])
        quarter = now if at < 0 else getattr(row, MILESTONES[at])
        for step in steps[at + 1 :]:
            quarter = max(quarter + step, now)
        expected.append(pd.NaT if stages[-1] == "stopped" else quarter)
    planned = case.listed.loc[rows.index, "cost"].astype(float)
    frame = pd.DataFrame(
        {
            "name": case.listed.loc[rows.index, "name"],
            "kind": case.listed.loc[rows.index, "kind"],
            **{name: rows[name] for name in ("due", *MILESTONES)},
            "stage": stages,
            "expected": pd.PeriodIndex(expected, freq="Q"),
        },
        index=rows.index,
    )
    late = [
        max(0, e.ordinal - d.ordinal) if not (pd.isna(e) or pd.isna(d)) else np.nan
        for e, d in zip(frame["expected"], frame["due"], strict=True)
    ]
    beyond = [pd.isna(e) or e > last for e in frame["expected"]]
    return frame.assign(
        late_quarters=pd.Series(late, index=frame.index, dtype="float64"),
        slips=np.array(beyond, dtype=bool),
        cost_planned=planned,
        cost_real=rows["cost"],
    )


def _at_real_cost(case: PlanCase, sites: DataFrame) -> PlanCase:
    real = sites["cost_real"].dropna()
    cost = case.listed["cost"].astype(float).copy()
    cost[real.index] = real
    rules = replace(
        case.rules,
        phases={},
        carry=False,
        paid_over={},
        slack=None,
        cost_limit=None,
        differ_from=(),
        adopted=(),
    )
    return replace(case, listed=case.listed.assign(cost=cost), rules=rules)


def _targets(case: PlanCase, sites: DataFrame) -> DataFrame:
    sets = {
        "today": [],
        "now": list(sites.index[sites["stage"] == "opened"]),
        "expected": list(sites.index[~sites["slips"]]),
        "adopted": list(sites.index),
    }
    frames = {
        name: count(case, opened_with(case, case.with_kept(chosen))).targets.set_index(
            ["target_id", "scope_id"]
        )
        for name, chosen in sets.items()
    }
    needed = frames["today"]["needed"]
    return pd.DataFrame({"needed": needed} | {name: frame["reached"] for name, frame in frames.items()})


def _repaired(
    case: PlanCase,
    sites: DataFrame,
    slipped: tuple[str, ...],
    done: tuple[str, ...],
    *,
    in_time: bool,
    options: SolveOptions | None,
) -> SitingPlan:
    new = () if in_time else tuple(i for i in case.listed.index if i not in sites.index)
    gone = {*slipped, *new}
    rules = case.rules
    required = case.listed["required"].astype(bool) & ~case.listed.index.isin(gone)
    free = replace(case, listed=case.listed.assign(required=required))
    return plan_case(
        free.but(
            adopted=tuple(sites.index),
            forbid=(*rules.forbid, *gone),
            require=(*(i for i in rules.require if i not in gone), *(i for i in done if i not in gone)),
        ),
        options=options,
    )
