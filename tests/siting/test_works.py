"""Read an adopted plan as an office types it, see what slips, and mend it with the fewest changes, then the least cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sy_coverage import places, siting
from sy_coverage.errors import FrameError, InputError, UnknownIdError
from tests.siting.policy_toys import policy_of
from tests.siting.test_policy_choices import choosy_road, every_plan, seeds

HEADER = "序号,项目名称,计划年度,立项,开工,竣工,运营,实际投资（万元）,进展\n"


@pytest.mark.parametrize(
    ("cell", "quarter"),
    [
        ("2026年三季度", "2026Q3"),
        ("2026Q3", "2026Q3"),
        ("26年第3季度", "2026Q3"),
        ("２０２６年第四季度", "2026Q4"),
        ("2026年9月", "2026Q3"),
        ("2026.10", "2026Q4"),
        ("2026-02-11", "2026Q1"),
        ("2027", "2027Q4"),
        ("2027年", "2027Q4"),
        ("未开工", None),
        ("/", None),
    ],
)
def test_a_quarter_is_read_in_any_form(cell, quarter):
    found = places.quarter_of(cell)
    assert (None if found is None else str(found)) == quarter


def test_a_list_is_read_as_it_is_typed(tmp_path):
    path = tmp_path / "实施进度.csv"
    path.write_text(
        HEADER
        + "1,甲中心,2026,2025年四季度,2026年1月,2026Q3,,12.5万元,\n"
        + "2,乙中心,2027年,2026-02-11,尚未开工,,,/,资金未到位\n"
        + "3,丙中心,2027年二季度,年底前,,,,,已取消\n",
        encoding="utf-8",
    )
    works = places.read_works(path)
    assert list(works["site"]) == ["甲中心", "乙中心", "丙中心"]
    assert [str(q) for q in works["due"]] == ["2026Q4", "2027Q4", "2027Q2"]
    assert [str(q) for q in works["approved"]] == ["2025Q4", "2026Q1", "NaT"]
    assert [str(q) for q in works["completed"]] == ["2026Q3", "NaT", "NaT"]
    assert works["cost"].tolist()[0] == 12.5
    assert works["cost"].isna().tolist() == [False, True, True]
    assert works["stopped"].tolist() == [False, False, True]
    assert works.attrs["unread"] == ((4, "approved", "年底前"),)
    other = tmp_path / "other.csv"
    other.write_text("立项,开工\n2026,2027\n", encoding="utf-8")
    with pytest.raises(FrameError):
        places.read_works(other)


def works_of(rows: dict[str, dict[str, object]]) -> pd.DataFrame:
    """Return a list as `read_works` gives it."""
    frame = pd.DataFrame(index=pd.RangeIndex(2, 2 + len(rows), name="row"))
    frame["site"] = list(rows)
    for field in ("due", "approved", "started", "completed", "opened"):
        frame[field] = pd.PeriodIndex([r.get(field) for r in rows.values()], freq="Q")
    frame["cost"] = [float(r.get("cost", np.nan)) for r in rows.values()]  # type: ignore[arg-type]
    frame["stopped"] = [bool(r.get("stopped")) for r in rows.values()]
    return frame


def case_of(road) -> siting.PlanCase:
    return siting.read_case(**road.frames(), policy=policy_of(homes=1), times=road.times())


def test_what_opens_when_by_the_steps_that_are_left():
    road = choosy_road(1)
    plan = siting.plan_case(case_of(road))
    first, second, third, *rest = plan.sites
    rows = {
        first: {"due": "2026Q4", "approved": "2025Q3", "started": "2025Q4", "completed": "2026Q3"},
        second: {"due": "2026Q4", "approved": "2026Q1"},
        third: {"due": "2027Q4", "stopped": True},
        **{s: {"due": "2027Q4", "opened": "2026Q1"} for s in rest},
    }
    found = siting.carried_out(case_of(road), works_of(rows), on="2026-09-30", ends="2027-12-31")
    # 竣工 in 2026Q3, one quarter more; 立项 in 2026Q1: 开工 is due in 2026Q2 and has not come, so 2026Q3, 竣工 2027Q3, 运营 2027Q4
    assert [str(q) for q in found.sites.loc[[first, second], "expected"]] == ["2026Q4", "2027Q4"]
    assert found.sites.loc[[first, second], "late_quarters"].tolist() == [0.0, 4.0]
    assert found.sites["stage"].to_dict() == {
        first: "completed",
        second: "approved",
        third: "stopped",
        **dict.fromkeys(rest, "opened"),
    }
    assert found.slipped == (third,)
    assert set(found.done) == {first, *rest}
    quicker = siting.carried_out(case_of(road), works_of(rows), on="2026-09-30", ends="2026-12-31")
    assert set(quicker.slipped) == {second, third}  # no longer by the end of 2026


@pytest.mark.parametrize("seed", seeds(6, 200))
def test_a_list_with_two_slipped_sites_is_mended_with_the_fewest_changes_then_the_least_cost(seed):
    rng, road = np.random.default_rng(seed), choosy_road(700 + seed)
    plans, case = every_plan(road), case_of(road)
    plan = siting.plan_case(case)
    if not plans:
        return
    adopted = sorted({*plan.sites, *map(str, rng.choice(sorted(road.candidates), 2))})
    slips = [str(s) for s in rng.choice(adopted, 2, replace=False)]
    begun = str(rng.choice([s for s in adopted if s not in slips]))
    real = float(rng.integers(30, 60))
    rows: dict[str, dict[str, object]] = {s: {"due": "2027Q4", "approved": "2026Q3"} for s in adopted}
    rows[begun] |= {"started": "2026Q3", "cost": real}
    rows[slips[0]] = {"due": "2026Q4", "stopped": True}
    rows[slips[1]] = {"due": "2027Q4"}  # nothing yet: 1 + 1 + 4 + 1 quarters from 2026Q3 end in 2028Q2
    found = siting.carried_out(case, works_of(rows), on="2026Q3", ends="2028Q1")
    assert set(found.slipped) == set(slips)
    # a new site begun now opens in 2028Q2 too: only what is adopted can mend it
    left = {s for s in adopted if s not in slips}
    expected = [s for s in plans if set(s) <= left and begun in s]
    mended = found.repaired
    met = any(set(s) == left for s in plans)
    if not slips and met:
        assert mended is None
    price = {s: c for s, (_, _, c) in road.candidates.items()} | {begun: real}
    if not expected:
        assert mended.status == "infeasible"
    else:
        best = min((len(set(s) ^ set(adopted)), sum(price[i] for i in s)) for s in expected)
        assert (mended.objective, mended.figures.cost) == pytest.approx(best)
        assert mended.status == "optimal"
        assert siting.verify(mended).objective == mended.objective
    # with a year more new sites open in time
    later = siting.carried_out(
        case, works_of(rows | {slips[1]: {"stopped": True}}), on="2026Q3", ends="2028Q4"
    )
    allowed = [s for s in plans if not set(s) & set(slips) and begun in s]
    if allowed:
        best = min((len(set(s) ^ set(adopted)), sum(price[i] for i in s)) for s in allowed)
        assert (later.repaired.objective, later.repaired.figures.cost) == pytest.approx(best)
        assert set(later.dropped) | set(later.added) == set(later.repaired.sites) ^ set(adopted)
    # money and targets, by hand
    assert found.cost_planned == pytest.approx(sum(road.candidates[s][2] for s in adopted))
    assert found.cost_expected == pytest.approx(sum(price[s] for s in adopted if s != slips[0]))
    for column, sites in {"today": [], "expected": sorted(left), "adopted": adopted}.items():
        lacks = road.value(tuple(sites))[0]
        assert (found.targets["needed"] - found.targets[column]).clip(lower=0).sum() == lacks


def test_what_is_no_adopted_plan_is_refused():
    case = case_of(choosy_road(0))
    with pytest.raises(UnknownIdError, match="nowhere"):
        siting.carried_out(case, works_of({"nowhere": {}}), on="2026Q3")
    with pytest.raises(InputError, match="no sites"):
        siting.carried_out(case, works_of({"c0": {}}).iloc[:0], on="2026Q3")
    with pytest.raises(InputError, match="more than one row"):
        siting.carried_out(case, pd.concat([works_of({"c0": {}})] * 2), on="2026Q3")
    with pytest.raises(InputError, match="steps"):
        siting.carried_out(case, works_of({"c0": {}}), on="2026Q3", steps=(1, 2))
