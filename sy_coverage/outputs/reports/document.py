"""Hold a proposal as headings, paragraphs, tables and figures, so that page and document say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from sy_coverage import labels
from sy_coverage.outputs.facts import Fact, Facts
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from sy_coverage.labels import Language
    from sy_coverage.outputs.findings import Findings

Align = Literal["l", "r", "c"]
Pieces = tuple[tuple[str, str], ...]
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True)
class Heading:
    """A numbered heading: 一、 (level 1) or （一） (level 2); in English 1 and 1.1."""

    level: int
    number: str
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text; `strong` for what must not be overlooked."""

    text: str
    strong: bool = False
    small: bool = False
    """Set smaller: on the one page before the body."""
    pieces: Pieces = ()
    """The text in pieces, each with the id of the figure it is, or none."""


@dataclass(frozen=True)
class Items:
    """Numbered points, each with what it is about and what is said of it."""

    points: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Headline:
    """A few figures that say the most: value, what it is, and whether it falls short of what is asked."""

    facts: tuple[tuple[str, str, bool], ...]
    pieces: tuple[Pieces, ...] = ()
    """Of each value, as in a paragraph."""


@dataclass(frozen=True)
class Image:
    """A figure, drawn once and only if asked for, with caption and a text for those who cannot see it."""

    what: str
    """What it shows: the key of its label."""
    caption: str
    draw: Callable[[], bytes]
    alt: str
    share: float = 1.0
    """Of the width of the text."""
    tallest_mm: float | None = None
    """So tall at most, where a page must hold it."""

    @cached_property
    def png(self) -> bytes:
        """Return the picture, drawn when it is first asked for."""
        return self.draw()


@dataclass(frozen=True)
class Table:
    """A table of text that is already formatted; the caption carries its number."""

    caption: str
    head: tuple[str, ...]
    align: str
    """One letter a column: l, r or c."""
    widths: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]
    last_is_total: bool = False
    note: str = ""
    tight: bool = False
    """Set close, where a page must hold it."""
    beside: Image | None = None
    """A figure that stands to its right."""
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """The id of the figure that a cell is, by row and column from 0."""


@dataclass(frozen=True)
class Contents:
    """The list of the headings that follow."""

    title: str


@dataclass(frozen=True)
class NewPage:
    """What follows begins on a page of its own."""


Block = Heading | Paragraph | Items | Headline | Table | Image | Contents | NewPage


