"""Make maps and proposals again from the results of a run, without computing anything."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.errors import MissingFileError
from sy_coverage.outputs import store
from sy_coverage.study.progress import silent
from sy_coverage.study.results import files
from sy_coverage.study.results.save import MANIFEST, manifest_of
from sy_coverage.study.steps.places import county_id_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.study.progress import Progress
    from sy_coverage.study.results.files import Write


def read_findings(folder: str | os.PathLike[str]) -> Findings:
    """Return what a run found and left in its folder of results; of a run county by county, what it says of all of them together.

    Raises
    ------
    MissingFileError
        If no whole run has written there.
    UnreadableFileError
        If the file is damaged or of another version.
    """
    if store.has_folder(folder):
        return store.read_part(folder, store.read_index(folder), store.WHOLE)
    path = Path(folder) / files.KEPT
    if not _files.is_there(path):
        raise MissingFileError(
            f"{path}: there are no results of a whole run; let `sy-coverage run` write into this folder first"
        )
    return store.unpacked(_files.read_bytes(path), file=str(path))


def read_parts(folder: str | os.PathLike[str], county_ids: tuple[str, ...]) -> Iterator[Findings]:
    """Yield the findings of counties, by id or name, one after another, of a run county by county; of all and of the whole where none is asked for.

    Raises
    ------
    MissingFileError, UnreadableFileError, UnknownIdError
        If there is no such part, or it is not what the run wrote.
    """
    index = store.read_index(folder)
    asked = [county_id_of(named, index.counties) for named in county_ids]
    for part in asked or [store.WHOLE, *sorted(set(index.parts) - {store.WHOLE})]:
        yield store.read_part(folder, index, part)


def part_map_files(findings: Findings) -> list[Write]:
    """Return what makes the map of one part of a run county by county."""
    if findings.scope_id in findings.counties.index:
        return files.county_map(findings, findings.scope_id)
    return files.province_map(findings, {})


def part_report_files(findings: Findings) -> list[Write]:
    """Return what makes the documents of one part of a run county by county."""
    if findings.scope_id in findings.counties.index:
        return files.county_reports(findings, findings.scope_id)
    return files.province_reports(findings, {})


def map_files(findings: Findings, county_ids: tuple[str, ...] = ()) -> list[Write]:
    """Return what makes the map of the city and of every county, or of the counties asked for."""
    asked = _asked(findings, county_ids)
    every = [file for county_id in asked for file in files.county_map(findings, county_id)]
    return every if county_ids else [*files.city_map(findings), *every]


def report_files(findings: Findings, county_ids: tuple[str, ...] = ()) -> list[Write]:
    """Return what makes the summary and the proposals of every county, or those of the counties asked for."""
    asked = _asked(findings, county_ids)
    every = [file for county_id in asked for file in files.county_reports(findings, county_id)]
    return every if county_ids else [*files.city_reports(findings), *every]


def _asked(findings: Findings, county_ids: tuple[str, ...]) -> list[str]:
    names = findings.counties["county"].to_dict()
    return sorted({county_id_of(named, names) for named in county_ids} or names)


def changed(findings: Findings, **given: Any) -> Findings:
    """Return `findings` with what an office fills in later: `approval_number`, `base_map`, `office`, `issued`; None: as it was."""
    return replace(findings, **{name: value for name, value in given.items() if value is not None})


def write(
    files_: Iterable[Write],
    results: Path,
    folder: Path | None = None,
    *,
    progress: Progress = silent,
    total: int | None = None,
) -> list[Path]:
    """Write files made from `results` into `folder` (default: beside the results) and return their paths.

    Written beside the results, they take the place of those of the run, and the manifest says their digests.

    Raises
    ------
    CannotWriteError
        If the folder cannot be written.
    """
    target = results if folder is None else folder
    _files.require_writable(target)
    digests: dict[str, str] = {}
    with _files.locked(target) as held, progress("outputs", total=total or 1) as advance:
        for path, content in files.made(files_):
            held.write(path, content)
            digests[path] = hashlib.sha256(content).hexdigest()
            advance()
        said = manifest_of(results) if target.resolve() == results.resolve() else {}
        if said:
            said["outputs"] = dict(sorted({**said["outputs"], **digests}.items()))
            held.write(MANIFEST, (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode())
    return [target / path for path in digests]
