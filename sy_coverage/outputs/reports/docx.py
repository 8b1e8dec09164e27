"""Write a proposal as DOCX with the look of an official Chinese document (GB/T 9704-2012 where it applies).

A4, margins 37/35/28/26 mm; title in 小标宋 22 pt (2号), text in 仿宋 16 pt (3号) at a fixed 28 pt a line, headings 一、 in 黑体
and （一） in 楷体, page numbers “— 1 —” in 宋体 14 pt (4号). Faces are named, not shipped: an office has them, other systems
take their own.
"""

from __future__ import annotations

import datetime as dt
import io
import struct
from dataclasses import replace
from typing import Any

import docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt

from sy_coverage.outputs.reports import document as parts
from sy_coverage.outputs.reports import typeset
from sy_coverage.outputs.reports.typeset import ALIGN, BODY, HEI, INK, KAI, SONG, TITLE, WARN
from sy_coverage.outputs.text.zipped import normalised

_TOGETHER = 2
"""So many rows of a table at least stay on one page, at its beginning and at its end."""


def written(document: parts.Document) -> bytes:
    """Return `document` as the bytes of a .docx file whose every time is the day of the document."""
    book = docx.Document()
    _page(book, document)
    properties = book.core_properties
    properties.title, properties.subject = document.title, document.subject
    properties.author = properties.last_modified_by = document.author or "sy_coverage"
    properties.comments = properties.category = ""
    properties.keywords = document.subject
    _without_thumbnail(book)
    properties.language = "zh-CN" if document.language == "zh" else "en-GB"
    properties.revision = 1
    properties.created = properties.modified = dt.datetime.combine(document.day, dt.time())
    _title(book, document)
    for block in document.blocks:
        _ADD[type(block)](book, block, document)
    _held_together(book)
    _closing(book, document)
    if document.annex:
        _wide_section(book)
        for block in document.annex:
            _ADD[type(block)](book, block, document)
    out = io.BytesIO()
    book.save(out)
    return normalised(out.getvalue(), document.day)


def _without_thumbnail(book: Any) -> None:
    """Take away the picture of an empty page that the library's own template brings along."""
    package = book.part.package
    for name, relation in list(package.rels.items()):
        if relation.reltype.endswith("/thumbnail"):
            del package.rels[name]


def _page(book: Any, document: parts.Document) -> None:
    section = book.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.footer_distance = Mm(28)
    section.header_distance = Mm(20)
    normal = book.styles["Normal"]
    typeset.face(normal, BODY)
    normal.font.size, normal.font.color.rgb = Pt(16), INK
    for language in book.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    for level, face in ((1, HEI), (2, KAI)):
        style = book.styles[f"Heading {level}"]
        typeset.face(style, face)
        style.font.size, style.font.bold = Pt(16), False
        style.font.color.rgb = INK
        style.paragraph_format.space_before = Pt(6 if level == 1 else 0)
        style.paragraph_format.space_after = Pt(0)
        style.paragraph_format.keep_with_next = True
    book.settings.odd_and_even_pages_header_footer = True
    for footer, align in ((section.footer, "r"), (section.even_page_footer, "l")):
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        paragraph.alignment = ALIGN[align]
        indent = paragraph.paragraph_format
        if align == "r":
            indent.right_indent = Pt(14)
        else:
            indent.left_indent = Pt(14)
        typeset.run(paragraph, "— ", SONG, 14)
        typeset.field(typeset.run(paragraph, "", SONG, 14), "PAGE")
        typeset.run(paragraph, " —", SONG, 14)
    if document.notices:
        for header in (section.header, section.even_page_header):
            header.is_linked_to_previous = False
            paragraph = header.paragraphs[0]
            paragraph.alignment = ALIGN["c"]
            typeset.run(paragraph, "　".join(document.notices), HEI, 10.5, colour=WARN)


def _wide_section(book: Any) -> None:
    """Begin pages that lie on their side, for tables of many columns."""
    section = book.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin, section.bottom_margin = Mm(24), Mm(22)
    section.left_margin, section.right_margin = Mm(20), Mm(20)
    section.footer_distance, section.header_distance = Mm(14), Mm(12)


def _two_sided(book: Any, left: str, right: str, size: float, points: float) -> Any:
    """Add one line with words at its left and at its right end, one character from the margins."""
    line = book.add_paragraph()
    form = typeset.lines(line, points)
    form.left_indent = form.right_indent = Pt(size)
    form.tab_stops.add_tab_stop(Emu(typeset.width(book) - int(Pt(size))), WD_TAB_ALIGNMENT.RIGHT)
    typeset.run(line, f"{left}\t{right}" if right else left, BODY, size)
    return line


