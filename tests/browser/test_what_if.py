"""What a page counts of a choice of sites is what Python counts of it, and a choice can be made, undone, kept and taken along."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sy_coverage as sy
from sy_coverage import siting
from sy_coverage.errors import InputError
from sy_coverage.outputs import maps
from sy_coverage.outputs.maps.choices import what_if
from sy_coverage.siting.planning.check.figures import figures
from sy_coverage.study.config.questions.scenario import Scenario
from sy_coverage.study.plans import alternatives
from tests.siting.policy_toys import Road, policy_of

STATES = ("open", "shut", "require", "forbid", "auto")


def road(seed: int) -> Road:
    """Return a county on a road: a street, three townships, homes of which one may be rebuilt, minutes of any length."""
    draw = np.random.default_rng(seed)
    units = {
        "U0": ("street", "C", 0.0, 20.0),
        **{f"U{n}": ("township", "C", 20.0 * n, 20.0 * n + 20) for n in (1, 2, 3)},
    }
    villages = {f"v{n:02d}": (draw.uniform(0, 80), int(draw.integers(0, 400))) for n in range(40)}
    facilities = {"s1": ("service_centre", draw.uniform(0, 80)), "s2": ("service_centre", draw.uniform(0, 80)),
                  "h1": ("regional_home", draw.uniform(0, 80)), "h2": ("township_home", draw.uniform(0, 80)), "d1": ("dementia_unit", 7.0)}  # fmt: skip
    kinds = ("service_centre", "service_centre", "dementia_unit", "regional_home")
    candidates = {
        f"c{n:02d}": (kinds[n % 4], draw.uniform(0, 80), float(draw.choice([60, 90.5, 100, 0.25])))
        for n in range(16)
    }
    return Road(units, villages, facilities, candidates, extra={"upgrade_of": {"c03": "h1", "c07": "h2"}})


def case_of(seed: int, **rules: Any) -> siting.PlanCase:
    made = road(seed)
    frames = made.frames()
    frames["facilities"]["dementia_ward"] = [i == "h1" for i in frames["facilities"].index]
    frames["candidates"] = frames["candidates"].assign(
        required=False, premises=None, host_id=None, upgrade_of=frames["candidates"]["upgrade_of"]
    )
    return siting.read_case(**frames, policy=policy_of(), times=made.times(), rules=siting.PlanRules(**rules))


def counted(case: siting.PlanCase, wanted: set[str]) -> dict[str, Any]:
    """Return what Python counts where the columns `wanted` are open, but for facilities that one of them replaces."""
    free = what_if.with_columns(case)
    told = figures(free, [i for i in wanted if not wanted & set(free.movable.get(i, ()))])
    targets = {row.target_id: (row.reached, bool(row.met)) for row in told.targets.itertuples()}
    return {
        "cost": told.cost,
        "elders": told.elders_covered,
        "minutes": told.elder_minutes,
        "targets": targets,
    }


def edits(packed: str, seed: int, most: int) -> list[tuple[str, str]]:
    draw = np.random.default_rng(seed)
    sites = [site["i"] for site in json.loads(packed)["sites"]]
    return [(str(draw.choice(sites)), str(draw.choice(STATES))) for _ in range(draw.integers(1, most))]


def assert_same(
    page: Any, case: siting.PlanCase, packed: str, chosen: set[str], *, seeds: range, most: int
) -> None:
    sites = {site["i"]: site for site in json.loads(packed)["sites"]}
    elders = float(case.elders.sum())
    for seed in seeds:
        made = edits(packed, seed, most)
        told = page.run(
            """(made) => { whatIf.reset(); made.forEach(([id, state]) => whatIf.set(id, state)); return whatIf.count(); }""",
            [list(one) for one in made],
        )
        state = dict.fromkeys(sites, "auto") | dict(made)
        is_open = {
            i: (site["s"] == 1 or i in chosen) if state[i] == "auto" else state[i] in {"open", "require"}
            for i, site in sites.items()
        }
        ours = counted(case, {i for i in sites if is_open[i]})
        assert told["cost"] == ours["cost"], made
        assert told["elders_within"] == ours["elders"], made
        assert told["elder_minutes"] == pytest.approx(ours["minutes"], abs=0.05 * elders + 1e-6), made
        met = {target: one["met"] for target, one in told["targets"].items()}
        assert met == {target: one[1] for target, one in ours["targets"].items()}, made
        for target, (reached, _) in ours["targets"].items():
            asked = next(t for t in json.loads(packed)["targets"] if t["id"] == target)
            value = told["targets"][target]["value"]
            assert (
                round((value or 0) * len(asked["members"])) if asked["counts"] == "units" else value
            ) == reached, made


@pytest.fixture(scope="module")
def drawn(all_findings):
    """Return a function that draws the toy county with a case's counts in it."""

    def page_of(packed: str, **more: Any) -> str:
        county = all_findings.of_county("990100")
        return maps.draw(replace(county, recounts={"990100": packed}, **more)).html()

    return page_of


