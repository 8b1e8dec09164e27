"""Set words on the pages of a DOCX document: faces, sizes, lines, borders, fields, cells."""

from __future__ import annotations

from typing import Any

from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Pt, RGBColor

TITLE, BODY, HEI, KAI, SONG = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312", "宋体"
LATIN = "Times New Roman"
INK, WARN = RGBColor(0x1F, 0x2A, 0x33), RGBColor(0x9C, 0x2B, 0x12)
ALIGN = {"l": WD_ALIGN_PARAGRAPH.LEFT, "r": WD_ALIGN_PARAGRAPH.RIGHT, "c": WD_ALIGN_PARAGRAPH.CENTER}


def face(style: Any, face: str) -> None:
    """Write a style in one face, Latin letters in another."""
    style.font.name = LATIN
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), face)
    fonts.set(qn("w:ascii"), LATIN)
    fonts.set(qn("w:hAnsi"), LATIN)


def run(
    paragraph: Any, text: str, face: str, size: float, *, bold: bool = False, colour: RGBColor | None = None
) -> Any:
    """Add words to a paragraph and return their run."""
    run = paragraph.add_run(text)
    run.font.size, run.font.bold, run.font.name = Pt(size), bold, LATIN
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)  # noqa: SLF001  no public way
    if colour is not None:
        run.font.color.rgb = colour
    return run


def lines(paragraph: Any, points: float = 28) -> Any:
    """Give a paragraph lines of so many points and return its format."""
    form = paragraph.paragraph_format
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(points)
    return form


def field(run: Any, instruction: str) -> None:
    """Put a field, such as the number of the page, into a run."""
    for kind, text in (("begin", None), (None, instruction), ("end", None)):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.set(qn("xml:space"), "preserve")
            element.text = text
        run._element.append(element)  # noqa: SLF001


def border(paragraph: Any, sides: tuple[str, ...], *, size: str, space: str, colour: str = "9C2B12") -> None:
    """Draw rules along sides of a paragraph."""
    borders = OxmlElement("w:pBdr")
    for side in sides:
        edge = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", size), ("space", space), ("color", colour)):
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


def tagged(run: Any, fact_id: str) -> None:
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


class Part:
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


def width(book: Any) -> int:
    """Return how wide the text is on the page, or in the part of it, that is being written."""
    if isinstance(book, Part):
        return book.text_width
    section = book.sections[-1]
    return int(section.page_width - section.left_margin - section.right_margin)


def table_form(table: Any, widths: list[float], text_width: int) -> None:
    """Give a table its widths, relative to each other."""
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


def cell(
    cell: Any,
    text: str,
    face: str,
    size: float,
    align: str,
    *,
    colour: RGBColor | None = None,
    air: float = 1.5,
) -> Any:
    """Write into a cell and return the run."""
    paragraph = cell.paragraphs[0]
    paragraph.alignment = ALIGN[align]
    paragraph.paragraph_format.line_spacing = 1.15 if air else 1.0
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(air)
    return run(paragraph, text, face, size, colour=colour)


def edges(row: Any, **sizes: int) -> None:
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


def whole(row: Any, *, header: bool = False) -> None:
    """Keep a row on one page; repeat a header row on each."""
    properties = row._tr.get_or_add_trPr()  # noqa: SLF001
    properties.append(OxmlElement("w:cantSplit"))
    if header:
        properties.append(OxmlElement("w:tblHeader"))
