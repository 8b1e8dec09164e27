"""A run outlives its desk, and its file says what became of it."""

import json
import time

import pytest
from filelock import FileLock

from sy_coverage.desk import running
from sy_coverage.desk.launchers import NAMES, write_launchers
from sy_coverage.desk.running import Seen


def leave(folder, **said):
    """Leave the file of a run that said nothing since."""
    running.home(folder).mkdir(exist_ok=True)
    found = {"task": "run", "state": "running", "stage": "plans", "began": time.time() - 900, **said}
    (running.home(folder) / "run.json").write_text(json.dumps(found), encoding="utf-8")


@pytest.fixture
def begun(monkeypatch):
    """Return the commands that would have been begun."""
    commands = []
    monkeypatch.setattr(running.subprocess, "Popen", lambda command, **_: commands.append(command))
    return commands


def test_a_folder_without_a_run_has_none_and_a_damaged_file_is_none(tmp_path):
    assert running.seen(tmp_path) is None
    running.home(tmp_path).mkdir()
    for text in ("", "[]", '{"state": "running", "other": 1}'):
        (running.home(tmp_path) / "run.json").write_text(text)
        assert running.seen(tmp_path) is None
    assert not running.is_alive(tmp_path)


def test_a_run_that_was_killed_is_begun_again_once(tmp_path, begun):
    leave(tmp_path)
    assert running.resume(tmp_path)
    assert [command[-1] for command in begun] == ["2"]
    # that one is only just beginning
    assert not running.resume(tmp_path)
    leave(tmp_path, tries=2)
    assert not running.resume(tmp_path)
    assert running.seen(tmp_path).state == "failed"
    assert running.seen(tmp_path).message == "killed"
    assert len(begun) == 1


def test_a_run_that_is_alive_or_has_ended_is_left_alone(tmp_path, begun):
    leave(tmp_path)
    with FileLock(running.home(tmp_path) / "run.lock"):
        assert running.is_alive(tmp_path)
        assert not running.resume(tmp_path)
        running.start(tmp_path)
    for state in ("done", "cancelled", "failed"):
        leave(tmp_path, state=state)
        assert not running.resume(tmp_path)
    assert begun == []


def test_a_new_run_forgets_that_the_last_one_was_stopped(tmp_path, begun):
    leave(tmp_path, state="cancelled")
    running.cancel(tmp_path)
    running.start(tmp_path)
    assert not (running.home(tmp_path) / "cancel").exists()
    assert running.seen(tmp_path) == Seen(
        began=running.seen(tmp_path).began, beat=running.seen(tmp_path).beat
    )
    assert len(begun) == 1


def test_a_run_that_cannot_begin_says_why_in_the_language_of_the_study(tmp_path, monkeypatch):
    monkeypatch.setattr(running.signal, "signal", lambda *_: None)
    (tmp_path / "study.toml").write_text('[study]\nname = "a"\n', encoding="utf-8")
    running.work(tmp_path, "run")
    found = running.seen(tmp_path)
    assert found.state == "failed"
    assert "boundaries" in found.message
    assert not running.is_alive(tmp_path)


def test_launchers_name_the_interpreter_and_survive_a_percent_sign_and_spaces(tmp_path):
    python = "/opt/my programs/100%/python"
    paths = write_launchers(tmp_path, python=python)
    assert tuple(path.name for path in paths) == NAMES
    bat, command, desktop = (path.read_bytes().decode() for path in paths)
    assert bat.count("\r\n") == bat.count("\n")
    assert '"/opt/my programs/100%%/python" -m sy_coverage desk "%~dp0."' in bat
    assert "'/opt/my programs/100%/python' -m sy_coverage desk ." in command
    assert "/opt/my programs/100%%/python" in desktop
    assert all(path.stat().st_mode & 0o111 for path in paths[1:])