@pytest.mark.parametrize("rules", [{}, {"rule": "access", "share": 0.7}, {"rule": "both", "share": 0.5}])
def test_the_page_counts_every_choice_as_python_does(opened, drawn, rules):
    for seed in range(3):
        case = case_of(seed, **rules)
        chosen = set(np.random.default_rng(seed).choice(sorted(case.listed.index), 5))
        packed = what_if.packed(case, chosen, language="zh")
        page = opened(drawn(packed), f"{seed}.html")
        assert_same(page, case, packed, chosen, seeds=range(12), most=12)
        assert page.complaints == []


def test_a_choice_worked_out_by_hand(opened, drawn):
    # a street of 0–10 km and a township of 10–40 km; 15 and 30 minutes at a kilometre a minute; S at 2 km stands
    made = Road({"A": ("street", "C", 0.0, 10.0), "B": ("township", "C", 10.0, 40.0)}, {"v1": (1.0, 100), "v2": (12.0, 50), "v3": (39.0, 30)},
                {"S": ("service_centre", 2.0)}, {"c1": ("service_centre", 30.0, 90.0), "c2": ("service_centre", 11.0, 60.5)})  # fmt: skip
    frames = made.frames()
    frames["candidates"] = frames["candidates"].assign(
        required=False, premises=None, host_id=None, upgrade_of=None
    )
    case = siting.read_case(**frames, policy=policy_of(homes=0), times=made.times())
    page = opened(drawn(what_if.packed(case, {"c1"}, language="zh")))
    told = page.run("whatIf.count()")
    assert (told["cost"], told["elders_within"], told["units_covered"]) == (90, 180, 2)
    assert told["elder_minutes"] == pytest.approx(100 * 1 + 50 * 10 + 30 * 9)
    assert told["targets"]["township_centre_coverage"] == {"value": 1, "met": True}
    page.run("whatIf.set('c1', 'shut')")
    told = page.run("whatIf.count()")
    # v3 is 37 minutes from S
    assert (told["cost"], told["elders_within"], told["units_covered"], told["units_failing"]) == (
        0,
        150,
        1,
        ["B"],
    )
    assert told["elder_minutes"] == pytest.approx(100 * 1 + 50 * 10 + 30 * 37)
    assert told["targets"]["township_centre_coverage"] == {"value": 0, "met": False}
    page.run("() => { whatIf.set('S', 'shut'); whatIf.set('c2', 'require'); }")
    told = page.run("whatIf.count()")
    # c2 at 11 km: v1 10, v2 1, v3 28 minutes; the street has no centre
    assert (told["cost"], told["elders_within"], told["units_failing"]) == (60.5, 180, ["A"])
    assert told["targets"]["street_centre_coverage"] == {"value": 0, "met": False}
    assert Scenario.from_json(json.dumps(page.run("whatIf.choice()"))) == Scenario(
        require=("c2",), forbid=("c1",), close=("S",)
    )
    for _ in range(3):
        assert page.run("whatIf.undo()")
    assert page.run("whatIf.undo()") is False
    assert page.run("whatIf.count().cost") == 90
    for wrong in ("['none', 'open']", "['c1', 'perhaps']", "['__proto__', 'open']"):
        said = page.run(
            f"(() => {{ try {{ whatIf.set(...{wrong}); return ''; }} catch (error) {{ return error.message; }} }})()"
        )
        assert "no such" in said
    assert page.run("whatIf.count().cost") == 90


