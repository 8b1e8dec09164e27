"""Hold what all tabs of a desk share: the folder, what is known of it, and what is being done; a page only shows it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sy_coverage import _files, labels
from sy_coverage.desk import running
from sy_coverage.desk.bench import Bench, BenchError
from sy_coverage.desk.questions import results_stamp, stamp_of

if TYPE_CHECKING:
    from pathlib import Path

    from sy_coverage.labels import Language

_LOG = logging.getLogger(__name__)
WATCH_S = 0.5
"""How often the folder is looked at."""


@dataclass
class View:
    """One answer about the folder, as it was when it was last worked out."""

    value: Any = None
    error: str = ""
    stamp: object = None
    is_asked: bool = False


@dataclass
class Desk:
    """What the tabs share. `version` counts up whenever something to be seen has changed."""

    folder: Path
    language: Language = "zh"
    bench: Bench = field(init=False)
    version: int = 0
    views: dict[str, View] = field(default_factory=dict)
    run: running.Seen | None = None
    busy: str = ""
    """What is being written just now."""
    notice: str = ""
    """What went wrong last; shown until it is closed."""
    uploads: list[str] = field(default_factory=list)
    stamp: object = None
    results: object = None
    """When the results were last written, as far as a file tells it."""
    _tasks: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read what the last desk of this folder was set to."""
        self.bench = Bench(self.folder)
        try:
            kept = json.loads(_files.read_bytes(self._settings))
            self.language = "en" if kept.get("language") == "en" else "zh"
        except (ValueError, AttributeError):
            pass

    @property
    def _settings(self) -> Path:
        return running.home(self.folder) / "settings.json"

    def words(self, key: str, **values: object) -> str:
        """Return a label in the language of the page."""
        return labels.text(f"desk.{key}", self.language, **values)

    def speak(self, language: Language) -> None:
        """Change the language of the pages, for all tabs."""
        self.language = language
        _files.write_bytes(self._settings, json.dumps({"language": language}).encode())
        self.views.clear()
        self.changed()

    def changed(self) -> None:
        """Let every tab look again."""
        self.version += 1

    def view(self, question: str) -> View:
        """Return what is known of a question, and see that it is asked (again) where a file has changed since."""
        known = self.views.setdefault(question, View())
        if known.stamp != self.stamp and not known.is_asked:
            known.is_asked = True
            self._spawn(self._ask(question, known))
        return known

    def glance(self, question: str) -> View:
        """Return what is known of a question, and ask it only where nothing else is being worked out: for what stands in the margin."""
        if any(one.is_asked for one in self.views.values()):
            return self.views.get(question, View())
        return self.view(question)

    async def _ask(self, question: str, known: View) -> None:
        stamp, language = stamp_of(self.folder), self.language
        try:
            value, error = await asyncio.to_thread(self.bench.ask, question, language=language), ""
        except BenchError as problem:
            value, error = known.value, str(problem)
        if language == self.language:
            known.value, known.error, known.stamp = value, error, stamp
        known.is_asked = False
        self.changed()

    async def do(self, question: str, **given: Any) -> bool:
        """Change something in the folder, and return whether it went well; what went wrong is shown to all."""
        self.busy = question
        self.changed()
        try:
            await asyncio.to_thread(self.bench.ask, question, language=self.language, **given)
        except BenchError as problem:
            self.notice = str(problem)
            return False
        finally:
            self.busy = ""
            self.stamp = stamp_of(self.folder)
            self.changed()
        return True

    async def watch(self) -> None:
        """Notice what others do in the folder, and how a run goes, as long as the desk is open."""
        running.resume(self.folder)
        while True:
            try:
                await asyncio.to_thread(self._look)
            except OSError as error:  # a folder on a stick that was pulled, a disk that is full
                self.notice = str(error)
            await asyncio.sleep(WATCH_S)

    def _look(self) -> None:
        stamp, run = stamp_of(self.folder), running.seen(self.folder)
        if run is not None and run.state == "running" and not running.is_alive(self.folder):
            running.resume(self.folder)
            run = running.seen(self.folder)
        results = results_stamp(self.folder)
        if (stamp, run, results) != (self.stamp, self.run, self.results):
            if results != self.results:
                self.views.pop("results", None)
            self.stamp, self.run, self.results = stamp, run, results
            self.changed()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def today(self) -> str:
        """Return the day, as answers carry it."""
        return dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat()

    def close(self) -> None:
        """End what works for the pages; a run goes on."""
        self.bench.close()
