"""Whatever stops a run while it writes, every file under a final name is whole, and the next run ends as if nothing was."""

import errno
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sy_coverage import _files
from sy_coverage.errors import CannotWriteError, InputError
from tests import toy
from tests.faults.finished import Finished, contents

MOMENTS = 40


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return Finished.of(toy.write_study(tmp_path_factory.mktemp("study")), tmp_path_factory.mktemp("whole"))


@pytest.fixture
def ready(finished, monkeypatch):
    finished.ready(monkeypatch)
    return finished


@pytest.fixture
def old(ready, tmp_path):
    """A folder with whole results of an earlier run, each of other bytes than the next run's."""
    put_old(tmp_path / "out", ready)
    return tmp_path / "out"


def put_old(folder: Path, ready: Finished) -> None:
    """Put results of an earlier run into `folder`, one county more among them."""
    paths = {*ready.written, "proposals/gone.html"} - {"manifest.json"}
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"old " + path.encode())
    manifest = {"outputs": dict.fromkeys(sorted(paths), "")}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def whole(folder: Path, ready: Finished) -> None:
    """Check that each final name holds all that was there before or all of the new run, and the manifest comes last."""
    found = contents(folder)
    manifest = found.pop("manifest.json")
    is_new = manifest == ready.written["manifest.json"]
    for path, content in found.items():
        before = b"old " + path.encode()
        assert content in {before, ready.written.get(path)}, f"{path} is half-written"
        assert not (is_new and content == before), f"the manifest was written before {path}"
    assert found.keys() >= ready.written.keys() - {"manifest.json"}


def refusal(work) -> CannotWriteError | None:
    """Return how `work` was refused, or None if it came to its end."""
    try:
        work()
    except CannotWriteError as error:
        return error
    return None


