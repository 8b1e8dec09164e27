"""Name every file that findings are written to, and what makes it."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from sy_coverage.outputs import figures, maps, reports, store, tables
from sy_coverage.outputs.maps.overview import overview
from sy_coverage.outputs.tables.candidates import candidates_csv
from sy_coverage.outputs.tables.counties import counties_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sy_coverage.outputs.figures.canvas import Format
    from sy_coverage.outputs.findings import Findings

    Write = tuple[str, Callable[[], bytes]]

KEPT = "findings.json.gz"
"""The file from which maps and proposals can be made again."""


def county_reports(findings: Findings, county_id: str) -> list[Write]:
    """Return the path and the maker of each proposal of one county, and of its map as a figure."""
    own = findings.of_county(county_id)
    stem = f"proposals/{county_id}"
    # page and document say the same, so its figures are drawn once
    document = cache(lambda: reports.proposal(own))

    def drawn(*, format: Format) -> bytes:  # noqa: A002  its name everywhere
        shown = reports.picture(document(), "figure_county_map") if format == "png" else None
        return figures.county_map(own, format=format) if shown is None else shown

    return [
        (f"{stem}.html", lambda: reports.html(document()).encode()),
        (f"{stem}.docx", lambda: reports.docx(document())),
        *_annex(stem, cache(lambda: reports.annex(own))),
        *([(f"{stem}-survey.docx", lambda: reports.docx(reports.survey(own)))] if len(own.proposals) else []),
        (f"{stem}.xlsx", lambda: tables.proposal_xlsx(own)),
        (f"{stem}.geojson", lambda: tables.proposal_geojson(own).encode()),
        *_figures({county_id: drawn}),
    ]


def _annex(stem: str, document: Callable[[], reports.parts.Document]) -> list[Write]:
    """Return the path and the maker of a technical annex, as a page and as a document."""
    return [
        (f"{stem}-annex.html", lambda: reports.html(document()).encode()),
        (f"{stem}-annex.docx", lambda: reports.docx(document())),
    ]


def county_map(findings: Findings, county_id: str) -> list[Write]:
    """Return the path and the maker of the interactive map of one county."""
    return [(f"maps/{county_id}.html", lambda: maps.draw(findings.of_county(county_id)).html().encode())]


def county_files(findings: Findings, county_id: str) -> list[Write]:
    """Return the path and the maker of each file of one county."""
    return [*county_reports(findings, county_id), *county_map(findings, county_id)]


def city_reports(findings: Findings) -> list[Write]:
    """Return the path and the maker of the scorecard, the summary of all counties and the figures."""
    document = cache(lambda: reports.summary(findings))
    return [
        ("scorecard.csv", lambda: tables.scorecard_csv(findings)),
        ("scorecard.xlsx", lambda: tables.scorecard_xlsx(findings)),
        ("catchments.csv", lambda: tables.catchments_csv(findings)),
        *([("candidates.csv", lambda: candidates_csv(findings))] if "candidates" in findings.extras else []),
        *([("cgcs2000.zip", lambda: tables.cgcs2000(findings))] if findings.in_china else []),
        ("proposals/summary.html", lambda: reports.html(document()).encode()),
        ("proposals/summary.docx", lambda: reports.docx(document())),
        *_annex("proposals/summary", cache(lambda: reports.summary_annex(findings))),
        ("proposals/summary.xlsx", lambda: tables.proposal_xlsx(findings)),
        ("proposals/summary.geojson", lambda: tables.proposal_geojson(findings).encode()),
        *_figures(figures.all_of(findings)),
    ]


def city_map(findings: Findings) -> list[Write]:
    """Return the path and the maker of the interactive map of the city."""
    return [("map.html", lambda: maps.draw(findings).html().encode())]


def city_files(findings: Findings) -> list[Write]:
    """Return the path and the maker of each file of the city, but the GeoPackage and the manifest."""
    kept_file = (KEPT, lambda: store.packed(findings))
    return [*city_reports(findings), *city_map(findings), kept_file]


def province_reports(findings: Findings, failed: Mapping[str, str]) -> list[Write]:
    """Return the path and the maker of each file that speaks of all counties of a run county by county; `failed` say why by county."""
    kept = [file for file in city_reports(findings) if file[0] not in {"catchments.csv", "candidates.csv"}]
    return [
        *kept,
        ("counties.csv", lambda: counties_csv(findings, failed)),
    ]


def province_map(findings: Findings, failed: Mapping[str, str]) -> list[Write]:
    """Return the path and the maker of the map of a run county by county."""
    return [("map.html", lambda: overview(findings, failed).encode())]


def made(files: Iterable[Write]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of every file, made one after another in this process."""
    for path, make in files:
        yield path, make()


def made_here(findings: Findings, county_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of every file of `county_ids`, made one after another in this process."""
    for county_id in county_ids:
        yield from made(county_files(findings, county_id))


def _figures(drawn: dict[str, Callable[..., bytes]]) -> list[Write]:
    """Return each figure twice: to be looked at anywhere (PNG), and to be printed at any size (SVG)."""
    formats = ("png", "svg")
    return [
        (f"figures/{name}.{kind}", partial(draw, format=kind))
        for name, draw in drawn.items()
        for kind in formats
    ]
