"""Look up what `[study]` of a study file may say."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import field_validator

from sy_coverage import _files
from sy_coverage.study.config.section import Section


class About(Section):
    """`[study]`: what it is called and which policy it answers to."""

    name: str
    """The title that stands on every output."""
    name_en: str = ""
    """The title of outputs in English; empty takes `name`."""
    policy: str = "shaoyang_2025"
    """A policy that is shipped, or the path of another policy file."""
    language: Literal["zh", "en"] = "zh"
    """The language of tables, maps and reports."""
    output: str = "out"
    """The folder results are written to."""
    database: str = ""
    """A PostGIS database that results are written to besides, and the schema: ``postgresql://user@host:5432/name#schema``.
    The password is better kept in the environment (PGPASSWORD) or in ``~/.pgpass``."""
    date: dt.date
    """The day that decides what counts as open."""
    office: str = ""
    """Who signs the proposals; without it a blank is left for the name."""
    issued: dt.date | None = None
    """The date under the proposals; without it a blank is left for the date."""
    document_number: str = ""
    """The number of the document (发文字号), above the title; empty: none."""
    signatory: str = ""
    """Who signs it off (签发人), beside the number; empty: nobody is named."""
    copies_to: str = ""
    """Who gets a copy (抄送), in the note at the end; empty: nobody."""
    printed_by: str = ""
    """Who prints it, in the note at the end (版记), with the date of `issued`; empty: nobody."""
    notice: dict[Literal["zh", "en"], str] = {}
    """A sentence that every output must carry."""

    @property
    def title(self) -> str:
        """The study's name in its language."""
        return (self.language == "en" and self.name_en) or self.name

    @field_validator("database")
    @classmethod
    def _address(cls, database: str) -> str:
        if database and not _files.is_database(database):
            raise ValueError("say the address of a database: postgresql://user@host:5432/name#schema")
        return database
