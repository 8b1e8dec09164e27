"""Hold what a study asks for and who may be asked: its configuration, its files, its words, and what is known so far."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sy_coverage import _files, labels
from sy_coverage.study.steps.files import StudyFiles, lists_and_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.study.config.file import StudyConfig
    from sy_coverage.study.progress import Progress
    from sy_coverage.study.steps.memory import Memory

ASKED = "asked "
"""How rooms begin under which is kept what their readers ask."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked, where its files lie, and who is told of progress."""

    memory: Memory
    """What is known of the study so far, and what each step was seen to read."""
    folder: Path
    """Where relative paths start."""
    told: Progress
    """Who is told of stages."""
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage took."""

    @property
    def config(self) -> StudyConfig:
        """What the study file says; within a step, it is noted what is read of it."""
        return self.memory.config

    @property
    def is_part(self) -> bool:
        """Whether this is one county of a larger study, answered by itself: nothing is said of the whole."""
        return bool(self.memory.around("part"))

    @property
    def gate(self) -> _files.Gate:
        """Who may be asked."""
        return _files.Gate(services=self.memory.around("services"), databases=self.memory.around("databases"))

    @property
    def offline(self) -> bool:
        """Whether no map service is asked."""
        return not self.gate.services

    @property
    def files(self) -> StudyFiles:
        """Where the files lie that the study names."""
        return StudyFiles(self.folder, self.gate, self.config.limits.of_files())

    @property
    def reports(self) -> dict[str, DataFrame]:
        """What the readers read, assumed, fixed and left out, by room."""
        return {room: report for room, report in self.memory.reports.items() if not room.startswith(ASKED)}

    @property
    def lists_and_layers(self) -> list[tuple[str, str]]:
        """What each file or table is for, and its path as the study writes it; roads are not among them."""
        return lists_and_layers(self.config)

    def path(self, written: str) -> str:
        """Return a path as the study file means it; see `StudyFiles.path`."""
        return self.files.path(written)

    def digest(self, room: str, written: str) -> str:
        """Return the SHA-256 of a file, or of the rows that were read for `room` from a table of a database."""
        return self.files.digest(room, written, self.reports)

    def words(self, key: str, **values: object) -> str:
        """Return a label in the study's language."""
        return labels.text(key, self.config.study.language, **values)

    @contextmanager
    def progress(self, stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
        """Tell whoever waits that `stage` begins, and keep how long it took."""
        begun = time.monotonic()
        with self.told(stage, total=total) as advance:
            yield advance
        self.seconds[stage] = time.monotonic() - begun

    def reported(self, room: str, frame: GeoDataFrame) -> GeoDataFrame:
        """Keep the report a reader attached to `frame`, and return the frame without it: pandas copies it at every step."""
        report = frame.attrs.pop("report", None)
        if report is not None:
            self.memory.report(room, report)
        asked = frame.attrs.pop("doubts", None)
        if asked is not None:
            self.memory.report(f"{ASKED}{room}", asked)
        return frame
