"""No name leads out of a folder of results, whoever calls; its lock comes first, and only its own left-overs are cleared."""

import os
import re
import subprocess
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner

from sy_coverage import _files
from sy_coverage.cli import app, screen
from sy_coverage.errors import CannotWriteError, InputError
from sy_coverage.study import Study, read_config, read_study
from sy_coverage.study.results import again, save, unfinished
from sy_coverage.study.results.lists import rows as lists
from tests import toy


@pytest.fixture
def held(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with _files.locked(tmp_path / "a" / "b" / "out") as folder:
        yield folder


OUTSIDE = [
    "../x.html", "maps/../../x.html", "maps/../x.html", "..", ".", "", "./x", "maps//x", "maps/", "/etc/x", "//host/x",
    "C:/x", "C:x", "..\\x", "maps\\x.html", "\\\\host\\x", "a\0b", "a\nb", "x:stream", "maps/con.html", "NUL", "aux.csv.gz",
    "COM1", "lpt9.txt", "com¹", "maps/x. ", "x.", ".lock", ".writing-run", ".writing-run/x", "what?", "a|b", "<b>",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("door", ["write", "remove", "file", "lists", "again"])
def test_row_113_a_name_that_leads_out_of_the_folder_is_refused_by_every_door(held, door, name):
    work = {
        "write": lambda: held.write(name, b"x"),
        "remove": lambda: held.remove(name),
        "file": lambda: held.file(name),
        "lists": lambda: lists.write(held.path, {name: b"x"}),
        "again": lambda: again.write([(name, lambda: b"x")], held.path),
    }[door]
    before = sorted(held.path.parents[1].rglob("*"))
    with pytest.raises(CannotWriteError, match=r"outside|no name"):
        work()
    assert sorted(held.path.parents[1].rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["map.html", "maps/430524.html", "a/b/c.d", "新邵县.html", "console.txt", "..x", "x..y"]
)
def test_plain_names_are_written_below_the_folder(held, name):
    held.write(name, b"whole")
    assert (held.path / name).read_bytes() == b"whole"
    assert held.file(name) == held.path / name
    held.remove(name)
    held.remove(name)
    assert not (held.path / name).exists()


def test_a_folder_that_is_a_link_is_not_followed(held, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (held.path / "maps").symlink_to(elsewhere)
    (held.path / "figures").mkdir()
    (held.path / "figures" / "deep").symlink_to(elsewhere / "deep")
    (held.path / "proposals").symlink_to(tmp_path / "nowhere")
    for name in ("maps/x.html", "figures/deep/x.png", "maps/deep/x.html", "proposals/x.html"):
        with pytest.raises(CannotWriteError, match="is a link"):
            held.write(name, b"x")
    assert [p for p in elsewhere.rglob("*") if p.is_file()] == []
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_is_a_link_is_replaced_and_what_it_pointed_to_stays(held, tmp_path):
    (tmp_path / "precious").write_bytes(b"kept")
    (held.path / "map.html").symlink_to(tmp_path / "precious")
    held.write("map.html", b"new")
    assert (tmp_path / "precious").read_bytes() == b"kept"
    assert (held.path / "map.html").read_bytes() == b"new"
    assert not (held.path / "map.html").is_symlink()


def test_a_lock_that_is_a_link_empties_nothing(tmp_path):
    (tmp_path / "precious").write_bytes(b"kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(CannotWriteError), _files.locked(tmp_path / "out"):
        pass
    assert (tmp_path / "precious").read_bytes() == b"kept"


def test_row_116_only_what_this_folder_s_own_run_left_is_cleared_away(tmp_path):
    out = tmp_path / "out"
    others = [
        out / ".writing-other",
        out / "inner" / ".writing-run",
        out / "inner" / "deep" / ".writing-abc",
        tmp_path / ".writing-x",
    ]
    for other in [*others, out / ".writing-run" / ".writing-mine"]:
        other.mkdir(parents=True)
        (other / "half.html").write_bytes(b"half")
    with _files.locked(out) as held:
        assert not (out / ".writing-run").exists()
        held.write("map.html", b"whole")
    assert not (out / ".writing-run").exists()
    assert all((other / "half.html").read_bytes() == b"half" for other in others)


def test_row_116_what_is_left_is_not_followed_where_it_is_a_link(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "x").write_bytes(b"kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".writing-run").symlink_to(tmp_path / "precious")
    with _files.locked(tmp_path / "out") as held:
        held.write("map.html", b"whole")
    assert (tmp_path / "precious" / "x").read_bytes() == b"kept"


def test_row_116_a_run_inside_the_folder_of_another_goes_on_undisturbed(tmp_path):
    with (
        _files.locked(tmp_path / "out" / "county") as inner,
        _files.replacing(tmp_path / "out" / "county" / "x") as part,
    ):
        part.write_bytes(b"inner")
        with _files.locked(tmp_path / "out") as outer:
            outer.write("map.html", b"outer")
        inner.write("map.html", b"inner too")
    found = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert {n: c for n, c in found.items() if ".lock" not in n} == {
        "out/map.html": b"outer", "out/county/map.html": b"inner too", "out/county/x": b"inner",
    }  # fmt: skip


def test_who_holds_a_folder_takes_it_again_and_keeps_what_is_half_written(tmp_path):
    with (
        _files.locked(tmp_path) as held,
        _files.replacing(held.file("x"), workshop=tmp_path / ".writing-run") as part,
    ):
        part.write_bytes(b"half")
        with _files.locked(tmp_path) as again_:
            again_.write("y", b"whole")
        assert part.read_bytes() == b"half"
    assert (tmp_path / "x").read_bytes() == b"half"


HOLD = "import sys; from sy_coverage import _files\nwith _files.locked(sys.argv[1]):\n print('held', flush=True); sys.stdin.read()"


@pytest.mark.parametrize("way", ["save", "workers", "some counties"])
def test_row_116_a_folder_that_another_run_holds_is_refused_before_any_work(tmp_path, way):
    from sy_coverage import counties

    study = Study(read_config(toy.write_study(tmp_path)), tmp_path)
    out = tmp_path / "out"
    work = {
        "save": lambda: study.save(out),
        "workers": lambda: counties.run(study, out, workers=1),
        "some counties": lambda: study.save(out, counties=("990100",)),
    }[way]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(CannotWriteError, match="another run"):
            work()
        assert study.seconds == {}, "nothing was read"
    finally:
        holder.communicate(b"")
    with _files.locked(out):
        pass


@pytest.mark.parametrize("command", ["coverage", "geocode", "roads", "compare", "run", "propose"])
def test_row_116_every_command_takes_the_folder_before_it_works(tmp_path, command, monkeypatch):
    study_file, out = toy.write_study(tmp_path), tmp_path / "out"
    named = '\n[what_if."甲"]\nclose = ["S1"]\n'
    study_file.write_text(study_file.read_text(encoding="utf-8") + named, encoding="utf-8")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

    def worked(*_, **__):
        raise AssertionError("the network was read before the folder was taken")

    monkeypatch.setattr("sy_coverage.study.steps.roads.network.read_network", worked)
    try:
        assert holder.stdout.readline() == b"held\n"
        done = CliRunner().invoke(app, [command, str(study_file), "--out", str(out)])
        assert isinstance(done.exception, CannotWriteError)
        assert "another run" in str(done.exception)
    finally:
        holder.communicate(b"")


def test_bad_input_leaves_no_folder_behind(tmp_path):
    study_file = toy.write_study(tmp_path)
    (tmp_path / "units.gpkg").write_bytes(b"no layer")
    study = Study(read_config(study_file), tmp_path)
    with pytest.raises(InputError):
        save.save(study.answers, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError):
        save.save(study.answers, tmp_path / "there")
    assert (tmp_path / "there").is_dir()


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        (["a", "A"], "same file"), (["x", "x"], "same file"), (["summary"], "same file"), (["Summary"], "same file"),
        (["CON"], "cannot name"), (["nul.x"], "cannot name"), (["com1"], "cannot name"), ([430524], "cannot name"),
    ],
)  # fmt: skip
def test_ids_that_would_share_a_file_or_name_a_device_are_refused(ids, reason):
    with pytest.raises(InputError, match=reason):
        _files.require_plain_names(ids, "county_id", taken=("summary",))


def test_what_a_stopped_run_had_marked_is_told_to_the_next_and_gone_when_that_ends_well(tmp_path):
    study = read_study(toy.write_study(tmp_path)).answers
    out = tmp_path / "out"

    def stopped():
        with _files.locked(out) as held, unfinished.marked(study, held):
            held.write("half.txt", b"x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert unfinished.changed_since(study, out) == ()
    with (tmp_path / "villages.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    (tmp_path / "candidates.csv").rename(tmp_path / "gone.csv")
    assert unfinished.changed_since(study, out) == ("candidates.csv", "villages.csv")
    with _files.locked(out) as held, unfinished.marked(study, held):
        held.write("a.txt", b"x")
    assert unfinished.changed_since(study, out) == ()
    assert (out / ".lock").read_bytes() == b""


@pytest.mark.parametrize("mark", [b"{", b"[1]", b'{"inputs": 3}', b"\0" * 9])
def test_a_mark_that_was_cut_short_says_nothing(tmp_path, mark):
    study = read_study(toy.write_study(tmp_path)).answers
    with _files.locked(tmp_path / "out") as held:
        held.write("a.txt", b"x")
        held.mark(mark)
    assert unfinished.changed_since(study, tmp_path / "out") == ()


def test_without_a_terminal_progress_is_lines_with_the_time(capsys):
    console = Console(force_terminal=False, width=200)
    with screen.bars(console, "en") as progress, progress("units", total=2) as advance:
        advance()
        advance()
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "Reading streets and townships …", "Reading streets and townships 2/2 (0 s)",
    ]  # fmt: skip
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", line.partition(" ")[0]) for line in lines)
