"""Answer what a page asks of the study in a folder, in plain values; every change it makes lies in that folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files, labels
from sy_coverage.outputs import maps
from sy_coverage.outputs.text import format as fmt
from sy_coverage.study import read_study
from sy_coverage.study.check import look_at
from sy_coverage.study.config import materials
from sy_coverage.study.config.edit import edit_study
from sy_coverage.study.config.file import STUDY_FILE
from sy_coverage.study.config.questions.scenario import Scenario
from sy_coverage.study.results import gather
from sy_coverage.study.results.again import read_findings
from sy_coverage.study.results.lists import answering, indicators, to_verify
from sy_coverage.study.results.save import MANIFEST, RESULT_FOLDERS, manifest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.errors import CoverageError
    from sy_coverage.labels import Language
    from sy_coverage.study import Study
    from sy_coverage.study.config.materials import Role

ASKED = frozenset(
    {"materials", "reading", "doubts", "today", "options", "results",
     "adopt", "reassign", "take_sample", "answer", "take_back", "edit", "scenario"}
)  # fmt: skip
"""What a page may ask; nothing else of `Questions` is reached from it."""
_OUTLINE_M = 150.0
"""Outlines on the small maps of a page are simplified by so many metres."""


@dataclass
class Questions:
    """The questions about one folder, and the study in it, which is read again when a file has changed."""

    folder: Path
    _known: dict[Any, Study] = field(default_factory=dict)

    def ask(self, question: str, **given: Any) -> Any:
        """Return the answer to one of `ASKED`."""
        if question not in ASKED:
            raise KeyError(question)
        return getattr(self, question)(**given)

    def _study(self, language: Language) -> Study:
        """Return the study as the page speaks; nothing is asked of any service."""
        key = stamp_of(self.folder)
        if key not in self._known:
            self._known = {key: read_study(self.folder, offline=True)}
        study = self._known[key]
        return study if study.config.study.language == language else study.but(study={"language": language})

    # --- materials ---------------------------------------------------------------------------------------------------

    def materials(self, language: Language) -> dict[str, Any]:
        """Return what lies in the folder, what each file is taken for, and what is missing."""
        del language
        is_begun = _files.is_there(self.folder / STUDY_FILE)
        found = materials.materials_taken(self.folder) if is_begun else materials.materials_in(self.folder)
        return {
            "begun": is_begun,
            "materials": [{**asdict(one), "key": one.key} for one in found],
            "missing": materials.missing(found),
        }

    def adopt(self, language: Language, files: list[str] | None = None) -> None:
        """Take files of the folder into the study."""
        materials.adopted(self.folder, files, language=language)

    def reassign(self, language: Language, key: str, role: Role, coordinate_system: str = "") -> None:
        """Give a file another part."""
        materials.reassigned(self.folder, key, role, coordinate_system=coordinate_system, language=language)

    def take_sample(self, language: Language) -> None:
        """Copy the shipped sample into the folder, which has no study yet."""
        del language
        if _files.is_there(self.folder / STUDY_FILE):
            return
        files = _files.files_in(_files.sample_folder())
        for path in sorted(
            files, key=lambda one: one.name == STUDY_FILE
        ):  # the study file last: then all is there
            if path.suffix != ".md":
                _files.write_bytes(self.folder / path.name, _files.read_bytes(path))

    def reading(self, language: Language) -> dict[str, Any]:
        """Return what was read, what is wrong, and where everything lies."""
        study = self._study(language)
        report = look_at(study, workbook=False)
        found: dict[str, Any] = {**asdict(report), "title": study.config.study.title, "places": {}}
        if not report.errors:
            found["places"] = _places(study)
        return found

    # --- doubts ------------------------------------------------------------------------------------------------------

    def doubts(self, language: Language) -> dict[str, Any]:
        """Return the open doubts, worst first, what was answered, and what can be chosen."""
        study = self._study(language)
        table = to_verify.doubts_said(study.answers).reset_index()
        answered = study.office_answers.reset_index()
        answered["title"] = [_label(f"places.doubt_title_{kind}", language) for kind in answered["kind"]]
        return {
            "open": _rows(table),
            "answered": _rows(answered),
            "counts": _counts(study),
            "kinds": [labels.pick(kind.name, language) for kind in study.policy.kinds.values()],
            "units": [f"{row.county}{row.name}" for row in _named_units(study).itertuples(index=False)],
            "points": _points(study, set(table["row_id"])),
        }

    def answer(
        self, language: Language, given: Mapping[str, Mapping[str, Any]], by: str = "", on: str = ""
    ) -> None:
        """Write answers to doubts."""
        answering.record(self._study(language).answers, given, by=by, on=on)

    def take_back(self, language: Language, doubt_ids: list[str]) -> None:
        """Take answers back."""
        answering.take_back(self._study(language).answers, doubt_ids)

    # --- where things stand ------------------------------------------------------------------------------------------

    def today(self, language: Language) -> dict[str, Any]:
        """Return the officials' table, the scorecard by county, and the map of today as a page."""
        study = self._study(language)
        table = indicators.indicators(study.answers)
        card = study.scorecard_today.reset_index()
        names = {target.id: target for target in study.policy.targets}
        card["name"] = [labels.pick(names[one].name, language) for one in card["target_id"]]
        card["quote"] = [names[one].quote for one in card["target_id"]]
        card["rule"] = [names[one].rule for one in card["target_id"]]
        card["of"] = [names[one].measure.of for one in card["target_id"]]
        card["basis_said"] = [labels.text(f"coverage.basis_{one}", language) for one in card["basis"]]
        drawn = maps.draw(gather.findings(study.answers.opening({})))
        _files.write_bytes(view_path(self.folder, "today.html"), drawn.html().encode())
        return {
            "columns": [str(column) for column in table.columns],
            "rows": [
                [fmt.plain("" if pd.isna(v) else str(v)) for v in row]
                for row in table.astype(object).itertuples(index=False)
            ],
            "scorecard": _rows(card),
            "reported": study.config.reported,
            "counties": dict(study.counties),
            "bounds": [float(v) for v in study.units.total_bounds],
        }

    # --- what to plan ------------------------------------------------------------------------------------------------

    def options(self, language: Language) -> dict[str, Any]:
        """Return what may be chosen of a plan, what the study and its policy say of each, and the candidates."""
        study = self._study(language)
        config, policy = study.config, study.policy
        sites = study.listed_candidates
        return {
            "siting": config.siting.model_dump(mode="json"),
            "said": config.siting.model_dump(mode="json", exclude_unset=True),
            "access": config.access.model_dump(mode="json", exclude_unset=True),
            "phases": {year: phase.model_dump(mode="json") for year, phase in config.phases.items()},
            "policy_said": config.policy,
            "about": config.study.model_dump(mode="json"),
            "approval_number": config.map.approval_number,
            "scenarios": {name: json.loads(one.to_json()) for name, one in config.what_if.items()},
            "readings": {
                "scope": policy.readings.scope,
                "rule": policy.readings.rule,
                "elders": policy.readings.elders,
                "share": policy.readings.share,
            },
            "reasons": {name: labels.pick(said, language) for name, said in policy.readings.reasons.items()},
            "policy": {"name": labels.pick(policy.name, language), "document": policy.document},
            "targets": [
                {
                    "id": one.id,
                    "name": labels.pick(one.name, language),
                    "value": one.value,
                    "is_share": one.rule.startswith("share"),
                    "section": one.section,
                    "quote": one.quote,
                    "by": one.by.isoformat() if one.by else "",
                    "is_reported": one.measure.of == "reported",
                }
                for one in policy.targets
            ],
            "candidates": [
                {
                    "id": str(row.Index),
                    "name": fmt.plain(row.name),
                    "kind": labels.pick(policy.kinds[row.kind].name, language)
                    if row.kind in policy.kinds
                    else row.kind,
                    "unit": str(study.units["name"].get(row.unit_id, "")),
                    "county": str(study.counties.get(row.county_id, "")),
                    "cost": row.cost,
                }
                for row in sites.itertuples()
            ],
        }

    def edit(self, language: Language, sections: Mapping[str, Mapping[str, Any]]) -> None:
        """Change keys of the study file."""
        del language
        edit_study(self.folder, sections)

    def scenario(self, language: Language, name: str, text: str | None) -> None:
        """Keep a scenario under a name, or (None) take it out."""
        study = self._study(language)
        kept = {key: json.loads(one.to_json()) for key, one in study.config.what_if.items()}
        if text is None:
            kept.pop(name, None)
        else:
            kept[name] = json.loads(Scenario.from_json(text).to_json())
        plain = {key: {k: v for k, v in one.items() if k != "version"} for key, one in kept.items()}
        edit_study(self.folder, {"what_if": plain})

    # --- what came out -----------------------------------------------------------------------------------------------

    def results(self, language: Language) -> dict[str, Any]:
        """Return what a run wrote: its files, how each county's plan ended, and what is still a doubt."""
        study = self._study(language)
        out = Path(study.path(study.config.study.output))
        manifest = manifest_of(out)
        files = sorted(files_of(out))
        if not manifest:  # a run that was stopped leaves the proposals of the counties it had planned
            there = [
                {"county_id": one, "county": name}
                for one, name in study.counties.items()
                if f"maps/{one}.html" in files
            ]
            return {
                "files": files,
                "counties": there,
                "sites": [],
                "is_current": True,
                "notices": [],
                "finished": "",
                "comparison": [],
            }
        findings = read_findings(out)
        counties = findings.counties.reset_index()
        counties["status_said"] = [labels.text(f"study.status_{one}", language) for one in counties["status"]]
        sites = findings.proposals.rename_axis("id").reset_index()
        sites = sites[["id", "county", "name", "kind", "unit", "cost", "why"]]
        sites["name"] = [fmt.plain(one) for one in sites["name"]]
        sites["why"] = [fmt.plain(one) for one in sites["why"]]
        sites["kind"] = [labels.pick(findings.policy.kinds[one].name, language) for one in sites["kind"]]
        return {
            "files": files,
            "counties": _rows(counties),
            "sites": _rows(sites),
            "is_current": _deciding(manifest.get("options", {}))
            == _deciding(read_study(self.folder, offline=True).config.shown()),
            "notices": list(findings.notices),
            "finished": manifest["timings"]["finished"],
            "comparison": _comparison(out),
        }


