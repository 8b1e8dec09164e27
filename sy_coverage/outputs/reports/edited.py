"""Read a proposal that an office has edited, and list every figure and name in it that no longer agrees with the results."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docx
from docx.oxml.ns import qn

from sy_coverage.errors import UnreadableFileError
from sy_coverage.outputs.facts import Facts
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sy_coverage.outputs.findings import Findings


@dataclass(frozen=True)
class Disagreement:
    """What a document says and the results do not."""

    fact_id: str
    """The figure, or ``<scope_id>.site.<candidate_id>`` for the name of a site."""
    written: str
    """What stands in the document; empty: it does not stand there."""
    expected: str
    """What the results say; empty: there is no such figure in them."""


def tagged_figures(content: bytes, *, file: str) -> list[tuple[str, str]]:
    """Return the id and the text of every figure that a .docx of ours carries, in their order.

    Raises
    ------
    UnreadableFileError
        If the content is no .docx.
    """
    return [
        (tag, "".join(t.text or "" for t in control.iter(qn("w:t"))))
        for control, tag in _controls(content, file)
    ]


def disagreements(findings: Findings, content: bytes, *, file: str) -> list[Disagreement]:
    """Return every figure of the edited .docx `content` that differs from `findings`, and every site of its scopes it does not name.

    Raises
    ------
    UnreadableFileError
        If the content is no .docx, or none that carries figures of a proposal.
    """
    figures = tagged_figures(content, file=file)
    if not figures:
        raise UnreadableFileError(
            f"{file}: carries no figure of a proposal; give a .docx that `report` or `run` wrote and somebody edited"
        )
    scopes = sorted({fact_id.partition(".")[0] for fact_id, _ in figures})
    known = [scope for scope in scopes if scope == words.CITY or scope in findings.counties.index]
    expected: dict[str, str] = {}
    for scope in known:
        expected |= written_figures(findings if scope == words.CITY else findings.of_county(scope))
    found = [
        Disagreement(fact_id, text, expected.get(fact_id, ""))
        for fact_id, text in figures
        if _bare(text) != _bare(expected.get(fact_id, ""))
    ]
    text = _bare("".join(t.text or "" for t in _book(content, file).element.body.iter(qn("w:t"))))
    for scope in known:
        own = findings.proposals if scope == words.CITY else findings.of_county(scope).proposals
        found += [
            Disagreement(f"{scope}.site.{site_id}", "", fmt.plain(name))
            for site_id, name in own["name"].sort_index().items()
            if _bare(fmt.plain(name)) not in text
        ]
    return found


def written_figures(findings: Findings) -> dict[str, str]:
    """Return every figure of a scope as documents write it, by its id."""
    money = words.common(findings)["money"]
    return {
        fact.fact_id: words.amount(fact.text, money, findings.language) if fact.form == "money" else fact.text
        for fact in Facts(findings).by_name.values()
    }


def _bare(text: str) -> str:
    return "".join(text.split()).replace(fmt.NBSP, "")


def _controls(content: bytes, file: str) -> Iterator[tuple[Any, str]]:
    for control in _book(content, file).element.body.iter(qn("w:sdt")):
        tags = [tag.get(qn("w:val")) for tag in control.iter(qn("w:tag"))]
        if tags and tags[0] and "." in tags[0]:
            yield control, tags[0]


def _book(content: bytes, file: str) -> docx.document.Document:
    try:
        return docx.Document(io.BytesIO(content))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UnreadableFileError(f"{file}: is no .docx document") from error
