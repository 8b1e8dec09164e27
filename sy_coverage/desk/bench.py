"""Ask a study in a process of its own, so that a page never waits for it and whatever it does takes the desk not down."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sy_coverage.desk.questions import Questions, said_of
from sy_coverage.errors import CoverageError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path


class BenchError(RuntimeError):
    """A question that could not be answered; its text is for the person at the desk."""


@dataclass
class Bench:
    """One process that answers questions about the study in a folder, one after another; begun again where it died."""

    folder: Path
    _process: SpawnProcess | None = None
    _line: Connection | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, question: str, **given: Any) -> Any:
        """Return what `Questions` says; waits until those who asked before are served.

        Raises
        ------
        BenchError
            With a sentence in the language that was asked for.
        """
        with self._turn:
            line = self._opened()
            try:
                line.send((question, given))
                is_well, answer = line.recv()
            except (EOFError, OSError) as error:
                self.close()
                raise BenchError(
                    f"{question}: the process that works on it ended ({error or 'killed'})"
                ) from error
        if not is_well:
            raise BenchError(answer)
        return answer

    def _opened(self) -> Connection:
        if self._process is None or not self._process.is_alive() or self._line is None:
            context = multiprocessing.get_context("spawn")
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(self.folder, theirs), daemon=True)
            self._process.start()
            theirs.close()
        return self._line

    def close(self) -> None:
        """End the process."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.join(5)
        self._process = self._line = None


def _work(folder: Path, line: Connection) -> None:
    """Answer until nobody asks any more: whoever asked is gone, however it ended."""
    questions = Questions(folder)
    while True:
        try:
            question, given = line.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (True, questions.ask(question, **given))
        except CoverageError as error:
            answer = (False, said_of(error, given.get("language", "zh")))
        except Exception as error:  # noqa: BLE001  (a fault in one answer must not end all others)
            answer = (False, f"{type(error).__name__}: {error}")
        line.send(answer)