def files_of(out: Path) -> set[str]:
    """Return the names of what runs wrote into a folder of results: what the manifest names, and what lies in the folders of results.

    A name that leads elsewhere, by a link or otherwise, is none of them.
    """
    names = {*manifest_of(out).get("outputs", {}), MANIFEST}
    for folder in RESULT_FOLDERS:
        names.update(f"{folder}/{path.name}" for path in _files.files_in(out / folder))
    home = out.resolve()
    return {name for name in names if _is_plain(out / name, home)}


def _is_plain(path: Path, home: Path) -> bool:
    return path.resolve().is_relative_to(home) and not path.is_symlink() and _files.is_there(path)


def stamp_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether a file of a folder has changed since: its own files and the answers among its results."""
    found = [one for one in _files.files_in(folder) if not one.name.startswith(".")]
    kept = []
    for path in found:
        try:
            seen = path.stat()
        except OSError:  # gone meanwhile
            continue
        kept.append((path.name, seen.st_size, seen.st_mtime_ns))
    return tuple(kept)


def results_stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether results were written since, into the folder that most studies write to."""
    out = folder / "out"
    return (*stamp_of(out), *stamp_of(out / "proposals"))


def view_path(folder: Path, name: str) -> Path:
    """Return where a page lies that the desk made for itself."""
    return folder / ".desk" / name


