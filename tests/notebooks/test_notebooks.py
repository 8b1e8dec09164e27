"""The notebooks are lessons: short, in both languages, kept without outputs, and every cell of them runs offline."""

from __future__ import annotations

import json
import re
import shutil
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_LINES = 29
SECRETS = re.compile(
    r"(?i)(api[_-]?key|token|secret|password|\btk\b)\s*[=:]\s*[\"'][^\"']+[\"']|[0-9a-f]{32}"
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")
# (urllib3 looks at import whether this machine knows IPv6 by binding ::1, so sockets exist; none may connect elsewhere)
NO_NETWORK = "from pytest_socket import socket_allow_hosts\nsocket_allow_hosts(['127.0.0.1', '::1'])\n"


def cells(path: Path, kind: str) -> list[dict]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_there_are_seven_lessons():
    assert [path.name[:2] for path in LESSONS] == ["01", "02", "03", "04", "05", "06", "07"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_kept_without_outputs_counts_and_the_marks_of_a_machine(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_holds_no_key_and_no_path_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not SECRETS.search(text)
    assert not re.search(r"/(?:home|Users|root|tmp|opt|mnt)/|[A-Z]:\\\\", text)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_fewer_than_thirty_lines_of_code(path):
    code = "\n".join(source(cell) for cell in cells(path, "code"))
    assert 0 < sum(1 for line in code.splitlines() if line.strip()) <= MOST_LINES


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_says_everything_in_chinese_and_in_english(path):
    words = [source(cell) for cell in cells(path, "markdown")]
    assert len(words) >= len(cells(path, "code")) / 2
    for text in words:
        assert CHINESE.search(text), text
        assert ENGLISH.search(text), text


class Lesson:
    """A notebook that was run, cell after cell, in a kernel that may connect to nothing but this machine."""

    def __init__(self, path: Path, folder: Path) -> None:
        import nbformat
        from nbclient import NotebookClient

        shutil.copytree(path.parent / "my-city", folder / "my-city")
        self.notebook = nbformat.read(path, as_version=4)
        place = {"metadata": {"path": str(folder)}}
        NotebookClient(self.notebook, timeout=300, resources=place).execute()

    @cached_property
    def outputs(self) -> list[dict]:
        return [dict(o) for cell in self.notebook.cells if cell.cell_type == "code" for o in cell.outputs]

    @cached_property
    def printed(self) -> str:
        plain = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in self.outputs]
        return "\n".join(plain)

    @cached_property
    def pages(self) -> list[str]:
        return [h for o in self.outputs if "<iframe" in (h := o.get("data", {}).get("text/html", ""))]

    @cached_property
    def pictures(self) -> int:
        return sum("image/png" in o.get("data", {}) for o in self.outputs)


@pytest.fixture
def run(tmp_path, monkeypatch, socket_enabled):
    """Return a function that runs a lesson; this process talks to the kernel, the kernel talks to nobody."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-offline.py").write_text(NO_NETWORK, encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.delenv("SY_COVERAGE_EXTRACT", raising=False)
    # a warning of ours in a lesson is a fault in a lesson
    monkeypatch.setenv("PYTHONWARNINGS", "error::FutureWarning:__main__,error::UserWarning:__main__")

    def lesson(number: str) -> Lesson:
        path = next(path for path in LESSONS if path.name.startswith(number))
        folder = tmp_path / "work"
        folder.mkdir()
        return Lesson(path, folder)

    return lesson


def complaints(lesson: Lesson) -> list[dict]:
    return [o for o in lesson.outputs if o["output_type"] == "error" or o.get("name") == "stderr"]


def test_lesson_1_shows_where_every_county_stands(run):
    lesson = run("01")
    assert complaints(lesson) == []
    # 36 streets and 166 townships are in the official codes of 2023; the census of 2020 counts 200,744 elders in 隆回县
    assert re.search(r"合计\s+202\b", lesson.printed)
    assert re.search(r"隆回县\s+25\s+\d+\s+200744\.0", lesson.printed)
    # 65 % of 23 townships are 15; at 10 with a centre, 5 are missing
    assert re.search(r"隆回县\s+0\.435\s+0\.65\s+False\s+5\b", lesson.printed)
    assert lesson.pictures == 1


def test_lesson_2_loses_no_row_and_says_how_far_map_shops_shift(run):
    lesson = run("02")
    assert complaints(lesson) == []
    assert "645 rows, 47 without a point" in lesson.printed
    for lost in ("SY-0060", "SY-0195", "SY-0353"):
        assert lost in lesson.printed
    gcj, bd = (float(re.search(rf"{name}\s+(\d+\.0)", lesson.printed)[1]) for name in ("gcj02", "bd09"))
    assert 500 < gcj < 800
    assert 1000 < bd < 1400


def test_lesson_3_draws_catchments_and_counts_people_once(run):
    lesson = run("03")
    assert complaints(lesson) == []
    assert lesson.pictures == 1
    ten, twenty, thirty = map(int, re.search(r"\{10: (\d+), 20: (\d+), 30: (\d+)\}", lesson.printed).groups())
    assert 0 < ten < twenty < thirty <= 200_744


def test_lesson_4_proposes_proves_and_draws_a_county(run):
    lesson = run("04")
    assert complaints(lesson) == []
    cost, bound = re.search(r"optimal ([\d.]+) ([\d.]+)", lesson.printed).groups()
    assert cost == bound
    assert len(lesson.pages) == 1
    assert "隆回县" in lesson.pages[0]


def test_lesson_5_compares_rules_money_and_years(run):
    lesson = run("05")
    assert complaints(lesson) == []
    cost = {
        r: float(re.search(rf"{r}\s+optimal\s+\d+\s+([\d.]+)", lesson.printed)[1])
        for r in ("presence", "access", "both")
    }
    # a rule that asks for both cannot be cheaper than one of them
    assert cost["both"] >= max(cost["presence"], cost["access"])
    # the plan shows itself: what it costs, and a small map of the county's units
    (shown,) = [
        o["data"]["text/html"] for o in lesson.outputs if "<svg" in o.get("data", {}).get("text/html", "")
    ]
    assert f"<td>{cost['presence']:,g}</td>" in shown
    assert re.search(r"2027\s+None\s+4\s+\d+.*", lesson.printed)
    # two plans on one map, and the years of a plan as points in time of another
    both, years = lesson.pages
    assert "&quot;access&quot;" in both
    assert (
        "&quot;states&quot;:[&quot;Today&quot;,&quot;2025&quot;,&quot;2026&quot;,&quot;2027&quot;]" in years
    )
    spent, least = map(float, re.search(r"False ([\d.]+) ([\d.]+)", lesson.printed).groups())
    assert spent <= 500 < least == cost["presence"]


def test_lesson_7_asks_what_if(run):
    lesson = run("07")
    assert complaints(lesson) == []
    names = ("as it is", "not there", "promised", "closed", "put here", "80 %")
    cost = {n: float(re.search(rf"{n}\s+\w+\s+([\d.]+)\s+[\d.]+", lesson.printed)[1]) for n in names}
    # what is asked besides never makes a plan cheaper, and one more place to choose from never dearer
    assert all(cost[n] >= cost["as it is"] for n in ("not there", "promised", "closed", "80 %"))
    assert cost["put here"] <= cost["as it is"]
    assert len(lesson.pages) == 2
    elders = [float(n) for n in re.findall(r"15(?:\.0)?\s+[\d.]+\s+([\d.]+)", lesson.printed)]
    assert len(elders) == 2
    assert min(elders) > 0


def test_lesson_6_walks_through_a_practice_town_until_somebody_names_an_extract(run):
    lesson = run("06")
    assert complaints(lesson) == []
    assert "'optimal'" in lesson.printed
    # six made-up towns, of which 65 % are four
    for town in ("柳溪镇", "石桥镇", "青竹乡", "枫林镇", "白沙乡", "云台镇"):
        assert town in lesson.pages[0]


def test_lesson_6_plans_a_city_from_nothing_but_an_extract(run, monkeypatch, shared_data):
    monkeypatch.setenv("SY_COVERAGE_EXTRACT", str(shared_data / "roads" / "liechtenstein-2021.osm.pbf"))
    lesson = run("06")
    assert complaints(lesson) == []
    assert "'optimal'" in lesson.printed
    for town in ("Vaduz", "Schaan", "Triesenberg"):
        assert town in lesson.pages[0]


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """Let nothing be written into the home folder of who runs the tests."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    (tmp_path / "mplconfigdir").mkdir()