def child(work, *, limit: int | None = None) -> int:
    """Do `work` in a forked process and return its id; its exit code is 0 done, 74 cannot write, 1 anything else."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        work()
        code = 0
    except CannotWriteError as error:
        code = error.exit_code
    finally:
        os._exit(code)


def code_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_row_72_killed_at_forty_moments_nothing_is_half_written_and_the_next_run_ends_the_same(old, ready):
    unbroken, killed = math.inf, 0
    for _ in range(3):  # the first of them takes longest
        begun = time.monotonic()
        assert code_of(child(lambda: ready.study.save(old))) == 0
        unbroken = min(unbroken, time.monotonic() - begun)
    for moment in range(MOMENTS):
        put_old(old, ready)
        begun, pid = time.monotonic(), child(lambda: ready.study.save(old))
        time.sleep(unbroken * moment / MOMENTS)
        os.kill(pid, signal.SIGKILL)
        if code_of(pid) == -signal.SIGKILL:
            killed += 1
        else:  # less went on beside it than when it was measured
            unbroken = min(unbroken, time.monotonic() - begun)
        whole(old, ready)
    assert killed >= MOMENTS // 2, "most runs must have been stopped before their end"
    ready.study.save(old)
    assert contents(old) == ready.written
    assert not list(old.rglob(".writing-*")), "what killed runs left behind is cleared away"


def test_row_72_whole_runs_killed_from_reading_to_writing_leave_whole_files_and_the_next_ends_the_same(
    tmp_path,
):
    """The long version, forty kills on the whole sample, is scripts/soak.py."""
    study_file, out = toy.write_study(tmp_path), tmp_path / "out"
    words = [sys.executable, "-m", "sy_coverage", "run", study_file, "--out"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    assert subprocess.run([*words, tmp_path / "whole"], check=False, **quiet).returncode == 0
    expected = contents(tmp_path / "whole")
    killed = 0
    for files in (0, 1, len(expected) // 2):  # while it reads, at its first file, half-way through
        run = subprocess.Popen([*words, out], start_new_session=True, **quiet)
        while run.poll() is None and (len(contents(out)) if out.exists() else 0) < files:
            time.sleep(0.005)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        killed += run.wait() == -signal.SIGKILL
        there = contents(out) if out.exists() else {}
        assert [path for path in there if there[path] != expected[path]] == []
    assert killed >= 2, "most runs must have been stopped before their end"
    assert subprocess.run([*words, out], check=False, **quiet).returncode == 0
    assert contents(out) == expected
    assert not list(out.rglob(".writing-*"))


def test_row_72_results_of_a_county_that_is_gone_do_not_stay(old, ready):
    ready.study.save(old)
    assert not (old / "proposals" / "gone.html").exists()


@pytest.mark.parametrize("door", ["fsync", "replace", "write_bytes"])
def test_row_71_a_disk_that_fills_up_at_any_write_leaves_old_files_whole_and_no_rubbish(
    old, ready, monkeypatch, door
):
    owner = {"fsync": os, "replace": Path, "write_bytes": Path}[door]
    real = getattr(owner, door)
    refused, n = True, 0
    while refused:
        calls = 0

        def full(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == n + 1:  # noqa: B023  (called before the loop goes on)
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(owner, door, full)
            error = refusal(lambda: ready.study.save(old))
        refused = error is not None
        assert error is None or ("the disk is full" in str(error) and error.exit_code == 74)
        whole(old, ready)
        assert not list(old.rglob(".writing-*"))
        n += 1
    assert n > len(ready.counties) * 5, "every write had its turn to fail"
    assert contents(old) == ready.written


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.9, 0.99])
def test_row_71_a_layer_file_that_does_not_fit_is_refused_and_the_old_one_stays(old, ready, share):
    from sy_coverage.outputs import tables

    layers = tables.layers(ready.study.findings)
    path = old / "coverage.gpkg"
    _files.write_layers(path, layers)
    before = path.read_bytes()
    code = code_of(child(lambda: _files.write_layers(path, layers), limit=int(share * len(before))))
    assert code == 74
    assert path.read_bytes() == before
    assert not list(old.rglob(".writing-*"))


def test_row_71_a_file_too_large_for_what_is_left_is_refused_and_the_old_one_stays(tmp_path):
    path = tmp_path / "map.html"
    _files.write_bytes(path, b"old")
    assert code_of(child(lambda: _files.write_bytes(path, b"n" * 100_000), limit=50_000)) == 74
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]


def test_row_71_a_cache_that_the_disk_has_no_room_for_is_refused_and_what_it_held_stays(tmp_path):
    from sy_coverage._fetch import Cache, Reply

    path = tmp_path / "answers.sqlite"
    Cache(path).put("first", Reply(b"kept", "2026-01-01T00:00:00+00:00", cached=False))

    def fill() -> None:
        for n in range(20):
            Cache(path).put(str(n), Reply(bytes(50_000), "2026-01-01T00:00:00+00:00", cached=False))

    assert code_of(child(fill, limit=200_000)) == 74
    kept = Cache(path)
    assert kept.get("first").content == b"kept"
    assert kept.get("0").content == bytes(50_000), "what fitted is kept"
    assert kept.get("19") is None


def test_row_66_an_interrupt_while_writing_leaves_whole_files_and_no_rubbish(old, ready, monkeypatch):
    real, calls = Path.replace, 0

    def interrupted(self, target):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ready.study.save(old)
    monkeypatch.setattr(Path, "replace", real)
    whole(old, ready)
    assert not list(old.rglob(".writing-*"))
    ready.study.save(old)
    assert contents(old) == ready.written


def test_row_66_ctrl_c_on_the_command_line_leaves_130_and_writes_nothing(tmp_path):
    study_file, out = toy.write_study(tmp_path), tmp_path / "out"
    run = subprocess.Popen(
        [sys.executable, "-m", "sy_coverage", "run", study_file, "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert run.stdout is not None
    time.sleep(0.5)
    os.set_blocking(run.stdout.fileno(), False)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not _is_reading(run.pid):
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert b"Traceback" not in said
    assert not out.exists()


def test_row_66_ctrl_c_while_the_command_is_still_being_opened_leaves_130_without_a_word(tmp_path):
    study_file, out = toy.write_study(tmp_path), tmp_path / "out"
    words = [sys.executable, "-X", "importtime", "-m", "sy_coverage", "run", study_file, "--out", out]
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stderr is not None
    said = b""
    for line in run.stderr:  # typer is there, the command line not yet
        said += line
        if line.endswith(b" typer\n"):
            run.send_signal(signal.SIGINT)
            break
    said += run.communicate(timeout=60)[1]
    assert run.returncode == 130, said
    assert b"Traceback" not in said
    assert not out.exists()


def test_row_66_ctrl_c_that_a_library_swallows_stops_the_run_at_its_next_step():
    from rich.console import Console

    from sy_coverage.cli import screen

    before, steps = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with screen.bars(Console(quiet=True), "en") as progress, progress("plans", total=2) as advance:
            advance()
            steps.append(1)
            with suppress(KeyboardInterrupt):  # as code that C calls back does
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
            advance()
            steps.append(2)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == [1]
    assert signal.getsignal(signal.SIGINT) is before


def _is_reading(pid: int) -> bool:
    """Tell whether a run has opened the library of layers, which is then in its memory; where no system says so, it may have."""
    mapped = Path(f"/proc/{pid}/maps")
    return not mapped.exists() or "pyogrio" in mapped.read_text(encoding="utf-8")


def test_row_73_a_second_run_into_the_same_folder_is_told_to_wait(tmp_path):
    hold = (
        "import sys, time\n"
        "from sy_coverage import _files\n"
        "with _files.locked(sys.argv[1]):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    first = subprocess.Popen([sys.executable, "-c", hold, tmp_path], stdout=subprocess.PIPE)
    assert first.stdout is not None
    try:
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(CannotWriteError, match="another run is writing here"), _files.locked(tmp_path):
            pass
    finally:
        first.kill()
        first.communicate()
    with _files.locked(tmp_path):  # a run that was killed holds no lock
        pass


def test_row_73_many_writers_lose_no_row_of_a_cache(tmp_path):
    insert = (
        "import sys\n"
        "from sy_coverage import _files\n"
        "for i in range(50):\n"
        "    with _files.sqlite(sys.argv[1], tables=['t']) as c:\n"
        "        c.execute('CREATE TABLE IF NOT EXISTS t (who TEXT, i INTEGER)')\n"
        "        c.execute('INSERT INTO t VALUES (?, ?)', (sys.argv[2], i))\n"
    )
    path = tmp_path / "cache.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", insert, path, who]) for who in "abc"]
    assert [w.wait(60) for w in writers] == [0, 0, 0]
    with _files.sqlite(path, tables=["t"]) as connection:
        assert connection.execute("SELECT count(DISTINCT who || i) FROM t").fetchone() == (150,)


def test_row_75_spaces_and_chinese_in_a_path_are_no_fault(ready, tmp_path):
    folder = tmp_path / "结 果" / "二〇二七 年"
    ready.study.save(folder)
    assert contents(folder) == ready.written


@pytest.mark.parametrize("name", ["a-file/out", "x" * 300])
def test_row_75_a_folder_that_cannot_be_made_is_refused_before_any_work(finished, tmp_path, name):
    (tmp_path / "a-file").write_bytes(b"")
    from sy_coverage.study import Study

    fresh = Study(finished.study.config, finished.study.folder)
    with pytest.raises(CannotWriteError, match="choose another folder"):
        fresh.save(tmp_path / name)
    assert fresh.seconds == {}, "nothing was read"


def test_row_75_a_read_only_folder_is_refused_before_any_work(finished):
    from sy_coverage.study import Study

    fresh = Study(finished.study.config, finished.study.folder)

    def save_unprivileged() -> None:
        if os.geteuid() == 0:  # nothing is read-only to root
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            fresh.save(Path(name) / "out")
        finally:
            assert fresh.seconds == {}, "something was read"

    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        assert code_of(child(save_unprivileged)) == 74
        assert list(Path(name).iterdir()) == []
        Path(name).chmod(0o755)


@pytest.mark.parametrize("wrong", ["../../etc", "a/b", "a\\b", "..", ".", "", "a\0b", "a\nb", "x" * 61])
def test_row_75_an_id_that_would_lead_out_of_the_folder_is_refused(wrong):
    with pytest.raises(InputError, match="cannot name a file"):
        _files.require_plain_names(["430524", wrong], "county_id")


def test_row_75_a_county_called_like_a_path_cannot_escape_the_folder(tmp_path):
    study_file = toy.write_study(tmp_path)
    units = toy.units().reset_index().drop(columns="county_id").assign(county="../../escaped")
    units["unit_id"] = ["a", "b", "c", "d"]
    units.to_file(tmp_path / "units.gpkg", layer="units", driver="GPKG")
    from sy_coverage.study import read_study

    with pytest.raises(InputError):
        read_study(study_file).save(tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.mark.parametrize("plain", ["430524", "新邵县", "MT-01", "a.b"])
def test_row_75_codes_and_names_are_plain(plain):
    _files.require_plain_names([plain], "county_id")
