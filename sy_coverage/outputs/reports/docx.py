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
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK, WD_LINE_SPACING, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt, RGBColor

from sy_coverage.outputs.reports import document as parts
from sy_coverage.outputs.text.zipped import normalised

TITLE, BODY, HEI, KAI, SONG = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312", "宋体"
LATIN = "Times New Roman"
_INK, _WARN = RGBColor(0x1F, 0x2A, 0x33), RGBColor(0x9C, 0x2B, 0x12)
_ALIGN = {"l": WD_ALIGN_PARAGRAPH.LEFT, "r": WD_ALIGN_PARAGRAPH.RIGHT, "c": WD_ALIGN_PARAGRAPH.CENTER}


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
    _face(normal, BODY)
    normal.font.size, normal.font.color.rgb = Pt(16), _INK
    for language in book.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    for level, face in ((1, HEI), (2, KAI)):
        style = book.styles[f"Heading {level}"]
        _face(style, face)
        style.font.size, style.font.bold = Pt(16), False
        style.font.color.rgb = _INK
        style.paragraph_format.space_before = Pt(6 if level == 1 else 0)
        style.paragraph_format.space_after = Pt(0)
        style.paragraph_format.keep_with_next = True
    book.settings.odd_and_even_pages_header_footer = True
    for footer, align in ((section.footer, "r"), (section.even_page_footer, "l")):
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        paragraph.alignment = _ALIGN[align]
        indent = paragraph.paragraph_format
        if align == "r":
            indent.right_indent = Pt(14)
        else:
            indent.left_indent = Pt(14)
        _run(paragraph, "— ", SONG, 14)
        _field(_run(paragraph, "", SONG, 14), "PAGE")
        _run(paragraph, " —", SONG, 14)
    if document.notices:
        for header in (section.header, section.even_page_header):
            header.is_linked_to_previous = False
            paragraph = header.paragraphs[0]
            paragraph.alignment = _ALIGN["c"]
            _run(paragraph, "　".join(document.notices), HEI, 10.5, colour=_WARN)


def _wide_section(book: Any) -> None:
    """Begin pages that lie on their side, for tables of many columns."""
    section = book.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin, section.bottom_margin = Mm(24), Mm(22)
    section.left_margin, section.right_margin = Mm(20), Mm(20)
    section.footer_distance, section.header_distance = Mm(14), Mm(12)


def _width(book: Any) -> int:
    """Return how wide the text is on the page, or in the part of it, that is being written."""
    if isinstance(book, _Part):
        return book.text_width
    section = book.sections[-1]
    return int(section.page_width - section.left_margin - section.right_margin)


def _face(style: Any, face: str) -> None:
    style.font.name = LATIN
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), face)
    fonts.set(qn("w:ascii"), LATIN)
    fonts.set(qn("w:hAnsi"), LATIN)


def _run(
    paragraph: Any, text: str, face: str, size: float, *, bold: bool = False, colour: RGBColor | None = None
) -> Any:
    run = paragraph.add_run(text)
    run.font.size, run.font.bold, run.font.name = Pt(size), bold, LATIN
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)  # noqa: SLF001  no public way
    if colour is not None:
        run.font.color.rgb = colour
    return run


def _field(run: Any, instruction: str) -> None:
    for kind, text in (("begin", None), (None, instruction), ("end", None)):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.set(qn("xml:space"), "preserve")
            element.text = text
        run._element.append(element)  # noqa: SLF001


def _lines(paragraph: Any, points: float = 28) -> Any:
    form = paragraph.paragraph_format
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(points)
    return form


def _title(book: Any, document: parts.Document) -> None:
    paragraph = book.add_paragraph()
    paragraph.alignment = _ALIGN["c"]
    _lines(paragraph, 34).space_after = Pt(4)
    _run(paragraph, document.title, TITLE, 22)
    for text in (document.subtitle, document.as_of):
        line = book.add_paragraph()
        line.alignment = _ALIGN["c"]
        _lines(line, 17)
        _run(line, text, KAI, 12)
    for notice in document.notices:
        warned = book.add_paragraph()
        warned.alignment = _ALIGN["c"]
        _lines(warned, 14)
        _run(warned, notice, HEI, 10.5, colour=_WARN)
    _rule(line)
    book.add_paragraph().paragraph_format.line_spacing = Pt(4)


def _rule(paragraph: Any) -> None:
    _border(paragraph, ("bottom",), size="12", space="10")


def _border(paragraph: Any, sides: tuple[str, ...], *, size: str, space: str) -> None:
    borders = OxmlElement("w:pBdr")
    for side in sides:
        edge = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", size), ("space", space), ("color", "9C2B12")):
            edge.set(qn(f"w:{key}"), value)
        borders.append(edge)
    properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001
    properties.insert_element_before(
        borders,
        "w:shd",
        "w:tabs",
        "w:suppressAutoHyphens",
        "w:spacing",
        "w:ind",
        "w:contextualSpacing",
        "w:jc",
        "w:rPr",
    )


