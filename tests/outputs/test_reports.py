"""Proposals say the same as page and document, blank what is unknown, and let nothing in a name run."""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import docx
import pandas as pd
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

from sy_coverage import labels
from sy_coverage.outputs import reports
from sy_coverage.outputs.facts import Facts
from sy_coverage.outputs.reports import document as report_document
from sy_coverage.outputs.text import roman
from tests import toy
from tests.outputs.conftest import FORMULA, HOSTILE, NORTH_COUNTY
from tests.outputs.test_tables import shuffled

WARNING = "示例数据：设施与道路为模拟，不可用于决策"


class Page(HTMLParser):
    """The text of a page, its tags and every address in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags, self.addresses = "", [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [
            value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}
        ]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def words_of(document: bytes) -> str:
    """Return all text of a DOCX, cell by cell."""
    book = docx.Document(io.BytesIO(document))
    paragraphs = book.element.body.iter(qn("w:p"))
    return "\n".join("".join(t.text or "" for t in p.iter(qn("w:t"))) for p in paragraphs)


def said_in(document) -> str:
    return "\n".join(b.text for b in document.blocks if isinstance(b, report_document.Paragraph))


def every_block(findings) -> list[report_document.Block]:
    """Return the blocks of a proposal, its table of sites and its technical annex."""
    document = reports.proposal(findings)
    return [*document.blocks, *document.annex, *reports.annex(findings).blocks]


def tables_of(findings) -> dict[str, report_document.Table]:
    return {
        b.caption.split("　")[-1]: b for b in every_block(findings) if isinstance(b, report_document.Table)
    }


def paragraphs_of(findings) -> str:
    return "\n".join(b.text for b in every_block(findings) if isinstance(b, report_document.Paragraph))


@pytest.fixture(scope="module")
def page(county) -> str:
    return reports.proposal_html(county)


@pytest.fixture(scope="module")
def document(county) -> bytes:
    return reports.proposal_docx(county)


@pytest.fixture(scope="module")
def north(findings):
    return findings.of_county(NORTH_COUNTY)


def test_the_page_asks_nothing_of_anyone(page):
    seen = Page(page)
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    # besides pictures only the contents list leads anywhere, and that is on the page itself
    assert all(address.startswith(("data:image/png;base64,", "#heading-")) for address in seen.addresses)
    assert not re.search(r"url\(|@import|https?://", page)


def test_the_page_has_every_section_in_order_numbered_as_officials_do(page):
    text = Page(page).text
    sections = [
        "一、现状与差距",
        "二、建设建议",
        "三、实施效果",
    ]
    assert text.index("提请审议") < text.index("目　录") < text.index(sections[0])
    # each stands in the contents list and over its section
    assert all(text.count(section) == 2 for section in sections)
    places = [text.rindex(section) for section in sections]
    assert places == sorted(places)
    assert (
        text.rindex("（一）基本情况")
        < text.rindex("（二）指标完成情况")
        < text.rindex("（三）“有没有”与“到得了”")
    )


def test_what_a_mayor_need_not_know_stands_in_the_technical_annex(county, page):
    for word in ("HiGHS", "SHA-256", "EPSG", "gpkg", "贪心", "基尼系数"):
        assert word not in Page(page).text
    technical = Page(reports.html(reports.annex(county))).text
    sections = ("方案比选与敏感性", "方案的证明", "参数、数据与待核实事项")
    places = [technical.rindex(section) for section in sections]
    assert places == sorted(places)
    assert "HiGHS" in technical


def test_the_page_before_the_body_says_what_is_asked_what_it_changes_and_who_is_still_out(county, north):
    before = "".join(
        b.text for b in reports.proposal(county).blocks[:8] if isinstance(b, report_document.Paragraph)
    )
    assert "在试验县建设设施5处" in before
    assert "估算投资700万元" in before
    # village H, 100 elders, is 33 minutes away today; with the plan all 1,600 are within the cutoff
    assert "新增100名老年人" in before
    assert "由1,500名提高到1,600名（共1,600名）" in before
    lost = "".join(
        b.text for b in reports.proposal(north).blocks[:10] if isinstance(b, report_document.Paragraph)
    )
    assert "实施后仍有1个村（社区）的40名老年人不在时限内，较多的是：戊镇40名（没有道路通往任何中心）" in lost
    assert "规划实施后仍未达标：县级失智照护服务机构0→0（目标1）" in lost.replace(" ", "")


def test_a_document_has_its_contents_its_wide_pages_and_properties_of_its_own(document):
    book = docx.Document(io.BytesIO(document))
    fields = [e.text for e in book.element.iter(qn("w:instrText"))]
    marks = {e.get(qn("w:name")) for e in book.element.iter(qn("w:bookmarkStart"))}
    pages = [f.split()[1] for f in fields if f.startswith("PAGEREF")]
    assert len(pages) > 6
    assert set(pages) <= marks
    assert [s.orientation for s in book.sections] == [WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE]
    assert book.core_properties.title == "试验县养老服务设施布局建议方案"
    assert not [name for name in zipfile.ZipFile(io.BytesIO(document)).namelist() if "thumbnail" in name]


def test_the_body_keeps_the_measures_of_gb_t_9704(document):
    book = docx.Document(io.BytesIO(document))
    body = book.sections[0]
    # 37 mm above and 28 mm left of a text of 156 × 225 mm
    assert (round(body.top_margin.mm), round(body.left_margin.mm)) == (37, 28)
    assert round((body.page_width - body.left_margin - body.right_margin) / 36_000) == 156
    assert round((body.page_height - body.top_margin - body.bottom_margin) / 36_000) == 225
    text = next(p for p in book.paragraphs if p.text.startswith("为落实"))
    # 22 lines a page, 28 characters of 16 pt a line: 225 mm are 22.8 lines of 28 pt, 156 mm are 27.6 characters of 16 pt
    assert text.paragraph_format.line_spacing.pt == 28
    assert int(225 / 25.4 * 72 / 28) == 22
    assert {run.font.size.pt for run in text.runs} == {16}
    assert body.footer.paragraphs[0].text.replace(" ", "") == "——"


def test_without_anything_to_compare_the_numbers_of_the_sections_close_up(county):
    text = Page(reports.html(reports.annex(replace(county, extras={})))).text
    assert "五、方案的证明" in text
    assert "方案比选" not in text


def test_what_was_compared_is_said_in_words_and_only_where_it_was_computed(county):
    prices = pd.DataFrame(
        {
            "status": "optimal",
            "cost": [700.0, 610.0],
            "new_sites": [5, 4],
            "elders_covered": [1600.0, 1500.0],
        },
        index=pd.Index(["county", "city"], name="scope"),
    )
    closures = pd.DataFrame(
        {
            "planned": [False, True],
            "elders_lost": [0.0, 100.0],
            "elders_left": [1600.0, 1500.0],
            "units_lost": [["990100001"], []],
            "targets_lost": [["street_centre_coverage"], []],
        },
        index=pd.Index(["S1", "c35"], name="site_id"),
    )
    other = replace(county, extras={"scope_price": prices, "closures": closures})
    assert "分别达标比合并统算多需投资90万元" in paragraphs_of(other)
    assert "两种统计口径的比较" not in tables_of(county)
    rows = tables_of(other)["单个中心停业后的覆盖"].rows
    assert rows[0] == ("示例c35", "拟建", "100", "1,500", "", "")
    assert rows[1][-2:] == ("城东街道", "街道综合养老服务中心覆盖率")
    assert tables_of(other)["两种统计口径的比较"].rows[1] == (
        "合并统算达标",
        "已证最优",
        "610",
        "−90",
        "4",
        "1,500",
    )


def test_what_a_plan_asks_for_besides_sites_has_sections_of_its_own(county):
    turned = pd.DataFrame(
        {
            "county_id": toy.COUNTY,
            "beds": [60, 20],
            "nursing_beds": [30, 20],
            "convert": [15, 0],
            "cost": [7.5, 0.0],
        },
        index=pd.Index(["T1", "S1"], name="facility_id"),
    )
    beds = pd.DataFrame(
        {"needed": [48.0], "beds": [60.0], "short": [0.0]}, index=pd.Index([toy.COUNTY], name="county_id")
    )
    plan = county.plans[toy.COUNTY]
    more = replace(plan, figures=replace(plan.figures, conversions=turned, beds=beds))
    other = replace(county, plans={toy.COUNTY: more})
    assert "将1处机构的15张床位改造为护理型床位，估算投资7.5万元" in paragraphs_of(other)
    # only what is turned is listed: half of the 30 beds that are none yet
    assert tables_of(other)["护理型床位改造清单"].rows == (
        ("示例甲镇敬老院", "60", "30", "15", "7.5"),
        ("合计", "", "", "15", "7.5"),
    )
    assert tables_of(other)["机构床位供需"].rows == (("试验县", "48", "60", "0"),)
    assert "护理型床位改造清单" not in tables_of(county)
    # of a home whose beds nobody knows nothing can be said
    unknown = turned.astype(object).assign(convert=pd.array([0, None], dtype="Int64"))
    doubtful = replace(more.figures, conversions=unknown)
    said = paragraphs_of(replace(county, plans={toy.COUNTY: replace(more, figures=doubtful)}))
    assert "尚不能确定为使护理型床位占比达到目标需改造多少床位" in said
    assert "不需改造床位" not in said
    assert "另有1处机构的床位或护理型床位数缺失、有误，未计入" in said
    assert "未计入；补齐" not in paragraphs_of(other)
    # a cost that nobody gave is no cost of 0
    free = replace(more.figures, conversions=turned.assign(cost=0.0))
    unpriced = replace(county, plans={toy.COUNTY: replace(more, figures=free)})
    assert "每张床位的改造费用尚未提供，未计入投资" in paragraphs_of(unpriced)
    assert tables_of(unpriced)["护理型床位改造清单"].rows[0] == ("示例甲镇敬老院", "60", "30", "15")


def test_the_summary_says_for_each_county_how_much_and_leaves_the_lists_to_the_proposals(findings):
    turned = pd.DataFrame(
        {
            "site_id": ["T1", "T2", "T3"],
            "county_id": ["990100", "990200", "990200"],
            "beds": [60, 40, 40],
            "nursing_beds": [30, 10, 10],
            "convert": [15, 20, 20],
            "cost": [7.5, 10.0, 10.0],
        }
    )
    shown = pd.DataFrame(
        {
            "site_id": ["a", "b", "c"],
            "county_id": ["990100", "990200", "990200"],
            "kind": "station",
            "target_id": "urban_demo_sites",
        }
    )
    whole = replace(findings, extras={"conversions": turned, "demonstration": shown})
    tables = {
        block.caption.split("\u3000")[1]: block
        for block in reports.summary(whole).blocks
        if isinstance(block, report_document.Table)
    }
    first, second = findings.counties.loc[["990100", "990200"], "county"]
    # centres, a dementia unit and homes; cost; beds to turn: 15 and 20 + 20; demonstration sites: 1 and 2
    assert tables["各县（市、区）建设任务"].rows == (
        (first, "2", "1", "2", "700", "15", "1"),
        (second, "2", "0", "0", "260", "40", "2"),
        ("合计", "4", "1", "2", "960", "55", "3"),
    )
    assert "将3处机构的55张床位改造为护理型床位，估算投资27.5万元" in said_in(reports.summary(whole))


def test_page_and_document_say_the_same(county, page, document):
    seen, written = Page(page).text, words_of(document)
    for block in reports.proposal(county).blocks:
        said = {
            report_document.Heading: lambda b: [b.text],
            report_document.Paragraph: lambda b: [b.text],
            report_document.Items: lambda b: [t for pair in b.points for t in pair],
            report_document.Headline: lambda b: [t for fact in b.facts for t in fact[:2]],
            report_document.Table: lambda b: [b.caption, *b.head, *(c for row in b.rows for c in row)],
            report_document.Image: lambda b: [b.caption],
            report_document.Contents: lambda b: [b.title],
            report_document.NewPage: lambda _: [],
        }[type(block)](block)
        for text in said:
            assert text in seen
            assert text in written


def test_the_numbers_of_the_toy_county_are_those_worked_out_by_hand(county):
    by_kind = tables_of(county)["按类别汇总"].rows
    # service centres c15 + c35, dementia unit d15, regional homes r15 + r36
    assert [row[1] for row in by_kind] == ["2", "1", "2", "5"]
    assert [row[-1] for row in by_kind] == ["190", "60", "450", "700"]
    before_after = {row[0]: row[1:] for row in tables_of(county)["实施前后对比"].rows}
    assert before_after["时限内可达的老年人（人）"] == ("1,500", "1,600", "1,600")
    assert before_after["时限内可达的老年人占比"][:2] == ("93.8%", "100.0%")
    # today: (400+200)·3 + 100·7 + 300·13 + 150·17 + 150·23 + 200·27 + 100·33 = 21,100 over 1,600; planned 6,000
    assert before_after["到最近中心平均用时（分钟）"][:2] == ("13.2", "3.8")
    assert "估算投资700万元" in paragraphs_of(county)


def test_each_year_has_its_sites_and_cost(county):
    by_year = {row[0]: row for row in tables_of(county)["分年度安排"].rows}
    assert [by_year[y][1] for y in ("2025", "2026", "2027")] == ["2", "1", "2"]
    assert [by_year[y][-1] for y in ("2025", "2026", "2027", "合计")] == ["240", "100", "360", "700"]


def test_each_indicator_has_its_clause_and_an_unknown_one_is_blank_with_its_reason(county):
    rows = {row[0]: row for row in tables_of(county)["指标完成情况"].rows}
    rate = rows["乡镇综合养老服务中心覆盖率"]
    assert rate[1:7] == ("65.0%", "2027年12月31日", "0.0%", "66.7%", "未达标 → 达标", "2")
    assert "邵市政办发〔2025〕10号 一" in rate[-1]
    unknown = rows["城市社区居家养老服务中心示范点（全市）"]
    assert unknown[3:7] == ("", "", "", "")
    assert "设施名录没有示范点一栏" in unknown[-1]


def test_an_indicator_that_does_not_apply_is_neither_met_nor_missed(north):
    street = {row[0]: row for row in tables_of(north)["指标完成情况"].rows}["街道综合养老服务中心覆盖率"]
    assert street[3:6] == ("", "", "不适用")
    assert "该县没有街道" in street[-1]
    assert "街道综合养老服务中心覆盖率" not in "".join(
        line for line in paragraphs_of(north).splitlines() if "未达标的指标" in line
    )


def test_what_stays_uncovered_is_named_with_its_reason(north):
    found = tables_of(north)
    assert found["规划后没有中心的单元"].rows[0][-1] == "没有老年人居住。"
    assert found["规划后仍在时限之外的村（社区）"].rows == (("P村", "戊镇", "40", "路网不可达"),)


def test_a_proved_plan_is_called_optimal_and_another_never(county, north):
    assert "没有任何其他方案更好" in paragraphs_of(county)
    assert "最优：没有任何" not in paragraphs_of(north)
    assert "尚未证明为最优" in paragraphs_of(north)
    assert "5.0%" in paragraphs_of(north)  # (260 − 247) / 260
    stages = tables_of(north)["逐级目标与证明"].rows
    assert stages[0][1:] == ("260.0", "247.0", "未证明")
    assert "HiGHS 1.16.0" in paragraphs_of(county)


def test_where_the_targets_cannot_be_met_the_reasons_are_said_in_planning_words(county):
    reasons = pd.DataFrame(
        {
            "reason_id": ["left_out_no_candidate"],
            "subject": ["990100101"],
            "value": [None],
            "other": [None],
        }
    )
    plan = replace(
        county.plans[toy.COUNTY], status="infeasible", certificate=None, findings=reasons, sites=()
    )
    impossible = replace(county, plans={toy.COUNTY: plan}, proposals=county.proposals.iloc[:0])
    text = paragraphs_of(impossible)
    assert "各项指标不能全部达到" in text
    assert "乙镇没有备选点" in text
    assert "没有建议建设的站址" in text
    assert reports.proposal_docx(impossible)


def test_a_county_without_any_plan_says_so(county):
    text = paragraphs_of(replace(county, plans={}, proposals=county.proposals.iloc[:0]))
    assert "本次未作选址求解" in text


def test_presence_and_access_are_shown_where_they_disagree(county):
    assert "没有中心但可达占比不低于80.0%的单元2个，由邻近中心服务：甲镇、乙镇。" in paragraphs_of(county)


def test_the_warning_of_the_sample_and_the_approval_number_are_in_every_proposal(county, page, document):
    for text in (Page(page).text, words_of(document)):
        assert WARNING in text
        assert "审图号：（公开使用前须送审并填写）" in text
    numbered = replace(county, approval_number="湘S(2026)001号")
    assert "审图号：湘S(2026)001号" in reports.proposal(numbered).closing


def test_every_page_of_the_document_carries_the_warning(document):
    section = docx.Document(io.BytesIO(document)).sections[0]
    assert section.header.paragraphs[0].text == WARNING
    assert section.even_page_header.paragraphs[0].text == WARNING


def test_estimated_borders_are_said_where_there_are_any(county, north):
    assert any("虚线为估算的乡级界" in line for line in reports.proposal(north).closing)
    assert not any("虚线为估算的乡级界" in line for line in reports.proposal(county).closing)


def test_hostile_names_are_shown_literally_and_add_no_element(north):
    proposal = reports.proposal(north)
    hostile = reports.html(proposal)
    calm = reports.proposal_html(replace(north, proposals=north.proposals.assign(name="平常")))
    assert set(Page(hostile).tags) == set(Page(calm).tags)
    shown = HOSTILE.replace("\u2028", " ")
    assert shown in Page(hostile).text
    assert FORMULA in Page(hostile).text
    assert shown in words_of(reports.docx(proposal))


def test_control_characters_break_neither_page_nor_document(county):
    broken = replace(county, proposals=county.proposals.assign(name="a\x00\x0b\x1f\ufffeb"), office="o\x01")
    proposal = reports.proposal(broken)
    assert "a\ufffd" in words_of(reports.docx(proposal))
    assert "a\ufffd" in reports.html(proposal)


def test_the_order_of_rows_changes_no_byte(county, page, document):
    again = reports.proposal(shuffled(county))
    assert reports.html(again) == page
    assert reports.docx(again) == document


def test_the_summary_is_the_same_bytes_from_rows_in_another_order(findings):
    assert reports.summary_html(findings) == reports.summary_html(shuffled(findings))


def test_the_document_knows_no_clock_but_the_date_of_the_findings(document):
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2027, 12, 31, 0, 0, 0)}
    properties = docx.Document(io.BytesIO(document)).core_properties
    assert properties.created.isoformat().startswith("2027-12-31")
    assert properties.modified.isoformat().startswith("2027-12-31")
    assert properties.author == "试验市民政局"


def test_the_document_is_a4_with_the_margins_and_faces_of_the_standard(document):
    book = docx.Document(io.BytesIO(document))
    section = book.sections[0]
    margins = [
        round(m.mm)
        for m in (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    ]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert margins == [37, 35, 28, 26]
    east_asia = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia"
    title = book.paragraphs[0].runs[0]
    assert title.font.size.pt == 22
    assert "小标宋" in title._element.rPr.rFonts.get(east_asia)
    body = next(p for p in book.paragraphs if "提出本建议方案" in p.text).runs[0]
    assert body.font.size.pt == 16
    assert "仿宋" in body._element.rPr.rFonts.get(east_asia)


def test_the_summary_adds_the_counties_up(findings):
    text = Page(reports.summary_html(findings)).text
    decided, table = [b for b in reports.summary(findings).blocks if isinstance(b, report_document.Table)][:2]
    assert [row[0] for row in table.rows] == ["试验县", "示范县", "合计"]
    # 1,600 + 440 elders; 1,500 of them in reach today, 1,600 + 400 with the plan
    assert table.rows[-1] == ("合计", "1", "6", "2,040", "1", "5", "73.5%", "98.0%")
    # targets that a site can change, sites, cost, and whom the plan serves: all but 乙镇's 300 (no centre, no bed, but in
    # reach) and village P's 40 (no road)
    assert decided.rows == (
        ("试验县", "1→4/4", "5", "700", "1,300", "300", "0"),
        ("示范县", "0→1/3", "2", "260", "400", "0", "40"),
        ("合计", "", "7", "960", "1,700", "300", "40"),
    )
    assert decided.beside.what == "figure_city_map"
    assert "2个方案中，1个已证明最优" in Page(reports.html(reports.summary_annex(findings))).text
    assert WARNING in text


def test_in_english_no_chinese_is_left_but_names_and_what_the_study_brought(english):
    county = english.of_county(toy.COUNTY)
    blank = replace(
        county,
        study_name="Study",
        scope_name="Test County",
        office="Office",
        notices=("Sample data",),
        units=county.units.assign(name="Unit", county="County"),
        demand=county.demand.assign(name="Village"),
        facilities=county.facilities.assign(name="Facility"),
        proposals=county.proposals.assign(name="Site", unit="Unit", why="Because."),
        left_out=county.left_out.assign(sentence="Because."),
        doubts=county.doubts.assign(name="Row", sentence="Look."),
        parameters=county.parameters.assign(name="P", unit="min", source="s"),
        sources=county.sources.assign(name="S", note="n"),
        scorecard=county.scorecard.assign(scope="Scope", reason=None, citation="clause"),
    )
    left = set(re.findall(r"[\u4e00-\u9fff]+", re.sub(r"data:image[^\"]*", "", reports.proposal_html(blank))))
    assert left <= {"邵市政办发", "号"}  # the number of the document is cited as it is


def test_every_word_a_proposal_asks_for_is_in_both_languages_with_the_same_fields():
    catalogue = tomllib.loads(
        files("sy_coverage").joinpath("_catalogues/outputs.toml").read_text(encoding="utf-8")
    )
    for key, words in catalogue.items():
        assert set(words) == {"zh", "en"}, key
        fields = [set(re.findall(r"{(\w+)", words[language])) for language in ("zh", "en")]
        assert fields[0] == fields[1], key
        assert labels.catalogue()[f"outputs.{key}"] == words


@pytest.mark.parametrize(
    ("value", "said"), [(1, "一"), (9, "九"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九")]
)
def test_headings_are_numbered_in_chinese(value, said):
    assert report_document.chinese_number(value) == said


def test_elders_are_served_beside_or_out_and_add_up(county, north):
    figures = {name: fact.value for name, fact in Facts(county).by_name.items()}
    # today the street has its centre (600) and 甲镇 its home's beds (400); 乙镇 300 and 丙镇 200 reach the street's centre
    # only; village H (100) is too far. The plan gives 丙镇 a centre, which H reaches too
    assert [figures[f"elders_{name}_today"] for name in ("served", "beside", "out")] == [1000, 500, 100]
    assert [figures[f"elders_{name}_planned"] for name in ("served", "beside", "out")] == [1300, 300, 0]
    for findings in (county, north):
        facts = Facts(findings)
        for state in ("today", "planned"):
            whole = sum(facts[f"elders_{name}_{state}"].value for name in ("served", "beside", "out"))
            assert whole == facts["elders"].value


def test_a_board_is_told_which_centres_add_nobody_and_why_they_are_in(county):
    chosen = county.reasons.assign(target_id="township_centre_coverage")
    said = paragraphs_of(replace(county, reasons=chosen))
    # c15 brings nobody within reach; c35 brings village H's 100
    assert "建议的2处中心中，1处不增加时限内可达的老年人：1号示例c15" in said
    assert "因为不设则“乡镇综合养老服务中心覆盖率”不能达标" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("隆回县", "Longhui Xian 隆回县"),
        ("花门街道", "Huamen Jiedao 花门街道"),
        ("城步苗族自治县", "Chengbumiaozu Zizhixian 城步苗族自治县"),
        ("示例五通村小学旧校舍", "Shi Li Wu Tong Cun Xiao Xue Jiu Xiao She 示例五通村小学旧校舍"),
        ("Valletta", "Valletta"),
    ],
)
def test_names_stand_in_latin_letters_beside_their_characters_for_readers_of_english(name, said):
    assert roman.beside(name, "en") == said
    assert roman.beside(name, "zh") == name


def test_an_english_proposal_can_be_read_aloud(english):
    text = said_in(reports.proposal(english.of_county(toy.COUNTY)))
    rows = reports.summary(english).blocks
    table = next(b for b in rows if isinstance(b, report_document.Table))
    assert [row[0] for row in table.rows] == ["Shiyan Xian 试验县", "Shifan Xian 示范县", "Total"]
    assert "To be decided: 5 sites in" in text


def test_a_board_is_told_what_more_money_would_buy(findings):
    row = {"slack": 0.05, "limit": 735.0, "cost": 730.0, "cost_before": 700.0, "elders_covered": 1650.0,
           "elders_before": 1600.0, "new_sites": 6}  # fmt: skip
    both = pd.DataFrame(
        [{**row, "county_id": toy.COUNTY}, {**row, "county_id": NORTH_COUNTY, "elders_covered": 1600.0}]
    )
    whole = replace(findings, extras={"more_money": both})
    county = said_in(reports.proposal(whole.of_county(toy.COUNTY)))
    assert "投资放宽5%（不超过735万元）、增加30万元，可使时限内可达的老年人再增加50名，建设设施6处" in county
    assert "投资放宽5%（不超过735万元）也不能使更多老年人" in said_in(
        reports.proposal(whole.of_county(NORTH_COUNTY))
    )
    # of the city the sum of what its counties would buy: 60 for 50 more
    assert "（不超过1,470万元）、增加60万元，可使时限内可达的老年人再增加50名" in said_in(
        reports.summary(whole)
    )


def test_a_county_without_such_villages_says_nothing_of_villages_in_no_unit(findings):
    units = findings.demand["unit_id"].astype(object).where(findings.demand.index != "J", None)
    lost = findings.demand.assign(unit_id=units)
    said = labels.text("study.in_no_unit", "zh", count="1", elders="120")
    whole = replace(findings, demand=lost, notices=("注意", said))
    assert whole.of_county(toy.COUNTY).notices == ("注意",)
    assert whole.of_county(NORTH_COUNTY).notices == ("注意", said)
