"""Compute each step of a study once, see what it reads, and keep it for every study in which that is the same."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, overload

import pandas as pd

from sy_coverage.study.config.section import Section
from sy_coverage.study.steps.memory.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from pandas import DataFrame

    from sy_coverage.study.config.file import StudyConfig

    Key = tuple[Hashable, ...]
    Read = tuple[str, ...]

T = TypeVar("T")
S = TypeVar("S", bound=Section)
_FOLLOWS = "'{}' follows from the study; ask with .but(...) or .what_if(...) instead"
AROUND = "@"
"""How reads begin that are no keys of the study file, but of what stands around it: who may be asked, which counties."""


class Watched:
    """A section of a configuration that notes each of its keys that is read, and gives its value."""

    __slots__ = ("_model", "_note", "_path")

    def __init__(self, model: Section, path: Read, note: Callable[[Read], None]) -> None:
        """Watch `model`, which stands at `path` of the configuration."""
        self._model, self._path, self._note = model, path, note

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._model, name)
        if name in type(self._model).parts:
            self._note((*self._path, name))
            return value
        if name not in type(self._model).model_fields:
            self._note(self._path)  # a method or property may read any of them
            return value
        path = (*self._path, name)
        if isinstance(value, Section):
            return Watched(value, path, self._note)
        self._note(path)
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        self._note(self._path)
        return _as_it_is, (self._model,)


def _as_it_is(model: Section) -> Section:
    return model


@dataclass(frozen=True)
class Kept:
    """What a step came to, and what it was seen to read, through the steps before it too."""

    value: Any
    reads: frozenset[Read]
    reports: Mapping[str, DataFrame]
    """What readers said of their files meanwhile, by room."""


@dataclass
class _Open:
    reads: set[Read] = field(default_factory=set)
    reports: dict[str, DataFrame] = field(default_factory=dict)


class Memory:
    """What is known of one study so far."""

    def __init__(self, config: StudyConfig, around: Mapping[str, Any]) -> None:
        """Know nothing yet; `around` is what steps may depend on besides `config`, by name."""
        self._config, self._around = config, MappingProxyType(dict(around))
        self._kept: dict[Key, Kept] = {}
        self._open = threading.local()

    @property
    def config(self) -> StudyConfig:
        """The configuration; within a step, as one that notes what is read of it."""
        if not self._stack:
            return self._config
        return cast("StudyConfig", Watched(self._config, (), self._note))

    def around(self, name: str) -> Any:
        """Return what stands around the study under this name."""
        self._note((AROUND, name))
        return self._around[name]

    @property
    def _stack(self) -> list[_Open]:
        if not hasattr(self._open, "stack"):
            self._open.stack = []
        stack: list[_Open] = self._open.stack
        return stack

    def _note(self, read: Read) -> None:
        if self._stack:
            self._stack[-1].reads.add(read)

    def get(self, key: Key, compute: Callable[[], T]) -> T:
        """Return what `compute` returned under this key, now or before."""
        if key not in self._kept:
            with self._seen() as seen:
                value = compute()
            self._kept[key] = Kept(_unchangeable(value), frozenset(seen.reads), dict(seen.reports))
        kept = self._kept[key]
        self._inherit(kept.reads)
        return cast("T", kept.value)

    @contextmanager
    def _seen(self) -> Iterator[_Open]:
        seen = _Open()
        self._stack.append(seen)
        try:
            yield seen
        finally:
            self._stack.pop()
            self._inherit(frozenset(seen.reads))

    def _inherit(self, reads: frozenset[Read]) -> None:
        if self._stack:
            self._stack[-1].reads |= reads

    def report(self, room: str, report: DataFrame) -> None:
        """Keep what a reader says of its files with the step that reads them."""
        self._stack[-1].reports[room] = report

    def put(self, key: Key, value: object, *, like: Key) -> None:
        """Keep what was worked out elsewhere from the step `like`, which is known."""
        self._kept[key] = Kept(_unchangeable(value), self._kept[like].reads, {})

    def give(self, key: Key, value: object, reports: Mapping[str, DataFrame] | None = None) -> None:
        """Keep the value of a step that was worked out elsewhere, whatever it depends on: it stays as it is in every heir."""
        self._kept[key] = Kept(_unchangeable(value), frozenset(), dict(reports or {}))

    def known(self, name: str) -> dict[Key, Any]:
        """Return everything that is known of the step `name`, by key."""
        return {key: kept.value for key, kept in self._kept.items() if key[0] == name}

    @property
    def reports(self) -> dict[str, DataFrame]:
        """What the readers said, by room."""
        return {room: report for kept in self._kept.values() for room, report in kept.reports.items()}

    def heir(self, *, config: StudyConfig | None = None, **around: Any) -> Memory:
        """Return the memory of a study with another configuration or surroundings: what it reads alike is known to it."""
        other = Memory(config or self._config, {**self._around, **around})
        for key, kept in list(self._kept.items()):
            if all(_same(self._read(read), other._read(read)) for read in kept.reads):
                other._kept[key] = kept
        return other

    def _read(self, read: Read) -> Any:
        if read[:1] == (AROUND,):
            return self._around[read[1]]
        value: Any = self._config
        for name in read:  # a section that may be missing has no keys there
            value = None if value is None else getattr(value, name)
        return value


def _same(one: Any, other: Any) -> bool:
    # what is no option of a configuration (plans by county) is only the same where it is the same object
    is_plain = type(one) is type(other) and not isinstance(one, MappingProxyType)
    return one is other or (is_plain and bool(one == other))


def _unchangeable(value: Any) -> Any:
    """Return a value as it is handed out: frames refuse to be changed in place, and so do tables by name."""
    if isinstance(value, pd.DataFrame):
        return frozen(value)
    if isinstance(value, dict):
        held = {key: frozen(item) if isinstance(item, pd.DataFrame) else item for key, item in value.items()}
        return MappingProxyType(held)
    return value


class HasMemory(Protocol):
    """Whatever has steps."""

    @property
    def memory(self) -> Memory:
        """What is known of the study so far."""


class Step(Generic[T]):
    """A value that is computed when it is first asked for, kept, and seen to depend on what it reads."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        """Compute with `compute`, a function of whoever has the step."""
        self.compute, self.__doc__, self.name = compute, compute.__doc__, compute.__name__

    @overload
    def __get__(self, owner: None, kind: type) -> Step[T]: ...

    @overload
    def __get__(self, owner: HasMemory, kind: type) -> T: ...

    def __get__(self, owner: HasMemory | None, kind: type) -> Step[T] | T:
        """Return the value of `owner`."""
        if owner is None:
            return self
        return owner.memory.get((self.name,), lambda: self.compute(owner))

    def __set__(self, owner: object, value: object) -> None:
        """Refuse: steps follow from configuration and frames."""
        raise AttributeError(_FOLLOWS.format(self.name))


class Handed(Generic[T]):
    """A step of one part, as the whole hands it out."""

    def __init__(self, part: str, step: Step[T] | Handed[T]) -> None:
        """Ask the attribute `part` of the whole."""
        self.part, self.__doc__ = part, step.__doc__
        self.name: str = step.name

    @overload
    def __get__(self, owner: None, kind: type) -> Handed[T]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> Handed[T] | T:
        """Return the value that the part of `owner` has."""
        if owner is None:
            return self
        value: T = getattr(getattr(owner, self.part), self.name)
        return value

    def __set__(self, owner: object, value: object) -> None:
        """Refuse: steps follow from configuration and frames."""
        raise AttributeError(_FOLLOWS.format(self.name))