def _heading(book: Any, block: parts.Heading, document: parts.Document) -> None:
    paragraph = book.add_paragraph(style=f"Heading {block.level}")
    _lines(paragraph)
    if document.language == "zh":
        paragraph.paragraph_format.first_line_indent = Pt(32)
    space = " " if document.language == "en" else ""
    run = _run(paragraph, f"{block.number}{space}{block.text}", HEI if block.level == 1 else KAI, 16)
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
    title.alignment = _ALIGN["c"]
    _lines(title, 30)
    _run(title, block.title, HEI, 16)
    for place, heading in enumerate(document.headings):
        line = book.add_paragraph()
        form = _lines(line, 20)
        form.left_indent = Pt(0 if heading.level == 1 else 24)
        form.tab_stops.add_tab_stop(Emu(_width(book)), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
        space = " " if document.language == "en" else ""
        _run(line, f"{heading.number}{space}{heading.text}\t", SONG, 12)
        _field(_run(line, "", SONG, 12), f"PAGEREF heading_{place} \\h")
    book.add_paragraph().paragraph_format.line_spacing = Pt(12)


def _new_page(book: Any, block: parts.NewPage, document: parts.Document) -> None:
    del block, document
    last = book.paragraphs[-1]
    last.add_run().add_break(WD_BREAK.PAGE)


def _paragraph(book: Any, block: parts.Paragraph, document: parts.Document) -> None:
    paragraph = book.add_paragraph()
    # small text is not stretched: it holds long names that may not break
    paragraph.alignment = _ALIGN["l"] if block.small else WD_ALIGN_PARAGRAPH.JUSTIFY
    size, line = (10, 14.5) if block.small else (16, 28)
    form = _lines(paragraph, line)
    if document.language == "zh":
        form.first_line_indent = Pt(2 * size)
    else:
        form.space_after = Pt(2 if block.small else 6)
    for fact_id, words in block.pieces or (("", block.text),):
        _tagged(_run(paragraph, words, BODY, size, bold=block.strong), fact_id)


def _items(book: Any, block: parts.Items, document: parts.Document) -> None:
    for head, body in block.points:
        paragraph = book.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        form = _lines(paragraph)
        if document.language == "zh":
            form.first_line_indent = Pt(32)
        else:
            form.space_after = Pt(6)
        _run(paragraph, f"{head} " if document.language == "en" else head, BODY, 16, bold=True)
        _run(paragraph, body, BODY, 16)


def _headline(book: Any, block: parts.Headline, document: parts.Document) -> None:
    del document
    table = book.add_table(rows=2, cols=len(block.facts))
    _table_form(table, [1.0] * len(block.facts), _width(book))
    for place, (value, what, short) in enumerate(block.facts):
        pieces = block.pieces[place] if block.pieces else (("", value),)
        for fact_id, words in pieces:
            run = _cell(table.cell(0, place), words, HEI, 13, "c", colour=_WARN if short else None)
            _tagged(run, fact_id)
        _cell(table.cell(1, place), what, SONG, 10, "c")
    _edges(table.rows[0], top=12)
    _edges(table.rows[1], bottom=12)
    book.add_paragraph().paragraph_format.line_spacing = Pt(5)


class _Part:
    """A cell of the page that is written like a page of its own."""

    def __init__(self, cell: Any, width: int) -> None:
        self._cell, self.text_width, self._begun = cell, width, False

    def add_paragraph(self) -> Any:
        """Return a new paragraph; the first is the one that every cell has."""
        begun, self._begun = self._begun, True
        return self._cell.add_paragraph() if begun else self._cell.paragraphs[0]

    def add_table(self, rows: int, cols: int) -> Any:
        """Return a new table."""
        return self._cell.add_table(rows, cols)


def _side_by_side(book: Any, block: parts.Table, image: parts.Image, document: parts.Document) -> None:
    """Write a table with a figure to its right."""
    frame = book.add_table(rows=1, cols=2)
    width = _width(book)
    _table_form(frame, [1.0 - image.share, image.share], width)
    left, right = frame.rows[0].cells
    inner = width - int(Mm(2))
    _table(_Part(left, int(inner * (1.0 - image.share))), replace(block, beside=None), document)
    _image(_Part(right, int(inner * image.share)), replace(image, share=1.0), document)
    left.paragraphs[-1].paragraph_format.line_spacing = Pt(2)
    book.add_paragraph().paragraph_format.line_spacing = Pt(4)


def _table(book: Any, block: parts.Table, document: parts.Document) -> None:
    if block.beside is not None:
        _side_by_side(book, block, block.beside, document)
        return
    caption = book.add_paragraph()
    caption.alignment = _ALIGN["c"]
    form = _lines(caption, 15 if block.tight else 22)
    form.space_before, form.space_after, form.keep_with_next = Pt(2 if block.tight else 8), Pt(2), True
    _run(caption, block.caption, HEI, 10 if block.tight else 12)
    table = book.add_table(rows=1 + len(block.rows), cols=len(block.head))
    _table_form(table, list(block.widths), _width(book))
    size = 10.5 if len(block.head) <= 6 else 9 if len(block.head) <= 10 else 8
    size, air = (8, 0.0) if block.tight else (size, 1.5)
    for place, head in enumerate(block.head):
        _cell(table.rows[0].cells[place], head, HEI, size, "c" if block.align[place] != "l" else "l", air=air)
    for number, (row, cells) in enumerate(zip(list(table.rows)[1:], block.rows, strict=True)):
        last = block.last_is_total and cells is block.rows[-1]
        for place, (cell, text, align) in enumerate(zip(row.cells, cells, block.align, strict=True)):
            run = _cell(cell, text, HEI if last else SONG, size, align, air=air)
            _tagged(run, block.marks.get((number, place), ""))
        _edges(row, bottom=4)
        _whole(row)
    _edges(table.rows[0], top=12, bottom=6)
    _whole(table.rows[0], header=True)
    _edges(table.rows[-1], bottom=12) if len(table.rows) > 1 else None
    after = book.add_paragraph()
    if block.note:
        _lines(after, 16).space_after = Pt(8)
        _run(after, block.note, SONG, 9)
    else:
        _lines(after, 4 if block.tight else 10)


def _table_form(table: Any, widths: list[float], text_width: int) -> None:
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    whole = sum(widths)
    for column, width in zip(table.columns, widths, strict=True):
        # column widths are what fixed tables go by; each cell's own is for programs that look there
        column.width = Emu(int(text_width * width / whole))
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), "57")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    properties = table._tbl.tblPr  # noqa: SLF001
    look = properties.find(qn("w:tblLook"))
    if look is None:
        properties.append(margins)
    else:
        look.addprevious(margins)


