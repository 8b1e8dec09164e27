"""The command line teaches, says what is wrong in one sentence, and leaves nothing half-written."""

import subprocess
import sys
from pathlib import Path

import pytest

from sy_coverage import errors, labels
from sy_coverage.errors import CoverageError
from tests import toy


def sy(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sy_coverage", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd or "/"), "PYTHONUTF8": "1", "COLUMNS": "200"},
    )


@pytest.fixture
def study_file(tmp_path):
    return toy.write_study(tmp_path)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refused(done: subprocess.CompletedProcess[str], out: Path) -> str:
    """Check that a command was refused as bad input, in one sentence, with nothing written; return the sentence."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not out.exists()
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_missing_study_file_is_refused(tmp_path):
    assert "没有这个文件" in refused(sy("run", tmp_path / "no.toml", "--out", tmp_path / "o"), tmp_path / "o")


def test_what_went_wrong_is_said_in_the_language_of_the_study(study_file, tmp_path):
    out = tmp_path / "o"
    change(study_file, "villages.csv", "towns.csv")
    assert refused(sy("run", study_file, "--out", out), out).startswith("找不到文件，请核对路径和文件名。")
    change(study_file, "[study]", '[study]\nlanguage = "en"')
    assert "找不到" not in refused(sy("run", study_file, "--out", out), out)


def test_every_error_has_words_for_what_it_means():
    def names(error):
        return {error.__name__}.union(*map(names, error.__subclasses__()))

    said = {key.partition(".")[2] for key in labels.catalogue() if key.startswith("errors.")}
    assert said == {name for name in names(CoverageError) if name in vars(errors)}


def test_a_missing_table_is_refused(study_file, tmp_path):
    change(study_file, "villages.csv", "towns.csv")
    assert "towns.csv" in refused(sy("run", study_file, "--out", tmp_path / "o"), tmp_path / "o")


def test_a_missing_column_is_refused(study_file, tmp_path):
    change(tmp_path / "villages.csv", "elders", "people")
    assert "“elders”" in refused(sy("run", study_file, "--out", tmp_path / "o"), tmp_path / "o")


def test_an_unknown_key_is_refused(study_file, tmp_path):
    change(study_file, "spread_min", "spread_minutes")
    said = refused(sy("run", study_file, "--out", tmp_path / "o"), tmp_path / "o")
    assert "siting.spread_minutes" in said
    assert "spread_min" in said


def test_a_duplicate_id_is_refused_where_reading_is_strict(study_file, tmp_path):
    change(tmp_path / "facilities.csv", "T1", "S1")
    change(study_file, '["facilities.csv"]', '["facilities.csv"]\nstrict = true')
    assert "S1" in refused(sy("run", study_file, "--out", tmp_path / "o"), tmp_path / "o")


def test_boundaries_without_a_coordinate_system_are_refused(study_file, tmp_path):
    bare = toy.units().set_crs(None, allow_override=True).drop(columns="boundary_quality").reset_index()
    with pytest.warns(UserWarning, match="crs"):
        bare.to_file(tmp_path / "bare.shp", encoding="utf-8")
    change(study_file, "units.gpkg", "bare.shp")
    assert "coordinate_system" in refused(sy("run", study_file, "--out", tmp_path / "o"), tmp_path / "o")


def test_a_county_that_does_not_exist_is_refused(study_file, tmp_path):
    done = sy("propose", study_file, "--county", "999999", "--out", tmp_path / "o")
    assert "999999" in refused(done, tmp_path / "o")


def test_check_names_every_fault_at_once_and_computes_nothing(study_file, tmp_path):
    change(tmp_path / "villages.csv", "elders", "people")
    change(study_file, "roads.osm", "streets.osm")
    done = sy("check", study_file)
    assert done.returncode == 2
    assert "'elders'" in done.stdout
    assert "streets.osm" in done.stdout
    assert not (tmp_path / "out").exists()


def test_check_passes_a_good_study(study_file):
    done = sy("check", study_file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "检查通过" in done.stdout


def test_new_writes_a_study_that_can_be_read_and_overwrites_nothing(tmp_path):
    done = sy("new", tmp_path / "fresh")
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "fresh").iterdir()} == {
        "study.toml", "facilities.csv", "candidates.csv", "villages.csv", "填报表.xlsx",
    }  # fmt: skip
    again = sy("new", tmp_path / "fresh")
    assert again.returncode == 74
    assert "文件夹不是空的" in again.stderr


def test_help_teaches_every_command():
    done = sy("--help")
    assert done.returncode == 0
    for command in ("demo", "run", "check", "new", "propose"):
        assert command in done.stdout


def test_propose_writes_only_the_counties_asked_for_and_names_only_what_it_wrote(study_file, tmp_path):
    done = sy("propose", study_file, "--county", "990100", "--out", tmp_path / "o", "--workers", "1")
    assert done.returncode == 0, done.stderr
    written = sorted(
        p.relative_to(tmp_path / "o").as_posix() for p in (tmp_path / "o").rglob("*.*") if p.is_file()
    )
    assert [name for name in written if name != ".lock"] == [
        "figures/990100.png",
        "figures/990100.svg",
        "maps/990100.html",
        "proposals/990100-annex.docx",
        "proposals/990100-annex.html",
        "proposals/990100-survey.docx",
        "proposals/990100.docx",
        "proposals/990100.geojson",
        "proposals/990100.html",
        "proposals/990100.xlsx",
    ]
    assert "map.html" not in done.stdout
    assert str(tmp_path / "o" / "proposals") in done.stdout.replace("\n", "")


def test_targets_that_cannot_be_met_end_with_1_and_the_reason(study_file, tmp_path):
    change(tmp_path / "candidates.csv", "d05,示例d05,dementia_unit", "d05,示例d05,meal_point")
    change(tmp_path / "candidates.csv", "d15,示例d15,dementia_unit", "d15,示例d15,meal_point")
    done = sy("run", study_file, "--out", tmp_path / "o", "--workers", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "县级失智照护服务机构" in done.stdout
    assert (tmp_path / "o" / "manifest.json").exists()
