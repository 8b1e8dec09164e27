"""Write proposals: one county's as a page or a document, and the summary of all counties."""

from __future__ import annotations

import base64
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs import figures
from sy_coverage.outputs.reports import document as parts
from sy_coverage.outputs.reports import docx as report_docx
from sy_coverage.outputs.reports import summary as report_summary
from sy_coverage.outputs.reports import survey as report_survey
from sy_coverage.outputs.reports.sections import (
    choices,
    compared,
    decision,
    measures,
    outcome,
    sites,
    standing,
)
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words as words

if TYPE_CHECKING:
    from jinja2 import Template

    from sy_coverage.outputs.findings import Findings


def proposal(findings: Findings) -> parts.Document:
    """Return the proposal of one county (or of the scope as a whole): one page to decide by, the body, the table of sites.

    `html` and `docx` write it; a caller who wants both draws its figures only once by way of this.
    """
    writer = parts.Writer.of(findings)
    decision.write(findings, writer)
    writer.contents()
    standing.opening(findings, writer)
    standing.standing(findings, writer)
    standing.proposed(findings, writer)
    outcome.brought(findings, writer)
    choices.write(findings, writer)
    return _bound(findings, writer, writer.say("title_county", scope=findings.scope_name), with_sites=True)


def annex(findings: Findings) -> parts.Document:
    """Return the technical annex of a proposal: reasons, units, alternatives, proof, parameters, data and what is to verify."""
    writer = parts.Writer.of(findings)
    writer.blocks.append(parts.Contents(writer.say("contents")))
    if len(findings.proposals):
        writer.heading(1, "section_reasons")
        standing.reasons(findings, writer)
    writer.heading(1, "all_indicators")
    standing.indicators(findings, writer, every=True)
    measures.lists(findings, writer)
    writer.heading(1, "section_units")
    standing.unit_table(findings, writer)
    writer.image("figure_bars", partial(figures.coverage_bars, findings), scope=findings.scope_name)
    if figures.has_lorenz(findings):
        writer.heading(1, "section_even")
        outcome.even(findings, writer)
    compared.write(findings, writer)
    outcome.proved(findings, writer)
    measures.how_decided(findings, writer)
    outcome.grounds(findings, writer)
    return _bound(
        findings,
        writer,
        writer.say("title_annex", title=writer.say("title_county", scope=findings.scope_name)),
    )


def survey(findings: Findings) -> parts.Document:
    """Return the sheets for visiting each proposed site: small map, address, what to verify, and a place to sign."""
    writer = parts.Writer.of(findings)
    report_survey.write(findings, writer)
    return _bound(findings, writer, writer.say("title_survey", scope=findings.scope_name))


def summary(findings: Findings) -> parts.Document:
    """Return the summary of all counties: one page to decide by, the body, the table of sites."""
    writer = parts.Writer.of(findings)
    decision.write(findings, writer)
    writer.contents()
    report_summary.write(findings, writer)
    return _bound(findings, writer, _summary_title(findings, writer), with_sites=True)


def summary_annex(findings: Findings) -> parts.Document:
    """Return the technical annex of the summary."""
    writer = parts.Writer.of(findings)
    writer.blocks.append(parts.Contents(writer.say("contents")))
    report_summary.annex(findings, writer)
    return _bound(findings, writer, writer.say("title_annex", title=_summary_title(findings, writer)))


def _summary_title(findings: Findings, writer: parts.Writer) -> str:
    return writer.say(
        "title_summary" if len(findings.counties) > 1 else "title_alone", study=findings.study_name
    )


def _site_pages(findings: Findings, writer: parts.Writer) -> tuple[parts.Block, ...]:
    """Return the table of sites, numbered on from the body's tables."""
    start = len(writer.blocks)
    sites.write(findings, writer)
    made = tuple(writer.blocks[start:])
    del writer.blocks[start:]
    return made


def _bound(
    findings: Findings, writer: parts.Writer, title: str, *, with_sites: bool = False
) -> parts.Document:
    wide = _site_pages(findings, writer) if with_sites else ()
    language = findings.language
    degrees = "statement_coordinates" if findings.in_china else "statement_coordinates_elsewhere"
    closing = [writer.say("statement_catchments"), writer.say(degrees)]
    if (findings.units["boundary_quality"] == "estimated").any():
        closing.insert(0, writer.say("statement_estimated"))
    if findings.alone:
        closing.append(labels.text("maps.statement_alone", language))
    closing.append(words.approval(findings))
    subtitle = writer.say(
        "subtitle", policy=labels.pick(findings.policy.name, language), document=findings.policy.document
    )
    return parts.Document(
        language=language,
        title=fmt.plain(title),
        subtitle=fmt.plain(subtitle),
        notices=tuple(fmt.plain(notice) for notice in findings.notices),
        blocks=tuple(writer.blocks),
        office=fmt.plain(findings.office) or writer.say("blank_office"),
        date=fmt.date(findings.issued, language) or writer.say("blank_date"),
        as_of=writer.say("as_of", date=fmt.date(findings.date, language)),
        author=fmt.plain(findings.office),
        day=findings.issued or findings.date,
        closing=tuple(fmt.plain(line) for line in closing if line),
        subject=fmt.plain(findings.study_name),
        above=_above(findings, writer),
        imprint=_imprint(findings, writer),
        annex=wide,
    )


def _above(findings: Findings, writer: parts.Writer) -> tuple[str, str]:
    signatory = fmt.plain(findings.signatory)
    return (
        fmt.plain(findings.document_number),
        writer.say("signatory", name=signatory) if signatory else "",
    )


def _imprint(findings: Findings, writer: parts.Writer) -> tuple[tuple[str, str], ...]:
    copies, printer = fmt.plain(findings.copies_to), fmt.plain(findings.printed_by)
    printed = writer.say("printed_on", date=fmt.date(findings.issued, findings.language))
    said = [(writer.say("copies_to", names=copies), "")] if copies else []
    return (*said, *([(printer, printed if findings.issued else "")] if printer else []))


def proposal_html(findings: Findings) -> str:
    """Return the proposal of one county as one self-contained page: styles inline, figures inside, printable on A4."""
    return html(proposal(findings))


def summary_html(findings: Findings) -> str:
    """Return the summary of all counties as one self-contained page."""
    return html(summary(findings))


def proposal_docx(findings: Findings) -> bytes:
    """Return the proposal of one county as a DOCX document with the look of an official one (GB/T 9704-2012).

    The same findings give the same bytes; its dates are the date of the findings.
    """
    return docx(proposal(findings))


def summary_docx(findings: Findings) -> bytes:
    """Return the summary of all counties as a DOCX document."""
    return docx(summary(findings))


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("sy_coverage.outputs", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["name"] = lambda block: type(block).__name__
    return environment.get_template("proposal.html")


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def html(document: parts.Document) -> str:
    """Return `document` as one self-contained page; its figures are drawn once, also when it becomes a DOCX too."""

    def say(key: str, **values: Any) -> str:
        return labels.text(f"outputs.{key}", document.language, **values)

    # a template would take an error inside a drawing for a missing attribute
    pictures = {id(block): _data_uri(block.png) for block in document.images}
    return _template().render(document=document, pictures=pictures, identity=id, say=say)


def picture(document: parts.Document, what: str) -> bytes | None:
    """Return the PNG of the figure whose label is ``outputs.<what>``; None where `document` has none."""
    shown = (image for image in document.images if image.what == what)
    return next((block.png for block in shown), None)


def docx(document: parts.Document) -> bytes:
    """Return `document` as the bytes of a DOCX file; its figures are drawn once, also when it becomes a page too."""
    return report_docx.written(document)
