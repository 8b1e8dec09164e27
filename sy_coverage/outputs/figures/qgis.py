"""Say in the words of QGIS how each layer of `coverage.gpkg` is drawn, so that it opens coloured as the map."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from sy_coverage import labels
from sy_coverage.outputs.figures import canvas
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sy_coverage.outputs.findings import Findings

MARKERS = {
    "circle": "circle",
    "square": "square",
    "triangle": "triangle",
    "diamond": "diamond",
    "pentagon": "pentagon",
    "hexagon": "hexagon",
    "star": "star",
    "cross": "cross_fill",
    "plus": "cross_fill",
}
"""What QGIS calls the symbols that a policy gives its kinds; any other is drawn as a circle."""
_CLEAR = "255,255,255,0"

Category = tuple[str, str, str]
"""A value, what it is called, and its symbol."""


def styles(findings: Findings) -> dict[str, str]:
    """Return the QML style of each layer by its name."""
    said = {name: labels.text(f"outputs.state_{name}", findings.language) for name in _STATES}
    counted = ",".join(f"'{kind}'" for kind in findings.policy.counted_unit_kinds)
    state = (
        "CASE WHEN coalesce(\"covered\",0) THEN 'today' WHEN coalesce(\"covered_planned\",0) THEN 'plan' "
        f"WHEN \"kind\" IN ({counted}) THEN 'none' ELSE 'other' END"
    )
    units = [(name, said[name], _fill(colour, canvas.SOFT)) for name, colour in _STATES.items()]
    reached = "CASE WHEN coalesce(\"covered\",0) THEN 'today' WHEN coalesce(\"covered_planned\",0) THEN 'plan' ELSE 'none' END"
    homes = [
        (name, labels.text(f"outputs.home_{name}", findings.language), _marker("circle", colour, 1.4))
        for name, colour in (("today", canvas.TODAY), ("plan", canvas.PLAN), ("none", canvas.WARN))
    ]
    return {
        "units": _categorised(state, units, label='"name"'),
        "facilities": _categorised('"kind"', _kinds(findings, size=3.2, hollow=False)),
        "proposals": _categorised('"kind"', _kinds(findings, size=5.0, hollow=True), label='"number"'),
        "candidates": _single(_marker("circle", canvas.PAPER, 1.8, edge=canvas.SOFT)),
        "demand": _categorised(reached, homes),
        "catchments": _single(_fill("", canvas.TODAY)),
        "access_legs": _single(_line(canvas.SOFT, 0.2)),
        "to_centre": _single(_line(canvas.TODAY, 0.15)),
    }


_STATES = {"today": canvas.TODAY, "plan": canvas.PLAN, "none": canvas.NONE, "other": canvas.OTHER}


def _kinds(findings: Findings, *, size: float, hollow: bool) -> list[Category]:
    return [
        (
            kind.id,
            words.kind(findings.policy, kind.id, findings.language),
            _marker(
                MARKERS.get(kind.symbol, "circle"),
                canvas.PAPER if hollow else kind.colour,
                size,
                edge=kind.colour if hollow else canvas.PAPER,
            ),
        )
        for kind in findings.policy.kinds.values()
    ]


def _rgba(colour: str) -> str:
    """Return ``#rrggbb`` as QGIS writes a colour; nothing as one that is clear."""
    if not colour:
        return _CLEAR
    return ",".join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5)) + ",255"


def _symbol(kind: str, layer: str, **properties: str) -> str:
    options = "".join(
        f'<Option type="QString" name={quoteattr(k)} value={quoteattr(v)}/>' for k, v in properties.items()
    )
    plain = "".join(f"<prop k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in properties.items())
    return (
        f'type="{kind}" alpha="1" clip_to_extent="1" force_rhr="0"><layer class="{layer}" enabled="1" locked="0" pass="0">'
        f'<Option type="Map">{options}</Option>{plain}</layer>'
    )


def _fill(colour: str, edge: str) -> str:
    look = {"color": _rgba(colour), "style": "solid" if colour else "no"}
    return _symbol(
        "fill",
        "SimpleFill",
        **look,
        outline_color=_rgba(edge),
        outline_style="solid",
        outline_width="0.26",
        outline_width_unit="MM",
    )


def _marker(name: str, colour: str, size: float, *, edge: str = canvas.PAPER) -> str:
    return _symbol(
        "marker",
        "SimpleMarker",
        name=name,
        color=_rgba(colour),
        outline_color=_rgba(edge),
        outline_style="solid",
        outline_width="0.5" if colour == canvas.PAPER else "0.2",
        outline_width_unit="MM",
        size=f"{size:g}",
        size_unit="MM",
    )


def _line(colour: str, width: float) -> str:
    return _symbol(
        "line",
        "SimpleLine",
        line_color=_rgba(colour),
        line_style="solid",
        line_width=f"{width:g}",
        line_width_unit="MM",
    )


def _categorised(expression: str, categories: Iterable[Category], *, label: str = "") -> str:
    every = list(categories)
    listed = "".join(
        f'<category value={quoteattr(value)} label={quoteattr(name)} symbol="{n}" render="true" type="string"/>'
        for n, (value, name, _) in enumerate(every)
    )
    symbols = "".join(f'<symbol name="{n}" {symbol}</symbol>' for n, (_, _, symbol) in enumerate(every))
    return _document(
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(expression)} enableorderby="0" forceraster="0" symbollevels="0">'
        f"<categories>{listed}</categories><symbols>{symbols}</symbols></renderer-v2>",
        label,
    )


def _single(symbol: str) -> str:
    return _document(
        '<renderer-v2 type="singleSymbol" enableorderby="0" forceraster="0" symbollevels="0">'
        f'<symbols><symbol name="0" {symbol}</symbol></symbols></renderer-v2>',
        "",
    )


def _document(renderer: str, label: str) -> str:
    shown = (
        (
            f'<labeling type="simple"><settings><text-style fieldName={quoteattr(label)} isExpression="1" fontSize="8" '
            f'textColor="{_rgba(canvas.INK)}"><text-buffer bufferDraw="1" bufferSize="0.8"/></text-style>'
            "<placement/><rendering/></settings></labeling>"
        )
        if label
        else ""
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.22.0" styleCategories="Symbology|Labeling" labelsEnabled="{int(bool(label))}">'
        f"{renderer}{shown}</qgis>"
    )
