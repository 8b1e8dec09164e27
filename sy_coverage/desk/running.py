"""Run a study in a process that outlives the desk: what it is at lies in the study's folder, and there it is cancelled."""

from __future__ import annotations

import _thread
import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from sy_coverage import _files, labels
from sy_coverage.errors import CancelledError, CoverageError
from sy_coverage.study import Study, read_study
from sy_coverage.study.progress.job import Job, Moment
from sy_coverage.study.results import again

Task = Literal["run", "dress"]
"""``run``: plan everything and write it. ``dress``: write proposals and maps again with office, date and approval number."""
State = Literal["running", "done", "cancelled", "failed"]
BEGIN_S = 60.0
"""A process that has said nothing for so long since it was begun is gone."""
LOOK_EVERY_S = 0.3
HOME = ".desk"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a run is at, as its file says."""

    task: Task = "run"
    state: State = "running"
    stage: str = ""
    done: int = 0
    total: int = 1
    best: float | None = None
    gap: float | None = None
    beat: float = 0.0
    """When it was last heard of, seconds since 1970."""
    began: float = 0.0
    tries: int = 1
    message: str = ""
    """What went wrong, or what was kept of a run that was cancelled."""


def home(folder: Path) -> Path:
    """Return where the desk keeps what it is at, in the study's folder."""
    return folder / HOME


def seen(folder: Path) -> Seen | None:
    """Return what the last run of a folder is at, or None; one whose process is gone is no longer running."""
    try:
        held = json.loads(_files.read_bytes(home(folder) / "run.json"))
        found = Seen(**held)
    except (ValueError, TypeError):  # none, or not ours
        return None
    return found


def is_alive(folder: Path) -> bool:
    """Whether a process works on this folder now: it holds the lock as long as it lives, however it ends."""
    lock = FileLock(home(folder) / "run.lock", timeout=0)
    try:
        _files.make_folder(home(folder))
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def start(folder: Path, task: Task = "run", *, tries: int = 1) -> None:
    """Begin a run in a process of its own, unless one is at work."""
    if is_alive(folder):
        return
    _files.make_folder(home(folder))
    (home(folder) / "cancel").unlink(missing_ok=True)
    _write(folder, Seen(task=task, began=time.time(), beat=time.time(), tries=tries))
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    command = [
        sys.executable,
        "-m",
        "sy_coverage.desk.running",
        str(folder),
        "--task",
        task,
        "--tries",
        str(tries),
    ]
    with (home(folder) / "run.log").open("wb") as log:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **apart)  # noqa: S603  (ourselves)


def resume(folder: Path) -> bool:
    """Begin a run again that ended without a word, once: its process was killed, or the machine went off."""
    last = seen(folder)
    if last is None or last.state != "running" or is_alive(folder):
        return False
    if time.time() - last.began < BEGIN_S and last.stage == "":  # it is only just beginning
        return False
    if last.tries > 1:
        _write(folder, replace(last, state="failed", message="killed"))
        return False
    start(folder, last.task, tries=last.tries + 1)
    return True


def cancel(folder: Path) -> None:
    """Ask the run of a folder to stop; the plans it has so far, and the best answer of the one it is at, are written."""
    _files.write_bytes(home(folder) / "cancel", b"")


def _write(folder: Path, found: Seen) -> None:
    _files.write_bytes(home(folder) / "run.json", json.dumps(asdict(found)).encode())


# --- what the process does ------------------------------------------------------------------------------------------


class _Diary:
    """Write down what a job is at, now and then, and hear that it shall stop."""

    def __init__(self, folder: Path, task: Task, tries: int) -> None:
        self.folder = folder
        self.job = Job()
        self.found = Seen(task=task, began=time.time(), tries=tries)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def begin(self) -> None:
        signal.signal(signal.SIGINT, lambda *_: self.job.cancel())
        self._thread.start()

    def _follow(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            if _files.is_there(home(self.folder) / "cancel") and not self.job.is_cancelled:
                self.job.cancel()
                # a solve hears this as Ctrl-C: it hands back the best answer it has
                _thread.interrupt_main()
            moment = self.job.moment
            _write(self.folder, replace(self.found, **_of(moment), beat=time.time()))

    def end(self, state: State, message: str = "") -> None:
        self._over.set()
        self._thread.join(5)
        moment = self.job.moment
        _write(
            self.folder, replace(self.found, **_of(moment), state=state, message=message, beat=time.time())
        )


def _of(moment: Moment) -> dict[str, Any]:
    return {name: getattr(moment, name) for name in ("stage", "done", "total", "best", "gap")}


def work(folder: Path, task: Task, *, tries: int = 1) -> None:
    """Do the task, with the lock of the folder held, and write down how it ended."""
    _files.make_folder(home(folder))
    try:
        lock = FileLock(home(folder) / "run.lock", timeout=5)
        lock.acquire()
    except Timeout:
        return
    diary = _Diary(folder, task, tries)
    diary.begin()
    try:
        study = read_study(folder, progress=diary.job, offline=True)
        state, message = _dress(study, diary.job) if task == "dress" else _run(study, diary.job)
    except CoverageError as error:
        language = study.config.study.language if "study" in locals() else "zh"
        state, message = (
            ("cancelled", "")
            if isinstance(error, CancelledError)
            else ("failed", labels.sentence(error, language))
        )
    except Exception as error:  # noqa: BLE001  (whatever it is, the person at the desk is told)
        state, message = "failed", f"{type(error).__name__}: {error}"
    diary.end(state, message)
    lock.release()


def _run(study: Study, job: Job) -> tuple[State, str]:
    """Run a study as the command line does; of one that is cancelled, write the plans that it has."""
    try:
        study.save()
    except CancelledError:
        planned = sorted(scope for scope in study.known_plans if scope is not None)
        if not planned:
            raise
        job.moment = Moment(stage="outputs")
        Study.of(study.answers.untold()).save(counties=tuple(planned))  # nobody stops what is written now
        return "cancelled", labels.joined(
            [study.counties[scope] for scope in planned], study.config.study.language
        )
    return "done", ""


def _dress(study: Study, job: Job) -> tuple[State, str]:
    out, about = Path(study.path(study.config.study.output)), study.config.study
    number = study.config.map.approval_number
    found = again.changed(
        again.read_findings(out), office=about.office, issued=about.issued, approval_number=number
    )
    again.write([*again.report_files(found), *again.map_files(found)], out, progress=job)
    return "done", ""


def main() -> None:
    """Do one task for the desk that began this process."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=Path)
    asked.add_argument("--task", choices=("run", "dress"), default="run")
    asked.add_argument("--tries", type=int, default=1)
    given = asked.parse_args()
    os.environ.setdefault("MPLBACKEND", "agg")
    work(given.folder, given.task, tries=given.tries)


if __name__ == "__main__":
    main()