def _title(book: Any, document: parts.Document) -> None:
    number, signatory = document.above
    if number or signatory:
        line = _two_sided(book, number, signatory, 16, 28)
        if not signatory:
            line.alignment = ALIGN["c"]
        _rule(line)
    paragraph = book.add_paragraph()
    paragraph.alignment = ALIGN["c"]
    typeset.lines(paragraph, 34).space_after = Pt(4)
    typeset.run(paragraph, document.title, TITLE, 22)
    for text in (document.subtitle, document.as_of):
        line = book.add_paragraph()
        line.alignment = ALIGN["c"]
        typeset.lines(line, 17)
        typeset.run(line, text, KAI, 12)
    for notice in document.notices:
        warned = book.add_paragraph()
        warned.alignment = ALIGN["c"]
        typeset.lines(warned, 14)
        typeset.run(warned, notice, HEI, 10.5, colour=WARN)
    _rule(line)
    book.add_paragraph().paragraph_format.line_spacing = Pt(4)


def _rule(paragraph: Any) -> None:
    typeset.border(paragraph, ("bottom",), size="12", space="10")


def _heading(book: Any, block: parts.Heading, document: parts.Document) -> None:
    paragraph = book.add_paragraph(style=f"Heading {block.level}")
    typeset.lines(paragraph)
    if document.language == "zh":
        paragraph.paragraph_format.first_line_indent = Pt(32)
    space = " " if document.language == "en" else ""
    run = typeset.run(paragraph, f"{block.number}{space}{block.text}", HEI if block.level == 1 else KAI, 16)
    if block in document.headings:
        _mark(run, document.headings.index(block))


def _mark(run: Any, place: int) -> None:
    """Give a heading the name under which the contents list finds its page."""
    element = run._element  # noqa: SLF001  no public way
    for kind, add in (("bookmarkStart", element.addprevious), ("bookmarkEnd", element.addnext)):
        mark = OxmlElement(f"w:{kind}")
        mark.set(qn("w:id"), str(place))
        if kind == "bookmarkStart":
            mark.set(qn("w:name"), f"heading_{place}")
        add(mark)


