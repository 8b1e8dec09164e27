"""Read a study, run it, and save what comes out."""

from __future__ import annotations

from sy_coverage.study.config.file import StudyConfig, read_config
from sy_coverage.study.study import Study, read_study, sample_study

__all__ = ["Study", "StudyConfig", "read_config", "read_study", "sample_study"]


def __dir__() -> list[str]:
    return list(__all__)
