"""A map is right wherever it is opened: any window, hidden frames, old browsers, keys and screen readers, other pages."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from sy_coverage.outputs import maps
from sy_coverage.outputs.maps import shell

ASSETS = files("sy_coverage.outputs.maps") / "assets"
IN_VIEW = """() => { const size = sy.map.getSize(), corners = L.latLngBounds(sy.data.bounds);
    const a = sy.map.latLngToContainerPoint(corners.getNorthWest()), b = sy.map.latLngToContainerPoint(corners.getSouthEast());
    return { zoom: sy.map.getZoom(), wide: b.x - a.x, high: b.y - a.y, inside: a.x >= -1 && a.y >= -1 && b.x <= size.x + 1 && b.y <= size.y + 1 }; }"""


@pytest.fixture
def years(all_findings):
    """Return the toy with what its centres reach by year: S1 (km 5), from 2025 c35, from 2026 c15; in the north n08 from 2026."""
    demand = all_findings.demand.copy()
    km = (
        demand.geometry.to_crs("EPSG:4547").x - all_findings.facilities.geometry.to_crs("EPSG:4547").x["S1"]
    ) / 1000 + 5
    south = demand["county_id"] == "990100"
    where = {5: "S1", 15: "c15", 35: "c35"}
    for year, centres in ((2025, (5, 35)), (2026, (5, 15, 35)), (2027, (5, 15, 35))):
        near = km.apply(lambda x, at=centres: min(abs(x - c) for c in at))
        demand[f"nearest_{year}_min"] = near.where(south)
        demand[f"nearest_{year}_id"] = km.apply(
            lambda x, at=centres: where[min(at, key=lambda c: abs(x - c))]
        ).where(south)
        demand[f"covered_{year}"] = south & (near <= 30)
    demand["nearest_id"] = None
    demand.loc[south, "nearest_id"] = "S1"
    demand["nearest_planned_id"] = demand["nearest_2027_id"]
    return replace(all_findings, demand=demand)


SIZES = (
    (667, 375),
    (740, 360),
    (683, 384),
    (700, 400),
    (600, 450),
    (390, 844),
    (360, 640),
    (240, 200),
    (1920, 1080),
)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_in_any_window_the_whole_area_is_in_view_and_nothing_lies_on_the_layers_button(
    opened, all_findings, language
):
    page = opened(maps.draw(replace(all_findings, language=language).of_county("990100")).html())
    free = """() => { const b = document.querySelector('.sy-head').getBoundingClientRect();
        return Boolean(document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2).closest('.sy-panel')); }"""
    for width, height in SIZES:
        page.page.set_viewport_size({"width": width, "height": height})
        page.settle()
        seen = page.run(IN_VIEW)
        assert seen["inside"], (width, height, seen)
        assert seen["wide"] > width * 0.25, (width, height, seen)
        assert page.run("[sy.map.getMinZoom(), sy.map.getMaxZoom()]") == [4, 18]
        assert 4 <= seen["zoom"] <= 18
        assert page.run(free), (width, height)
    page.run("() => { for (let i = 0; i < 40; i += 1) sy.map.zoomIn(1, { animate: false }); }")
    assert page.run("sy.map.getZoom()") <= 18
    assert page.complaints == []


def test_a_page_that_opens_in_a_small_window_is_whole(chromium, all_findings, tmp_path):
    file = tmp_path / "small.html"
    maps.draw(all_findings.of_county("990100")).save(file)
    page = chromium.new_context(viewport={"width": 667, "height": 375}, offline=True).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.goto(file.as_uri())
    page.wait_for_selector(".sy-root[data-ready]", state="attached")
    assert page.evaluate(IN_VIEW)["inside"]
    assert wrong == []
    page.context.close()


@pytest.mark.parametrize("size", ["600px;height:450px", "390px;height:844px"])
def test_a_map_that_is_opened_hidden_is_fitted_when_it_is_shown(opened, all_findings, size):
    snippet = maps.draw(all_findings.of_county("990100")).embed().replace('loading="lazy" ', "")
    page = opened(
        f'<!DOCTYPE html><meta charset=utf-8><div id=fold style="display:none;width:{size}">{snippet}</div>',
        ready="#fold",
    )
    page.page.wait_for_timeout(300)
    inner = page.page.frames[1]
    inner.wait_for_selector(".sy-root[data-ready]", state="attached")
    page.run("() => { document.getElementById('fold').style.display = 'block'; }")
    page.page.wait_for_timeout(300)
    seen = inner.evaluate(IN_VIEW)
    assert seen["inside"]
    assert seen["wide"] > 200, "no dot"
    assert page.complaints == []


def test_every_site_is_drawn_in_its_own_unit_or_tied_to_it(opened, all_findings):
    page = opened(maps.draw(all_findings).html())
    astray = """() => sy.layers.pins.all.filter((pin) => { if (pin.inBadge) return false;
        const at = sy.map.latLngToContainerPoint(pin.marker.getLatLng()), box = pin.box.getBoundingClientRect(), map = sy.map.getContainer().getBoundingClientRect();
        const moved = Math.hypot(box.x + box.width / 2 - map.x - at.x, box.y + box.height / 2 - map.y - at.y) > 1;
        return moved && pin.leader.getBoundingClientRect().width < 1 && pin.leader.getBoundingClientRect().height < 1; }).map((pin) => pin.feature.t)"""
    far = "() => sy.layers.pins.all.every((pin) => pin.inBadge || pin.box.style.getPropertyValue('--x') === '0px')"
    for zoom in (7, 8, 9, 10, 12):
        page.run(f"() => {{ sy.map.setZoom({zoom}, {{ animate: false }}); }}")
        assert page.run(astray) == []
        if zoom < 10:
            assert page.run(far)
    # c15, d15 and r15 stand on one spot: far out they are one badge, which says whose they are
    page.run("() => { sy.map.setZoom(8, { animate: false }); }")
    said = page.page.locator(".sy-badge").evaluate_all(
        "(all) => all.map((b) => b.getAttribute('aria-label'))"
    )
    assert any(re.match(r"试验县 [3-5] 处", one) for one in said), said
    # on paper, where no tooltip opens, the words stand beside it
    page.page.emulate_media(media="print")
    page.settle()
    beside = "(all) => all.map((b) => [b.dataset.said, getComputedStyle(b, '::after').content])"
    printed = page.page.locator(".sy-badge").evaluate_all(beside)
    assert any((own or "").startswith("试验县 ") and own.split("\n")[0] in drawn for own, drawn in printed), (
        printed
    )
    page.page.emulate_media(media="screen")
    page.settle()
    page.page.locator(".sy-badge").first.press("Enter")
    assert page.run("sy.map.getZoom()") >= 10


def test_figures_and_villages_follow_the_year_that_is_shown(opened, years):
    page = opened(maps.draw(years).html())
    figures = """() => Object.fromEntries(Array.from(document.querySelectorAll('.sy-facts > div:not([hidden])'))
        .map((cell) => [cell.querySelector('dt').textContent, cell.querySelector('b').textContent]))"""
    # elders within 30 minutes: today 1,500; from 2025 c35 brings H's 100; the plan 2,000, of 2,040
    told = []
    for button in page.page.locator(".sy-states button").all():
        button.click()
        told.append(page.run(figures))
    reached = [row["时限内可达的老年人"] for row in told]
    assert reached == ["73.5%", "78.4%", "78.4%", "78.4%", "98.0%"]
    assert [row["建议设施"] for row in told[:3]] == ["0 处", "2 处", "4 处"]
    assert (told[-1]["建议设施"], told[-1]["投资"]) == ("7 处", "960万元")
    assert told[0]["投资"] == "0万元"
    # whether targets are met is worked out for today and for the whole plan, and not shown with the figures of a year
    headline = "各项可由布局达到的指标全部达标的县（市、区）"
    assert [headline in row for row in told] == [True, False, False, False, True]
    beyond = "(n) => { document.querySelectorAll('.sy-states button')[n].click(); return sy.layers.all.find((e) => e.layer.id === 'village-uncovered').items.shown; }"
    # H is beyond 30 minutes today and within from 2025
    assert page.run(beyond, 0) - page.run(beyond, 1) == 1
    village = "() => { const l = sy.layers.all.find((e) => e.layer.id === 'village-covered').layer; return sy.reachWords(sy.data, l.features.find((f) => f.i === 'H'), sy.layers.now()); }"
    assert page.run(village).startswith("时限内，示例c35，")


def test_what_letters_find(opened, years):
    page = opened(maps.draw(years).html())
    for typed, name in (
        ("yizhen", "乙镇"),
        ("yz", "乙镇"),
        ("YiZ", "乙镇"),
        ("dingzhen", "丁镇"),
        ("cdjd", "城东街道"),
    ):
        page.page.fill(".sy-search input", typed)
        assert name in page.page.locator(".sy-search li span").all_inner_texts(), typed
    page.page.fill(".sy-search input", "试验县 2 号")
    assert page.page.locator(".sy-search li").first.inner_text().split("\n") == ["试验县 2 号", "示例c35"]
    page.page.fill(".sy-search input", "2")
    assert page.page.locator(".sy-search li span").first.inner_text().endswith("2 号")
    page.page.fill(".sy-search input", "H")
    row = page.page.locator(".sy-search li").filter(has_text="丙乡").first
    assert "时限内" in row.inner_text()
    row.click()
    assert "示例c35" in page.page.locator(".sy-pop table").inner_text()


def test_keys_reach_everything_and_escape_leads_back(opened, all_findings):
    page = opened(maps.draw(all_findings).html())
    one_stop = (
        "Array.from(document.querySelectorAll('.sy-pin, .sy-badge')).filter((n) => n.tabIndex === 0).length"
    )
    assert page.run(one_stop) == 1
    page.page.locator(".sy-pin[tabindex='0']").focus()
    first = page.run("document.activeElement.getAttribute('aria-label')")
    page.page.keyboard.press("ArrowRight")
    second = page.run("document.activeElement.getAttribute('aria-label')")
    assert re.match(r".+县 \d 号 ", first)
    assert first != second
    assert page.run(one_stop) == 1
    for key in ("Enter", " "):
        page.page.keyboard.press(key)
        page.page.wait_for_selector(".sy-pop h3")
        assert page.run("document.activeElement.closest('.sy-pop') !== null")
        page.page.keyboard.press("Escape")
        page.page.locator(".sy-pop").wait_for(state="detached")
        assert page.run("document.activeElement.getAttribute('aria-label')") == second
    search = page.page.locator("input[role='combobox']")
    search.fill("镇")
    assert search.get_attribute("aria-expanded") == "true"
    assert "找到" in page.page.locator(".sy-search [role='status']").inner_text()
    search.press("ArrowDown")
    assert (
        page.run(
            "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).getAttribute('role')"
        )
        == "option"
    )
    search.press("Escape")
    assert search.get_attribute("aria-expanded") == "false"
    for tool, card in (("table", ".sy-table"), ("print", ".sy-out")):
        page.page.locator(f"[data-tool='{tool}']").press("Enter")
        assert page.page.locator(card).is_visible()
        page.page.keyboard.press("Escape")
        assert page.page.locator(card).is_hidden()
        assert page.run("document.activeElement.dataset.tool") == tool
    page.page.locator(".sy-compare").click()
    divider = page.page.locator(".sy-divider")
    assert divider.get_attribute("aria-label") == "对比分界线"
    assert divider.get_attribute("aria-valuetext").endswith(" %")
    assert page.complaints == []


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_axe_finds_nothing_serious(opened, all_findings, width, height):
    page = opened(maps.draw(all_findings).html())
    page.page.set_viewport_size({"width": width, "height": height})
    page.settle()
    page.run((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    ask = "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => [v.impact, v.id, v.nodes[0].html]))"
    for opened_by in ("0", "document.querySelector('[data-tool=\"table\"]').click()", "document.querySelector('.sy-compare').click()",
                      "sy.go(sy.layers, sy.layers.all.find((e) => e.layer.type === 'pin').layer, sy.layers.pins.all[0].feature)"):  # fmt: skip
        page.run(opened_by)
        assert page.run(ask) == []


def test_measuring_from_a_village_to_its_centre_says_the_minutes_by_road(opened, years):
    page = opened(maps.draw(years.of_county("990100")).html())
    page.page.locator("input[data-layer='village-covered']").check()
    at = """(id) => { const e = sy.layers.all.flatMap((e) => e.items).find((i) => i.feature && i.feature.i === id && sy.map.hasLayer(i.shape));
        const p = sy.map.latLngToContainerPoint(e.shape.getLatLng()), box = sy.map.getContainer().getBoundingClientRect(); return [p.x + box.x, p.y + box.y]; }"""
    page.page.locator("[data-tool='measure']").click()
    # H lies at 38 km, c35 at 35 km: three kilometres and three minutes; clicked beside both, the points snap to them
    for place in ("H", "c35"):
        x, y = page.run(at, place)
        page.page.mouse.click(x + 4, y - 4)
        page.page.wait_for_timeout(350)  # two clicks, no double click
    said = page.page.locator(".sy-says").inner_text()
    # as the crow flies on a sphere, so not to the metre what the toy's grid has
    assert float(re.search(r"距离 ([\d.]+) 公里", said).group(1)) == pytest.approx(3.0, abs=0.12)
    assert "H 至 示例c35：路上 3 分钟" in said.replace("H村", "H")


def test_targets_are_large_enough_for_a_finger(opened, all_findings):
    page = opened(maps.draw(all_findings).html())
    small = """() => Array.from(document.querySelectorAll('.sy-root button, .sy-root summary, .sy-row, .sy-whole, .sy-pin, .sy-badge'))
        .filter((n) => n.offsetParent && (n.getBoundingClientRect().width < 24 || n.getBoundingClientRect().height < 23.9)).map((n) => n.outerHTML.slice(0, 80))"""
    assert page.run(small) == []


def test_a_dot_of_a_village_is_told_from_every_colour_of_a_unit(opened, all_findings):
    page = opened(maps.draw(all_findings).html())

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    dot = light(page.run("sy.DOTS.uncovered.fillColor"))
    for ground in page.run(
        "sy.data.status.map((s) => s.colour).concat(sy.data.share.classes.map((s) => s.colour))"
    ):
        assert (light(ground) + 0.05) / (dot + 0.05) >= 3


def test_the_table_is_in_step_with_the_map(opened, all_findings):
    page = opened(maps.draw(all_findings).html())
    page.page.locator("[data-tool='table']").click()
    sites = page.page.locator(".sy-table table").first.locator("tbody tr")
    visible = "document.querySelectorAll('.sy-table table:first-of-type tbody tr:not([hidden])').length"
    assert sites.count() == page.run(visible) == 7
    page.page.locator(".sy-states button").first.click()
    assert page.run(visible) == 0
    units = page.page.locator(".sy-table table").nth(1)
    assert "无中心" in units.locator("tr", has_text="丙乡").inner_text()
    page.page.locator(".sy-states button").last.click()
    assert "规划设中心" in units.locator("tr", has_text="丙乡").inner_text()
    units.locator("tr", has_text="丙乡").locator("button").click()
    assert page.page.locator(".sy-pop h3").inner_text() == "丙乡"


def test_the_address_holds_what_is_shown_and_brings_it_back(opened, all_findings, tmp_path):
    page = opened(maps.draw(all_findings).html())
    page.page.locator(".sy-states button").nth(1).click()
    page.page.locator("input[data-layer='unit-street']").uncheck()
    page.run("() => { sy.map.setView([27.02, 111.2], 11, { animate: false }); }")
    told = page.run("window.location.hash")
    assert re.fullmatch(r"#11/27\.0\d+/111\.\d+/2025/-unit-street", told), told
    again = opened(maps.draw(all_findings).html(), "again.html")
    again.page.goto(again.page.url.split("#")[0] + "?x" + told)
    again.page.wait_for_selector(".sy-root[data-ready]", state="attached")
    assert again.run(
        "[sy.map.getZoom(), sy.layers.now(), sy.layers.all.find((e) => e.layer.id === 'unit-street').on]"
    ) == [11, 1, False]
    again.run("() => { window.location.hash = '#12/27.05/111.3/plan'; }")
    again.page.wait_for_timeout(100)
    assert again.run(
        "[sy.map.getZoom(), sy.data.stateIds[sy.layers.now()], sy.layers.all.find((e) => e.layer.id === 'unit-street').on]"
    ) == [12, "plan", True]
    for wrong in ("#nothing", "#99/1e9/x", "#12/27/111/1999/-none,+also", "#Infinity/27/111"):
        again.run("(hash) => { window.location.hash = hash; }", wrong)
        again.page.wait_for_timeout(30)
    assert again.complaints == []


def test_in_another_page_the_wheel_scrolls_that_page_until_the_map_is_clicked(opened, all_findings):
    snippet = maps.draw(all_findings).embed(height=500, cards=False)
    page = opened(
        f"<!DOCTYPE html><meta charset=utf-8>{snippet}<div style=height:3000px></div>", ready="iframe"
    )
    inner = page.page.frames[1]
    inner.wait_for_selector(".sy-root[data-ready]", state="attached")
    assert not inner.locator(".sy-title").is_visible()
    assert inner.locator(".sy-foot-notice").first.is_visible(), "the warning stays"
    zoom = inner.evaluate("sy.map.getZoom()")
    page.page.mouse.move(500, 250)
    page.page.mouse.wheel(0, 300)
    page.page.wait_for_timeout(250)
    assert inner.evaluate("sy.map.getZoom()") == zoom
    assert page.run("window.scrollY") > 0


def test_the_picture_to_take_along_holds_what_is_shown(opened, all_findings, hostile):
    names = all_findings.units["name"].replace("乙镇", hostile)
    page = opened(maps.draw(replace(all_findings, units=all_findings.units.assign(name=names))).html())
    text = page.run("sy.pictureOf(document.querySelector('.sy-root'), sy.map, sy.data)")
    checked = page.run(
        "(text) => { const d = new DOMParser().parseFromString(text, 'image/svg+xml'); return [d.querySelector('parsererror') === null, d.querySelectorAll('script, img').length, d.querySelectorAll('path').length]; }",
        text,
    )
    assert checked[:2] == [True, 0]
    assert checked[2] > 7
    assert "试验市养老服务设施布局" in text
    assert all(notice in text for notice in all_findings.notices)
    page.page.locator("[data-tool='print']").click()
    with page.page.expect_download() as download:
        page.page.locator(".sy-files button", has_text="PNG").click()
    assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert page.complaints == []


def test_on_paper_stand_the_notes_and_the_scale_as_a_number(opened, all_findings):
    page = opened(maps.draw(all_findings).html())
    page.run("() => { window.dispatchEvent(new Event('beforeprint')); }")
    page.page.emulate_media(media="print")
    assert page.page.locator(".sy-about p").first.is_visible()
    assert re.fullmatch(r"比例尺 1:[\d,]+", page.page.locator(".sy-ratio").inner_text())
    # 1 mm on paper: the metres between two points that are so many pixels apart, at 96 to an inch
    ratio = page.run(
        "() => { const a = L.point(300, 300); const m = sy.map.distance(sy.map.containerPointToLatLng(a), sy.map.containerPointToLatLng(a.add([96, 0]))); return m / 0.0254 / sy.scaleNumber(sy.map); }"
    )
    assert ratio == pytest.approx(1, abs=0.06)
    page.run("() => { window.dispatchEvent(new Event('afterprint')); }")


def test_without_scripts_a_still_picture_stands_there(chromium, all_findings, hostile, tmp_path):
    names = all_findings.units["name"].replace("乙镇", hostile)
    file = tmp_path / "still.html"
    maps.draw(replace(all_findings, units=all_findings.units.assign(name=names))).save(file)
    page = chromium.new_context(java_script_enabled=False, offline=True).new_page()
    page.goto(file.as_uri())
    assert page.locator("h1").inner_text() == "试验市养老服务设施布局"
    assert page.locator("svg[role='img'] path").count() == 7
    assert page.locator("svg[role='img'] circle").count() == 7
    assert all(notice in page.locator("body").inner_text() for notice in all_findings.notices)
    page.context.close()


def test_a_split_page_runs_where_nothing_inline_may(chromium, all_findings, tmp_path):
    maps.draw(all_findings).save(tmp_path / "web")
    assert sorted(p.name for p in (tmp_path / "web").iterdir()) == ["index.html", "map.css", "map.js"]
    text = (tmp_path / "web" / "index.html").read_text(encoding="utf-8")
    assert "unsafe-inline" not in text
    assert not re.search(r"<script>|<style", text)
    page = chromium.new_context(viewport={"width": 1200, "height": 800}, offline=True).new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.goto((tmp_path / "web" / "index.html").as_uri())
    page.wait_for_selector(".sy-root[data-ready]", state="attached")
    assert wrong == []
    assert page.locator(".sy-pin").count() == 7
    page.context.close()


TOO_NEW = (
    # newer than the oldest browser, by the version that brought each: styles, then scripts
    r"(?<![\w-])inset(-\w+)*\s*:", r"::details-content", r":has\(", r":is\(", r":where\(", r"aspect-ratio\s*:", r"\d(?:d|s|l)v[hw]\b", r"color-mix\(", r"@layer\b",
    r"@container\b", r"\boklch\(", r"overflow\s*:\s*clip", r"\btext-wrap\s*:", r"(?<![\w-])(?:translate|scale|rotate)\s*:", r"\bscrollbar-gutter\b",
    r"\.at\(-", r"Object\.hasOwn\b", r"structuredClone\b", r"\.findLast", r"\.toSorted\b", r"\.toReversed\b", r"\.groupBy\b", r"Promise\.withResolvers", r"\bstatic\s*\{",
    r"#\w+\s+in\s", r"\?\?=", r"\|\|=", r"&&=", r"\.replaceAll\(\s*/", r"\bd'?flags", r"\.showModal\b", r"crypto\.randomUUID", r"Array\.fromAsync", r"\.isWellFormed",
)  # fmt: skip


def test_styles_and_scripts_use_nothing_newer_than_the_oldest_browser():
    assert shell.OLDEST == "Chromium 86"
    ours = [ASSETS / "map.css", *(ASSETS / f"{part}.js" for part in shell.SCRIPTS)]
    found = [
        (file.name, pattern, match.group())
        for file in ours
        for pattern in TOO_NEW
        for match in re.finditer(pattern, file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_two_plans_and_own_layers_are_on_one_map(opened, all_findings):
    first = all_findings.of_county("990100")
    second = replace(first, proposals=first.proposals.drop(index="c35"))
    own = first.facilities.iloc[:1].to_crs("EPSG:4547")
    page = opened(maps.draw(first, beside=second, layers={"我的": own}).html())
    assert page.page.locator(".sy-legend li", has_text="仅甲方案：1 处").count() == 1
    assert page.page.locator("input[data-layer='extra-1']").is_checked()
    rings = page.run(
        "sy.layers.pins.all.map((p) => p.box.querySelector('svg').firstChild.getAttribute('stroke'))"
    )
    assert sorted(set(rings)) == ["#e8590c", "#ffc145"]
    page.page.locator("input[data-layer='extra-1']").uncheck()
    assert page.complaints == []