@dataclass(frozen=True)
class Document:
    """A whole proposal."""

    language: Language
    title: str
    subtitle: str
    notices: tuple[str, ...]
    blocks: tuple[Block, ...]
    office: str
    """Who signs, or where the name is to be written."""
    date: str
    """When it was issued, or where the date is to be written."""
    as_of: str
    """Of which day the figures are."""
    author: str
    day: dt.date
    """A date for the file's own properties: no clock is asked."""
    closing: tuple[str, ...]
    """Statements that end the document: borders, coordinates, approval number."""
    subject: str = ""
    above: tuple[str, str] = ("", "")
    """What stands above the title: the number of the document, and who signs it off."""
    imprint: tuple[tuple[str, str], ...] = ()
    """The note that ends the document, each line left and right: copies, who printed it and when."""
    annex: tuple[Block, ...] = ()
    """What follows the signature on wide pages."""

    @property
    def images(self) -> tuple[Image, ...]:
        """Return every figure, those beside a table too."""
        every = ((b, b.beside if isinstance(b, Table) else None) for b in (*self.blocks, *self.annex))
        return tuple(one for pair in every for one in pair if isinstance(one, Image))

    @property
    def headings(self) -> tuple[Heading, ...]:
        """Return every heading of the body, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Heading))


@dataclass
class Writer:
    """Collect blocks in order; number headings, tables and figures."""

    language: Language
    facts: Facts
    """The figures of the scope that is written of."""
    common: Mapping[str, str]
    """What every label may be filled with."""
    blocks: list[Block] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, findings: Findings) -> Writer:
        """Return a writer of what `findings` say, without any block."""
        return cls(findings.language, Facts(findings), words.common(findings))

    def say(self, key: str, **values: object) -> str:
        """Return the label ``outputs.<key>``, its fields filled."""
        return labels.text(f"outputs.{key}", self.language, **{**self.common, **values})

    def figure(self, name: str) -> str:
        """Return the figure called `name` of this scope as it is written, with its money where it is a cost, marked with its id."""
        return self.mark(self.facts[name])

    def mark(self, fact: Fact) -> str:
        """Return a figure as it is written, marked with its id."""
        return fmt.marked(fact.fact_id, self.amount(fact.text) if fact.form == "money" else fact.text)

    def amount(self, text: str) -> str:
        """Return a cost with its money."""
        return words.amount(text, self.common["money"], self.language)

    def heading(self, level: int, key: str, **values: object) -> None:
        """Add a heading with the next number of its level."""
        place = self._next(f"heading{level}")
        if level == 1:
            self._counts["heading2"] = 0
            number = f"{chinese_number(place)}、" if self.language == "zh" else f"{place}"
        elif self.language == "zh":
            number = f"（{chinese_number(place)}）"
        else:
            number = f"{self._counts['heading1']}.{place}"
        self.blocks.append(Heading(level, number, self.say(key, **values)))

    def paragraph(self, key: str, *, strong: bool = False, small: bool = False, **values: object) -> None:
        """Add a paragraph from a label."""
        self.text(self.say(key, **values), strong=strong, small=small)

    def contents(self) -> None:
        """Add the list of the headings that follow, on a page that the body goes on from."""
        self.blocks.append(NewPage())
        self.blocks.append(Contents(self.say("contents")))

    def listed(self, said: Iterable[str]) -> str:
        """Return clauses as one sentence has them."""
        return ("；" if self.language == "zh" else "; ").join(said)

    def new_page(self) -> None:
        """Let what follows begin on a page of its own."""
        self.blocks.append(NewPage())

    def _set(self, text: str) -> str:
        """Return one line of text as it is set in this language."""
        line = fmt.plain(text)
        return fmt.close_up(line) if self.language == "zh" else line

    def text(self, text: str, *, strong: bool = False, small: bool = False) -> None:
        """Add a paragraph of words that are already said."""
        pieces = fmt.pieces(self._set(text))
        self.blocks.append(Paragraph(_plain(pieces), strong, small, pieces))

    def items(self, points: Iterable[tuple[str, str]]) -> None:
        """Add numbered points."""
        every = tuple((fmt.plain(head), _plain(fmt.pieces(self._set(body)))) for head, body in points)
        if every:
            self.blocks.append(Items(every))

    def headline(self, facts: Iterable[tuple[str, str, bool]]) -> None:
        """Add the figures that say the most: each with what it is, and whether it falls short."""
        rows = [(fmt.pieces(self._set(value)), what, short) for value, what, short in facts]
        self.blocks.append(
            Headline(
                tuple((_plain(pieces), what, short) for pieces, what, short in rows),
                tuple(pieces for pieces, _, _ in rows),
            )
        )

    def table(
        self,
        key: str,
        columns: Iterable[tuple[str, Align, float]],
        rows: Iterable[Iterable[str]],
        *,
        last_is_total: bool = False,
        note: str = "",
        tight: bool = False,
        whole: bool = False,
        beside: Image | None = None,
        **values: object,
    ) -> None:
        """Add a table: caption from the label `key`; columns as (label key, or = and the words themselves; alignment; relative width).

        A column without any word is left out, unless the table is asked for `whole`.
        """
        every, cells = list(columns), [list(row) for row in rows]
        # a column of which nothing is known says nothing: not in a policy that asks for no beds, nor in a table of no years
        shown = [n for n in range(len(every)) if whole or not cells or any(row[n] for row in cells)]
        columns, rows = [every[n] for n in shown], [[row[n] for n in shown] for row in cells]
        set_rows = [[fmt.pieces(self._set(cell)) for cell in row] for row in rows]
        self.blocks.append(
            Table(
                caption=self.say("table_caption", number=self._next("table"), text=self.say(key, **values)),
                head=tuple(label[1:] if label[0] == "=" else self.say(label) for label, _, _ in columns),
                align="".join(align for _, align, _ in columns),
                widths=tuple(width for _, _, width in columns),
                rows=tuple(tuple(_plain(cell) for cell in row) for row in set_rows),
                marks={
                    (n, place): cell[0][0]
                    for n, row in enumerate(set_rows)
                    for place, cell in enumerate(row)
                    if len(cell) == 1 and cell[0][0]
                },
                last_is_total=last_is_total,
                note=fmt.plain(note),
                tight=tight,
                beside=beside,
            )
        )

    def image(
        self,
        key: str,
        draw: Callable[[], bytes],
        *,
        share: float = 1.0,
        tallest_mm: float | None = None,
        **values: object,
    ) -> None:
        """Add a figure that `draw` makes; the caption's words describe it to those who cannot see it."""
        self.blocks.append(self.drawn(key, draw, share=share, tallest_mm=tallest_mm, **values))

    def drawn(
        self,
        key: str,
        draw: Callable[[], bytes],
        *,
        share: float = 1.0,
        tallest_mm: float | None = None,
        **values: object,
    ) -> Image:
        """Return a figure with the next number, to be added or set beside a table."""
        text = self.say(key, **values)
        caption = self.say("figure_caption", number=self._next("figure"), text=text)
        return Image(key, fmt.plain(caption), draw, fmt.plain(text), share, tallest_mm)

    def _next(self, what: str) -> int:
        self._counts[what] = self._counts.get(what, 0) + 1
        return self._counts[what]


def _plain(pieces: Pieces) -> str:
    return "".join(words for _, words in pieces)


def chinese_number(value: int) -> str:
    """Return 1…99 as 一, 二, … 十, 十一, … 九十九."""
    tens, ones = divmod(value, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")
