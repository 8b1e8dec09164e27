"""A toy run whose files are made once, so that only their writing is put to the test, again and again."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sy_coverage.study import read_study
from sy_coverage.study.results import files
from sy_coverage.study.results import save as saving

if TYPE_CHECKING:
    from sy_coverage.study import Study

NOT_COMPARED = {".lock"}


@dataclass(frozen=True)
class Finished:
    """A study that was run, and what one unbroken run of it wrote, by path."""

    study: Study
    city: dict[str, bytes]
    counties: dict[str, dict[str, bytes]]
    written: dict[str, bytes]

    @classmethod
    def of(cls, study_file: Path, folder: Path) -> Finished:
        study = read_study(study_file)
        city = {path: make() for path, make in saving.city_files(study.findings)}
        counties = {
            county: {path: make() for path, make in files.county_files(study.findings, county)}
            for county in study.counties
        }
        with pytest.MonkeyPatch.context() as patch:
            bare = cls(study, city, counties, {})
            bare.ready(patch)
            study.save(folder)
        return cls(study, city, counties, contents(folder))

    def ready(self, patch: pytest.MonkeyPatch) -> None:
        """Let `save` find its files made."""

        def made(content: bytes):
            return lambda: content

        patch.setattr(saving, "city_files", lambda _: [(p, made(c)) for p, c in self.city.items()])
        patch.setattr(
            files, "county_files", lambda _, county: [(p, made(c)) for p, c in self.counties[county].items()]
        )


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file by path; of the manifest all but its timings."""
    # os.walk bears a folder of a running process that goes while it looks; rglob does not
    paths = sorted(Path(at) / name for at, _, names in os.walk(folder) for name in names)
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in paths
        if path.name not in NOT_COMPARED and ".writing-" not in str(path)
    }
    if saving.MANIFEST in found:
        manifest = json.loads(found[saving.MANIFEST])
        manifest.pop("timings", None)
        found[saving.MANIFEST] = json.dumps(manifest, sort_keys=True).encode()
    return found
