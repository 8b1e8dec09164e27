"""The finished DOCX as an office reads it: measures of GB/T 9704, pages, words that a mayor need not know."""

import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_LINE_SPACING
from docx.oxml.ns import qn

from sy_coverage.outputs import reports
from tests import toy

LISTED = Path(__file__).resolve().parents[2] / "docs" / "explain" / "official_document.zh.md"
TECHNICAL = re.compile(
    r"HiGHS|SHA|EPSG|gpkg|贪心|求解器|基尼|洛伦兹|manifest|JSON|CGCS|p-中位|整数规划|MIP|\bgap\b|分支|理论界限",
    re.IGNORECASE,
)


def text_of(book):
    """Return every word of a document but those of its closing statements."""
    return "\n".join(t.text or "" for t in book.element.body.iter(qn("w:t")))


@pytest.fixture(scope="module")
def files():
    """Return the bytes of one county's proposal and of the city's, as an office with all fields filled gets them."""
    from tests.outputs.conftest import make_findings

    whole = replace(
        make_findings(),
        document_number="邵民发〔2026〕12号",
        signatory="李四",
        copies_to="市发展改革委、市财政局",
        printed_by="邵阳市民政局办公室",
    )
    return {
        "county": reports.proposal_docx(whole.of_county(toy.COUNTY)),
        "city": reports.summary_docx(whole),
    }


@pytest.fixture(scope="module", params=["county", "city"])
def book(request, files):
    return docx.Document(io.BytesIO(files[request.param]))


def test_the_measures_are_those_that_the_documentation_lists(book):
    listed = LISTED.read_text(encoding="utf-8")
    body = book.sections[0]
    millimetres = [
        round(v.mm) for v in (body.page_width, body.page_height, body.top_margin, body.left_margin)
    ]
    assert millimetres == [210, 297, 37, 28]
    width = (body.page_width - body.left_margin - body.right_margin) / 36_000
    height = (body.page_height - body.top_margin - body.bottom_margin) / 36_000
    assert (round(width), round(height)) == (156, 225)
    assert "156 × 225 毫米" in listed
    text = next(p for p in book.paragraphs if p.text.startswith("为落实"))
    form = text.paragraph_format
    assert (form.line_spacing_rule, form.line_spacing.pt) == (WD_LINE_SPACING.EXACTLY, 28)
    assert {(r.font.size.pt, r._element.rPr.rFonts.get(qn("w:eastAsia"))) for r in text.runs} == {
        (16, "仿宋_GB2312")
    }
    # 22 lines of 28 pt in 225 mm; 27.6 characters of 16 pt in 156 mm
    assert int(height / 25.4 * 72 / 28) == 22
    assert 27 < width / 25.4 * 72 / 16 < 28
    assert "22 行、28 字" in listed
    title = next(
        p for p in book.paragraphs if p.runs and p.runs[0].font.size and p.runs[0].font.size.pt == 22
    )
    assert title.runs[0]._element.rPr.rFonts.get(qn("w:eastAsia")) == "方正小标宋简体"


def test_page_numbers_stand_outside_and_the_table_of_sites_lies_on_its_side(book):
    body, wide = book.sections
    for footer, side in ((body.footer, "right"), (body.even_page_footer, "left")):
        line = footer.paragraphs[0]
        assert line.text.replace(" ", "") == "——"
        assert {r.font.size.pt for r in line.runs} == {14}
        assert line._element.pPr.jc.get(qn("w:val")) == side
        assert [i.text for i in line._element.iter(qn("w:instrText"))] == ["PAGE"]
    assert book.settings.odd_and_even_pages_header_footer
    assert wide.orientation == WD_ORIENT.LANDSCAPE
    head = [cell.text for cell in book.tables[-1].rows[0].cells]
    # blank or not, the columns an office fills in are there
    for name in (
        "名称",
        "地址",
        "用房",
        "面积",
        "床位",
        "类别",
        "年度",
        "投资",
        "年运行费用",
        "资金来源",
        "责任单位",
        "必要性",
    ):
        assert any(name in cell for cell in head), name


def test_what_the_office_adds_stands_at_its_place(book):
    lines = [p.text for p in book.paragraphs if p.text]
    assert lines[0] == "邵民发〔2026〕12号\t签发人：李四"
    assert "抄送：市发展改革委、市财政局" in lines
    assert lines.index("抄送：市发展改革委、市财政局") + 1 == next(
        n for n, text in enumerate(lines) if text.startswith("邵阳市民政局办公室")
    )
    assert book.core_properties.title in lines


def test_a_body_speaks_no_word_a_mayor_need_not_know(book):
    closing = "坐标：WGS 84（CGCS2000 经纬度视为相同）。"
    assert TECHNICAL.findall(text_of(book).replace(closing, "")) == []


def test_a_body_has_its_pages(files, tmp_path):
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not here")
    for name, content in files.items():
        (tmp_path / f"{name}.docx").write_bytes(content)
    home = f"-env:UserInstallation=file://{tmp_path}/profile"
    made = [str(tmp_path / f"{name}.docx") for name in files]
    subprocess.run(
        [office, home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), *made],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    for name, most in (("county", 10), ("city", 6)):
        pages = re.findall(rb"/Type\s*/Page\b[^s]", (tmp_path / f"{name}.pdf").read_bytes())
        # the last page is the table of sites
        assert 3 <= len(pages) - 1 <= most, name


def test_the_survey_sheet_names_each_site_with_its_map_what_to_verify_and_a_place_to_sign():
    from tests.outputs.conftest import make_findings

    county = make_findings().of_county(toy.COUNTY)
    suggested = county.proposals.assign(
        origin=["generated" if i == "c15" else "listed" for i in county.proposals.index]
    )
    sheets = reports.survey(replace(county, proposals=suggested))
    assert len(sheets.images) == len(county.proposals) == 5
    content = reports.docx(sheets)
    assert content == reports.docx(reports.survey(replace(county, proposals=suggested)))
    book = docx.Document(io.BytesIO(content))
    text = text_of(book)
    for name in county.proposals["name"]:
        assert name in text
    assert text.count("踏勘人（签字）") == 5
    assert text.count("此点由程序推荐") == 1
    assert text.count("手机导航（GCJ-02）") == 5
    assert len(book.inline_shapes) + len(list(book.element.body.iter(qn("pic:pic")))) >= 5