def _contents(book: Any, block: parts.Contents, document: parts.Document) -> None:
    title = book.add_paragraph()
    title.alignment = ALIGN["c"]
    typeset.lines(title, 30)
    typeset.run(title, block.title, HEI, 16)
    for place, heading in enumerate(document.headings):
        line = book.add_paragraph()
        form = typeset.lines(line, 20)
        form.left_indent = Pt(0 if heading.level == 1 else 24)
        form.tab_stops.add_tab_stop(Emu(typeset.width(book)), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
        space = " " if document.language == "en" else ""
        typeset.run(line, f"{heading.number}{space}{heading.text}\t", SONG, 12)
        typeset.field(typeset.run(line, "", SONG, 12), f"PAGEREF heading_{place} \\h")
    book.add_paragraph().paragraph_format.line_spacing = Pt(12)


def _new_page(book: Any, block: parts.NewPage, document: parts.Document) -> None:
    del block, document
    last = book.paragraphs[-1]
    last.add_run().add_break(WD_BREAK.PAGE)


def _paragraph(book: Any, block: parts.Paragraph, document: parts.Document) -> None:
    paragraph = book.add_paragraph()
    # small text is not stretched: it holds long names that may not break
    paragraph.alignment = ALIGN["l"] if block.small else WD_ALIGN_PARAGRAPH.JUSTIFY
    size, line = (10, 14.5) if block.small else (16, 28)
    form = typeset.lines(paragraph, line)
    if document.language == "zh":
        form.first_line_indent = Pt(2 * size)
    else:
        form.space_after = Pt(2 if block.small else 6)
    for fact_id, words in block.pieces or (("", block.text),):
        typeset.tagged(typeset.run(paragraph, words, BODY, size, bold=block.strong), fact_id)


def _items(book: Any, block: parts.Items, document: parts.Document) -> None:
    for head, body in block.points:
        paragraph = book.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        form = typeset.lines(paragraph)
        if document.language == "zh":
            form.first_line_indent = Pt(32)
        else:
            form.space_after = Pt(6)
        typeset.run(paragraph, f"{head} " if document.language == "en" else head, BODY, 16, bold=True)
        typeset.run(paragraph, body, BODY, 16)


def _headline(book: Any, block: parts.Headline, document: parts.Document) -> None:
    del document
    table = book.add_table(rows=2, cols=len(block.facts))
    typeset.table_form(table, [1.0] * len(block.facts), typeset.width(book))
    for place, (value, what, short) in enumerate(block.facts):
        pieces = block.pieces[place] if block.pieces else (("", value),)
        for fact_id, words in pieces:
            run = typeset.cell(table.cell(0, place), words, HEI, 13, "c", colour=WARN if short else None)
            typeset.tagged(run, fact_id)
        typeset.cell(table.cell(1, place), what, SONG, 10, "c")
    typeset.edges(table.rows[0], top=12)
    typeset.edges(table.rows[1], bottom=12)
    book.add_paragraph().paragraph_format.line_spacing = Pt(5)


def _side_by_side(book: Any, block: parts.Table, image: parts.Image, document: parts.Document) -> None:
    """Write a table with a figure to its right."""
    frame = book.add_table(rows=1, cols=2)
    width = typeset.width(book)
    typeset.table_form(frame, [1.0 - image.share, image.share], width)
    left, right = frame.rows[0].cells
    inner = width - int(Mm(2))
    _table(typeset.Part(left, int(inner * (1.0 - image.share))), replace(block, beside=None), document)
    _image(typeset.Part(right, int(inner * image.share)), replace(image, share=1.0), document)
    left.paragraphs[-1].paragraph_format.line_spacing = Pt(2)
    book.add_paragraph().paragraph_format.line_spacing = Pt(4)


def _table(book: Any, block: parts.Table, document: parts.Document) -> None:
    if block.beside is not None:
        _side_by_side(book, block, block.beside, document)
        return
    caption = book.add_paragraph()
    caption.alignment = ALIGN["c"]
    form = typeset.lines(caption, 15 if block.tight else 22)
    form.space_before, form.space_after, form.keep_with_next = Pt(2 if block.tight else 8), Pt(2), True
    typeset.run(caption, block.caption, HEI, 10 if block.tight else 12)
    table = book.add_table(rows=1 + len(block.rows), cols=len(block.head))
    typeset.table_form(table, list(block.widths), typeset.width(book))
    size = 10.5 if len(block.head) <= 6 else 9 if len(block.head) <= 10 else 8
    size, air = (8, 0.0) if block.tight else (size, 1.5)
    for place, head in enumerate(block.head):
        typeset.cell(
            table.rows[0].cells[place], head, HEI, size, "c" if block.align[place] != "l" else "l", air=air
        )
    for number, (row, cells) in enumerate(zip(list(table.rows)[1:], block.rows, strict=True)):
        last = block.last_is_total and cells is block.rows[-1]
        for place, (cell, text, align) in enumerate(zip(row.cells, cells, block.align, strict=True)):
            run = typeset.cell(cell, text, HEI if last else SONG, size, align, air=air)
            typeset.tagged(run, block.marks.get((number, place), ""))
        typeset.edges(row, bottom=4)
        typeset.whole(row)
        # no row, nor a total, stands alone at the foot of a page or at the head of the next
        if number < _TOGETHER - 1 or len(block.rows) - _TOGETHER <= number < len(block.rows) - 1:
            row.cells[0].paragraphs[0].paragraph_format.keep_with_next = True
    typeset.edges(table.rows[0], top=12, bottom=6)
    typeset.whole(table.rows[0], header=True)
    table.rows[0].cells[0].paragraphs[0].paragraph_format.keep_with_next = True
    typeset.edges(table.rows[-1], bottom=12) if len(table.rows) > 1 else None
    after = book.add_paragraph()
    if block.note:
        typeset.lines(after, 16).space_after = Pt(8)
        typeset.run(after, block.note, SONG, 9)
    else:
        typeset.lines(after, 4 if block.tight else 10)


def _image(book: Any, block: parts.Image, document: parts.Document) -> None:
    del document
    paragraph = book.add_paragraph()
    paragraph.alignment = ALIGN["c"]
    form = paragraph.paragraph_format
    form.space_before, form.keep_with_next = Pt(3 if block.tallest_mm is not None else 8), True
    width = int(typeset.width(book) * block.share)
    if block.tallest_mm is not None:
        # the size of a PNG stands in its header
        across, down = struct.unpack(">II", block.png[16:24])
        width = min(width, int(Mm(block.tallest_mm) * across / down))
    picture = paragraph.add_run().add_picture(io.BytesIO(block.png), width=Emu(width))
    picture._inline.docPr.set("descr", block.alt)  # noqa: SLF001
    caption = book.add_paragraph()
    caption.alignment = ALIGN["c"]
    tight = block.tallest_mm is not None
    typeset.lines(caption, 15 if tight else 22).space_after = Pt(0 if tight else 8)
    typeset.run(caption, block.caption, HEI, 10 if tight else 12)


def _held_together(book: Any) -> None:
    """Keep the end of the last block on the page of the signature, which never stands on a page of its own."""
    if not book.tables or not book.paragraphs:
        return
    for row in book.tables[-1].rows[-3:]:
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = True
    for paragraph in book.paragraphs[-2:]:
        paragraph.paragraph_format.keep_with_next = True


def _closing(book: Any, document: parts.Document) -> None:
    gap = book.add_paragraph().paragraph_format
    gap.line_spacing, gap.keep_with_next = Pt(20), True
    for text in (document.office, document.date):
        signed = book.add_paragraph()
        signed.alignment = ALIGN["r"]
        form = typeset.lines(signed)
        form.right_indent, form.keep_with_next = Pt(64), True
        typeset.run(signed, text, BODY, 16)
    space = book.add_paragraph()
    typeset.lines(space, 16)
    for text in document.closing:
        line = book.add_paragraph()
        typeset.lines(line, 18)
        typeset.run(line, text, SONG, 10.5)
    for place, (left, right) in enumerate(document.imprint):
        line = _two_sided(book, left, right, 14, 24)
        sides = ("top", "bottom") if place == len(document.imprint) - 1 else ("top",)
        typeset.border(line, sides, size="8", space="1", colour="1F2A33")


_ADD: dict[type, Any] = {
    parts.Heading: _heading,
    parts.Paragraph: _paragraph,
    parts.Items: _items,
    parts.Headline: _headline,
    parts.Table: _table,
    parts.Image: _image,
    parts.Contents: _contents,
    parts.NewPage: _new_page,
}
