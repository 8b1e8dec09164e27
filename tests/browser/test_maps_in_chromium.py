"""A map opened in Chromium with the network cut shows everything, runs nothing it should not, and answers clicks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sy_coverage.outputs import maps

VISIBLE = """(id) => { const e = sy.layers.all.find((e) => e.layer.id === id);
                       return e.items.filter((i) => sy.map.hasLayer(i.shape)).length; }"""
OPEN = """([id, title]) => { const e = sy.layers.all.find((e) => e.layer.id === id);
          const f = e.layer.features.find((f) => f.t === title);
          sy.layers.open(e.layer, f, sy.point(f.p)); }"""


@pytest.fixture
def city(opened, all_findings):
    return opened(maps.draw(all_findings).html(), "城市 map.html")


def test_a_map_opens_without_complaint_and_asks_no_server_for_anything(city):
    city.page.wait_for_timeout(300)
    assert city.complaints == []
    assert [url for url in city.requests if not url.startswith(("file:", "data:"))] == []
    assert city.page.title() == "试验市养老服务设施布局"


def test_units_facilities_and_proposed_sites_are_on_the_map(city):
    # the toy: one street and six townships; a centre, a station, two township homes, a hospital; seven sites
    assert city.run(VISIBLE, "unit-street") == 1
    assert city.run(VISIBLE, "unit-township") == 6
    assert city.run("sy.layers.all.filter((e) => e.layer.group === 'proposals').length") == 3
    assert city.page.locator(".sy-pin").count() == 7
    placed = "sy.data.layers.filter((l) => l.group === 'facilities').flatMap((l) => l.features).length"
    assert city.run(placed) == 5  # N3 has no point: it is in the list to verify instead


def test_the_canvas_is_painted_with_the_colours_of_the_statuses(city):
    # 城东街道 is covered today, 乙镇 is not covered: read the pixels at their middles, beside the road
    pixel = """(name) => { const f = sy.data.layers.filter((l) => l.type === 'unit').flatMap((l) => l.features).find((f) => f.t === name);
        const c = document.querySelector('.leaflet-overlay-pane canvas'); const r = c.getBoundingClientRect();
        const m = sy.map.getContainer().getBoundingClientRect(); const p = sy.map.latLngToContainerPoint(sy.point(f.p));
        const k = c.width / r.width;
        return Array.from(c.getContext('2d').getImageData((p.x + m.x - r.x + 40) * k, (p.y + m.y - r.y - 40) * k, 1, 1).data.slice(0, 3)); }"""
    dark, light = city.run(pixel, "城东街道"), city.run(pixel, "乙镇")
    assert dark[2] > dark[0] + 40, dark
    assert light[0] > light[2] + 20, light
    assert sum(dark) + 200 < sum(light), "told apart in grey too"


def test_layers_toggle_one_by_one_and_by_group(city):
    box = city.page.locator("input[data-layer='unit-township']")
    box.uncheck()
    assert city.run(VISIBLE, "unit-township") == 0
    assert city.run(VISIBLE, "unit-street") == 1
    box.check()
    assert city.run(VISIBLE, "unit-township") == 6
    whole = city.page.locator("fieldset[data-group='proposals'] .sy-whole input")
    whole.uncheck()
    assert city.page.locator(".sy-pin").count() == 0
    whole.check()
    assert city.page.locator(".sy-pin").count() == 7
    city.page.locator("input[data-layer='catchment-1']").check()
    # in the toy each centre's catchment is one band; the plan adds what its four centres reach
    drawn = """() => sy.layers.all.find((e) => e.layer.id === 'catchment-1').area.getLatLngs()
        .reduce((sum, part) => sum + sy.areaOf(part[0]) / 1e6, 0)"""
    planned = city.run(drawn)
    city.page.locator(".sy-states button").first.click()
    assert city.run(drawn) == pytest.approx(
        30 * 3, rel=0.01
    )  # S1 alone: 15 minutes at 1 km either way, 3 km wide
    assert planned > 1.5 * city.run(drawn)
    assert city.complaints == []


def test_going_back_to_today_takes_the_proposed_sites_away(city):
    today, *later = city.page.locator(".sy-states button").all()
    assert [b.inner_text() for b in (today, *later)] == ["现状", "2025 年", "2026 年", "2027 年", "规划后"]
    today.click()
    assert city.page.locator(".sy-pin").count() == 0
    later[0].click()
    assert city.page.locator(".sy-pin").count() == 2  # c35 and r15 open in 2025
    later[1].click()
    assert city.page.locator(".sy-pin").count() == 4  # and c15, n08 in 2026
    later[3].click()
    assert city.page.locator(".sy-pin").count() == 7


def test_two_points_in_time_are_compared_on_both_sides_of_a_divider(city):
    page = city.page
    assert page.locator(".sy-divider").is_hidden()
    page.locator(".sy-compare").click()
    assert page.locator(".sy-when").all_inner_texts() == ["现状", "规划后"]
    # the same data twice: on the left as things stand, on the right with the plan
    assert page.locator(".sy-before .sy-pin").count() == 0
    assert page.locator(".folium-map .sy-pin").count() == 7
    page.locator(".sy-states button").nth(1).click()
    assert page.locator(".sy-when").all_inner_texts() == ["现状", "2025 年"]
    page.locator("input[data-layer='unit-township']").uncheck()
    both = (
        "() => [sy.layers, sy.layers.twin].map((l) => l.all.find((e) => e.layer.id === 'unit-township').on)"
    )
    assert city.run(both) == [False, False]
    # one view for both
    city.run("() => { sy.map.setView([27.05, 111.2], 11, { animate: false }); }")
    views = "() => [sy.map, sy.beside].map((m) => [m.getZoom(), m.getCenter().lat.toFixed(4), m.getCenter().lng.toFixed(4)])"
    one, other = city.run(views)
    assert one == other == [11, "27.0500", "111.2000"]
    # the divider follows the mouse and the keys, and what is left of it is not the map of the plan
    box = page.locator(".sy-divider").bounding_box()
    page.mouse.move(box["x"] + 12, 700)
    page.mouse.down()
    page.mouse.move(700, 700)
    page.mouse.up()
    at = "() => Number(document.querySelector('.sy-divider').getAttribute('aria-valuenow'))"
    assert city.run(at) == 50
    page.locator(".sy-divider").press("ArrowLeft")
    assert city.run(at) == 48
    side = "(x) => Boolean(document.elementFromPoint(x, 650).closest('.sy-before'))"
    assert [city.run(side, x) for x in (500, 900)] == [True, False]
    page.locator(".sy-compare").click()
    assert page.locator(".sy-before").is_hidden()
    assert city.run(side, 500) is False
    assert city.complaints == []


def test_a_map_over_tianditu_asks_its_reader_for_a_key_and_only_then_the_service(opened, all_findings):
    page = opened(maps.draw(all_findings, base_map="tianditu").html())
    page.page.wait_for_timeout(200)
    assert [url for url in page.requests if url.startswith("http")] == []
    assert page.complaints == []
    page.page.fill(".sy-asks input", "no key")
    page.page.click(".sy-asks .sy-link")
    assert "8 至 64" in page.page.locator(".sy-asks p").inner_text()
    page.page.fill(".sy-asks input", "0123456789abcdef")
    page.page.press(".sy-asks input", "Enter")
    page.page.wait_for_timeout(300)
    asked = [url for url in page.requests if url.startswith("http")]
    assert asked
    assert all(".tianditu.gov.cn/" in url and "tk=0123456789abcdef" in url for url in asked)
    assert page.page.locator(".sy-asks").count() == 0
    assert not [c for c in page.complaints if c.startswith(("exception", "dialog"))]


def test_search_finds_a_place_by_part_of_its_name_and_goes_there(city):
    city.page.fill(".sy-search input", "乙")
    assert city.page.locator(".sy-search li").first.inner_text().split("\n")[0] == "乙镇"
    city.page.press(".sy-search input", "Enter")
    city.page.wait_for_selector(".leaflet-popup .sy-pop h3")
    assert city.page.locator(".sy-pop h3").inner_text() == "乙镇"
    city.page.fill(".sy-search input", "没有这个地方")
    assert "没有找到" in city.page.locator(".sy-search .sy-none").inner_text()


def test_search_finds_both_parts_of_a_divided_town_by_its_old_name(opened, all_findings):
    county = {"county_id": "430524", "county": "隆回县"}
    towns = all_findings.units.assign(**county).rename(
        index={"990100100": "430524001", "990100101": "430524002"}
    )
    names = towns["name"].to_dict() | {"430524001": "桃花坪街道", "430524002": "花门街道"}
    page = opened(maps.draw(replace(all_findings, units=towns.assign(name=names))).html())
    page.page.fill(".sy-search input", "桃洪镇")
    listed = page.page.locator(".sy-search li").all_inner_texts()
    assert [row.split("\n") for row in listed] == [["桃洪镇", "今桃花坪街道"], ["桃洪镇", "今花门街道"]]
    page.page.locator(".sy-search li").nth(1).click()
    assert page.page.locator(".sy-pop h3").inner_text() == "花门街道"
    assert "桃洪镇" in page.page.locator(".sy-pop table").inner_text()


def test_search_finds_a_town_from_the_first_letters_of_its_name(opened, all_findings):
    renamed = all_findings.units["name"].replace("甲镇", "桃洪镇")
    page = opened(maps.draw(replace(all_findings, units=all_findings.units.assign(name=renamed))).html())
    page.page.fill(".sy-search input", "桃洪")
    page.page.locator(".sy-search li").first.click()
    assert page.page.locator(".sy-pop h3").inner_text() == "桃洪镇"
    at = page.run("sy.map.getCenter().lng")
    west, _, east, _ = all_findings.units.geometry["990100100"].bounds
    assert west < at < east


def test_a_site_is_clicked_and_says_what_it_is_costs_adds_and_why(city):
    number = city.page.locator(".sy-pin").filter(has=city.page.get_by_text("5", exact=True))
    number.click()  # r36, the only fifth site
    assert city.page.locator(".sy-pop h3").inner_text() == "5示例r36"
    city.run(OPEN, ["proposal-1", "示例c35"])
    city.page.locator(".sy-pop").nth(1).wait_for(state="detached")  # the popup before fades away
    rows = dict(
        city.run(
            "Array.from(document.querySelectorAll('.sy-pop tr')).map((r) => [r.cells[0].textContent, r.cells[1].textContent])"
        )
    )
    assert rows["场所"] == "村（社区）办公用房"
    assert rows["投资（万元）"] == "90"
    assert rows["建设年份"] == "2025 年"
    assert rows["新增覆盖老年人（人）"] == "100"
    assert rows["理由"] == "新增覆盖老年人 100 人。"
    assert city.page.locator(".sy-pop .sy-no").inner_text() == "2"
    assert rows["所属街道、乡镇"] == "丙乡"


def test_hostile_names_are_shown_letter_by_letter_and_run_nothing(opened, all_findings, hostile):
    names = all_findings.units["name"].where(all_findings.units["name"] != "丁镇", hostile)
    policy = all_findings.policy.model_copy(
        update={
            "kinds": {
                **all_findings.policy.kinds,
                "station": all_findings.policy.kinds["station"].model_copy(
                    update={"name": {"zh": hostile, "en": hostile}}
                ),
            }
        }
    )
    bad = replace(
        all_findings,
        study_name=hostile,
        units=all_findings.units.assign(name=names),
        policy=policy,
        notices=(hostile,),
        approval_number=hostile,
        office=hostile,
        facilities=all_findings.facilities.assign(address=hostile, **{hostile: hostile}),
    )
    page = opened(maps.draw(bad).html())
    spoken = hostile.replace("\u2028", " ")

    def said(text):
        return text.replace("\u2028", " ")

    assert said(page.page.locator(".sy-title h1").text_content()) == spoken
    assert said(page.page.locator(".sy-notice").text_content()) == spoken
    assert spoken in said(page.page.locator(".sy-approval").text_content())
    assert said(page.page.title()) == " ".join(spoken.split())
    legend = [said(t) for t in page.page.locator(".sy-label").all_text_contents()]
    assert spoken in legend, "layer list and legend"
    station = page.run(
        "sy.data.layers.find((l) => l.group === 'facilities' && l.features.some((f) => f.t.includes('script'))).id"
    )
    page.page.locator(f"input[data-layer='{station}']").check()
    page.run(OPEN, [station, hostile])
    assert said(page.page.locator(".sy-pop h3").text_content()) == spoken
    assert spoken in [said(t) for t in page.page.locator(".sy-pop td").all_text_contents()]
    page.run(
        "(id) => { const e = sy.layers.all.find((e) => e.layer.id === id); e.items[0].shape.openTooltip(); }",
        station,
    )
    assert spoken in [said(t) for t in page.page.locator(".leaflet-tooltip").all_text_contents()]
    page.page.fill(".sy-search input", "script")
    assert spoken in [said(t) for t in page.page.locator(".sy-search li span").all_text_contents()]
    page.page.locator(".sy-right .sy-link").click()
    assert spoken in [said(t) for t in page.page.locator(".sy-drawer li > *").all_text_contents()]
    page.page.wait_for_timeout(200)
    assert page.complaints == [], "no dialog, no error"
    assert page.run("document.querySelectorAll('img[src=x], .sy-root script').length") == 0


def test_measuring_gives_the_length_and_the_area(city):
    # along the toy's straight road one kilometre is one kilometre: 10 km from one unit's border to the next
    length = city.run("sy.lengthOf([L.latLng(27, 111), L.latLng(27.09, 111)]) / 1000")
    assert length == pytest.approx(10.007, abs=0.02)  # 0.09 degrees of latitude on a sphere of 6,371 km
    area = city.run("sy.areaOf([L.latLng(0, 0), L.latLng(0, 1), L.latLng(1, 1), L.latLng(1, 0)]) / 1e6")
    assert area == pytest.approx(12_364, rel=1e-3)  # one degree by one degree at the equator
    city.page.locator("[data-tool='measure']").click()
    city.page.mouse.click(600, 600)
    city.page.mouse.click(700, 600)
    assert "公里" in city.page.locator(".sy-says").inner_text()
    assert city.page.locator(".leaflet-popup").count() == 0, "a click while measuring opens nothing"
    city.page.keyboard.press("Escape")
    assert city.page.locator(".sy-says").is_hidden()


def test_no_name_of_a_town_is_put_where_the_north_arrow_stands(opened, all_findings):
    page = opened(maps.draw(all_findings.of_county("990100")).html())
    overlaps = """() => {
        const box = (part) => part.getBoundingClientRect(), arrow = box(document.querySelector('.sy-north'));
        return Array.from(document.querySelectorAll('.sy-town span')).map(box).filter((b) => b.left < arrow.right
            && arrow.left < b.right && b.top < arrow.bottom && arrow.top < b.bottom).length; }"""
    # the middle of the first town is moved onto the arrow
    page.run("""() => {
        const town = sy.layers.all.find((e) => e.layer.type === 'unit').layer.features[0];
        const arrow = document.querySelector('.sy-north').getBoundingClientRect();
        const at = sy.map.latLngToContainerPoint(sy.point(town.p));
        sy.map.panBy([at.x - arrow.left - arrow.width / 2, at.y - arrow.top - arrow.height / 2], { animate: false }); }""")
    assert page.page.locator(".sy-town").count() > 0
    assert page.run(overlaps) == 0


def test_the_overview_map_is_off_until_asked_for(city):
    frame = city.page.locator(".sy-overview")
    assert frame.is_hidden()
    city.page.locator("[data-tool='minimap']").click()
    assert frame.is_visible()
    assert frame.locator("canvas").count() == 1


def test_a_county_map_in_english_has_only_its_own_rows(opened, all_findings):
    page = opened(maps.draw(replace(all_findings, language="en").of_county("990200")).html())
    assert page.page.locator(".sy-pin").count() == 2
    assert "Has a centre" in page.page.locator(".sy-legend").first.inner_text()
    assert "Layers and legend" in page.page.locator(".sy-head").inner_text()
    assert page.complaints == []


def test_an_embedded_map_runs_inside_its_frame_and_cannot_touch_the_document_around_it(opened, all_findings):
    snippet = maps.draw(all_findings).embed(height=500)
    page = opened(f"<!DOCTYPE html><meta charset=utf-8><p id=host>host</p>{snippet}", ready="iframe")
    frame = page.page.frame_locator("iframe")
    frame.locator(".sy-root[data-ready]").wait_for(state="attached", timeout=30_000)
    assert frame.locator(".sy-title h1").text_content() == "试验市养老服务设施布局"
    inner = page.page.frames[1]
    assert inner.evaluate(
        "() => { try { return parent.document.body.id; } catch (e) { return e.name; } }"
    ) == ("SecurityError")
    assert page.complaints == []


def test_units_can_be_coloured_by_share_and_back(city):
    fill = "() => sy.layers.all.find((e) => e.layer.id === 'unit-street').items[0].shape.options.fillColor"
    before = city.run(fill)
    status, share = city.page.locator(".sy-choice button").all()
    share.click()
    assert city.run(fill) == city.run("() => sy.data.share.classes[4].colour") != before
    assert city.page.locator(".sy-legend").nth(1).is_visible()
    status.click()
    assert city.run(fill) == before


def test_numbered_sites_at_one_place_do_not_hide_each_other(city):
    # c15, d15 and r15 of the toy stand on the same spot
    boxes = [b.bounding_box() for b in city.page.locator(".sy-pin-in").all()]
    middles = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
    gaps = [
        ((x - u) ** 2 + (y - v) ** 2) ** 0.5 for i, (x, y) in enumerate(middles) for u, v in middles[i + 1 :]
    ]
    assert min(gaps) > 24


def test_before_printing_the_whole_map_is_fitted_to_the_sheet_and_put_back_after(city):
    view = "() => { const b = sy.map.getBounds(), d = L.latLngBounds(sy.data.bounds), s = sy.map.getSize(); return [b.contains(d), s.x, s.y, sy.map.getZoom()]; }"
    before = city.run(view)
    city.run("() => { window.dispatchEvent(new Event('beforeprint')); }")
    whole, width, height, _ = city.run(view)
    assert whole
    assert (width, height) == (
        pytest.approx(1062, abs=2),
        pytest.approx(726, abs=2),
    )  # 281 mm × 192 mm at 96 dots an inch
    city.run("() => { window.dispatchEvent(new Event('afterprint')); }")
    assert city.run(view) == before
    city.page.locator("[data-tool='print']").click()
    assert city.page.locator(".sy-sheets button").all_inner_texts() == ["A4", "A3"]


def test_the_page_itself_forbids_every_request(city):
    blocked = city.run(
        """() => new Promise((done) => {
        document.addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective), { once: true });
        new Image().src = 'https://example.invalid/x.png'; })"""
    )
    assert blocked == "img-src"
    city.complaints.clear()


def test_an_online_base_map_is_asked_for_tiles_and_nobody_else_is(opened, all_findings):
    page = opened(maps.draw(all_findings, base_map="osm").html())
    page.page.wait_for_timeout(300)
    outside = {url.split("/")[2] for url in page.requests if url.startswith("http")}
    assert outside == {"tile.openstreetmap.org"}
    assert not [c for c in page.complaints if c.startswith(("exception", "dialog"))]
    assert "© OpenStreetMap contributors" in page.page.locator(".sy-attribution").inner_text()


def test_the_list_to_verify_leads_to_the_place_on_the_map(city):
    city.page.locator(".sy-right .sy-link").click()
    assert city.page.locator(".sy-drawer li").count() == 3
    city.page.locator(".sy-go", has_text="示例甲镇敬老院").click()
    city.page.wait_for_selector(".sy-pop h3")
    assert city.page.locator(".sy-pop h3").inner_text() == "示例甲镇敬老院"
    assert "120 米" in city.page.locator(".sy-pop .sy-sub").inner_text()


def test_minor_roads_appear_only_when_zoomed_in(opened, all_findings):
    minor = all_findings.roads.assign(highway=["primary", "secondary", "residential"])
    page = opened(maps.draw(replace(all_findings, roads=minor)).html())
    drawn = "() => sy.map.hasLayer(sy.layers.all.find((e) => e.layer.id === 'road-minor').group)"
    page.run("() => { sy.map.setZoom(9, { animate: false }); }")
    assert page.run(drawn) is False
    page.run("() => { sy.map.setZoom(12, { animate: false }); }")
    assert page.run(drawn) is True


def test_a_printed_map_fits_one_landscape_sheet_and_keeps_title_legend_and_warning(city):
    import re

    pdf = city.page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1
    city.page.emulate_media(media="print")
    assert city.page.locator(".sy-notice").is_visible()
    assert city.page.locator(".sy-legend").first.is_visible()
    assert city.page.locator(".sy-approval").is_visible()
    assert city.page.locator(".sy-tools").is_hidden()
    assert city.page.locator(".sy-search").is_hidden()