def test_clicks_and_keys_change_the_choice_and_the_map_follows(opened, drawn):
    case = case_of(1)
    page = opened(drawn(what_if.packed(case, {"c00"}, language="zh")))
    page.page.locator(".sy-try").click()
    assert page.page.locator(".sy-what").is_visible()
    assert not page.page.locator(".sy-facts").is_visible(), "one set of figures at a time"
    before = page.run("whatIf.count()")
    page.page.locator(".sy-site-choice select").select_option("c00")
    page.page.locator(".sy-what [data-state='forbid']").press("Enter")
    assert page.run("whatIf.states()") == [["c00", "forbid"]]
    after = page.run("whatIf.count()")
    assert after["cost"] < before["cost"]
    shown = page.page.locator(".sy-counts tr").nth(1).locator("td").all_inner_texts()
    assert len(set(shown)) == 2, "the plan and choice B stay as they were"
    page.page.locator(".sy-acts button", has_text="撤销").click()
    assert page.run("whatIf.states()") == []
    with page.page.expect_download() as download:
        page.page.locator(".sy-acts button", has_text="存为文件").click()
    assert download.value.suggested_filename == "我的方案.json"
    kept = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert Scenario.from_json(json.dumps(kept)).require == ("c00",)
    page.page.locator(".sy-try").click()
    assert page.page.locator(".sy-facts").is_visible()
    assert page.run("sy.layers.judge") is None
    assert page.complaints == []


