"""Find here every error the package raises: one tree, each a builtin too, each with the exit code it ends a command with."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class CoverageError(Exception):
    """The root: what happened, which rows, and what to do about it, in one sentence for a planner."""

    exit_code: ClassVar[int] = 2


class InputError(CoverageError, ValueError):
    """Something that was handed over cannot be used as it is."""


class MissingFileError(InputError, FileNotFoundError):
    """A file that was named is not there."""

    __str__ = Exception.__str__


class UnreadableFileError(InputError):
    """A file is there, but is not what its name says, is damaged, or is of a kind that is not allowed."""


class OlderFindingsError(UnreadableFileError):
    """Results are of another version of the program: the study is to be run again."""


class FrameError(InputError):
    """A frame breaks the column contract; `violations` lists every breach, not only the first."""

    def __init__(self, what: str, violations: Iterable[str]) -> None:
        """Join all `violations` of the frame called `what` into one message."""
        self.violations = tuple(violations)
        super().__init__(f"{what}: " + "; ".join(self.violations))


class FrozenFrameError(InputError, TypeError):
    """A frame that a study handed out was to be changed in place."""


class ConfigError(InputError):
    """A study or policy file names an unknown key or a value that is not allowed."""


class MissingCRSError(InputError):
    """A frame or file says nothing of its coordinate system, and none is assumed."""


class CRSMismatchError(InputError):
    """Two frames that must share one coordinate system do not."""


class CoordinateSystemError(InputError):
    """Coordinates are undeclared, or do not fit the system they are declared in."""


class GeometryError(InputError):
    """A geometry is invalid, empty or overlaps where it must not."""


class UnknownIdError(InputError, KeyError):
    """An id names nothing that is there."""

    __str__ = Exception.__str__


class UnknownModeError(InputError, KeyError):
    """A travel mode was asked for that the network was not built for."""

    __str__ = Exception.__str__


class CutoffError(InputError):
    """A cutoff lies beyond what the travel times hold, or is no positive number."""


class IncompleteNetworkError(InputError):
    """A road network is partial, damaged or of another version."""


class OlderNetworkError(IncompleteNetworkError):
    """A saved road network is of another version of the program: the roads are to be read again."""


class SolverError(CoverageError, RuntimeError):
    """The solver refused an option, failed to run, or gave an answer of no use."""

    exit_code = 1


class CertificateError(CoverageError, RuntimeError):
    """A plan does not stand up to our own arithmetic; it is not shown."""

    exit_code = 1


class OfflineError(CoverageError, ConnectionError):
    """The network is needed and cannot be reached, or was forbidden."""

    exit_code = 69


class CannotWriteError(CoverageError, OSError):
    """A result could not be written; what was there before is untouched."""

    exit_code = 74
    __str__ = Exception.__str__


class ServiceStoppedError(CoverageError, RuntimeError):
    """A map service stopped us (key, quota, limit); run again to go on from here."""

    exit_code = 75


class QuotaSpentError(ServiceStoppedError):
    """A map service grants no more requests today; another may be asked, or the same one tomorrow."""


class ServiceFaultError(ServiceStoppedError):
    """A service failed on one question, again and again; it may answer others, and the same one later."""

    def __init__(self, message: str, what: str = "", *, is_answer: bool = False) -> None:
        """Keep `what` is wrong, and whether the service said so itself in an answer."""
        super().__init__(message)
        self.what, self.is_answer = what, is_answer


class CancelledError(CoverageError, RuntimeError):
    """Whoever watched a run asked it to stop; nothing is half-written."""

    exit_code = 130


def some(ids: Iterable[object], *, most: int = 5) -> str:
    """Return the first `most` of `ids` and how many there are, for a message: ``a, b, c … (12 in all)``."""
    every = [str(i) for i in ids]
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} … ({len(every)} in all)"
