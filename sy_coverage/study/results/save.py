"""Write what comes out of a study: each file whole or not at all, the manifest last."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import platform
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.errors import CannotWriteError, some
from sy_coverage.outputs import edition, store, tables
from sy_coverage.outputs.figures import qgis
from sy_coverage.outputs.store.sound import ENDINGS, TAKEN
from sy_coverage.study.results import scenarios, unfinished
from sy_coverage.study.results.files import KEPT, city_files, made_here
from sy_coverage.study.results.gather import presented
from sy_coverage.study.results.lists import to_verify
from sy_coverage.study.steps.office.answers import NAMES
from sy_coverage.study.steps.places import county_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.study.answers import Answers

    Make = Callable[[Findings, Sequence[str]], Iterable[tuple[str, bytes]]]

MANIFEST = "manifest.json"
GEOPACKAGE = "coverage.gpkg"
RESULTS = (
    "scorecard.csv",
    "scorecard.xlsx",
    "catchments.csv",
    "candidates.csv",
    "cgcs2000.zip",
    "map.html",
    *NAMES.values(),
    GEOPACKAGE,
    KEPT,
    "counties.csv",
    MANIFEST,
)
RESULT_FOLDERS = ("proposals", "maps", "figures", "layers", "work", store.FOLDER, scenarios.FOLDER)
"""What a run writes, beside and in which folders."""
DECIDING = (
    "geopandas",
    "highspy",
    "numba",
    "numpy",
    "osmium",
    "pandas",
    "pyproj",
    "scikit-learn",
    "scipy",
    "shapely",
)
"""Libraries whose version could change an answer."""


def save(
    study: Answers, folder: Path, *, counties: tuple[str, ...] | None = None, make_counties: Make = made_here
) -> Path:
    """Write everything (or, with `counties`, only their proposals and maps) into `folder` and return it.

    The folder is locked first, and everything is computed before the first byte is written, so that bad input writes
    nothing. `make_counties` makes the files of the counties, in any order; they are written here.

    Raises
    ------
    UnknownIdError
        If one of `counties` is none of the study's.
    CannotWriteError
        If the folder cannot be written, or another run works for it.
    """
    # a study of some counties writes those
    counties = study.asked_counties if counties is None else counties
    require_writable(study, folder, whole=counties is None)
    with _files.locked(folder) as held:
        if counties is not None:
            counties = tuple(county_id_of(named, study.counties) for named in counties)
            study = study.only(counties)
        with unfinished.marked(study, held):
            _files.require_plain_names(study.counties, "county_id", taken=TAKEN, endings=ENDINGS)
            _write(study, held, counties, make_counties)
    return folder


def _write(
    study: Answers, held: _files.Folder, counties: tuple[str, ...] | None, make_counties: Make
) -> None:
    """Compute everything, then write it into a folder that is held."""
    database = study.config.study.database if counties is None else ""
    findings = presented(study)
    county_ids = list(counties or study.counties)
    city = [] if counties is not None else [*city_files(findings), *_scenario_files(study)]
    names = {path for path, _ in city}
    with study.progress("outputs", total=len(city) + len(county_ids) + 1) as advance:
        written: dict[str, str] = {}
        ready = ((path, make()) for path, make in city)
        for path, content in itertools.chain(ready, make_counties(findings, county_ids)):
            held.write(path, content)
            written[path] = hashlib.sha256(content).hexdigest()
            if path.startswith("maps/") or path in names:
                advance()
        if counties is None:
            if findings.edition == "internal":  # whom the office asks about what is nobody else's business
                name, content = to_verify.file_name(study), to_verify.workbook(study)
                held.write(name, content)
                written[name] = hashlib.sha256(content).hexdigest()
            held.write_layers(GEOPACKAGE, tables.layers(findings), styles=qgis.styles(findings))
            written[GEOPACKAGE] = _files.digest(held.file(GEOPACKAGE))
            sizes = _to_database(study.gate.require(database), findings) if database else {}
            write_manifest(study, findings, held, written, sizes)
        advance()


def write_manifest(
    study: Answers,
    findings: Findings,
    held: _files.Folder,
    written: Mapping[str, str],
    sizes: Mapping[str, int] | None = None,
) -> None:
    """Remove what an earlier run wrote and this one did not, and write last of all what this one read and wrote."""
    _tidy(held, set(written))
    manifest = _manifest(study, findings, dict(written), dict(sizes or {}))
    held.write(MANIFEST, (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode())


def _scenario_files(study: Answers) -> list[tuple[str, Callable[[], bytes]]]:
    """Return the path and the maker of each file of the study's scenarios, which are planned now."""
    if not study.config.what_if:
        return []
    made = scenarios.files(scenarios.compared(study))
    return [(path, partial(made.__getitem__, path)) for path in made]


