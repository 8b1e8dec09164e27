"""Every figure says the same wherever it stands: document, page, workbook, map and scorecard, held together by the figure's id."""

import html
import io
import re
import zipfile

import docx
import openpyxl
import pytest

from sy_coverage.errors import UnreadableFileError
from sy_coverage.outputs import reports, tables
from sy_coverage.outputs.facts import Facts
from sy_coverage.outputs.maps import page as map_page
from sy_coverage.outputs.reports import edited
from tests import toy
from tests.outputs.conftest import NORTH_COUNTY


def bare(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(params=["city", toy.COUNTY, NORTH_COUNTY])
def scope(request, findings):
    return findings if request.param == "city" else findings.of_county(request.param)


def document_of(findings) -> reports.parts.Document:
    return reports.summary(findings) if findings.scope_id == "city" else reports.proposal(findings)


def test_document_page_workbook_and_map_write_every_figure_alike(scope):
    # a summary also has figures of its counties
    scopes = [scope, *(scope.of_county(c) for c in scope.counties.index if scope.scope_id == "city")]
    expected = {f: bare(text) for own in scopes for f, text in edited.written_figures(own).items()}
    document = document_of(scope)
    found = {"docx": edited.tagged_figures(reports.docx(document), file="x.docx")}
    page = reports.html(document)
    found["html"] = [
        (fact, html.unescape(text)) for fact, text in re.findall(r'data-fact="([^"]+)">([^<]*)<', page)
    ]
    assert len(found["docx"]) == len(found["html"]) > 15
    for where, figures in found.items():
        for fact_id, text in figures:
            assert bare(text) == expected[fact_id], (where, fact_id)
    book = openpyxl.load_workbook(io.BytesIO(tables.proposal_xlsx(scope)))
    for fact_id, _, form, text in book["数字"].iter_rows(min_row=2, values_only=True):
        written = bare(text or "")
        assert (
            expected[fact_id].removesuffix("万元") == written
            if form == "money"
            else expected[fact_id] == written
        )
    shown = {row["label"]: row for row in map_page.page(scope, shift=None, base_map=None)[0]["facts"]}
    facts = Facts(scope)
    head = facts.headline()
    met = next(row for label, row in shown.items() if "可由布局达到的指标" in label)
    assert (met["today"], met["plan"]) == (
        f"{head.today.text} / {head.whole.text}",
        f"{head.planned.text} / {head.whole.text}",
    )
    within = next(row for label, row in shown.items() if "时限内可达" in label)
    assert bare(within["plan"]) == expected[f"{scope.scope_id}.share_within_planned"]


def test_the_rates_are_those_of_the_scorecard(findings):
    own = findings.of_county(toy.COUNTY)
    card = tables.scorecard(own).set_index(["target_id", "scope_id"])
    for rate in Facts(own).headline().rates:
        row = card.loc[(rate.target_id, toy.COUNTY)]
        assert rate.today.value == row["value_today"]
        assert rate.planned.value == row["value_planned"]


def test_what_an_office_changed_in_a_document_is_listed_and_nothing_else(findings):
    own = findings.of_county(toy.COUNTY)
    content = reports.docx(reports.proposal(own))
    assert edited.disagreements(findings, content, file="p.docx") == []
    wrong = edited.disagreements(findings, rewritten(content, "700万元", "650万元"), file="p.docx")
    assert {w.fact_id for w in wrong} == {f"{toy.COUNTY}.cost"}
    assert {(w.written, w.expected) for w in wrong} == {("650万元", "700万元")}
    name = own.proposals["name"].iloc[0]
    lacking = edited.disagreements(findings, rewritten(content, name, "别处"), file="p.docx")
    assert [w.expected for w in lacking] == [name]


def test_a_file_that_carries_no_figures_is_refused_in_one_sentence(findings):
    with pytest.raises(UnreadableFileError, match=r"is no \.docx document"):
        edited.disagreements(findings, b"no document", file="x.docx")
    empty = io.BytesIO()
    docx.Document().save(empty)
    with pytest.raises(UnreadableFileError, match="carries no figure"):
        edited.disagreements(findings, empty.getvalue(), file="x.docx")


def rewritten(content: bytes, old: str, new: str) -> bytes:
    """Return a document as somebody who edited it in an office program would leave it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for entry in before.namelist():
            data = before.read(entry)
            if entry == "word/document.xml":
                assert old in data.decode("utf-8")
                data = data.decode("utf-8").replace(old, new).encode("utf-8")
            after.writestr(entry, data)
    return out.getvalue()