def _deciding(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run without those that are only written on what comes out."""
    kept = {
        name: dict(section) if isinstance(section, dict) else section for name, section in options.items()
    }
    for section, keys in (("study", ("office", "issued", "name", "name_en")), ("map", ("approval_number",))):
        for key in keys:
            kept.get(section, {}).pop(key, None)
    return kept


def _comparison(out: Path) -> list[list[str]]:
    """Return the table of scenarios that a run wrote, its headers first."""
    path = out / "comparison" / "comparison.csv"
    if not _files.is_there(path):
        return []
    return [list(row) for row in _files.read_grid(path).cells]


def _label(key: str, language: Language) -> str:
    return labels.text(key, language) if key in labels.catalogue() else key.rpartition("_")[2]


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as plain rows: missing values as None, and only what JSON holds."""
    plain = table.drop(columns=[c for c in table.columns if c == "geometry"]).astype(object)
    plain = plain.where(plain.notna(), None)
    return [{str(key): _plain(value) for key, value in row.items()} for row in plain.to_dict("records")]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return value.item() if hasattr(value, "item") else str(value)


def _named_units(study: Study) -> pd.DataFrame:
    units = study.units
    return pd.DataFrame(
        {"county": units["county_id"].map(dict(study.counties)), "name": units["name"]}
    ).sort_values(["county", "name"])


def _counts(study: Study) -> dict[str, Any]:
    """Return how many rows of each list count, how many are placed, and how many elders its open doubts concern."""
    counts: dict[str, Any] = {}
    for name, frame in (("facilities", study.facilities), ("candidates", study.listed_candidates)):
        counts[name] = {"rows": len(frame), "located": int(frame.geometry.notna().sum())}
    doubts = study.open_doubts
    concerned = doubts[doubts["units"] != ""].drop_duplicates("units")["elders"].sum()
    targets = {one for ids in doubts["targets"] for one in str(ids).split("、") if one}
    return {**counts, "elders": float(concerned), "targets": len(targets), "open": len(doubts)}


def _points(study: Study, row_ids: set[str]) -> dict[str, tuple[float, float]]:
    """Return where rows in doubt lie, or the middle of the unit they name, as (latitude, longitude)."""
    middles = study.units.geometry.representative_point()
    found: dict[str, tuple[float, float]] = {}
    for frame in (study.facility_rows, study.candidate_rows):
        rows: GeoDataFrame = frame[frame.index.isin(list(row_ids))]
        for row_id, unit_id, point in zip(rows.index, rows["unit_id"], rows.geometry, strict=True):
            at = point if point is not None and not point.is_empty else middles.get(unit_id)
            if at is not None:
                found[str(row_id)] = (round(at.y, 6), round(at.x, 6))
    return found


def _places(study: Study) -> dict[str, Any]:
    """Return outlines and points for a small map: units simplified, facilities, candidates and villages."""
    units = study.units
    outlines = units.geometry.to_crs(units.estimate_utm_crs()).simplify(_OUTLINE_M).to_crs(4326)
    found: dict[str, Any] = {
        "units": json.loads(outlines.to_json(drop_id=True)),
        "bounds": [float(v) for v in units.total_bounds],
    }
    frames = {"facilities": study.facilities, "candidates": study.listed_candidates, "villages": study.demand}
    for name, frame in frames.items():
        there = frame[frame.geometry.notna()]
        found[name] = [(round(p.y, 5), round(p.x, 5)) for p in there.geometry]
    return found


def said_of(error: CoverageError, language: Language) -> str:
    """Return what a person at the desk reads of an error."""
    return labels.sentence(error, language)