def _cell(
    cell: Any,
    text: str,
    face: str,
    size: float,
    align: str,
    *,
    colour: RGBColor | None = None,
    air: float = 1.5,
) -> Any:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = _ALIGN[align]
    paragraph.paragraph_format.line_spacing = 1.15 if air else 1.0
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(air)
    return _run(paragraph, text, face, size, colour=colour)


def _tagged(run: Any, fact_id: str) -> None:
    """Put a run into a content control that carries the id of its figure and shows nothing of itself."""
    if not fact_id:
        return
    control, properties, content = (OxmlElement(f"w:{name}") for name in ("sdt", "sdtPr", "sdtContent"))
    tag = OxmlElement("w:tag")
    tag.set(qn("w:val"), fact_id)
    properties.append(tag)
    control.append(properties)
    control.append(content)
    element = run._element  # noqa: SLF001  no public way
    element.addprevious(control)
    content.append(element)


def _edges(row: Any, **sizes: int) -> None:
    """Set horizontal rules of a row, in eighths of a point."""
    for cell in row.cells:
        properties = cell._tc.get_or_add_tcPr()  # noqa: SLF001
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = OxmlElement("w:tcBorders")
            properties.append(borders)
        for side in ("top", "bottom"):
            if side not in sizes:
                continue
            edge = borders.find(qn(f"w:{side}"))
            if edge is None:
                edge = OxmlElement(f"w:{side}")
                borders.append(edge)
            colour = "1F2A33" if sizes[side] > 4 else "B8C2C9"
            for key, value in (
                ("val", "single"),
                ("sz", str(sizes[side])),
                ("space", "0"),
                ("color", colour),
            ):
                edge.set(qn(f"w:{key}"), value)


def _whole(row: Any, *, header: bool = False) -> None:
    """Keep a row on one page; repeat a header row on each."""
    properties = row._tr.get_or_add_trPr()  # noqa: SLF001
    properties.append(OxmlElement("w:cantSplit"))
    if header:
        properties.append(OxmlElement("w:tblHeader"))


def _image(book: Any, block: parts.Image, document: parts.Document) -> None:
    del document
    paragraph = book.add_paragraph()
    paragraph.alignment = _ALIGN["c"]
    form = paragraph.paragraph_format
    form.space_before, form.keep_with_next = Pt(3 if block.tallest_mm is not None else 8), True
    width = int(_width(book) * block.share)
    if block.tallest_mm is not None:
        # the size of a PNG stands in its header
        across, down = struct.unpack(">II", block.png[16:24])
        width = min(width, int(Mm(block.tallest_mm) * across / down))
    picture = paragraph.add_run().add_picture(io.BytesIO(block.png), width=Emu(width))
    picture._inline.docPr.set("descr", block.alt)  # noqa: SLF001
    caption = book.add_paragraph()
    caption.alignment = _ALIGN["c"]
    tight = block.tallest_mm is not None
    _lines(caption, 15 if tight else 22).space_after = Pt(0 if tight else 8)
    _run(caption, block.caption, HEI, 10 if tight else 12)


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
        signed.alignment = _ALIGN["r"]
        form = _lines(signed)
        form.right_indent, form.keep_with_next = Pt(64), True
        _run(signed, text, BODY, 16)
    space = book.add_paragraph()
    _lines(space, 16)
    for text in document.closing:
        line = book.add_paragraph()
        _lines(line, 18)
        _run(line, text, SONG, 10.5)


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