def test_axe_finds_nothing_in_the_panel(opened, drawn):
    page = opened(drawn(what_if.packed(case_of(1), {"c00"}, language="zh", solves=True)))
    page.page.locator(".sy-try").click()
    page.run((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.run(
        "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => [v.impact, v.id, v.nodes[0].html]))"
    )
    assert found == []


def test_in_an_embedding_frame_the_page_counts_and_plans(opened, drawn):
    case = case_of(3)
    page_text = drawn(what_if.packed(case, set(), language="zh", solves=True))
    snippet = maps.Map(page_text, "隆回县").embed(height=600).replace('loading="lazy" ', "")
    page = opened(f"<!DOCTYPE html><meta charset=utf-8>{snippet}", ready="iframe")
    inner = page.page.frames[1]
    inner.wait_for_selector(".sy-root[data-ready]", state="attached")
    assert inner.evaluate("whatIf.plan()")["objective"] == siting.plan_case(case).objective
    assert page.complaints == []


def test_whoever_embeds_the_page_asks_it_by_messages(opened, drawn):
    case = case_of(3)
    page_text = drawn(what_if.packed(case, set(), language="zh", solves=True))
    snippet = maps.Map(page_text, "隆回县").embed(height=600).replace('loading="lazy" ', "")
    page = opened(f"<!DOCTYPE html><meta charset=utf-8>{snippet}", ready="iframe")
    inner = page.page.frames[1]
    inner.wait_for_selector(".sy-root[data-ready]", state="attached")
    page.run("""() => { window.told = []; let last = 0;
        const frame = document.querySelector('iframe');
        window.addEventListener('message', ({ source, data }) => { if (source === frame.contentWindow) window.told.push(data.whatIf); });
        window.ask = (name, ...given) => new Promise((resolve) => { last += 1; const id = last;
            window.addEventListener('message', ({ data }) => { if (data.whatIf.id === id) resolve(data.whatIf); });
            frame.contentWindow.postMessage({ whatIf: { id, ask: name, with: given } }, '*'); }); }""")
    assert page.run("ask('count')")["answer"] == inner.evaluate("whatIf.count()")
    assert page.run("ask('set', 'c00', 'require')")["answer"] is None
    assert inner.evaluate("whatIf.states()") == [["c00", "require"]]
    assert {"require": ["c00"]}.items() <= page.run("told.find((one) => one.changed).changed").items()
    assert page.run("ask('plan')")["answer"]["objective"] == inner.evaluate("whatIf.plan()")["objective"]
    assert "no such" in page.run("ask('set', 'nobody', 'open')")["refused"]
    for name in ("constructor", "__proto__", "eval"):
        assert "no such question" in page.run("(name) => ask(name)", name)["refused"]
    assert page.complaints == []


def test_a_click_is_counted_within_a_frame_of_the_screen(opened, drawn):
    # 100 sites, each within the times of 1,000 of 2,000 villages: as many pairs as the largest county has
    draw = np.random.default_rng(5)
    units = {f"U{n:02d}": ("township", "C", 10.0 * n, 10.0 * n + 10) for n in range(40)}
    made = Road(units, {f"v{n:04d}": (draw.uniform(0, 400), int(draw.integers(500))) for n in range(2000)}, {},
                {f"c{n:03d}": ("service_centre", draw.uniform(0, 400), 90.0) for n in range(100)})  # fmt: skip
    frames = made.frames()
    frames["candidates"] = frames["candidates"].assign(
        required=False, premises=None, host_id=None, upgrade_of=None
    )
    packed = what_if.packed(
        siting.read_case(**frames, policy=policy_of(homes=0), times=made.times()), set(), language="zh"
    )
    page = opened(drawn(packed))
    times = page.run("""() => { const all = []; for (let n = 0; n < 20; n += 1) { const t = performance.now(); whatIf.set('c0' + (10 + n), 'open'); whatIf.count(); all.push(performance.now() - t); }
        return all.sort((a, b) => a - b); }""")
    # a busy machine makes some of them slow, slow code all
    assert times[5] < 16, times


def test_hostile_names_do_nothing_in_the_packed_counts(opened, drawn, hostile):
    made = case_of(2)
    names = made.listed.assign(name=hostile)
    case = replace(made, listed=names)
    page = opened(drawn(what_if.packed(case, {"c00"}, language="zh")))
    page.page.locator(".sy-try").click()
    listed = page.page.locator(".sy-site-choice option").all_text_contents()
    assert hostile.replace("\u2028", " ") in [text.replace("\u2028", " ") for text in listed]
    assert page.complaints == []


def test_on_the_map_of_a_city_one_county_at_a_time_is_tried(opened, all_findings):
    packs = {
        c: what_if.packed(case_of(n), {"c00"}, language="zh", solves=True)
        for n, c in enumerate(("990100", "990200"))
    }
    page = opened(maps.draw(replace(all_findings, recounts=packs)).html())
    assert page.page.locator("#sy-highs-wasm").count() == 0, "a city's page has no solver"
    page.page.locator(".sy-try").click()
    assert page.page.locator(".sy-what option[selected], .sy-what select").first.locator(
        "option"
    ).all_inner_texts() == ["试验县", "示范县"]
    first = page.run("whatIf.count()")
    page.page.locator(".sy-what select").first.select_option("990200")
    assert page.page.locator(".sy-what").count() == 1
    assert page.run("whatIf.count()") != first
    page.run("whatIf.county('990100')")
    assert page.run("whatIf.count()") == first
    assert page.complaints == []


def test_a_page_without_counts_offers_none(opened, all_findings):
    page = opened(maps.draw(all_findings.of_county("990100")).html())
    assert page.page.locator(".sy-try").count() == 0
    assert page.run("typeof window.whatIf") == "undefined"


def bounded(
    case: siting.PlanCase, made: list[tuple[str, str]], sites: dict[str, Any]
) -> tuple[siting.PlanCase, siting.SitingPlan]:
    """Return the case that the edits of a page ask for, and the plan that Python proves of it."""
    state = dict(made)
    closed = [i for i, s in state.items() if sites[i]["s"] == 1 and s in {"shut", "forbid"}]
    kept = [i for i, s in state.items() if sites[i]["s"] == 1 and s in {"open", "require"}]
    require = [i for i, s in state.items() if sites[i]["s"] == 0 and s == "require"]
    forbid = [i for i, s in state.items() if sites[i]["s"] == 0 and s == "forbid"]
    asked = case.but(
        close={**case.rules.close, **dict.fromkeys([*closed, *kept], 0.0)},
        require=(*case.rules.require, *require, *kept),
        forbid=(*case.rules.forbid, *forbid, *closed),
    )
    return asked, siting.plan_case(asked)


def assert_same_plans(page: Any, case: siting.PlanCase, packed: str, *, seeds: range, most: int) -> set[str]:
    """Assert that page and Python come to the same in every stage, and return which statuses were seen."""
    sites = {site["i"]: site for site in json.loads(packed)["sites"]}
    seen = set()
    for seed in seeds:
        made = edits(packed, seed, most)
        told = page.run(
            "(made) => { whatIf.reset(); made.forEach(([id, state]) => whatIf.set(id, state)); return whatIf.plan(); }",
            [list(one) for one in made],
        )
        seen.add(told["status"])
        try:
            asked, ours = bounded(case, made, sites)
        except InputError:  # a site is required that a rule bars
            assert told["status"] == "infeasible", made
            assert told["lacking"]["sites"] or told["sites"] == [], made
            continue
        assert told["status"] == ours.status, made
        assert told["certified"] is False
        if ours.status != "optimal":
            assert told["sites"] == []
            continue
        assert told["objective"] == told["bound"] == ours.objective
        stages = {stage.objective_id: stage.value for stage in ours.certificate.stages}
        for stage in told["stages"]:
            if stage["id"] == "site_ranks" and stage["id"] not in stages:
                continue  # which of equal plans is taken is given up after some seconds, here or there
            assert stage["value"] == pytest.approx(stages[stage["id"]], rel=1e-6, abs=1e-6), (made, stage)
        assert {"cost", "elders", "elder_minutes", "home_minutes"} <= {
            stage["id"] for stage in told["stages"]
        }
        closed = [i for i in asked.rules.forbid if i in asked.movable]
        again = figures(asked, asked.with_kept(told["sites"], closed))
        assert again.met
        assert not again.broken
    return seen


def test_the_page_plans_again_as_python_does(opened, drawn):
    seen = set()
    for seed, rules in enumerate(({}, {"rule": "access", "share": 0.6})):
        case = case_of(seed + 3, **rules)
        best = siting.plan_case(case).best
        packed = what_if.packed(case, set(best.sites), language="zh", solves=True)
        page = opened(drawn(packed), f"{seed}.html")
        seen |= assert_same_plans(page, case, packed, seeds=range(8), most=9)
        assert page.complaints == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert "optimal" in seen


def test_an_edit_that_allows_no_plan_names_what_it_lacks(opened, drawn):
    case = case_of(3)
    packed = what_if.packed(case, set(), language="zh", solves=True)
    page = opened(drawn(packed))
    centres = [s["i"] for s in json.loads(packed)["sites"] if s["k"] == "service_centre"]
    told = page.run(
        "(ids) => { ids.forEach((id) => whatIf.set(id, 'forbid')); return whatIf.plan(); }", centres
    )
    assert told["status"] == "infeasible"
    assert set(told["lacking"]["targets"]) == {"street_centre_coverage", "township_centre_coverage"}
    assert set(told["lacking"]["units"]) == {"U0", "U1", "U2", "U3"}
    page.page.locator(".sy-try").click()
    page.page.locator(".sy-plan").click()
    page.page.locator(".sy-plan-says", has_text="无可行方案").wait_for()
    page.run("whatIf.reset()")
    page.page.locator(".sy-plan").click()
    page.page.locator(".sy-plan-says", has_text="在本页求解，未经核证：最优").wait_for()
    assert page.run("whatIf.count()")["cost"] == siting.plan_case(case).best.objective


def test_hostile_names_do_nothing_in_the_packed_program(opened, drawn, hostile):
    made = case_of(3)
    ids = {i: f"{i}{hostile}" for i in made.listed.index}
    case = replace(made, listed=made.listed.rename(index=ids).sort_index(), times={
        kind: type(times).from_matrix(pd.DataFrame(times.to_dense().T, index=list(times.demand_ids), columns=[ids.get(i, i) for i in times.site_ids]))
        for kind, times in made.times.items()
    })  # fmt: skip
    page = opened(drawn(what_if.packed(case, set(), language="zh", solves=True)))
    told = page.run("whatIf.plan()")
    assert told["status"] == "optimal"
    assert all(hostile.replace("\u2028", "") in site.replace("\u2028", "") for site in told["sites"])
    assert page.complaints == []


def test_the_policy_of_a_page_gains_only_what_its_solver_needs(drawn):
    case = case_of(3)
    solving, counting = (
        drawn(what_if.packed(case, set(), language="zh", solves=solves)) for solves in (True, False)
    )
    assert "'wasm-unsafe-eval'" in solving
    assert "worker-src blob:" in solving
    assert "'unsafe-eval'" not in solving
    assert "wasm" not in counting.split("</head>")[0].split("<style")[0]
    assert len(solving) - len(counting) < 1_800_000


@pytest.mark.nightly
def test_in_every_county_of_the_sample_the_page_plans_again_as_python_does(opened, drawn):
    study = sy.sample_study()
    for county_id in study.counties:
        case = alternatives.read_county(study.case, county_id)
        packed = what_if.packed(case, set(study.propose(county_id).best.sites), language="zh", solves=True)
        page = opened(drawn(packed), f"{county_id}.html")
        page.page.set_default_timeout(180_000)
        assert_same_plans(page, case, packed, seeds=range(20), most=8)


@pytest.mark.nightly
def test_in_every_county_of_the_sample_twenty_choices_are_counted_as_python_does(opened, drawn):
    study = sy.sample_study()
    for county_id in study.counties:
        case = alternatives.read_county(study.case, county_id)
        chosen = set(study.propose(county_id).best.sites)
        packed = what_if.packed(case, chosen, language="zh")
        assert len(packed.encode()) < 500_000
        page = opened(drawn(packed), f"{county_id}.html")
        assert_same(page, case, packed, chosen, seeds=range(20), most=25)