def require_writable(study: Answers, folder: Path, *, whole: bool = True) -> None:
    """Refuse, before any work is done, a folder or (of a `whole` run) a database that could not be written later.

    Raises
    ------
    CoverageError
        Saying which, and why: it cannot be written, or results would replace what the study reads.
    """
    _files.require_writable(folder)
    config = study.config
    read = [file for _, file in study.lists_and_layers] + [
        config.roads.source or "",
        config.roads.elevation or "",
        config.roads.changes or "",
    ]
    files = [file for file in read if file and not _files.is_database(file)]
    lost = [file for file in files if _is_a_result(Path(_files.split_layer(study.path(file))[0]), folder)]
    if lost:
        raise CannotWriteError(
            f"{folder}: results would be written over what the study reads ({some(lost)}); choose another folder with output ="
        )
    if whole and study.config.study.database:
        _files.require_database(study.gate.require(study.config.study.database))


def _is_a_result(path: Path, folder: Path) -> bool:
    """Return whether a run into `folder` may write over `path`."""
    if not _files.is_there(path) or not path.resolve().is_relative_to(folder.resolve()):
        return False
    inside = path.resolve().relative_to(folder.resolve()).as_posix()
    return inside in RESULTS or inside.partition("/")[0] in RESULT_FOLDERS


def _to_database(place: str, findings: Findings) -> dict[str, int]:
    """Write the layers and the scorecard as tables, all of them or none, and return their numbers of rows."""
    scorecard = tables.scorecard(findings).set_index(["target_id", "scope_id"])
    frames = {**tables.layers(findings), "scorecard": scorecard}
    comment = " · ".join([findings.study_name, *findings.notices])
    _files.write_database(place, frames, comment=comment)
    return {name: len(frame) for name, frame in frames.items()}


def _tidy(held: _files.Folder, written: set[str]) -> None:
    """Remove what an earlier run wrote here and this one did not: a county that is gone leaves no proposal behind."""
    before = manifest_of(held.path).get("outputs", {})
    for path in sorted(set(before) - written):
        # whoever wrote it: nothing but results is ever removed
        if _is_a_result(held.path / path, held.path) and (held.path / path).is_file():
            held.remove(path)


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest in a folder of results, with its `outputs`; empty where there is none, or it is damaged."""
    try:
        found = json.loads(_files.read_bytes(folder / MANIFEST))
    except (ValueError, RecursionError):  # a missing file is a ValueError too
        return {}
    whole = isinstance(found, dict) and isinstance(found.get("outputs"), dict)
    return found if whole else {}


def _told(value: float | None) -> float | None:
    """Return a number as JSON can hold it: nothing where it is not told."""
    return None if value is None or not math.isfinite(value) else value


def _manifest(
    study: Answers, findings: Findings, written: dict[str, str], sizes: dict[str, int]
) -> dict[str, object]:
    return {
        "study": study.config.study.name,
        "sy_coverage": version("sy-coverage"),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in DECIDING},
        "options": edition.options(study.config.shown())
        if findings.edition == "public"
        else study.config.shown(),
        "inputs": dict(zip(findings.sources["file"], findings.sources["digest"], strict=True)),
        "plans": {
            county_id: {
                "status": plan.status,
                "objective": _told(plan.objective),
                "bound": _told(plan.bound),
                "solver": plan.certificate.solver if plan.certificate else None,
            }
            for county_id, plan in sorted(findings.plans.items())
        },
        "outputs": dict(sorted(written.items())),
        **({"tables": sizes} if sizes else {}),
        "timings": {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "stages_s": {stage: round(seconds, 2) for stage, seconds in study.seconds.items()},
        },
    }
